"""Finished files of one topic in every format, and the proofs run over them: for tests that break such files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from editions import PUBLISHER, SITE, edition, view

from pipeline import audit
from pipeline.contracts import Assets, Body, Edition, Image, Mark, OutputFile, Place, Site, View
from pipeline.findings import Finding
from pipeline.topic import Topic, load

CASES = Path(__file__).parent / "audit"
FORMATS = ("html", "print", "epub", "text", "json")
PNG = b"\x89PNG\r\n\x1a\n"
CUFF = Image("cuff.png", "media/0a1b2c3d-cuff.png", "image/png", PNG + b"cuff", "a" * 64, 320, 200, "Photo: A. Person")
CHART = Image("chart.png", "media/4e5f6a7b-chart.png", "image/png", PNG + b"chart", "b" * 64, 640, 400)
ASSETS = Assets({"cuff.png": CUFF, "chart.png": CHART})
MARKS = (Mark("review-due", "Review due: March 1, 2025"),)


@dataclass(frozen=True)
class Rendering:
    """One format of one edition: what the transform made, and all that a proof needs."""

    view: View
    body: Body
    files: tuple[OutputFile, ...]
    edition: Edition
    place: Place
    bundle: tuple[OutputFile, ...]
    assets: Assets = ASSETS

    def body_findings(self, content: bytes | None = None, **changes: Any) -> list[Finding]:
        """What the proof of the body finds, once its bytes are `content`."""
        body = replace(self.body, content=self.body.content if content is None else content, **changes)
        return audit.prove_body(self.view, body, self.place, self.assets)

    def file_findings(self) -> list[Finding]:
        """What the proof of the finished file finds."""
        return audit.prove_file(self.view, self.body, self.files, self.edition, self.place, self.bundle)

    def with_main(self, data: bytes) -> Rendering:
        """The same, with these bytes for the main file."""
        return replace(self, files=(replace(self.files[0], data=data), *self.files[1:]))

    def changed(self, old: str, new: str) -> Rendering:
        """The same, with one place of the main file rewritten. The place must be there, so that the fault really is."""
        return self.with_main(swapped(self.files[0].data, old, new))

    def member_changed(self, name: str, old: str, new: str) -> Rendering:
        """The same, with one place of one member of the book rewritten."""
        return self.with_main(rezipped(self.files[0].data, lambda n, data: swapped(data, old, new) if n == name else data))

    def styled(self, css: str) -> Rendering:
        """The same, with more rules at the end of the site's style sheet."""
        assert any(file.media_type == "text/css" for file in self.bundle)
        sheets = [replace(f, data=f.data + css.encode()) if f.media_type == "text/css" else f for f in self.bundle]
        return replace(self, bundle=tuple(sheets))


def swapped(data: bytes, old: str, new: str) -> bytes:
    """The bytes with the first `old` rewritten, which must be there."""
    assert old.encode() in data, f"no {old!r} in the file: the fault was not seeded"
    return data.replace(old.encode(), new.encode(), 1)


def rezipped(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """A zip file with each member changed; None drops it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            changed = change(info.filename, old.read(info))
            if changed is not None:
                new.writestr(info, changed)
    return made.getvalue()


@cache
def topic(name: str = "topic") -> Topic:
    """A topic of `tests/audit/`."""
    return load((CASES / f"{name}.xml").read_bytes())


def rendering(
    format_name: str, of: Topic | None = None, site: Site = SITE, assets: Assets = ASSETS, marks: Sequence[Mark] = MARKS
) -> Rendering:
    """A topic rendered by the real transform, for one site."""
    transform = import_module(f"transforms.{format_name}")
    seen = view(of or topic(), site.presentation)
    made = replace(edition(seen.topic.metadata, site=site), marks=tuple(marks))
    body = transform.body(seen, assets)
    place = Place(format_name, transform.MEDIA_TYPE, transform.OMITS)
    return Rendering(seen, body, tuple(transform.imprint(body, made)), made, place, bundle_of(made.site), assets)


@cache
def bundle_of(site: Site) -> tuple[OutputFile, ...]:
    """The files of a site's bundle that belong to no topic."""
    makers = [m for m in map(import_module, (f"transforms.{name}" for name in FORMATS)) if hasattr(m, "bundle")]
    return tuple(file for maker in makers for file in maker.bundle((), site, PUBLISHER))


def codes(findings: Sequence[Finding]) -> set[str]:
    """The kinds of findings."""
    return {finding.code for finding in findings}

"""Topics, images and editions for the tests of single formats: each case is a topic in `tests/transforms/topics`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from struct import pack
from typing import cast

from editions import PUBLISHER, SITE, edition, view

from pipeline import audit
from pipeline.contracts import Assets, Brand, Edition, Image, Mark, OutputFile, Place, Presentation, Transform
from pipeline.topic import Topic, load

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "transforms"
TOPICS = tuple(sorted(path.stem for path in (CASES / "topics").glob("*.xml")))
PLAIN = Presentation()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M2 12h20"/></svg>'


def png(width: int = 40, height: int = 30) -> bytes:
    """A picture of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\x30\x80\xc0" * width for _ in range(height))
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # stored, not deflated: the expected files must not depend on the version of zlib
    packed = zlib.compress(rows, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def image(source: str, data: bytes, media_type: str, credit: str = "") -> Image:
    """A checked image, named as the core names it."""
    digest = hashlib.sha256(data).hexdigest()
    return Image(source, f"media/{digest[:8]}-{Path(source).name}", media_type, data, digest, 40, 30, credit)


ASSETS = Assets(
    {
        "media/pill-box.png": image("media/pill-box.png", png(), "image/png", "Photo: A. Photographer"),
        "media/sign.svg": image("media/sign.svg", SVG, "image/svg+xml"),
    }
)
LOGO = image("brands/riverside.svg", SVG, "image/svg+xml")


def topic(name: str) -> Topic:
    """A case's topic."""
    return load((CASES / "topics" / f"{name}.xml").read_bytes())


def case_edition(name: str, *, logo: bool = False) -> Edition:
    """A case's edition: the long one is marked, the others are not."""
    made = edition(topic(name).metadata)
    if name == "everything":
        made = replace(
            made, marks=(Mark("corrected", "Corrected on February 11, 2026: The number to call after hours was wrong."),)
        )
    return replace(made, site=replace(SITE, brand=Brand("#7a1fa2", LOGO))) if logo else made


def transform(name: str) -> Transform:
    """A format's module."""
    return cast(Transform, import_module(f"transforms.{name}"))


def rendered(format_name: str, name: str, *, logo: bool = False, presentation: Presentation = PLAIN) -> list[OutputFile]:
    """The finished files of a case in one format."""
    made = transform(format_name)
    body = made.body(view(topic(name), presentation), ASSETS)
    return made.imprint(body, case_edition(name, logo=logo))


def proven(format_name: str, name: str, *, logo: bool = False) -> list[str]:
    """What the audit says of a case in one format; [] = nothing."""
    made, shown, given = transform(format_name), view(topic(name)), case_edition(name, logo=logo)
    body = made.body(shown, ASSETS)
    files = made.imprint(body, given)
    bundle = import_module("transforms.html").bundle([], given.site, PUBLISHER)
    place = Place(format_name, made.MEDIA_TYPE, made.OMITS)
    findings = audit.prove_body(shown, body, place, ASSETS) + audit.prove_file(shown, body, files, given, place, bundle)
    return [f"{finding.code} {finding.text}" for finding in findings]


def digests_elsewhere(format_name: str, folder: Path) -> set[str]:
    """SHA-256 of all cases' files, made by processes of other places: language, time zone, folder, hash seed."""
    code = (
        "import hashlib, rendering\n"
        "h = hashlib.sha256()\n"
        "for name in rendering.TOPICS:\n"
        f"    for file in rendering.rendered({format_name!r}, name, logo=True): h.update(file.path.encode() + file.data)\n"
        "print(h.hexdigest())"
    )
    found = set()
    for language, zone, seed in (("C", "UTC", "1"), ("ar_EG.UTF-8", "Asia/Tokyo", "2")):
        environment = os.environ | {
            "LANG": language,
            "LC_ALL": language,
            "TZ": zone,
            "PYTHONHASHSEED": seed,
            "SOURCE_DATE_EPOCH": seed,
        }
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True, check=True
        )
        found.add(run.stdout.strip())
    return found

"""Copies to pass on: a topic's files as a zip archive, exact; and drafts for review by mail, every page of them marked.

In: renderings. Out: bytes of an archive, or a folder of pages that open from a disk and ask nobody for anything. Drafts hold what
can carry the mark: web and print pages and plain text, with the images and style sheets of the pages.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from pipeline.contracts import OutputFile
from pipeline.editions import Key
from pipeline.errors import UsageError
from pipeline.preview.project import Snapshot
from pipeline.preview.rendering import Renderer, Shown
from pipeline.preview.viewpoints import Viewpoint

EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # no clock in archives: the same files, the same bytes
_BODY: Final = re.compile(rb"<body[^>]*>")
_STYLE: Final = (
    "<style>.draft-mark{position:sticky;top:0;z-index:9;margin:0;padding:.4rem 1rem;background:#7a1712;color:#fff;"
    "font:700 1rem/1.4 system-ui,Arial,sans-serif;text-align:center}"
    "@media print{.draft-mark{position:fixed;inset:0 0 auto 0;print-color-adjust:exact;-webkit-print-color-adjust:exact}}</style>"
)


def archive(shown: Shown) -> bytes:
    """Every file of a topic as the site gets it, at its path in the bundle, as a zip archive."""
    files = {file.path: file.data for made in shown.files.values() for file in made}
    files |= {path: file.data for path, file in shown.shared.items()}
    files |= {shown.record.path: shown.record.data} if shown.record else {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(files):
            packed.writestr(zipfile.ZipInfo(path, EPOCH), files[path], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def drafts(
    snapshot: Snapshot,
    renderer: Renderer,
    chosen: Viewpoint,
    topics: Iterable[str],
    folder: Path,
    progress: Callable[[str, int, int], None],
) -> tuple[int, int]:
    """Writes drafts of the topics (none named: all that the viewpoint gets) into a folder that is empty or not there; returns how
    many were written, and how many could not be rendered. Raises UsageError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", expected="a folder that is empty, or not there yet", fix="give another DIR")
    plan = renderer.desk(snapshot, chosen).plan
    wanted = set(topics)
    if unknown := wanted - {key[0] for key in snapshot.topics}:
        raise UsageError(f"there is no topic {sorted(unknown)[0]!r}", fix="see 'list topics'")
    keys = [key for key in sorted(snapshot.topics) if (key[0] in wanted if wanted else key in plan.granted)]
    note = f"DRAFT for review, not for patients. {plan.site.name}, as of {plan.as_of}."
    written: list[tuple[Key, str, list[OutputFile]]] = []
    for number, key in enumerate(keys, 1):
        shown = renderer.show(snapshot, chosen, key)
        pages = [made[0] for made in shown.files.values() if made and made[0].media_type in ("text/html", "text/plain")]
        if pages:
            _write(folder, shown, pages, note)
            written.append((key, shown.metadata.title, pages))
        progress("topics", number, len(keys))
    _write_file(folder, "index.html", _index(written, note))
    return len(written), len(keys) - len(written)


def marked(file: OutputFile, note: str) -> bytes:
    """A page or a text with the mark at its head."""
    if file.media_type != "text/html":
        return f"*** {note} ***\n\n".encode() + file.data
    mark = f'{_STYLE}<p class="draft-mark" lang="en" dir="ltr">{html.escape(note)}</p>'.encode()
    return _BODY.sub(lambda found: found[0] + mark, file.data, count=1)


def _write(folder: Path, shown: Shown, pages: list[OutputFile], note: str) -> None:
    for page in pages:
        _write_file(folder, page.path, marked(page, note))
    images = [file for made in shown.files.values() for file in made[1:]]
    for file in (*images, *shown.shared.values()):
        _write_file(folder, file.path, file.data)


def _write_file(folder: Path, name: str, data: bytes) -> None:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise UsageError(f"{name!r} leads out of {folder}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as problem:
        raise UsageError(f"{target} can not be written", found=problem.strerror or "", fix="give another DIR") from None


def _index(written: list[tuple[Key, str, list[OutputFile]]], note: str) -> bytes:
    rows = []
    for key, title, pages in written:
        links = ", ".join(f'<a href="{html.escape(page.path)}">{html.escape(page.path.rpartition("/")[2])}</a>' for page in pages)
        rows.append(
            f'<li><span lang="{html.escape(key[1])}" dir="auto">{html.escape(title)}</span> ({html.escape(key[1])}): {links}</li>'
        )
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Drafts for review</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><main><h1>Drafts for review</h1><ul>{''.join(rows)}</ul></main></body></html>"
    )
    return marked(OutputFile("index.html", page.encode(), "text/html"), note)

"""What a release changes, and why. In: the content before and after. Out: a list for programs, and a page for people.

The list is a blob that the signed manifest names; `changes/<sequence>.json`, `changes/<sequence>.html` and `current.json` are
unsigned copies for those who only poll. A topic is in one part of it: added, changed (with its causes), corrected, withdrawn,
restored, moved or removed. `upcoming` are dates ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Final

from outputs import manifest
from outputs.manifest import Header
from pipeline.contracts import Content, Row, Withdrawn, plain_values

CAUSES: Final = ("text", "reuse", "images", "terms", "notice", "template", "tool")
PARTS: Final = ("added", "changed", "corrected", "withdrawn", "restored", "moved", "removed", "upcoming")

_WORDS: Final = {
    "text": "its text",
    "reuse": "text that it shares with other topics",
    "images": "pictures",
    "terms": "license terms",
    "notice": "notices or marks",
    "template": "design",
    "tool": "the program that makes the files",
    "metadata": "title, dates, names or codes",
    "links": "links to other topics",
}
_HEADINGS: Final = {
    "withdrawn": "Withdrawn",
    "corrected": "Corrected",
    "added": "Added",
    "changed": "Changed",
    "restored": "Restored",
    "moved": "Renamed",
    "removed": "Gone",
    "upcoming": "Coming up",
}


def changes(before: Content | None, after: Content, header: Header) -> bytes:
    """The change list of a release as canonical JSON; `before` is what was live (None = nothing)."""
    parts = _parts(before, after)
    document = {
        "schema": manifest.SCHEMA,
        "partner": header.partner,
        "site": header.site,
        "sequence": header.sequence,
        "created": header.created,
        **{name: parts[name] for name in PARTS},
    }
    return manifest.canonical(document)


def copies(data: bytes, sequence: int, what: str) -> Iterator[tuple[str, bytes, str]]:
    """Name below the prefix, bytes and media type of the copies of a change list. Raises StoreError where it is none."""
    document = manifest.read_json(data, what)
    yield f"changes/{sequence}.json", data, manifest.MEDIA_TYPE
    yield f"changes/{sequence}.html", page(document).encode(), "text/html"


def _parts(before: Content | None, after: Content) -> dict[str, list[dict[str, Any]]]:
    old = {(row.id, row.language): row for row in before.rows} if before else {}
    new = {(row.id, row.language): row for row in after.rows}
    gone_before = {(gone.id, gone.language): gone for gone in before.withdrawn} if before else {}
    withdrawn = [gone for gone in after.withdrawn if not _same_decision(gone_before.get((gone.id, gone.language)), gone)]
    moved = [plain_values(item) for item in after.moved if before is None or item not in before.moved]
    explained = {(gone.id, gone.language) for gone in after.withdrawn} | {(item["id"], item["language"]) for item in moved}
    both = [(old[key], new[key]) for key in sorted(old.keys() & new.keys()) if old[key] != new[key]]
    corrected = {(row.id, row.language) for was, row in both if "corrected" in row.marks and "corrected" not in was.marks}
    come = sorted(new.keys() - old.keys())
    changed = [(was, row) for was, row in both if _differs(was, row)]
    return {
        "added": [_named(new[key]) for key in come if key not in gone_before],
        "changed": [_changed(was, row) for was, row in changed if (row.id, row.language) not in corrected],
        "corrected": [_changed(was, row) for was, row in changed if (row.id, row.language) in corrected],
        "withdrawn": [_withdrawn(gone) for gone in withdrawn],
        "restored": [_named(new[key]) for key in come if key in gone_before],
        "moved": moved,
        "removed": [_named(old[key]) for key in sorted(old.keys() - new.keys()) if key not in explained],
        "upcoming": [dict(item) for item in after.upcoming],
    }


def _same_decision(before: Withdrawn | None, after: Withdrawn) -> bool:
    return before is not None and replace(before, files=()) == replace(after, files=())


def _named(row: Row) -> dict[str, Any]:
    return {"id": row.id, "language": row.language, "title": row.title, "files": [file.path for file in row.files]}


def _differs(was: Row, row: Row) -> bool:
    """Whether anything a partner could notice differs: a new digest of a cause alone is nothing."""
    return replace(was, causes={}, made_of={}) != replace(row, causes={}, made_of={})


def _changed(was: Row, row: Row) -> dict[str, Any]:
    before = {file.path: file.sha256 for file in was.files}
    return {
        "id": row.id,
        "language": row.language,
        "title": row.title,
        "causes": causes(was, row),
        "text_changed": was.text_sha256 != row.text_sha256,
        "files": [file.path for file in row.files if before.get(file.path) != file.sha256],
        "files_gone": sorted(before.keys() - {file.path for file in row.files}),
    }


def causes(was: Row, row: Row) -> list[str]:
    """Why two rows of one topic differ, the most telling first."""
    found = [name for name in CAUSES if was.causes.get(name) != row.causes.get(name) and (was.causes or row.causes)]
    if "text" not in found and "reuse" not in found and was.text_sha256 != row.text_sha256:
        found.insert(0, "text")
    if _links(was) != _links(row):
        found.append("links")
    if _metadata(was) != _metadata(row):
        found.append("metadata")
    return found


def _links(row: Row) -> object:
    return row.links, row.translations


def _metadata(row: Row) -> Row:
    """The row without what the other causes stand for."""
    return replace(
        row,
        causes={},
        made_of={},
        files=(),
        links=(),
        translations=(),
        text_sha256="",
        proof="",
        agreement="",
        clause="",
        marks=(),
    )


def _withdrawn(gone: Withdrawn) -> dict[str, Any]:
    document = {name: value for name, value in plain_values(gone).items() if name != "files" and value}
    return {**document, "versions": list(gone.versions), "files": [file.path for file in gone.files]}


# --- for people -----------------------------------------------------------------------------------


def page(document: Mapping[str, Any]) -> str:
    """The change list as an HTML page that needs nothing else."""
    title = f"Changes of release {document['sequence']}, {document['site']}"
    sections = [_section(name, document.get(name, ())) for name in _HEADINGS]
    body = "\n".join(section for section in sections if section) or "<p>No topic changed.</p>"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        "<style>body{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}li{margin:.4rem 0}</style>\n"
        f"</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n<p>{escape(str(document['created']))}</p>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def _section(name: str, items: Sequence[Mapping[str, Any]]) -> str:
    if not items:
        return ""
    lines = "\n".join(f"<li>{_line(name, item)}</li>" for item in items)
    return f"<h2>{_HEADINGS[name]} ({len(items)})</h2>\n<ul>\n{lines}\n</ul>"


def _line(name: str, item: Mapping[str, Any]) -> str:
    language = escape(str(item.get("language", "")))
    known = f"<b>{escape(str(item.get('title') or item.get('id', '')))}</b> ({escape(str(item.get('id', '')))}, {language})"
    if name in ("changed", "corrected"):
        return f"{known}: {_listed(_WORDS.get(cause, cause) for cause in item.get('causes', ()))}"
    if name == "withdrawn":
        act_by = f", act by {item['act_by']}" if item.get("act_by") else ""
        notice = "".join(f'<p lang="{escape(tag)}">{escape(text)}</p>' for tag, text in sorted(item.get("notice", {}).items()))
        return f"{known}: {escape(str(item.get('reason', '')))}, {escape(str(item.get('action', '')))}{escape(act_by)}{notice}"
    if name == "moved":
        return f"{escape(str(item.get('id', '')))} is {escape(str(item.get('to', '')))} now ({language})"
    if name == "upcoming":
        return escape(", ".join(f"{key}: {value}" for key, value in sorted(item.items())))
    return known


def _listed(words: Iterable[str]) -> str:
    return escape(", ".join(words) or "its files")

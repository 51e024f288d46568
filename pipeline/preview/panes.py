"""What a topic's page shows: one view, or two side by side.

In: a session, a snapshot, a query, a topic. Out: values for `topic.html`. A view is a format that the topic is rendered in, or
one that helps to judge it: problems, terms, source. `es/html` is a view of the same topic in another language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from pipeline import labels
from pipeline.contracts import OutputFile
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Severity
from pipeline.preview import bundles, changes, live, paper, reading, record_view, source_text, terms
from pipeline.preview.now import main_page
from pipeline.preview.project import Snapshot
from pipeline.preview.query import Query
from pipeline.preview.rendering import Shown
from pipeline.preview.session import Session
from pipeline.preview.topics import badges
from pipeline.preview.translated import behind, language_name, originals
from pipeline.preview.viewpoints import days
from pipeline.topic import Metadata

LABELS: Final = {
    "html": "Web",
    "print": "Print",
    "epub": "EPUB",
    "text": "Plain text",
    "json": "JSON",
    "rights": "Rights",
    "problems": "Problems",
    "terms": "Terms",
    "source": "Source",
    "changes": "Changes",
    "reading": "Reading level",
    "live": "Live now",
}
JUDGING: Final = ("problems", "changes", "live", "terms", "reading", "source")


@dataclass(frozen=True)
class Pane:
    """One view. `kind` names its template below pages/panes/; `frame` is the address of what it frames; `behind` why the
    translation in it may be older than its original."""

    name: str
    label: str
    kind: str
    frame: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    behind: str = ""


def label(name: str) -> str:
    """A view's name as people read it."""
    language, _, view = name.rpartition("/")
    return f"{LABELS.get(view, view)} ({language_name(language)})" if language else LABELS.get(view, view)


def topic(session: Session, snapshot: Snapshot, query: Query, key: Key) -> dict[str, Any]:
    """The values of a topic's page. Raises UsageError."""
    shown = session.show(snapshot, query.viewpoint, key)
    plan = session.desk(snapshot, query.viewpoint).plan
    formats = list(snapshot.system.transforms)
    view = query.view if _known(query.view, formats) else _first(formats, shown)
    beside = query.beside if _known(query.beside, formats) and query.beside != view else ""
    late = behind(shown.metadata, originals(snapshot.topics, [shown.metadata]))
    before, after = session.shelf(snapshot, query.viewpoint).around(query, key)
    return {
        "key": key,
        "topic": shown.metadata,
        "shown": shown,
        "plan": plan,
        "direction": labels.direction(key[1]) if labels.known(key[1]) else "auto",
        "badges": badges(shown.metadata, plan.as_of, shown.errors > 0, shown.withheld or None, bool(late)),
        "formats": sorted(formats, key=_rank),
        "judging": JUDGING,
        "view": view,
        "beside": beside,
        "panes": [pane(session, snapshot, query, shown, name) for name in (view, beside) if name],
        "before": before,
        "after": after,
        "languages": translations(snapshot, shown.metadata),
        "errors": shown.errors,
        "warnings": len(shown.findings) - shown.errors,
    }


def _rank(name: str) -> int:
    order = list(LABELS)
    return order.index(name) if name in order else len(order)


def _known(name: str, formats: Sequence[str]) -> bool:
    language, _, view = name.rpartition("/")
    return view in (*formats, "rights", *JUDGING) and (not language or len(language) < 36)


def _first(formats: Sequence[str], shown: Shown) -> str:
    ordered = sorted(formats, key=_rank)
    return next((name for name in ordered if name in shown.files), ordered[0] if ordered else "problems")


# --- languages ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Other:
    """The same concept in another language; `behind` says why its text may be older than what it translates."""

    key: Key
    title: str
    behind: str


def translations(snapshot: Snapshot, metadata: Metadata) -> list[Other]:
    """The other languages of a topic."""
    topics = snapshot.topics
    keys = [key for key in snapshot.languages.get(metadata.concept, ()) if key[1] != metadata.language]
    known = originals(topics, [topics[key] for key in keys])
    return [Other(key, topics[key].title, behind(topics[key], known)) for key in keys]


# --- one pane -----------------------------------------------------------------------------------


def pane(session: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    """A view of a topic. Raises UsageError."""
    language, _, view = name.rpartition("/")
    if language and language != shown.key[1]:
        other = next((each for each in translations(snapshot, shown.metadata) if each.key[1] == language), None)
        if other is None:
            return Pane(
                name, label(name), "none", values={"reason": f"There is no {language_name(language)} text of this topic."}
            )
        shown = session.show(snapshot, query.viewpoint, other.key)
    make = _MAKERS.get(view)
    if make:
        return make(session, snapshot, query, shown, name)
    return replace(_format(query, shown, name, view), behind=behind(shown.metadata, originals(snapshot.topics, [shown.metadata])))


def _format(query: Query, shown: Shown, name: str, view: str) -> Pane:
    file = shown.main(view)
    if file is None:
        return Pane(name, label(name), "none", values={"reason": _why_not(shown, view), "decisions": shown.withheld})
    if file.media_type == "text/html" and paper.is_paged(file.data):
        return Pane(name, label(name), "sheets", _frame(query, file, f"&paper={query.paper}"))
    if file.media_type == "text/html":
        return Pane(name, label(name), "frame", _frame(query, file))
    if file.media_type == bundles.EPUB:
        return _book(query, shown, name, view, file)
    if file.media_type == "text/plain":
        return Pane(name, label(name), "text", values={"text": file.data.decode(errors="replace"), "key": shown.key})
    if file.media_type == "application/json":
        return Pane(name, label(name), "json", values={"text": json.dumps(json.loads(file.data), ensure_ascii=False, indent=2)})
    return Pane(name, label(name), "download", _frame(query, file), {"file": file})


def _why_not(shown: Shown, view: str) -> str:
    if shown.withheld:
        return "This site does not get this topic."
    if shown.problem:
        return f"{shown.problem[:1].upper()}{shown.problem[1:]}."
    if view in shown.by_format or (shown.errors and not shown.files):
        return (
            "This can not be shown: the problems say why. There is no older rendering: none since the preview started, none live."
        )
    return f"This site does not get this topic as {label(view)}."


def _frame(query: Query, file: OutputFile, more: str = "") -> str:
    digest = hashlib.sha256(file.data).hexdigest()[:12]
    return f"/bundle/{query.viewpoint.token}/{quote(file.path)}?v={digest}{more}"


def _book(query: Query, shown: Shown, name: str, view: str, file: OutputFile) -> Pane:
    address = _frame(query, file)
    if bundles.has_reader():
        return Pane(name, label(name), "reader", f"/reader?book={quote(address, safe='')}", {"book": address})
    base = f"/book/{query.viewpoint.token}/{quote(file.path)}/!/"
    found = [(title, base + quote(path)) for path, title in bundles.chapters(shown, view)]
    return Pane(name, label(name), "chapters", found[0][1] if found else "", {"chapters": found})


def _problems(_s: Session, _n: Snapshot, _q: Query, shown: Shown, name: str) -> Pane:
    proofs = [
        (each, each in shown.files and not any(f.severity is Severity.ERROR for f in shown.by_format.get(each, ())))
        for each in sorted(shown.by_format or shown.files, key=_rank)
    ]
    return Pane(name, label(name), "problems", values={"shown": shown, "proofs": proofs})


def _terms(session: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    desk = session.desk(snapshot, query.viewpoint)
    system = desk.context.system if query.site else snapshot.system
    today = days(system, session.today, query.as_of)
    asked = terms.Asked(system, snapshot, shown.key, today, session.shop, session.shop.standing(snapshot.system))
    values: dict[str, Any] = {"everywhere": terms.elsewhere(asked), "found": None, "shown": shown, "reason": ""}
    partner = desk.plan.partner
    found = terms.outcome(asked, partner, query.site) if query.site else None
    if found:
        views = [replace(query.viewpoint, site=site) for site in partner.all_sites()] if terms.limited(partner) else []
        plans = [session.desk(snapshot, view).plan for view in views]
        said = terms.explained(asked, found, shown.images, plans)
        values |= {"found": found, "said": said, "clauses": terms.by_clause(said, found)}
    elif shown.key not in snapshot.catalog.metadata:
        values["reason"] = "Its source can not be read, so no terms can be applied: the problems say why."
    elif query.site:
        values["reason"] = f"The conditions under which {partner.name} gets the topics leave this one out."
    return Pane(name, label(name), "terms", values=values)


def _source(_s: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    file = query.file or shown.metadata.file
    found = source_text.source_text(snapshot, file, query.line)
    return Pane(
        name, label(name), "source", values={"source": found, "file": file, "line": query.line, "findings": shown.findings}
    )


def _rights(session: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    desk = session.desk(snapshot, query.viewpoint)
    images = snapshot.system.configuration.assets
    used = sorted({str(src) for src in shown.body.xpath(".//img/@src")}) if shown.body is not None else []
    record = json.loads(shown.record.data) if shown.record else None
    values = {
        "edition": shown.edition,
        "images": [(src, images.get(src)) for src in used],
        "shown": shown,
        "record": record,
        "said": record_view.said(record) if record else None,
        "text": shown.record.data.decode() if shown.record else "",
        "odrl": json.dumps(record.get("odrl", {}), ensure_ascii=False, indent=1) if record else "",
        "obligations": desk.plan.site.obligations,
    }
    return Pane(name, label(name), "rights", values=values)


def _reading(_s: Session, _n: Snapshot, _q: Query, shown: Shown, name: str) -> Pane:
    stated = shown.metadata.reading_level
    found = reading.reading(shown.body, shown.key[1], stated) if shown.body is not None else None
    return Pane(name, label(name), "reading", values={"reading": found})


def _live(session: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    now = session.shop.live(snapshot.system, query.site) if query.site else live.Live("")
    row = now.rows.get(shown.key)
    gone = (
        next((one for one in now.released.content.withdrawn if (one.id, one.language) == shown.key), None)
        if now.released
        else None
    )
    page = main_page(row.files if row else gone.files if gone else ())
    frame = f"/now/{query.site}/{quote(page.path)}?v={page.sha256[:12]}" if page else ""
    dates = session.lives.dates(snapshot.system, now.prefix, now.released) if now.released and row else None
    since = dates.topics.get(shown.key) if dates else None
    return Pane(name, label(name), "live", frame, {"live": now, "row": row, "gone": gone, "since": since})


def _changes(session: Session, snapshot: Snapshot, query: Query, shown: Shown, name: str) -> Pane:
    """The words of the page that the site has now, against those it would get: of the first format that is a page in both."""
    values: dict[str, Any] = {"blocks": [], "reason": "", "changed": 0, "clinical": 0}
    if not query.site:
        return Pane(
            name, label(name), "changes", values={**values, "reason": "Choose a site: then this shows what changes for it."}
        )
    now = session.shop.live(snapshot.system, query.site)
    row = now.rows.get(shown.key)
    both = [(shown.main(each), live.main_file(row, each)) for each in sorted(shown.files, key=_rank)] if row else []
    pages = [(new, old) for new, old in both if new and old and new.media_type == old.media_type == "text/html"]
    if not pages:
        values["reason"] = now.problem or (
            "There is no page to compare." if row else "This site has nothing of this topic now: all of it is new."
        )
        return Pane(name, label(name), "changes", values=values)
    try:
        blocks = changes.compare(session.shop.bytes(snapshot.system, query.site, pages[0][1]), pages[0][0].data)
    except SyndicationError as problem:
        return Pane(name, label(name), "changes", values={**values, "reason": str(problem)})
    clinical = sum(block.clinical for block in blocks)
    return Pane(
        name,
        label(name),
        "changes",
        values={**values, "blocks": blocks, "changed": changes.changed(blocks), "clinical": clinical},
    )


Maker = Callable[[Session, Snapshot, Query, Shown, str], Pane]
_MAKERS: Final[dict[str, Maker]] = {
    "problems": _problems,
    "terms": _terms,
    "source": _source,
    "rights": _rights,
    "reading": _reading,
    "live": _live,
    "changes": _changes,
}

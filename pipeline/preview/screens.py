"""The pages of the preview. In: requests. Out: HTML from `pages/*.html`; every value in it is escaped.

Each page is whole without a script: its address says all that it shows. `preview.js` adds live news, keys, and frames that keep
their place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.errors import SyndicationError, UsageError
from pipeline.preview import now, panes
from pipeline.preview.bundles import PAGES
from pipeline.preview.project import Snapshot
from pipeline.preview.query import Query, parse
from pipeline.preview.session import Session
from pipeline.preview.source_text import decoded
from pipeline.preview.translated import language_name
from pipeline.preview.viewpoints import LONGEST_TRIAL, days, find_partner

Screen = Callable[[Session, Snapshot, Query, Request], Response]
LARGEST_FORM: Final = 4 * LONGEST_TRIAL
SITES: Final = 20  # whose releases the list of all sites reads


def routes(session: Session) -> list[BaseRoute]:
    """The addresses of pages."""

    async def try_terms(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_tried, session, form, parse(request.query_params))

    async def check(request: Request) -> Response:
        await run_in_threadpool(session.check)
        return RedirectResponse(parse(request.query_params).address("/changes"), 303)

    async def pack(request: Request) -> Response:
        query = parse(request.query_params)
        return await run_in_threadpool(_page(session, _pack), request) if query.site else RedirectResponse("/export", 303)

    async def unpack(request: Request) -> Response:
        await run_in_threadpool(session.packer.stop)
        return RedirectResponse(parse(request.query_params).address("/export"), 303)

    return [
        Route("/", _page(session, _topics)),
        Route("/topics/{language}/{id}", _page(session, _topic)),
        Route("/changes", _page(session, _changes)),
        Route("/live", _page(session, _live)),
        Route("/terms", _page(session, _terms), methods=["GET"]),
        Route("/terms", try_terms, methods=["POST"]),
        Route("/check", check, methods=["POST"]),
        Route("/export", _page(session, _export), methods=["GET"]),
        Route("/export", pack, methods=["POST"]),
        Route("/export/stop", unpack, methods=["POST"]),
    ]


def _page(session: Session, screen: Screen) -> Callable[[Request], Response]:
    """A screen as an endpoint: waits for the project, and shows what is wrong with an address."""

    def answer(request: Request) -> Response:
        snapshot = session.project.snapshot
        if snapshot is None:
            return _html("waiting.html", session, None, Query(), status=503 if session.failure else 200)
        query = parse(request.query_params)
        try:
            return screen(session, snapshot, query, request)
        except SyndicationError as problem:
            return _html("problem.html", session, snapshot, Query(), status=404, problem=str(problem))

    return answer


def _html(name: str, session: Session, snapshot: Snapshot | None, query: Query, status: int = 200, **values: Any) -> HTMLResponse:
    system = snapshot.system if snapshot else None
    common = {
        "session": session,
        "snapshot": snapshot,
        "query": query,
        "partners": system.configuration.partners if system else (),
        "publisher": system.configuration.publisher.name if system else "",
        "path": "/",
    }
    return HTMLResponse(environment().get_template(name).render({**common, **values}), status)


@cache
def environment() -> Environment:
    """The templates of the app."""
    found = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters["language"] = language_name
    found.filters["label"] = panes.label
    found.filters["moment"] = now.moment
    return found


# --- topics -------------------------------------------------------------------------------------


def _topics(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    shelf = session.shelf(snapshot, query.viewpoint)
    return _html(
        "topics.html",
        session,
        snapshot,
        query,
        page=shelf.page(query),
        choices=shelf.choices(),
        all=len(shelf.rows),
        plan=session.desk(snapshot, query.viewpoint).plan,
    )


def _topic(session: Session, snapshot: Snapshot, query: Query, request: Request) -> Response:
    key = request.path_params["id"], request.path_params["language"]
    if key not in snapshot.topics:
        raise UsageError(
            f"there is no topic {key[0][:100]!r} in {key[1][:20]!r}", fix="it may have been renamed: search the list"
        )
    return _html("topic.html", session, snapshot, query, path=query.topic(key), **panes.topic(session, snapshot, query, key))


def _changes(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    return _html("changes.html", session, snapshot, query, path="/changes")


# --- what patients see now ----------------------------------------------------------------------


def _live(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    plan = session.desk(snapshot, query.viewpoint).plan
    if not query.site:
        sites = _sites(session, snapshot)
        return _html("live.html", session, snapshot, query, path="/live", plan=plan, sites=sites, most=SITES)
    live = session.shop.live(snapshot.system, query.site)
    checked = session.checked if session.checked and session.checked.number == snapshot.number else None
    report = next((site for site in checked.report.sites if site.site == query.site), None) if checked else None
    rows = now.seen(live, snapshot, plan, [*snapshot.catalog.findings, *session.all_findings()], report)
    found = now.matching(rows, query)
    pages = max(1, -(-len(found) // now.PAGE))
    start = (min(query.page, pages) - 1) * now.PAGE
    values: dict[str, Any] = {
        "live": live,
        "rows": found[start : start + now.PAGE],
        "total": len(found),
        "all": len(rows),
        "pages": pages,
        "counts": [(state, sum(row.state is state for row in rows)) for state in now.STATES],
        "languages": sorted({row.key[1] for row in rows}),
        "dates": session.lives.dates(snapshot.system, live.prefix, live.released) if live.released else None,
    }
    return _html("live.html", session, snapshot, query, path="/live", plan=plan, **values)


def _sites(session: Session, snapshot: Snapshot) -> list[tuple[str, str, Any]]:
    """Every site with its name, and what is live of it; of those beyond the first `SITES` the store is not asked."""
    partners = snapshot.system.configuration.partners
    named = [(site, settings.name or partner.name) for partner in partners for site, settings in partner.all_sites().items()]
    asked = [(site, name, session.shop.live(snapshot.system, site)) for site, name in named[:SITES]]
    return asked + [(site, name, None) for site, name in named[SITES:]]


# --- export -------------------------------------------------------------------------------------


def _export(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    packer = session.packer
    mine = packer.asked is not None and packer.asked[1] == query.viewpoint
    plan = session.desk(snapshot, query.viewpoint).plan
    return _html("export.html", session, snapshot, query, path="/export", plan=plan, packer=packer, mine=mine)


def _pack(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    """Begins with a bundle, under the terms and on the day that are looked at."""
    system = session.desk(snapshot, query.viewpoint).context.system
    session.packer.start(system, snapshot.number, query.viewpoint, days(system, session.today, query.as_of))
    return RedirectResponse(query.address("/export"), 303)


# --- tried terms --------------------------------------------------------------------------------


def _terms(session: Session, snapshot: Snapshot, query: Query, _request: Request) -> Response:
    partner = find_partner(snapshot.system, query.site) if query.site else snapshot.system.configuration.partners[0]
    trials = session.renderer.desks.trials
    text = trials.text(query.trial) or _partner_text(snapshot, partner.id)
    site = query.site or next(iter(partner.all_sites()))
    return _html("terms.html", session, snapshot, query, path="/terms", partner=partner, site=site, text=text, problem="")


def _partner_text(snapshot: Snapshot, partner: str) -> str:
    configuration = snapshot.system.configuration
    path = configuration.path(f"{configuration.settings.partners}/{partner}.toml")
    return decoded(path.read_bytes()) if path.is_file() else ""


def _tried(session: Session, form: dict[str, str], query: Query) -> Response:
    snapshot = session.project.snapshot
    if snapshot is None:
        return RedirectResponse("/", 303)
    try:
        partner = find_partner(snapshot.system, query.site)
        trial = session.renderer.desks.trials.add(partner.id, form.get("text", "").replace("\r\n", "\n"))
        chosen = parse({"site": query.site, "as_of": form.get("as_of", ""), "trial": trial})
        session.desk(snapshot, chosen.viewpoint)
    except SyndicationError as problem:
        values = {"partner": find_partner(snapshot.system, query.site), "site": query.site, "text": form.get("text", "")}
        return _html("terms.html", session, snapshot, query, 422, path="/terms", problem=str(problem), **values)
    return RedirectResponse(chosen.address("/"), 303)


async def _form(request: Request) -> dict[str, str]:
    """A form's fields. What is too long to be meant is empty."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_FORM:
            return {}
    return {name: values[0] for name, values in parse_qs(data.decode(errors="replace"), keep_blank_values=True).items()}

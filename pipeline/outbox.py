"""What partners are still to be told: written down before it is sent, and sent again by later runs until it arrives.

    told/<site>.json     the newest release that the partner was told of, the newest withdrawal, and the messages that wait

In: what a run or a withdrawal did on each site. Out: a Delivery for each message that was tried. A release that nobody was told
of (the run was killed, the partner's server was down) is known by its number, so nothing depends on a run that ends well. A
message may come twice, with the same `webhook-id`. Books are the publisher's: no partner can read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from pipeline import messages, notify
from pipeline.contracts import Decisions, EditorialDecision, Store
from pipeline.errors import NotFound, PreconditionFailed, StoreError
from pipeline.plugins import System
from pipeline.records import Delivery
from pipeline.report import SiteReport
from pipeline.settings import Partner
from pipeline.standing import Standing

ATTEMPTS: Final = 5  # against others who write the same book
MOST: Final = 50  # messages that wait for one site; the oldest go
PAUSE: Final = timedelta(minutes=15)  # after the second run that failed; doubled each time, up to a day
LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """A message: its id, what kind of event, what is said of it, when it happened; in how many runs it was tried, and the moment
    before which it is not tried again (ISO 8601)."""

    id: str
    kind: str
    data: dict[str, Any]
    at: str
    runs: int = 0
    after: str = ""


@dataclass(frozen=True)
class Book:
    """What is known of one site: the newest release and decision that its partner was told of, or will be, and what waits."""

    release: int = 0
    decision: int = 0
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happened, and when: a run's id, its moment, and the withdrawal that was its reason, if one was."""

    run_id: str
    moment: datetime
    decision: EditorialDecision | None = None


_ADAPTER: Final = TypeAdapter(Book)


def tell(system: System, store: Store, sites: Sequence[SiteReport], event: Event) -> list[Delivery]:
    """Tells partners of the releases that they were not told of yet, and again what did not arrive. Raises nothing: where the
    store takes no book, what is new is sent all the same."""
    by_site = {site.site: site for site in sites}
    tried: list[tuple[str, Partner, Waiting]] = []
    for partner in system.configuration.partners:
        for site in partner.all_sites() if partner.webhook else ():
            waiting = _written(system, store, by_site.get(site) or SiteReport(site, partner.id), event)
            tried += [(site, partner, each) for each in waiting if each.after <= event.moment.isoformat()]
    sent = _send(tried, event.moment)
    for site in dict.fromkeys(site for site, _, _ in tried):
        done = {each.id: delivery.delivered for (name, _, each), delivery in zip(tried, sent, strict=True) if name == site}
        with suppress(StoreError):  # told again then
            _update(store, site, lambda book, done=done: _settled(book, done, event.moment))  # type: ignore[misc]
    return sent


def _written(system: System, store: Store, report: SiteReport, event: Event) -> Sequence[Waiting]:
    """The messages of a site, the new one among them and written down."""
    news: list[Waiting] = []

    def added(book: Book) -> Book:
        news[:] = _news(system, store, book, report, event)
        return _with(book, news[0], report.sequence) if news else book

    try:
        return _update(store, report.site, added).waiting
    except StoreError:
        alone = Book(report.sequence - 1 if report.state == "published" else report.sequence)
        return news or list(_news(system, store, alone, report, event))


def _news(system: System, store: Store, book: Book, report: SiteReport, event: Event) -> Iterator[Waiting]:
    """A message where the site has a release that its partner was not told of."""
    if report.sequence > book.release and report.state in ("published", "unchanged"):
        decision = event.decision or _untold(system, store, book, report)
        kind, data = messages.of_release(report, event.run_id, decision)
        yield Waiting(f"{report.site}.{report.sequence}", kind, data, event.moment.isoformat(timespec="seconds"))


def _untold(system: System, store: Store, book: Book, report: SiteReport) -> EditorialDecision | None:
    """The newest withdrawal that shows on the site, and that its partner was not told of."""
    gone = {name.partition(" ")[0] for name in report.withdrawn}
    decisions: Decisions = system.decisions.load()
    try:
        found = Standing(decisions.found(store)).open() if gone else []
    except StoreError:
        return None
    new = [each for each in found if each.kind == "withdraw" and each.number > book.decision and gone & {*each.topics}]
    return new[-1] if new else None


def _with(book: Book, new: Waiting, release: int) -> Book:
    """The book with one more message. Of releases without a withdrawal only the newest is worth telling."""
    kept = [each for each in book.waiting if each.kind == messages.TOPICS_WITHDRAWN and each.id != new.id]
    decision = int(new.data.get("decision", {}).get("number", 0))
    return Book(release, max(book.decision, decision), (*kept[1 - MOST :], new))


def _settled(book: Book, done: Mapping[str, bool], now: datetime) -> Book:
    """The book after a run that tried these messages: what arrived is gone, the rest waits."""
    waiting = (_later(each, now) if each.id in done else each for each in book.waiting if not done.get(each.id, False))
    return replace(book, waiting=tuple(waiting))


def _later(waiting: Waiting, now: datetime) -> Waiting:
    """The next run tries again at once; after that, runs are kept waiting less and less often."""
    pause = min(PAUSE * 2 ** min(waiting.runs - 1, 10), LONGEST) if waiting.runs else timedelta()
    return replace(waiting, runs=waiting.runs + 1, after=(now + pause).isoformat() if pause else "")


def _send(tried: Sequence[tuple[str, Partner, Waiting]], moment: datetime) -> list[Delivery]:
    made = [messages.to_partner(partner, each.kind, each.data, each.at, moment, each.id) for _, partner, each in tried]
    arrived = iter(notify.send([each for each in made if isinstance(each, notify.Webhook)]))
    return [each if isinstance(each, Delivery) else next(arrived) for each in made]


# --- books ----------------------------------------------------------------------------------------


def _update(store: Store, site: str, change: Callable[[Book], Book]) -> Book:
    """Reads a site's book, changes it, and writes it where nobody else has meanwhile. Raises StoreError."""
    key = f"told/{site}.json"
    for attempt in range(ATTEMPTS):
        before, token = _read(store, key)
        after = change(before)
        if after == before:
            return after
        data = (json.dumps(asdict(after), ensure_ascii=False) + "\n").encode()
        try:
            store.put(key, data, media_type="application/json", cache_control="no-store", absent=not token, match=token)
        except PreconditionFailed:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return after
    raise AssertionError("unreachable")


def _read(store: Store, key: str) -> tuple[Book, str]:
    try:
        data, token = store.get(key)
    except NotFound:
        return Book(), ""
    try:
        return _ADAPTER.validate_json(data), token
    except ValidationError:  # nobody knows what was told: it is told again
        return Book(), token

"""A forecast as files: CSV for spreadsheets, iCalendar for calendars. In: a Forecast. Out: bytes, the same for the same facts.

Specifications: RFC 4180, RFC 5545. Spreadsheets calculate what looks like a formula, and titles come from outside, so such a cell
begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Final

from icalendar import Calendar
from icalendar import Event as Entry

from pipeline.ahead import KINDS, Event
from pipeline.forecast import Forecast, Group, groups

COLUMNS: Final = ("on", "kind", "partner", "site", "topic", "language", "title", "reason", "clause", "owner")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NAMED: Final = 200  # topics in one calendar entry


def as_csv(found: Forecast) -> bytes:
    """One line for each event, with a byte order mark, without which spreadsheets misread names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for event in found.events:
        row = event.as_row()
        writer.writerow([f"'{row[name]}" if row[name].startswith(_FORMULA) else row[name] for name in COLUMNS])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def as_ics(found: Forecast, publisher: str) -> bytes:
    """One all-day entry for each group of events. Its UID is the same in every forecast, so that a calendar that takes in the
    next one changes entries instead of doubling them."""
    made = Calendar()
    made.add("prodid", "-//topic-syndication//forecast//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", f"{publisher}: content licenses")
    for group in groups(found.events):
        made.add_component(_entry(group, found))
    return bytes(made.to_ical())


def _entry(group: Group, found: Forecast) -> Entry:
    event = group.event
    made = Entry()
    made.add("uid", f"{uuid.uuid5(uuid.NAMESPACE_URL, _name(event))}@topic-syndication")
    made.add("dtstamp", datetime.combine(found.as_of, time(), UTC))
    made.add("dtstart", event.on)
    made.add("dtend", event.on + timedelta(days=1))
    made.add("summary", group.summary())
    lines = [f"{KINDS[event.kind].capitalize()}: {event.reason}" if event.reason else KINDS[event.kind].capitalize()]
    lines += [f"Clause: {event.clause}"] if event.clause else []
    lines += [f"Sites: {', '.join(group.sites)}"] if group.sites else []
    lines += [f"Topics: {group.named(_NAMED)}"] if group.topics else []
    made.add("description", "\n".join(lines))
    made.add("categories", [event.kind])
    made.add("transp", "TRANSPARENT")
    return made


def _name(event: Event) -> str:
    return "/".join((event.on.isoformat(), event.kind, event.partner, event.reason, event.clause))

"""Every license rule over its cases (tests/rules/<rule>/cases.toml), and grants as a whole."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partners import agreement, grant, partner, topic

import pipeline.rules
from pipeline.commands import clock
from pipeline.contracts import Around, FileRow, Presentation, Rights, Row, Site, Use
from pipeline.editions import decide, plan_site, topics_by_id
from pipeline.settings import Partner
from pipeline.terms import Rule, Terms
from pipeline.topic import Correction, Metadata, Translation

CASES = Path(__file__).with_name("rules")
RULES: dict[str, Rule] = {
    m.name: importlib.import_module(f"pipeline.rules.{m.name}") for m in pkgutil.iter_modules(pipeline.rules.__path__)
}
TODAY = date(2026, 6, 1)


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*/cases.toml")):
        for case in tomllib.loads(path.read_text())["case"]:
            found.append(pytest.param(path.parent.name, case, id=f"{path.parent.name}: {case['name']}"))
    return found


def test_every_rule_has_cases() -> None:
    assert {path.parent.name for path in CASES.glob("*/cases.toml")} == set(RULES)


@pytest.mark.parametrize(("rule", "case"), _cases())
def test_rule(rule: str, case: dict[str, Any]) -> None:
    unknown = set(case) - {"name", *CASE_KEYS, "as_of", "verdict", "reason", "until", "mark"}
    assert not unknown
    terms = Terms(
        partner(sites={"acme": case.get("site", {})}, **case.get("partner", {})),
        agreement(**case.get("agreement", {})),
        grant(**case.get("grant", {})),
    )
    subject = topic_of(case.get("topic", {}))
    decision = RULES[rule].decide(subject, use_of(case, subject), terms, case.get("as_of", TODAY))
    assert (decision.rule, decision.verdict, decision.reason, decision.until, decision.mark) == (
        rule,
        case["verdict"],
        case["reason"],
        case.get("until"),
        case.get("mark", ""),
    )
    assert decision.clause == "A-1, Schedule A, 1"


CASE_KEYS = ("topic", "grant", "agreement", "partner", "site", "use", "image", "others", "delivered", "live", "counts")


def topic_of(values: dict[str, Any]) -> Metadata:
    """A topic as a case writes it."""
    found: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    if "translation" in found:
        found["translation"] = Translation(**found["translation"])
    if "corrections" in found:
        found["corrections"] = tuple(Correction(on=day, note="A mistake.") for day in found["corrections"])
    return topic(**found)


def use_of(case: dict[str, Any], subject: Metadata) -> Use:
    """The use that a case asks for, and what stands around it."""
    live = case.get("live")
    files = tuple(FileRow(name, f"en/asthma/{name}", "0" * 64, 1, "text/plain") for name in live["formats"]) if live else ()
    around = Around(
        topics_by_id([subject, *map(topic_of, case.get("others", []))]),
        {(name, subject.language) for name in case["delivered"]} if "delivered" in case else None,
        {subject.key: Row(*subject.key, subject.title, agreement=live["agreement"], files=files)} if live else {},
        case.get("counts", {}),
    )
    image = Rights(**{"file": "lung.svg", **case["image"]}) if "image" in case else None
    values = {"site": "acme", "format": "html", "language": subject.language, **case.get("use", {})}
    return Use(**values, around=around, image=image)


@pytest.mark.parametrize(("rule", "case"), _cases())
def test_a_rule_for_all_formats_answers_the_same_for_each(rule: str, case: dict[str, Any]) -> None:
    """Such a rule is asked once for all formats: what it says of one must hold of the others."""
    if RULES[rule].BY_FORMAT:
        return
    subject = topic_of(case.get("topic", {}))
    terms = Terms(
        partner(sites={"acme": case.get("site", {})}, **case.get("partner", {})),
        agreement(**case.get("agreement", {})),
        grant(**case.get("grant", {})),
    )
    use = use_of(case, subject)
    answers = {RULES[rule].decide(subject, replace(use, format=name), terms, TODAY) for name in ("", "html", "epub", "text")}
    assert len(answers) == 1


def _plan(topics: list[Any], owner: Partner, as_of: date = TODAY) -> Any:
    site = Site(owner.id, owner.id, owner.name, f"p/{owner.id}", presentation=Presentation())
    return plan_site(topics, site, owner, RULES, ["html", "epub"], as_of)


def test_two_halves_do_not_make_a_whole() -> None:
    """One grant has the collection, the other the language: neither covers the use."""
    split = agreement(
        grant(collections=["lungs"], languages=["es"]), grant(collections=["heart"], languages=["en"], clause="Schedule B")
    )
    terms, refusals = decide(topic(collections=("lungs",)), Use("acme", "html", "en"), partner(split), RULES, TODAY)
    assert terms is None
    assert [decision.rule for decision in refusals] == ["language"]


def test_a_refusal_says_nothing_of_formats_where_some_format_is_granted() -> None:
    """What refuses the topic is its collection; that EPUB is not granted either is beside the point."""
    plan = _plan([topic(collections=("lungs",))], partner(agreement(grant(collections=["heart"], formats=["epub"]))))
    assert [decision.rule for decision in plan.withheld["asthma", "en"]] == ["collection"]


def test_an_ended_agreement_beside_a_current_one() -> None:
    old = agreement(grant(), id="A-0", starts=date(2020, 1, 1), ends=date(2025, 12, 31))
    new = agreement(grant(formats=["html"]), id="A-1")
    plan = _plan([topic()], partner(old, new))
    granted = plan.granted["asthma", "en"]
    assert granted.formats == ("html",)
    assert granted.license("html", "acme").agreement == "A-1"


def test_a_topic_goes_with_its_companion() -> None:
    """Withholding one companion takes out what must not stand alone, and what needs that in turn."""
    topics = [
        topic(id="a", companions=("b",)),
        topic(id="b", companions=("c",)),
        topic(id="c", status="withdrawn"),
        topic(id="d"),
    ]
    plan = _plan(topics, partner())
    assert set(plan.granted) == {("d", "en")}
    assert plan.withheld["a", "en"][0].reason == "must not be shown without b, which this site does not get"


def test_a_format_goes_in_which_a_companion_is_not_there() -> None:
    whole, pages = grant(collections=["drugs"], formats=["html", "epub"]), grant(collections=["warnings"], formats=["html"])
    topics = [
        topic(id="drug", collections=("drugs",), companions=("warning",)),
        topic(id="warning", collections=("warnings",)),
        topic(id="other", collections=("drugs",)),
    ]
    plan = _plan(topics, partner(agreement(whole, pages)))
    assert {key[0]: granted.formats for key, granted in plan.granted.items()} == {
        "drug": ("html",),
        "other": ("html", "epub"),
        "warning": ("html",),
    }


scopes = st.one_of(st.just("all"), st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True))


@given(
    grants=st.lists(st.tuples(scopes, scopes, st.booleans()), min_size=1, max_size=4),
    collections=st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    audiences=st.lists(st.sampled_from("abc"), max_size=2, unique=True),
)
def test_granted_is_exactly_what_one_active_grant_covers(grants: list[Any], collections: list[str], audiences: list[str]) -> None:
    """Against the definition, written out: some active grant covers every scope; nothing else is delivered."""
    agreements = [
        agreement(grant(collections=c, audiences=a), id=f"A-{n}", **({} if active else {"ends": date(2026, 1, 1)}))
        for n, (c, a, active) in enumerate(grants)
    ]
    subject = topic(collections=tuple(collections), audiences=tuple(audiences))
    covered = any(
        active and (c == "all" or set(c) & set(collections)) and (a == "all" or not audiences or set(a) & set(audiences))
        for c, a, active in grants
    )
    plan = _plan([subject], partner(*agreements))
    assert (subject.key in plan.granted) == bool(covered)
    assert (subject.key in plan.withheld) != bool(covered)


# --- midnight -----------------------------------------------------------------------------------

ENDS = agreement(starts=date(2026, 1, 1), ends=date(2026, 12, 31))


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
@pytest.mark.parametrize(
    ("local", "granted"),
    [
        ("2025-12-31 23:59:59", False),
        ("2026-01-01 00:00:00", True),
        ("2026-12-31 23:59:59", True),
        ("2027-01-01 00:00:00", False),
    ],
)
def test_an_agreement_begins_and_ends_at_midnight_where_the_partner_is(
    zone: str, local: str, granted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock shows the moment; the day is that of the partner's time zone, to the second."""
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return moment.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Clock)
    owner = partner(ENDS, timezone=zone)
    as_of = clock.today("")(ZoneInfo(owner.timezone))
    assert (topic().key in _plan([topic()], owner, as_of).granted) is granted


def test_one_moment_is_another_day_for_each_partner() -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=ZoneInfo("America/Los_Angeles"))
    days = {
        zone: moment.astimezone(ZoneInfo(zone)).date() for zone in ("America/Los_Angeles", "Europe/London", "Pacific/Auckland")
    }
    granted = {zone: topic().key in _plan([topic()], partner(ENDS, timezone=zone), day).granted for zone, day in days.items()}
    assert granted == {"America/Los_Angeles": True, "Europe/London": False, "Pacific/Auckland": False}

"""Terms against an oracle: what a site gets is exactly what the words of docs/rights.md say, for worlds drawn at random.

The oracle below shares no code with the product. It knows days as numbers and scopes as sets, asks every question about every
use anew, and finds companions by trying every set of topics. PROPERTY_EXAMPLES says how many worlds are tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from test_rules import RULES

from pipeline import editions
from pipeline.asset_rights import listed_rights, rights_of
from pipeline.contracts import Around, FileRow, Row, Site
from pipeline.settings import Asset, Configuration, Partner, Publisher, Settings
from pipeline.topic import Correction, Metadata, Topic, Translation

World = dict[str, Any]
DAY_ZERO = date(2026, 1, 1)
TODAY = 1000  # days after that
FORMATS = ["html", "print", "epub"]
IDS = ["asthma", "heart", "sleep"]
TAGS = ["en", "es", "es-US"]
FILES = ["a.svg", "b.svg", "c.svg"]


def day(number: int | None) -> date | None:
    return None if number is None else DAY_ZERO + timedelta(days=number)


# --- worlds -------------------------------------------------------------------------------------


@st.composite
def mostly(draw: st.DrawFn, plain: World, changes: dict[str, st.SearchStrategy[Any]], most: int = 2) -> World:
    """A plain value with a few changes. Where everything is drawn at random, nearly nothing is ever granted, and a rule that
    refuses too little goes unseen."""
    changed = draw(st.lists(st.sampled_from(sorted(changes)), max_size=most, unique=True))
    return {**plain, **{name: draw(changes[name]) for name in changed}}


def some(values: list[str], most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


def around(*ago: int) -> st.SearchStrategy[int]:
    """Days just before, on and after the day that lies so many days back."""
    return st.sampled_from([TODAY - days + step for days in ago for step in (-1, 0, 1)])


PLACES = ["US", "US-CA", "DE"]
OPEN_GRANT: World = {
    **dict.fromkeys(("collections", "languages", "audiences", "formats", "kinds", "sites", "channels", "territories"), "all"),
    "images": "sublicensable",
    "members": "growing",
    "include": [],
    "exclude": [],
}
grants = mostly(
    OPEN_GRANT,
    {
        "collections": some(["lungs", "body"]),
        "languages": some(["en", "es", "es-US"]),
        "audiences": some(["patient", "clinician"]),
        "formats": some(FORMATS),
        "kinds": some(["task", "concept"]),
        "sites": some(["one", "two"]),
        "channels": some(["portal", "app"]),
        "territories": some(PLACES),
        "images": st.sampled_from(["none", "own"]),
        "members": around(0),
        "include": some(IDS, 1),
        "exclude": some(IDS, 1),
    },
).filter(lambda g: not {*g["include"]} & {*g["exclude"]})
PLAIN_AGREEMENT: World = {"kind": "production", "starts": 0, "ends": TODAY + 500, "wind_down": None}
windings = st.tuples(st.integers(0, 2), st.sampled_from(["existing", "existing", "nothing"]))
agreements = st.tuples(
    mostly(PLAIN_AGREEMENT, {"kind": st.just("evaluation"), "starts": around(0), "ends": around(0, 1), "wind_down": windings}),
    st.lists(grants, min_size=1, max_size=2),
).map(lambda parts: {**parts[0], "grants": parts[1]})
agreements = agreements.filter(lambda a: a["starts"] <= a["ends"])
sites = mostly(
    {"channel": "portal", "territories": ["US"]},
    {"channel": st.just("app"), "territories": st.lists(st.sampled_from(PLACES), max_size=2)},
)
PLAIN_TOPIC: World = {
    **dict.fromkeys(("created", "modified", "go_live", "expires", "review_due", "translates", "live")),
    "collections": ["lungs"],
    "audiences": ["patient"],
    "territories": [],
    "kind": "task",
    "status": "active",
    "version": "2",
    "corrections": [],
    "companions": [],
    "images": ["a.svg"],
}
versions = st.sampled_from(["", "1", "2"])
topics = mostly(
    PLAIN_TOPIC,
    {
        "collections": st.lists(st.sampled_from(["lungs", "body"]), max_size=2, unique=True),
        "audiences": st.lists(st.sampled_from(["patient", "clinician"]), max_size=2, unique=True),
        "territories": some(["US", "DE"]),
        "kind": st.just("concept"),
        "status": st.sampled_from(["in-review", "withdrawn"]),
        "created": around(0),
        "modified": around(0, 180),
        "go_live": around(0),
        "expires": around(0),
        "review_due": around(0, 30, 180, 365),
        "version": versions,
        "corrections": st.lists(around(0), min_size=1, max_size=1),
        "translates": st.tuples(st.sampled_from(IDS), versions, st.one_of(st.none(), around(0, 180))),
        "companions": some(IDS),
        "images": some(FILES),
        "live": st.tuples(st.sampled_from(["A-0", "A-1"]), st.sampled_from(FORMATS)),
    },
    most=4,
)
assets = mostly(
    {"holder": "", "sublicense": False, "formats": "all", "territories": "all", "ends": None},
    {
        "holder": st.just("Other"),
        "sublicense": st.just(True),
        "formats": some(FORMATS),
        "territories": some(["US", "DE"]),
        "ends": around(0),
    },
)
worlds = st.fixed_dictionaries(
    {
        "agreements": st.lists(agreements, min_size=1, max_size=3),
        "sites": st.fixed_dictionaries({"one": sites, "two": sites}),
        "topics": st.dictionaries(st.tuples(st.sampled_from(IDS), st.sampled_from(TAGS)), topics, min_size=2, max_size=6),
        "assets": st.dictionaries(st.sampled_from(FILES), assets, max_size=3),
        "unlisted": st.sampled_from(["ours", "refuse"]),
    }
)


# --- the oracle ---------------------------------------------------------------------------------


def names(scope: Any, value: str) -> bool:
    return scope == "all" or value in scope


def inside(scope: Any, places: list[str]) -> bool:
    """Whether all of these places are in the scope; no places: the whole world, which "all" alone holds."""
    return scope == "all" or (bool(places) and all(place in scope or place[:2] in scope for place in places))


def in_force(w: World, number: int, site: str, key: tuple[str, str], name: str) -> bool:
    agreement, live = w["agreements"][number], w["topics"][key]["live"]
    if agreement["starts"] <= TODAY <= agreement["ends"]:
        return True
    if agreement["kind"] == "evaluation" or not agreement["wind_down"] or agreement["starts"] > TODAY:
        return False
    days, keep = agreement["wind_down"]
    return agreement["ends"] + days >= TODAY and keep == "existing" and live == (f"A-{number}", name) and site == "one"


def member(g: World, key: tuple[str, str], t: World) -> bool:
    if key[0] in g["include"]:
        return True
    if g["collections"] != "all" and not {*g["collections"]} & {*t["collections"]}:
        return False
    if g["members"] == "growing":
        return True
    return any(born is not None and born <= g["members"] for born in (t["created"], t["go_live"]))


def fresh(t: World) -> bool:
    return t["review_due"] is None or TODAY - t["review_due"] <= 365


def translated(w: World, key: tuple[str, str]) -> bool:
    """Whether a translation is new enough to be shown, marked or not."""
    t = w["topics"][key]
    if not t["translates"]:
        return True
    of, version, reviewed = t["translates"]
    source = next((s for (name, tag), s in sorted(w["topics"].items()) if name == of and tag != key[1]), None)
    if source is None:
        return True
    made = reviewed if reviewed is not None else t["modified"]
    both = version != "" and source["version"] != ""
    other = both and version != source["version"]
    later = made is not None and any(on > made for on in source["corrections"])
    newer = not both and made is not None and source["modified"] is not None and source["modified"] > made
    if not (other or later or newer):
        return True
    if any(made is None or on > made for on in source["corrections"]):
        return False
    return source["modified"] is None or TODAY - source["modified"] <= 180


def covers(w: World, number: int, g: World, site: str, key: tuple[str, str], name: str) -> bool:
    """Whether one grant covers one use, and nothing about the topic refuses it; companions apart."""
    t, place = w["topics"][key], w["sites"][site]
    return (
        in_force(w, number, site, key, name)
        and not (w["agreements"][number]["kind"] == "evaluation" and name == "epub")
        and member(g, key, t)
        and key[0] not in g["exclude"]
        and (g["languages"] == "all" or key[1] in g["languages"] or key[1][:2] in g["languages"])
        and (g["audiences"] == "all" or not t["audiences"] or bool({*g["audiences"]} & {*t["audiences"]}))
        and names(g["formats"], name)
        and names(g["kinds"], t["kind"])
        and names(g["sites"], site)
        and names(g["channels"], place["channel"])
        and inside(g["territories"], place["territories"])
        and (not t["territories"] or inside(t["territories"], place["territories"]))
        and t["status"] != "withdrawn"
        and (t["go_live"] is None or t["go_live"] <= TODAY)
        and (t["expires"] is None or t["expires"] >= TODAY)
        and fresh(t)
        and translated(w, key)
    )


def covering(w: World, site: str, key: tuple[str, str], name: str) -> list[World]:
    """The grants that a page is shown under: those of production; those of evaluation where there is no other."""
    found = [(a["kind"], g) for n, a in enumerate(w["agreements"]) for g in a["grants"] if covers(w, n, g, site, key, name)]
    kinds = {kind for kind, _ in found}
    return [g for kind, g in found if kind == ("production" if "production" in kinds else "evaluation")]


def image_covered(w: World, file: str, grant: World, site: str, name: str) -> bool:
    asset = w["assets"].get(file)
    if grant["images"] == "none":
        return False
    if asset is None:
        return bool(w["unlisted"] == "ours")
    return (
        (asset["holder"] == "" or (grant["images"] == "sublicensable" and asset["sublicense"]))
        and names(asset["formats"], name)
        and inside(asset["territories"], w["sites"][site]["territories"])
        and (asset["ends"] is None or asset["ends"] >= TODAY)
    )


def together(w: World, allowed: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The largest set of these topics in which each has all its companions: every set is tried, the largest first."""
    for size in range(len(allowed), 0, -1):
        for chosen in combinations(sorted(allowed), size):
            if all((name, key[1]) in chosen for key in chosen for name in w["topics"][key]["companions"]):
                return set(chosen)
    return set()


def expected(w: World, site: str) -> Iterator[tuple[str, ...]]:
    """Every page (id, language, format) and every image (id, language, format, file) that the site should get."""
    pages = {(*key, name) for key in w["topics"] for name in FORMATS if covering(w, site, key, name)}
    keys = {name: together(w, {(topic_id, tag) for topic_id, tag, own in pages if own == name}) for name in FORMATS}
    for topic_id, tag, name in pages:
        if (topic_id, tag) in keys[name]:
            yield topic_id, tag, name
            for file in w["topics"][topic_id, tag]["images"]:
                if any(image_covered(w, file, g, site, name) for g in covering(w, site, (topic_id, tag), name)):
                    yield topic_id, tag, name, file


# --- the product --------------------------------------------------------------------------------


def partner_of(w: World) -> Partner:
    return Partner.model_validate(
        {
            "id": "acme",
            "name": "Acme",
            "sites": w["sites"],
            "agreements": [_agreement(number, a) for number, a in enumerate(w["agreements"])],
        }
    )


def _agreement(number: int, a: World) -> World:
    production = a["kind"] == "production" and a["wind_down"]
    return {
        "id": f"A-{number}",
        "kind": a["kind"],
        "starts": day(a["starts"]),
        "ends": day(a["ends"]),
        **({"after_end": {"days": a["wind_down"][0], "keep": a["wind_down"][1]}} if production else {}),
        "grants": [_grant(n, g) for n, g in enumerate(a["grants"])],
    }


def _grant(number: int, g: World) -> World:
    said = {name: value for name, value in g.items() if name not in ("include", "exclude", "members")}
    members = g["members"] if g["members"] == "growing" else day(g["members"])
    return {**said, "clause": str(number), "members": members, "include_topics": g["include"], "exclude_topics": g["exclude"]}


def metadata_of(key: tuple[str, str], t: World) -> Metadata:
    tuples: World = {name: tuple(t[name]) for name in ("collections", "audiences", "territories", "companions")}
    days: World = {name: day(t[name]) for name in ("created", "modified", "go_live", "expires", "review_due")}
    return Metadata(
        id=key[0],
        language=key[1],
        title=key[0],
        kind=t["kind"],
        status=t["status"],
        version=t["version"],
        corrections=tuple(Correction(on=DAY_ZERO + timedelta(days=on), note="A mistake.") for on in t["corrections"]),
        translation=Translation(of=t["translates"][0], version=t["translates"][1], reviewed_on=day(t["translates"][2]))
        if t["translates"]
        else None,
        **tuples,
        **days,
    )


def body_of(t: World) -> etree._Element:
    return etree.fromstring(
        "<body>" + "".join(f'<figure><img src="{file}" alt="x"/></figure>' for file in t["images"]) + "</body>"
    )


def live_of(w: World, site: str) -> dict[tuple[str, str], Row]:
    """What is live of site one; site two is new."""
    found = {}
    for key, t in w["topics"].items():
        if t["live"] and site == "one":
            file = FileRow(t["live"][1], f"{key[1]}/{key[0]}/{t['live'][1]}", "0" * 64, 1, "text/plain")
            found[key] = Row(key[0], key[1], key[0], agreement=t["live"][0], files=(file,))
    return found


def delivered(w: World, site: str) -> Iterator[tuple[str, ...]]:
    """Every page and image that the product gives the site: the images that are left in the body of each page."""
    publisher = Publisher(id="pub", name="Pub", notices={}, assets_without_entry=w["unlisted"])
    listed = {name: Asset.model_validate({**a, "ends": day(a["ends"])}) for name, a in w["assets"].items()}
    configuration = Configuration(
        folder=None,  # type: ignore[arg-type]
        settings=Settings(inputs=["x"], store="x"),
        publisher=publisher,
        partners=(),
        assets=listed,
        sections={},
    )
    known = [metadata_of(key, t) for key, t in sorted(w["topics"].items())]
    around = Around(editions.topics_by_id(known), live=live_of(w, site))
    place, today = Site("acme", site, site, f"p/{site}"), DAY_ZERO + timedelta(days=TODAY)
    plan = editions.plan_site(known, place, partner_of(w), RULES, FORMATS, today, around=around)
    assert {*plan.granted, *plan.withheld} == set(w["topics"])
    assert all(plan.withheld.values()), "a topic is withheld and nothing says why"
    for metadata in known:
        topic = Topic(metadata, body_of(w["topics"][metadata.key]))
        found = editions.traits(topic, "digest")
        rights = rights_of(found.images, listed_rights(configuration), publisher)
        for name in plan.granted[metadata.key].formats if metadata.key in plan.granted else ():
            yield (*metadata.key, name)
            cut = editions.cut(found, plan, metadata, name, rights, RULES["asset"])
            view, _ = editions.view(topic, found, cut, {})
            yield from ((*metadata.key, name, str(src)) for src in view.topic.body.xpath(".//img/@src"))


@settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "500")), deadline=None)
@given(worlds)
def test_a_site_gets_exactly_what_one_grant_covers_and_no_rule_refuses(w: World) -> None:
    for site in w["sites"]:
        assert set(delivered(w, site)) == set(expected(w, site))


@settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "500")) // 20, deadline=None)
@given(worlds)
def test_the_oracle_gives_nothing_without_a_grant_and_all_under_an_open_one(w: World) -> None:
    """What the oracle says must be more than what it shares with the product by accident."""
    agreement = {**PLAIN_AGREEMENT, "ends": TODAY, "grants": [OPEN_GRANT]}
    asked = {**w, "topics": {("asthma", "en"): {**PLAIN_TOPIC, "images": []}}}
    assert set(expected({**asked, "agreements": []}, "one")) == set()
    assert set(expected({**asked, "agreements": [agreement]}, "one")) == {("asthma", "en", name) for name in FORMATS}

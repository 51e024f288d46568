"""The rights record: one set of facts, the same in every format, in words that schema.org, ODRL and our own schemas define."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from conftest import require_tool
from editions import edition, view
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree, html
from rendering import ASSETS, TOPICS, case_edition, png, topic
from rendering import image as an_image
from validators import epubcheck
from vocabularies import ODRL, SCHEMA_ORG, odrl_terms, properties, unknown_properties

from pipeline import audit, rights
from pipeline.contracts import MACHINE_USES, Edition
from pipeline.topic import Copyright, Metadata, Person, Review, Translation
from transforms import _schema_org, epub
from transforms import html as web
from transforms import json as data

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
DATES = ("created", "go_live", "modified", "current_as_of", "expires")


@pytest.fixture
def schema_org() -> None:
    """schema.org's vocabulary, as `make test` installs it from npm."""
    require_tool(SCHEMA_ORG.exists(), "schema-dts (npm ci in tests/tools)")


def record(made: Edition) -> Any:
    return json.loads(rights.file(by_format(made)).data)


def by_format(made: Edition) -> dict[str, Edition]:
    return dict.fromkeys(made.formats, made)


def structured(made: Edition) -> Any:
    return json.loads(_schema_org.json_ld(made))


def rich() -> Edition:
    """An edition that says everything that an edition can say."""
    made = case_edition("everything")
    known = {name: date(2026, 1 + place, 3) for place, name in enumerate(DATES)}
    said = replace(made.metadata, **known, translation=Translation(of=made.translations[0].id, version="2"))  # type: ignore[arg-type]
    return replace(made, metadata=said)


# --- schema.org ---------------------------------------------------------------------------------


@pytest.mark.tools
@pytest.mark.usefixtures("schema_org")
def test_the_vocabulary_can_say_no() -> None:
    assert "lastReviewed" in properties("MedicalWebPage")
    assert "copyrightNotice" in properties("MedicalWebPage")  # of CreativeWork, two types above
    wrong = {"@type": "Person", "lastReviewed": "2026-01-01", "knowsAbout": {"@type": "MedicalEntity", "codeValue": "1"}}
    assert list(unknown_properties(wrong)) == ["/lastReviewed on Person", "/knowsAbout/codeValue on MedicalEntity"]
    with pytest.raises(KeyError):
        properties("MedicalWebSite")


@pytest.mark.tools
@pytest.mark.usefixtures("schema_org")
def test_structured_data_holds_no_property_on_a_type_that_does_not_have_it() -> None:
    found = structured(rich())
    assert {
        "copyrightHolder", "copyrightNotice", "copyrightYear", "license", "creditText", "usageInfo", "author", "reviewedBy",
        "lastReviewed", "datePublished", "dateModified", "dateCreated", "expires", "inLanguage", "audience", "about",
        "translationOfWork",
    } <= set(found)  # fmt: skip
    for made in (rich(), *map(case_edition, TOPICS)):
        assert list(unknown_properties(structured(made))) == []


def test_what_a_site_does_not_have_is_not_named_as_the_original() -> None:
    made = replace(rich(), translations=())
    assert "translationOfWork" not in structured(made)


# --- ODRL ---------------------------------------------------------------------------------------


def _odrl_words(value: Any) -> Iterator[str]:
    """Every member name, and every value that must be a term of the vocabulary."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from () if name.startswith("@") else (name,)
            if name in ("action", "leftOperand", "operator", "@type"):
                yield from inner if isinstance(inner, list) else (inner,)
            elif name != "@context":
                yield from _odrl_words(inner)
    if isinstance(value, list):
        for item in value:
            yield from _odrl_words(item)


@pytest.mark.tools
def test_the_projection_to_odrl_holds_only_terms_of_its_vocabulary() -> None:
    require_tool(ODRL.exists(), "the ODRL context (npm ci in tests/tools)")
    for made in (rich(), replace(rich(), license=replace(rich().license, ai=(("index", "allowed"),), starts=date(2026, 1, 1)))):
        words = set(_odrl_words(record(made)["odrl"]))
        assert {"permission", "prohibition", "dateTime", "lteq", "Agreement"} <= words
        assert {word for word in words if ":" not in word} <= odrl_terms()
        assert {word.split(":")[0] for word in words if ":" in word} <= {"tdm", "vcard", "xsd"}


def test_the_projection_follows_the_terms() -> None:
    made = case_edition("everything")
    some = replace(
        made,
        license=replace(
            made.license, ai=(("index", "allowed"), ("train", "reserved"), ("translate", "allowed")), starts=date(2026, 1, 1)
        ),
    )
    policy = record(some)["odrl"]
    shown, *allowed = policy["permission"]
    assert shown["action"] == ["display", "print"]
    assert [(c["leftOperand"], c["operator"]) for c in shown["constraint"]] == [
        ("dateTime", "gteq"),
        ("dateTime", "lteq"),
        ("language", "eq"),
    ]
    assert shown["constraint"][1]["rightOperand"] == {"@value": "2027-12-31", "@type": "xsd:date"}
    assert [rule["action"] for rule in allowed] == ["translate", "index"]
    assert [rule["action"] for rule in policy["prohibition"]] == ["tdm:mine", "extract", "derive", "modify"]
    assert record(replace(made, formats=("html",)))["odrl"]["permission"][0]["action"] == ["display"]
    assert record(made)["odrl"]["uid"] == policy["uid"]  # one name for all time


# --- the record ---------------------------------------------------------------------------------


def test_the_schemas_say_what_the_files_hold() -> None:
    Draft202012Validator.check_schema(rights.SCHEMA)
    check = Draft202012Validator(rights.SCHEMA)
    pictures = [an_image("a.png", png(), "image/png", "Photo: A. Person")]
    for made in (rich(), *map(case_edition, TOPICS)):
        found = json.loads(rights.file(by_format(made), pictures).data)
        assert list(check.iter_errors(found)) == []
        assert found["media"] == [{"path": pictures[0].path, "sha256": pictures[0].sha256, "credit": "Photo: A. Person"}]
    assert list(check.iter_errors({**record(rich()), "extra": 1})) != []


def test_a_reservation_is_said_until_every_use_is_allowed() -> None:
    made = case_edition("everything")
    for uses, reservation, policy in (((), 1, made.license.url), (MACHINE_USES[1:], 1, made.license.url), (MACHINE_USES, 0, "")):
        machines = record(replace(made, license=replace(made.license, ai=tuple((use, "allowed") for use in uses))))["machines"]
        assert (machines["tdm_reservation"], machines["tdm_policy"]) == (reservation, policy)
        assert {name for name, said in machines["ai"].items() if said == "allowed"} == set(uses)


YEARS = st.tuples(st.integers(1900, 2099), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
DAYS = st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2090, 12, 31)))


@given(st.fixed_dictionaries(dict.fromkeys(DATES, DAYS)), YEARS)
def test_dates_and_years_come_back_from_every_format_as_they_went_in(
    days: dict[str, date | None], years: tuple[int, int]
) -> None:
    owner = Copyright(first_year=years[0], last_year=years[1], holder="Example Health Press, Inc.")
    metadata: Metadata = replace(topic("bare").metadata, **days, copyright=owner)  # type: ignore[arg-type]
    made = edition(metadata)
    expected = {name: day for name, day in days.items() if day}
    assert _days(record(made)["dates"]) == expected
    assert _days(json.loads(data.imprint(data.body(view(topic("bare")), ASSETS), made)[0].data)["dates"]) == expected
    names = dict(zip(("dateCreated", "datePublished", "dateModified", "lastReviewed", "expires"), DATES, strict=True))
    found = structured(made)
    assert {ours: date.fromisoformat(found[theirs]) for theirs, ours in names.items() if theirs in found} == expected
    span = f"{years[0]}-{years[1]}" if years[0] != years[1] else f"{years[0]}"
    assert found["copyrightNotice"].startswith(f"© {span} Example Health Press, Inc.")
    assert (found["copyrightYear"], record(made)["copyright"]["last_year"]) == years
    assert _book_days(made) == expected


def _days(found: dict[str, str | None]) -> dict[str, date]:
    names = {"published": "go_live"}
    return {names.get(n, n): date.fromisoformat(day) for n, day in found.items() if day and n != "review_due"}


def _package(made: Edition) -> etree._Element:
    book = epub.imprint(epub.body(view(topic("bare")), ASSETS), made)[0]
    return etree.fromstring(zipfile.ZipFile(io.BytesIO(book.data)).read("EPUB/package.opf"))


def _book_days(made: Edition) -> dict[str, date]:
    package = _package(made)
    names = {"schema:dateCreated": "created", "schema:dateModified": "modified", "schema:lastReviewed": "current_as_of"}
    names["schema:expires"] = "expires"
    found = {names[e.get("property", "")]: e.text for e in package.iter(f"{OPF}meta") if e.get("property") in names}
    if (published := package.find(f".//{DC}date")) is not None:
        found["go_live"] = published.text
    return {name: date.fromisoformat(text or "") for name, text in found.items()}


@pytest.mark.tools
def test_a_book_that_says_everything_passes_epubcheck(tmp_path: Any) -> None:
    metadata = replace(
        topic("bare").metadata,
        **{name: date(2026, 1, 2 + n) for n, name in enumerate(DATES)},  # type: ignore[arg-type]
        authors=(Person(name="Ada Byron", credentials="MD"),),
        reviews=(Review(person=Person(name="Mary Seacole", credentials="RN", specialty="Nursing")),),
    )
    path = tmp_path / "all.epub"
    path.write_bytes(epub.imprint(epub.body(view(topic("bare")), ASSETS), edition(metadata))[0].data)
    assert epubcheck([path]) == []


def test_pages_say_the_terms_to_programs() -> None:
    made = case_edition("everything")
    page = html.fromstring(web.imprint(web.body(view(topic("everything")), ASSETS), made)[0].data)
    said = {e.get("name"): e.get("content") for e in page.iter("meta") if e.get("name")}
    assert (said["robots"], said["tdm-reservation"], said["tdm-policy"]) == ("noindex", "1", "https://example.org/terms")
    assert [e.get("href") for e in page.iter("link") if e.get("rel") == "license"] == ["https://example.org/terms"]


# --- the proof of the record --------------------------------------------------------------------

FAULTS = {
    "another holder": (("copyright", "holder"), "Somebody Else", "metadata"),
    "another year": (("copyright", "first_year"), 1996, "metadata"),
    "another notice": (("copyright", "notice"), "© Nobody.", "metadata"),
    "another clause": (("licenses", 0, "clause"), "Schedule B", "metadata"),
    "another agreement": (("licenses", 0, "agreement"), "RH-1", "metadata"),
    "another end": (("licenses", 0, "ends"), "2030-12-31", "metadata"),
    "a format less": (("licenses", 0, "formats"), ["html"], "metadata"),
    "a format more": (("licenses", 0, "formats"), ["html", "print", "epub", "text", "json", "handout"], "metadata"),
    "no license": (("licenses",), [], "metadata"),
    "another site": (("licensee", "site"), "north", "metadata"),
    "no reservation": (("machines", "tdm_reservation"), 0, "metadata"),
    "another policy": (("machines", "tdm_policy"), "https://example.com/", "metadata"),
    "indexed": (("machines", "robots"), "all", "metadata"),
    "a later review": (("dates", "current_as_of"), "2026-09-01", "metadata"),
    "an end that nobody gave": (("dates", "expires"), "2026-09-01", "metadata"),
    "another language": (("topic", "language"), "es", "language"),
    "a reviewer lost": (("reviews",), [], "metadata"),
    "a notice lost": (("notices",), [], "notice-altered"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_record_that_is_not_the_editions(fault: str) -> None:
    place, value, code = FAULTS[fault]
    made = case_edition("everything")
    file = rights.file(by_format(made))
    assert audit.prove_record(file, by_format(made)) == []
    found = json.loads(file.data)
    target = found
    for name in place[:-1]:
        target = target[name]
    assert target[place[-1]] != value
    target[place[-1]] = value
    findings = audit.prove_record(replace(file, data=json.dumps(found).encode()), by_format(made))
    assert f"audit.{code}" in {finding.code for finding in findings}


def test_a_record_that_is_none() -> None:
    made = case_edition("everything")
    for text in ("", "[]", "[" * 100_000, "{"):
        assert audit.prove_record(replace(rights.file(by_format(made)), data=text.encode()), by_format(made)) != []


def test_no_year_of_a_notice_is_the_clocks() -> None:
    """What a topic without copyright says: nothing, instead of this year."""
    metadata = replace(topic("bare").metadata, copyright=None)
    made = replace(edition(metadata), metadata=metadata, notices=())
    assert record(made)["copyright"] is None
    assert not re.search(r"copyright(Year|Notice)", json.dumps(structured(made)))

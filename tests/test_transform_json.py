"""JSON: topic.json against its own schema, whole and in parts; catalog and codes of a bundle."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from editions import PUBLISHER, SITE, view
from lxml import etree, html
from rendering import ASSETS, TOPICS, case_edition, digests_elsewhere, rendered, topic

from pipeline.contracts import FileRow, Presentation, Row
from pipeline.notices import CREDITS

transform = import_module("transforms.json")
SCHEMA = import_module("transforms._topic_schema").SCHEMA


def data(name: str, **presentation: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(rendered("json", name, presentation=Presentation(**presentation))[0].data)
    return made


@pytest.mark.parametrize("name", TOPICS)
def test_files_keep_the_published_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(data(name))


@pytest.mark.parametrize("path", [["legal"], ["parts", "legal"], ["dates", "modified"], ["marks"], ["license", "ends"]])
def test_the_schema_misses_nothing(path: list[str]) -> None:
    broken = data("everything")
    inner = broken
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data("everything"), "owner": "cardio-team"}, SCHEMA)


def test_every_object_of_the_schema_is_closed() -> None:
    def objects(schema: Any) -> list[dict[str, Any]]:
        inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        own = [schema] if isinstance(schema, dict) and schema.get("type") == "object" else []
        return own + [each for value in inner for each in objects(value)]

    assert len(objects(SCHEMA)) > 10
    for each in objects(SCHEMA):
        assert "additionalProperties" in each
        assert sorted(each.get("required", [])) == sorted(each.get("properties", {}))


def test_the_article_holds_everything_once() -> None:
    made, edition = data("everything"), case_edition("everything")
    body = transform.body(view(topic("everything")), ASSETS)
    assert body.content in rendered("json", "everything")[0].data
    assert json.loads(b'"' + body.content + b'"') == made["parts"]["body"]
    assert made["html"].count(made["parts"]["body"]) == 1
    assert made["html"].count(made["parts"]["legal"]) == 1
    article = html.fragment_fromstring(made["html"])
    assert (article.tag, article.get("class"), article.get("lang")) == ("div", "syn-topic", "en-US")
    shown = [(e.get("data-notice"), " ".join(e.text_content().split())) for e in article.iter() if e.get("data-notice")]
    assert shown == [(notice.kind, notice.text) for notice in edition.notices]
    assert [e.text_content() for e in article.find_class("syn-mark")] == [mark.text for mark in edition.marks]
    assert pickle.loads(pickle.dumps(body)).content == body.content


def test_the_body_knows_no_partner_and_no_inner_matter() -> None:
    body = transform.body(view(topic("everything")), ASSETS).content.decode()
    whole = rendered("json", "everything")[0].data.decode()
    assert "Riverside" not in body
    assert "cardio-team" not in whole
    assert "warfarin.xml" not in whole
    assert not [name for name in ("data-line", "data-file", "data-only", "data-audience") if name in whole]


def test_notices_stand_as_fields_in_their_order() -> None:
    legal, notices = data("everything")["legal"], case_edition("everything").notices
    assert list(legal) == [notice.kind for notice in notices]
    for notice in notices:
        assert legal[notice.kind] == {
            "label": notice.label,
            "lines": list(notice.lines),
            "text": notice.text,
            "url": notice.url,
        }


@pytest.mark.parametrize("base", [1, 2, 3, 4])
def test_headings_begin_where_the_site_wants(base: int) -> None:
    article = html.fragment_fromstring(data("everything", heading_base=base)["html"])
    levels = [int(str(e.tag)[1]) for e in article.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == min(levels) == base


def test_links_follow_the_sites_template() -> None:
    made = data("everything", topic_link="https://portal.example/{language}/topic?id={id}#{anchor}")
    cuts = "https://portal.example/en-US/topic?id=bleeding-first-aid#syn-bleeding-first-aid--cuts"
    inside = [link for link in made["links"] if link["kind"] == "topic"]
    assert [link["href"] for link in inside] == [cuts, "https://portal.example/en-US/topic?id=bleeding-first-aid"]
    assert (inside[0]["topic"], inside[0]["language"], inside[0]["anchor"]) == ("bleeding-first-aid", "en-US", "cuts")
    anchors = html.fragment_fromstring(made["parts"]["body"]).xpath(".//a[@data-topic]")
    assert [a.get("href") for a in anchors] == [link["href"] for link in inside]
    assert [link["text"] for link in made["links"] if link["kind"] == "external"] == [
        "our page on thinners",
        "example.org",
        "+1 555 0100",
    ]


def test_sections_are_an_outline_of_ids_that_exist() -> None:
    made = data("everything")
    ids = set(html.fragment_fromstring(made["parts"]["body"]).xpath(".//@id"))
    assert {section["id"] for section in made["sections"]} <= ids
    assert [(section["level"], section["title"]) for section in made["sections"][:3]] == [
        (1, "When to call for help"),
        (1, "How to take it"),
        (2, "Doses by age"),
    ]


def test_pictures_come_with_the_file() -> None:
    files = rendered("json", "everything")
    made = json.loads(files[0].data)
    assert [f"en-US/warfarin-home/{medium['path']}" for medium in made["media"]] == [file.path for file in files[1:]]
    assert {medium["alt"] for medium in made["media"]} == {"A hand that opens a pill box", "a drop with a bar"}
    assert [medium["credit"] for medium in made["media"]] == ["Photo: A. Photographer", ""]
    sources = html.fragment_fromstring(made["parts"]["body"]).xpath(".//img/@src")
    assert sources == [medium["path"] for medium in made["media"]]


def test_a_topic_without_notices_has_an_empty_legal_block() -> None:
    edition = replace(case_edition("bare"), notices=(), marks=())
    body = transform.body(view(topic("bare")), ASSETS)
    made = json.loads(transform.imprint(body, edition)[0].data)
    assert (made["legal"], made["parts"]["legal"]) == ({}, "")
    assert etree.tostring(html.fragment_fromstring(made["html"])).count(b"<footer") == 0


def test_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    assert len(digests_elsewhere("json", tmp_path)) == 1


# --- a bundle's files ---


def row(name: str, language: str, *codes: dict[str, str]) -> Row:
    file = FileRow("html", f"{language}/{name}/index.html", "0" * 64, 10, "text/html")
    return Row(
        id=name, language=language, title=name.upper(), collections=("care",), codes=codes, files=(file,), text_sha256="1" * 64
    )


SNOMED = {"code": "48603004", "system": "http://snomed.info/sct", "oid": "2.16", "display": "Warfarin"}
LOCAL = {"code": "7", "system": "", "oid": "1.2.3", "display": ""}
ROWS = [row("b", "es", SNOMED), row("b", "en", SNOMED, SNOMED), row("a", "en", LOCAL, {"code": "x"})]


def test_catalog_lists_every_topic_with_its_files() -> None:
    files = {file.path: file for file in transform.bundle(ROWS, SITE, PUBLISHER)}
    assert sorted(files) == ["catalog.json", "codes.json", "topic.schema.json"]
    catalog = json.loads(files["catalog.json"].data)
    assert [(t["language"], t["id"]) for t in catalog["topics"]] == [("en", "a"), ("en", "b"), ("es", "b")]
    first = catalog["topics"][0]
    assert first["files"] == [
        {"format": "html", "path": "en/a/index.html", "sha256": "0" * 64, "size": 10, "media_type": "text/html"}
    ]
    assert (first["title"], first["collections"], first["text_sha256"]) == ("A", ["care"], "1" * 64)
    assert first["dates"] == {"modified": None, "current_as_of": None, "review_due": None, "expires": None}
    assert json.loads(files["topic.schema.json"].data) == SCHEMA
    assert transform.bundle(list(reversed(ROWS)), SITE, PUBLISHER) == list(files.values())


def test_codes_lead_to_topics() -> None:
    codes = json.loads(transform.bundle(ROWS, SITE, PUBLISHER)[1].data)["systems"]
    assert list(codes) == ["", "http://snomed.info/sct", "urn:oid:1.2.3"]
    found = codes["http://snomed.info/sct"]["48603004"]
    assert [(t["language"], t["id"], t["folder"]) for t in found] == [("en", "b", "en/b"), ("es", "b", "es/b")]
    assert list(codes["urn:oid:1.2.3"]) == ["7"]
    assert list(codes[""]) == ["x"]


@pytest.mark.parametrize(("edits", "usual"), [("none", "legal"), ("adapt", "legal_adapted"), ("translate", "legal")])
def test_the_block_for_an_edited_text_has_no_author_and_no_review(edits: str, usual: str) -> None:
    made = case_edition("everything")
    made = replace(made, license=replace(made.license, edits=edits))
    parts = json.loads(transform.imprint(transform.body(view(topic("everything")), ASSETS), made)[0].data)["parts"]
    assert parts["default"] == usual
    assert "Adapted by Riverside Health under license from Example Health Press." in parts["legal_adapted"]
    kinds = re.findall(r'data-notice="([^"]+)"', parts["legal_adapted"])
    assert kinds == ["adapted", *(notice.kind for notice in made.notices if notice.kind not in CREDITS)]
    assert re.findall(r'data-notice="([^"]+)"', parts["legal"]) == [notice.kind for notice in made.notices]

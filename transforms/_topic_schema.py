"""What `topic.json` holds, as JSON Schema (draft 2020-12): for partners' engineers, and for our own tests."""

from __future__ import annotations

from typing import Final

from pipeline.rights.schema import DATES, LICENSE, MACHINES
from pipeline.rights.shapes import DAY, DRAFT, HASH, ID, TEXT, TEXTS, Schema, array, members, or_null, said

NAME: Final = "topic.schema.json"
VERSION: Final = "1"

_SIZE: Final[Schema] = {"type": "integer", "minimum": 0, "description": "CSS pixels; 0 = not known"}

_PERSON: Final = members(
    {
        "name": TEXT,
        "credentials": TEXT,
        "specialty": TEXT,
        "role": TEXT,
        "text": said(TEXT, "The line to print."),
    }
)
_NOTICE: Final = members(
    {
        "label": said(TEXT, "Stands before the lines, or is empty."),
        "lines": TEXTS,
        "text": said(TEXT, "Label and lines: what readers must see, to the letter."),
        "url": said(TEXT, "Where the notice leads, or empty."),
    }
)
_LINK: Final = members(
    {
        "kind": {"enum": ["topic", "external"]},
        "href": TEXT,
        "text": TEXT,
        "topic": said(TEXT, "Id of the topic that a link of kind topic leads to."),
        "language": TEXT,
        "anchor": TEXT,
    }
)
_MEDIUM: Final = members(
    {
        "path": said(TEXT, "Relative to this file; src in the mark-up is the same."),
        "type": TEXT,
        "sha256": HASH,
        "alt": said(TEXT, "Alternative text; empty for a picture that says nothing."),
        "width": _SIZE,
        "height": _SIZE,
        "credit": said(TEXT, "Must be visible wherever the picture is."),
    }
)

SCHEMA: Final[Schema] = {
    "$schema": DRAFT,
    "title": "Topic",
    **members(
        {
            "$schema": said(TEXT, "This schema, relative to the file."),
            "schema": {"const": VERSION},
            "id": ID,
            "language": said(TEXT, "BCP 47."),
            "content_language": said(TEXT, "The language that the text is in: BCP 47."),
            "stands_in_for": said(TEXTS, "Languages of this site that lack the topic; their readers are led here. Empty: none."),
            "direction": {"enum": ["ltr", "rtl"]},
            "version": TEXT,
            "concept": said(TEXT, "The same for one subject in several languages and levels of detail."),
            "title": TEXT,
            "also_called": TEXTS,
            "summary": TEXT,
            "url": said(TEXT, "The publisher's own page of the topic."),
            "kind": TEXT,
            "setting": TEXT,
            "audiences": TEXTS,
            "territories": TEXTS,
            "collections": TEXTS,
            "keywords": TEXTS,
            "codes": array(members({"system": TEXT, "oid": TEXT, "code": TEXT, "display": TEXT})),
            "status": {"enum": ["active", "in-review", "withdrawn"]},
            "dates": DATES,
            "marks": array(members({"kind": TEXT, "text": TEXT}), "Lines that stand right under the title."),
            "authors": array(_PERSON),
            "reviews": array(members({"person": _PERSON, "on": DAY, "version": TEXT})),
            "corrections": array(members({"on": DAY, "note": TEXT})),
            "copyright": or_null(members({"first_year": {"type": "integer"}, "last_year": {"type": "integer"}, "holder": TEXT})),
            "translation": or_null(
                members({"of": TEXT, "version": TEXT, "method": TEXT, "translator": TEXT, "reviewed_on": DAY})
            ),
            "translations": array(
                members({"language": TEXT, "id": TEXT, "title": TEXT, "path": TEXT}),
                "The same subject in other languages of this bundle; path is relative to this file.",
            ),
            "companions": said(TEXTS, "Ids of topics that must be shown wherever this one is."),
            "reading_level": TEXT,
            "publisher": members({"id": TEXT, "name": TEXT, "url": TEXT}),
            "license": LICENSE,
            "credit": said(TEXT, "What to name as the source."),
            "machines": MACHINES,
            "formats": said(TEXTS, "The formats in which this bundle has the topic."),
            "style_sheet": said(TEXT, "For the mark-up below, relative to this file."),
            "html": said(TEXT, "One article: marks, text, credits and legal block. Show it under the title, whole."),
            "parts": members(
                {
                    "body": said(TEXT, "The text alone. Show all of legal near it."),
                    "legal": said(TEXT, "Credits and legal block."),
                    "legal_adapted": said(
                        TEXT, "The block for a text that you have edited, where your terms allow it: who adapted it, no credits."
                    ),
                    "default": said({"enum": ["legal", "legal_adapted"]}, "Which of them your terms make the usual one."),
                },
                "The same mark-up in parts, for pages that place them apart.",
            ),
            "legal": {
                "type": "object",
                "description": "The same notices as text, by kind, in their order. All must be shown.",
                "additionalProperties": _NOTICE,
            },
            "sections": array(
                members({"id": TEXT, "level": {"type": "integer", "minimum": 1}, "title": TEXT}),
                "The headed sections in order; level 1 is outermost.",
            ),
            "links": array(_LINK),
            "media": array(_MEDIUM),
        },
        "One topic as one site is licensed to show it.",
    ),
}

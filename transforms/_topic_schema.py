"""What `topic.json` holds, as JSON Schema (draft 2020-12): for partners' engineers, and for our own tests."""

from __future__ import annotations

from typing import Any, Final

NAME: Final = "topic.schema.json"
VERSION: Final = "1"

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_DAY: Final[Schema] = {"type": ["string", "null"], "format": "date"}
_SIZE: Final[Schema] = {"type": "integer", "minimum": 0, "description": "CSS pixels; 0 = not known"}
_HASH: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _object(properties: Schema, description: str = "") -> Schema:
    made: Schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return _said(made, description) if description else made


def _array(item: Schema, description: str = "") -> Schema:
    made: Schema = {"type": "array", "items": item}
    return _said(made, description) if description else made


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_PERSON: Final = _object(
    {
        "name": _TEXT,
        "credentials": _TEXT,
        "specialty": _TEXT,
        "role": _TEXT,
        "text": _said(_TEXT, "The line to print."),
    }
)
_NOTICE: Final = _object(
    {
        "label": _said(_TEXT, "Stands before the lines, or is empty."),
        "lines": _TEXTS,
        "text": _said(_TEXT, "Label and lines: what readers must see, to the letter."),
        "url": _said(_TEXT, "Where the notice leads, or empty."),
    }
)
_LINK: Final = _object(
    {
        "kind": {"enum": ["topic", "external"]},
        "href": _TEXT,
        "text": _TEXT,
        "topic": _said(_TEXT, "Id of the topic that a link of kind topic leads to."),
        "language": _TEXT,
        "anchor": _TEXT,
    }
)
_MEDIUM: Final = _object(
    {
        "path": _said(_TEXT, "Relative to this file; src in the mark-up is the same."),
        "type": _TEXT,
        "sha256": _HASH,
        "alt": _said(_TEXT, "Alternative text; empty for a picture that says nothing."),
        "width": _SIZE,
        "height": _SIZE,
        "credit": _said(_TEXT, "Must be visible wherever the picture is."),
    }
)

SCHEMA: Final[Schema] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Topic",
    **_object(
        {
            "$schema": _said(_TEXT, "This schema, relative to the file."),
            "schema": {"const": VERSION},
            "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,99}$"},
            "language": _said(_TEXT, "BCP 47."),
            "direction": {"enum": ["ltr", "rtl"]},
            "version": _TEXT,
            "concept": _said(_TEXT, "The same for one subject in several languages and levels of detail."),
            "title": _TEXT,
            "also_called": _TEXTS,
            "summary": _TEXT,
            "url": _said(_TEXT, "The publisher's own page of the topic."),
            "kind": _TEXT,
            "setting": _TEXT,
            "audiences": _TEXTS,
            "territories": _TEXTS,
            "collections": _TEXTS,
            "keywords": _TEXTS,
            "codes": _array(_object({"system": _TEXT, "oid": _TEXT, "code": _TEXT, "display": _TEXT})),
            "status": {"enum": ["active", "in-review", "withdrawn"]},
            "dates": _object(
                {
                    "created": _DAY,
                    "modified": _said(_DAY, "Last edit."),
                    "current_as_of": _said(_DAY, "Last medical review."),
                    "review_due": _DAY,
                    "expires": _DAY,
                }
            ),
            "marks": _array(_object({"kind": _TEXT, "text": _TEXT}), "Lines that stand right under the title."),
            "authors": _array(_PERSON),
            "reviews": _array(_object({"person": _PERSON, "on": _DAY, "version": _TEXT})),
            "corrections": _array(_object({"on": _DAY, "note": _TEXT})),
            "copyright": _or_null(
                _object({"first_year": {"type": "integer"}, "last_year": {"type": "integer"}, "holder": _TEXT})
            ),
            "translation": _or_null(
                _object({"of": _TEXT, "version": _TEXT, "method": _TEXT, "translator": _TEXT, "reviewed_on": _DAY})
            ),
            "translations": _array(
                _object({"language": _TEXT, "id": _TEXT, "title": _TEXT, "path": _TEXT}),
                "The same subject in other languages of this bundle; path is relative to this file.",
            ),
            "companions": _said(_TEXTS, "Ids of topics that must be shown wherever this one is."),
            "reading_level": _TEXT,
            "publisher": _object({"id": _TEXT, "name": _TEXT, "url": _TEXT}),
            "license": _object({"agreement": _TEXT, "clause": _TEXT, "ends": _DAY, "url": _TEXT}),
            "formats": _said(_TEXTS, "The formats in which this bundle has the topic."),
            "style_sheet": _said(_TEXT, "For the mark-up below, relative to this file."),
            "html": _said(_TEXT, "One article: marks, text, credits and legal block. Show it under the title, whole."),
            "parts": _object(
                {
                    "body": _said(_TEXT, "The text alone. Show all of legal near it."),
                    "legal": _said(_TEXT, "Credits and legal block."),
                },
                "The same mark-up in parts, for pages that place them apart.",
            ),
            "legal": {
                "type": "object",
                "description": "The same notices as text, by kind, in their order. All must be shown.",
                "additionalProperties": _NOTICE,
            },
            "sections": _array(
                _object({"id": _TEXT, "level": {"type": "integer", "minimum": 1}, "title": _TEXT}),
                "The headed sections in order; level 1 is outermost.",
            ),
            "links": _array(_LINK),
            "media": _array(_MEDIUM),
        },
        "One topic as one site is licensed to show it.",
    ),
}

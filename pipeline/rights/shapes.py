"""Building blocks of the JSON Schemas (draft 2020-12) that we publish. In: schemas. Out: schemas."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
TEXT: Final[Schema] = {"type": "string"}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
DAY: Final[Schema] = {"type": ["string", "null"], "format": "date"}
HASH: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ID: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,99}$"}


def said(schema: Schema, description: str) -> Schema:
    """The schema with a description."""
    return {**schema, "description": description}


def members(properties: Schema, description: str = "") -> Schema:
    """An object that has all of these members, and no other."""
    made: Schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return said(made, description) if description else made


def array(item: Schema, description: str = "") -> Schema:
    """A list of such items."""
    made: Schema = {"type": "array", "items": item}
    return said(made, description) if description else made


def or_null(schema: Schema) -> Schema:
    """The schema, or null where nobody said it."""
    return {"anyOf": [schema, {"type": "null"}]}

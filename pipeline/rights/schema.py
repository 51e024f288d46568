"""What `rights.json` holds, as JSON Schema (draft 2020-12): for partners' engineers and lawyers, and for our own tests."""

from __future__ import annotations

from typing import Final

from pipeline.contracts import MACHINE_USES
from pipeline.rights.shapes import DAY, DRAFT, HASH, ID, TEXT, TEXTS, Schema, array, members, or_null, said

NAME: Final = "rights.schema.json"
VERSION: Final = "1"

_PERSON: Final = {
    "name": TEXT,
    "credentials": TEXT,
    "specialty": TEXT,
    "role": TEXT,
    "text": said(TEXT, "The line to print."),
}
_USE: Final[Schema] = {"enum": ["reserved", "allowed"]}
LICENSE: Final = members(
    {
        "agreement": TEXT,
        "clause": TEXT,
        "kind": {"enum": ["production", "evaluation"]},
        "starts": said(DAY, "First day of the agreement."),
        "ends": said(DAY, "Last day, inclusive, in the partner's time zone."),
        "url": said(TEXT, "The publisher's terms of use, or empty."),
        "edits": said({"enum": ["none", "adapt", "translate"]}, "What the partner may do to the text. We deliver it unedited."),
    },
    "The terms under which the site has the topic.",
)
MACHINES: Final = members(
    {
        "robots": said(TEXT, "What pages tell search engines (robots meta element)."),
        "tdm_reservation": said({"enum": [0, 1]}, "TDMRep: 1 = the rights of text and data mining are reserved."),
        "tdm_policy": said(TEXT, "TDMRep: where the terms stand, or empty."),
        "ai": members(dict.fromkeys(MACHINE_USES, _USE), "Uses by artificial intelligence; what is not allowed is reserved."),
    },
    "What programs may do with the text.",
)
DATES: Final = members(
    {
        "created": DAY,
        "published": said(DAY, "First day on which it may be shown."),
        "modified": said(DAY, "Last edit."),
        "current_as_of": said(DAY, "Last medical review."),
        "review_due": DAY,
        "expires": said(DAY, "Last day on which it may be shown."),
    }
)
_NOTICE: Final = members({"kind": TEXT, "text": TEXT, "url": said(TEXT, "Where the notice leads, or empty.")})

SCHEMA: Final[Schema] = {
    "$schema": DRAFT,
    "title": "Rights",
    **members(
        {
            "$schema": said(TEXT, "This schema, relative to the file."),
            "schema": {"const": VERSION},
            "topic": members(
                {
                    "id": ID,
                    "language": said(TEXT, "BCP 47."),
                    "version": TEXT,
                    "title": TEXT,
                    "url": said(TEXT, "The publisher's own page of the topic."),
                }
            ),
            "publisher": members({"id": TEXT, "name": TEXT, "url": TEXT}),
            "licensee": members({"partner": TEXT, "site": TEXT, "name": TEXT}),
            "copyright": or_null(
                members(
                    {
                        "holder": TEXT,
                        "first_year": {"type": "integer"},
                        "last_year": {"type": "integer"},
                        "notice": said(TEXT, "The line that every format shows."),
                    }
                )
            ),
            "credit": said(TEXT, "What to name as the source."),
            "usage": said(TEXT, "The sentence on the use of the text, or empty."),
            "machines": MACHINES,
            "authors": array(members(_PERSON)),
            "reviews": array(members({**_PERSON, "on": DAY, "version": TEXT})),
            "dates": DATES,
            "notices": array(_NOTICE, "Every notice in its order. All must be shown, to the letter."),
            "marks": array(members({"kind": TEXT, "text": TEXT}), "Lines that stand right under the title."),
            "licenses": array(
                members({**LICENSE["properties"], "formats": said(TEXTS, "The formats that it covers.")}),
                "The grants under which the site has the topic.",
            ),
            "media": array(
                members(
                    {
                        "path": said(TEXT, "Where pages of the topic have it; a book or a print page holds it inside."),
                        "sha256": HASH,
                        "credit": said(TEXT, "Must be visible wherever the picture is, or empty."),
                    }
                ),
                "The pictures.",
            ),
            "odrl": {"type": "object", "description": "The same terms as an ODRL 2.2 agreement (JSON-LD)."},
        },
        "Whose a topic is, who may show it, under which terms and until when.",
    ),
}

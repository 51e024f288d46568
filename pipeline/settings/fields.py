"""What settings files are made of: the base of all models, and types of values that are checked while they are read.

In: values of a TOML file. Out: the same values, or a ValueError that says what was expected.
"""

from __future__ import annotations

import difflib
import re
from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.names import language_tag


def _timezone(name: str) -> str:
    if name not in available_timezones():
        near = difflib.get_close_matches(name, available_timezones(), 1)
        raise ValueError(f"no time zone of this name{f'; did you mean {near[0]!r}?' if near else ''}")
    return name


def _language(tag: str) -> str:
    if not (usual := language_tag(tag)):
        raise ValueError("expected a BCP 47 language tag such as 'en', 'es-US' or 'zh-Hant'")
    return usual


def _percent(share: str) -> str:
    if not re.fullmatch(r"\d{1,2}(\.\d+)?%|100%", share):
        raise ValueError("expected a share such as '5%'")
    return share


def _link_template(template: str) -> str:
    rest = re.sub(r"\{(id|language|anchor)\}", "", template)
    if template and "{id}" not in template:
        raise ValueError("expected {id} in it: else every link leads to one place")
    if "{" in rest or "}" in rest:
        raise ValueError("expected no other braces than {id}, {language} and {anchor}")
    if re.search(r"[\s\"'<>\\]", rest) or re.match(r"(?!https?:)[^/?#]*:", template, re.IGNORECASE):
        raise ValueError("expected an address: https://..., or a path, without spaces and quotes")
    return template


def _territory(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", code):
        raise ValueError("expected a country (ISO 3166-1: 'US') or a part of one (ISO 3166-2: 'US-CA')")
    return code


TimeZone = Annotated[str, AfterValidator(_timezone)]
Language = Annotated[str, AfterValidator(_language)]
Share = Annotated[str, AfterValidator(_percent)]
LinkTemplate = Annotated[str, AfterValidator(_link_template)]
PathId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
Text = Annotated[str, Field(min_length=1)]
Days = Annotated[int, Field(ge=0, le=36500)]
Territory = Annotated[str, AfterValidator(_territory)]
Scope = Literal["all"] | Annotated[list[Text], Field(min_length=1)]
TerritoryScope = Literal["all"] | Annotated[list[Territory], Field(min_length=1)]
Channel = Literal["portal", "public-web", "ehr", "app", "print", "kiosk"]


def days_after(day: date, days: int) -> date:
    """The day so many days later (or earlier); the first or last day there is, where it would lie beyond: 9999-12-31 means
    'never', and has no next day."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


class Model(BaseModel):
    """All settings: frozen, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

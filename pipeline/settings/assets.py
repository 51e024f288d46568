"""assets.toml: rights of images, by file. In: TOML values. Out: `Asset`."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from pipeline.settings.fields import Model, Scope, TerritoryScope


class Asset(Model):
    """Rights of one image."""

    holder: str = Field("", description="Who holds the rights; empty: the publisher.")
    credit: str = Field("", description="Line that must be visible wherever the image is shown.")
    sublicense: bool = Field(False, description="Another holder lets us pass the image on to partners.")
    formats: Scope = Field("all", description="Formats that it may be shown in, or 'all'.")
    territories: TerritoryScope = Field("all", description="Countries or parts of them where it may be shown, or 'all'.")
    ends: date | None = Field(None, description="Last day, inclusive, on which we may show it; left out: no end.")
    required: bool = Field(False, description="The text can not be followed without it.")

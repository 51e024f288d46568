"""assets.toml: rights of images, by file. In: TOML values. Out: `Asset`."""

from __future__ import annotations

from pydantic import Field

from pipeline.settings.fields import Model


class Asset(Model):
    """Rights of one image."""

    holder: str = Field("", description="Who holds the rights; empty: the publisher.")
    credit: str = Field("", description="Line that must be visible wherever the image is shown.")
    sublicense: bool = Field(False, description="Another holder lets us pass the image on to partners.")
    required: bool = Field(False, description="The text can not be followed without it.")

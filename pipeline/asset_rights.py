"""Whose the images are: what assets.toml and publisher.toml say of each file.

In: the configuration. Out: `Rights` by input file, for the rule that decides on images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pipeline.contracts import Rights
from pipeline.settings import Asset, Configuration, Publisher


def listed_rights(configuration: Configuration) -> dict[str, Rights]:
    """The rights of every file that assets.toml lists."""
    return {file: _rights(file, asset, configuration.publisher) for file, asset in configuration.assets.items()}


def rights_of(files: Iterable[str], listed: Mapping[str, Rights], publisher: Publisher) -> dict[str, Rights]:
    """The rights of these files. One that assets.toml does not list is ours, unless publisher.toml says `refuse`."""
    unlisted_are_ours = publisher.assets_without_entry != "refuse"
    return {file: listed.get(file) or Rights(file, ours=unlisted_are_ours, listed=False) for file in files}


def _rights(file: str, asset: Asset, publisher: Publisher) -> Rights:
    ours = not asset.holder or asset.holder in (publisher.name, publisher.copyright.holder if publisher.copyright else "")
    scopes = (_scope(asset.formats), _scope(asset.territories))
    return Rights(file, ours, True, asset.sublicense, *scopes, asset.ends)


def _scope(scope: Literal["all"] | list[str]) -> Literal["all"] | tuple[str, ...]:
    return "all" if scope == "all" else tuple(scope)

"""Settings: syndication.toml, publisher.toml, assets.toml and partners/*.toml, one module each.

In: TOML files. Out: frozen pydantic models, every field of which has an effect; `json_schemas()` describes them
for editors. All problems of all files are reported together in one UsageError: file, key, expected, found, and
for an unknown key the nearest known one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pipeline.contracts import Publisher as Shown
from pipeline.errors import UsageError
from pipeline.settings.assets import Asset
from pipeline.settings.fields import Model
from pipeline.settings.messages import Email, Notify, Webhook
from pipeline.settings.partner import BrandSettings, Partner, PartnerNotices, SiteSettings
from pipeline.settings.publisher import CopyrightDefaults, Freshness, FreshnessDays, Publisher, PublisherNotices, TopicDefaults
from pipeline.settings.reading import read_toml, rejected, validated
from pipeline.settings.syndication import Archive, Brake, Images, Settings
from pipeline.settings.terms import AfterEnd, Agreement, Exemption, Grant, Limits, Obligation

__all__ = [
    "AfterEnd",
    "Agreement",
    "Archive",
    "Asset",
    "Brake",
    "BrandSettings",
    "Configuration",
    "CopyrightDefaults",
    "Email",
    "Exemption",
    "Freshness",
    "FreshnessDays",
    "Grant",
    "Images",
    "Limits",
    "Model",
    "Notify",
    "Obligation",
    "Partner",
    "PartnerNotices",
    "Publisher",
    "PublisherNotices",
    "Settings",
    "SiteSettings",
    "TopicDefaults",
    "Webhook",
    "did_you_mean",
    "json_schemas",
    "load",
    "load_partner",
    "notify_of",
    "salvage",
    "unknown",
    "without_files",
]


@dataclass(frozen=True)
class Configuration:
    """All files together. `folder` is where syndication.toml is; `sections` are the plug-ins' own."""

    folder: Path
    settings: Settings
    publisher: Publisher
    partners: tuple[Partner, ...]
    assets: Mapping[str, Asset]
    sections: Mapping[str, Mapping[str, Any]]

    def path(self, written: str) -> Path:
        """A path as a settings file of this folder writes it."""
        return (self.folder / written).resolve()

    def with_store(self, store: str) -> Configuration:
        """The same, publishing elsewhere."""
        return replace(self, settings=self.settings.model_copy(update={"store": store}))

    def with_partner(self, partner: Partner) -> Configuration:
        """The same with this partner's file in the place of the one of its id, or beside the others. Raises UsageError where its
        days of freshness do not go with the publisher's."""
        problems: list[str] = []
        others = [each for each in self.partners if each.id != partner.id]
        added = _with_days(partner, self.publisher, problems)
        if problems:
            raise rejected(problems)
        return replace(self, partners=tuple(sorted([*others, added], key=lambda each: each.id)))

    def partner(self, name: str) -> Partner:
        """The partner of this id. Raises UsageError naming the near miss."""
        for partner in self.partners:
            if partner.id == name:
                return partner
        raise unknown("partner", name, [partner.id for partner in self.partners])

    @property
    def publisher_timezone(self) -> ZoneInfo:
        """Where the publisher's day begins."""
        return ZoneInfo(self.publisher.timezone)

    @property
    def publisher_shown(self) -> Shown:
        """The publisher as pages show it that are in no language of topics: without a logo."""
        return Shown(self.publisher.id, self.publisher.name, self.publisher.url)

    def timezone(self, partner: Partner) -> ZoneInfo:
        """The partner's time zone, else the publisher's."""
        return ZoneInfo(partner.timezone or self.publisher.timezone)

    def conditions(self, partner: Partner) -> str:
        """The file of conditions that a partner's topics are read under, else that of the settings; "" = none."""
        return partner.conditions or self.settings.conditions


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that nobody knows, with the nearest one that exists."""
    names = sorted(known)
    return UsageError(
        f"unknown {what} {name!r}",
        expected=", ".join(names) or f"(there is no {what})",
        fix=did_you_mean(name, names) or f"use one of those, or add the {what}",
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question for a name that nobody knows; "" where none that exists is near to it."""
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]!r}?" if near else ""


def load(path: Path, destinations: Sequence[str]) -> Configuration:
    """Reads syndication.toml and the files it names. `destinations` are the plug-ins that may bring a section.

    Raises UsageError with every problem of every file.
    """
    configuration, problems = salvage(path, destinations)
    if problems:
        raise rejected(problems)
    return configuration


def salvage(path: Path, destinations: Sequence[str]) -> tuple[Configuration, list[str]]:
    """As `load`, as far as the files can be used, with their problems: what must be done at once can not wait until someone has
    mended a partner's file. A partner whose file is wrong is left out; of a wrong publisher.toml only a name is left.

    Raises UsageError where syndication.toml itself can not be used, because it alone says where the store is.
    """
    problems: list[str] = []
    raw = read_toml(path, problems)
    sections = {name: raw.pop(name) for name in destinations if isinstance(raw.get(name), dict)}
    settings = validated(Settings, raw, path, problems, sections=destinations)
    if settings is None:
        raise rejected(problems)
    folder = path.resolve().parent
    publisher_path = folder / settings.publisher
    publisher = validated(Publisher, read_toml(publisher_path, problems), publisher_path, problems)
    partners = _load_partners(folder / settings.partners, problems)
    assets = _load_assets(folder / settings.assets, problems) if settings.assets else {}
    if publisher and settings.assets and publisher.assets_without_entry is None:
        problems.append(
            f"{publisher_path}: assets_without_entry: missing\n  expected: 'ours' or 'refuse', because {settings.assets} is set\n"
            "  to do:    say whose images are that it does not list"
        )
    publisher = publisher or Publisher(id="publisher", name="Publisher", notices={})
    partners = tuple(_with_days(partner, publisher, problems) for partner in partners)
    return Configuration(folder, settings, publisher, partners, assets, sections), problems


def notify_of(path: Path) -> Notify | None:
    """`[notify]` of a syndication.toml that may be wrong in every other place; None where that can not be read either."""
    raw = read_toml(path, [])
    return validated(Notify, raw["notify"], path, []) if isinstance(raw.get("notify"), dict) else None


def without_files(inputs: Sequence[str]) -> Configuration:
    """A configuration for checking files that belong to no project yet: no partner, no store, nothing required."""
    settings = Settings(inputs=list(inputs), store="build/store", cache="")
    publisher = Publisher(id="none", name="none", require=(), notices={})
    return Configuration(Path.cwd(), settings, publisher, (), {}, {})


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of each file by name, for editors that complete and check TOML."""
    return {
        "syndication": Settings.model_json_schema(),
        "publisher": Publisher.model_json_schema(),
        "partner": Partner.model_json_schema(),
        "asset": Asset.model_json_schema(),
    }


def load_partner(path: Path) -> Partner:
    """One partner's file, wherever it is. Raises UsageError with every problem of it."""
    problems: list[str] = []
    partner = validated(Partner, read_toml(path, problems), path, problems)
    if partner is None or problems:
        raise rejected(problems)
    return partner


def _with_days(partner: Partner, publisher: Publisher, problems: list[str]) -> Partner:
    """The partner with every day of `[freshness]`: what its file leaves out is the publisher's."""
    own = partner.freshness.model_dump(exclude_unset=True) if partner.freshness else {}
    try:
        days = Freshness(**{**publisher.freshness.model_dump(), **own})
    except ValidationError as error:
        said = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        problems.append(
            f"partner {partner.id}: [freshness], filled in with the publisher's days: {said}\n"
            "  to do:    write the missing days into the partner's [freshness]"
        )
        return partner
    return partner.model_copy(update={"freshness": days})


def _load_partners(folder: Path, problems: list[str]) -> tuple[Partner, ...]:
    if not folder.is_dir():
        problems.append(f"{folder}: no such folder\n  expected: a folder of <id>.toml\n  to do:    create it, or mend 'partners'")
        return ()
    found = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:  # glob() would say that nothing is there
        problems.append(f"{folder}: can not be read: {error}")
        return ()
    for path in paths:
        partner = validated(Partner, read_toml(path, problems), path, problems)
        if partner is None:
            continue
        if partner.id != path.stem:
            said = f"\n  expected: {path.stem!r}, as the file is named\n  found:    {partner.id!r}"
            problems.append(f"{path}: id{said}\n  to do:    rename the file, or mend the id")
        found.append(partner)
    if not found and not problems:
        problems.append(
            f"{folder}: no partner\n  expected: at least one <id>.toml\n  to do:    write one ('init' makes an example)"
        )
    return tuple(found)


def _load_assets(path: Path, problems: list[str]) -> dict[str, Asset]:
    raw = read_toml(path, problems)
    found = {}
    for name, value in raw.items():
        asset = validated(Asset, value if isinstance(value, dict) else {"": value}, path, problems, at=(name,))
        if asset is not None:
            found[name] = asset
    return found

"""Settings: syndication.toml, publisher.toml, assets.toml and partners/*.toml.

In: TOML files. Out: frozen pydantic models, every field of which has an effect; `json_schemas()` describes them
for editors. All problems of all files are reported together in one UsageError: file, key, expected, found, and
for an unknown key the nearest known one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import UsageError
from pipeline.notices import LEGAL

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufffe\uffff]")

# --- field types --------------------------------------------------------------------------------


def _timezone(name: str) -> str:
    if name not in available_timezones():
        near = difflib.get_close_matches(name, available_timezones(), 1)
        raise ValueError(f"no time zone of this name{f'; did you mean {near[0]!r}?' if near else ''}")
    return name


def _language(tag: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag):
        raise ValueError("expected a BCP 47 language tag such as 'en', 'es-US' or 'zh-Hant'")
    return tag


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


TimeZone = Annotated[str, AfterValidator(_timezone)]
Language = Annotated[str, AfterValidator(_language)]
Share = Annotated[str, AfterValidator(_percent)]
LinkTemplate = Annotated[str, AfterValidator(_link_template)]
PathId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
Text = Annotated[str, Field(min_length=1)]
Scope = Literal["all"] | Annotated[list[Text], Field(min_length=1)]


class Model(BaseModel):
    """All settings: frozen, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


# --- syndication.toml ---------------------------------------------------------------------------


class Brake(Model):
    """Stops a site where more than this share of its topics (and at least `at_least`) would go or change, undecided."""

    removals: Share = Field("5%", description="Share of a site's topics that one run may remove without a decision or a date.")
    changes: Share = Field("50%", description="Share of a site's topics whose text may change in one run.")
    at_least: int = Field(5, ge=0, description="Never stop for fewer topics than this.")


class Images(Model):
    """Limits of images."""

    max_megabytes: float = Field(5.0, gt=0, description="A larger image file is a finding and is not delivered.")
    max_megapixels: float = Field(25.0, gt=0, description="An image of more pixels is a finding and is not delivered.")


class Settings(Model):
    """syndication.toml: where things are. Paths are relative to the file."""

    inputs: list[Text] = Field(
        min_length=1, description="Folders, files, zip archives or s3:// prefixes with topic XML and images."
    )
    publisher: Text = Field("publisher.toml", description="The publisher's file.")
    partners: Text = Field("partners", description="A folder of <id>.toml, one per partner.")
    assets: str = Field("", description="Rights of images, by file (assets.toml); empty: none is described.")
    store: Text = Field(description="Where releases go: a folder or s3://bucket/prefix.")
    cache: str = Field("build/cache", description="A folder for work that need not be done twice; empty: none.")
    conditions: str = Field("", description="A DITAVAL file that applies to every partner that names none of its own.")
    maps: list[str] = Field(default_factory=list, description="Root maps; empty: every map that no other map references.")
    workers: int = Field(0, ge=0, description="Processes that render; 0: one per processor core.")
    brake: Brake = Field(default_factory=Brake, description="What stops a run before it empties a site.")
    images: Images = Field(default_factory=Images, description="How large images may be.")


# --- publisher.toml -----------------------------------------------------------------------------


class CopyrightDefaults(Model):
    """What a topic does not say itself."""

    holder: Text = Field(description="Copyright holder of topics that name none.")
    first_year: int = Field(
        0, ge=0, le=9999, description="First year of topics that name none; 0: the year of the topic's own dates."
    )


class TopicDefaults(Model):
    """Stand-ins for what a topic does not say."""

    author: str = Field("", description="Author of topics that name none.")
    audiences: list[Text] = Field(default_factory=list, description="Audiences of topics that name none.")
    collections: list[Text] = Field(default_factory=list, description="Collections of topics that are in none.")
    owner: str = Field("", description="Who is told of findings in topics that name no owner.")


class PublisherNotices(Model):
    """The publisher's notices in one language; each is shown and proven when given."""

    trademark: str = Field("", description="Sentence after the copyright line.")
    disclaimer: str = Field("", description="The publisher's disclaimer.")
    use: str = Field("", description="The sentence 'Your use of this information ...'.")
    terms_url: WebAddress | Literal[""] = Field("", description="Address of the terms of use.")
    privacy_url: WebAddress | Literal[""] = Field("", description="Address of the privacy policy.")
    learn_more: str = Field("", description="The sentence 'To learn more about ...'.")
    learn_more_url: WebAddress | Literal[""] = Field("", description="Where that sentence leads.")
    attribution: list[Text] = Field(default_factory=list, description="Further lines at the end of the legal block.")
    logo: str = Field("", description="The publisher's logo in this language, a file beside publisher.toml.")


class Publisher(Model):
    """publisher.toml: who publishes, and what stands under every topic."""

    id: PathId = Field(description="Part of identifiers; never change it.")
    name: Text = Field(description="Name that readers see.")
    url: WebAddress | Literal[""] = Field("", description="Home page.")
    timezone: TimeZone = Field("UTC", description="Where the publisher's day begins.")
    language: Language = Field("en", description="Language of topics that name none.")
    review_cycle_months: int = Field(
        0, ge=0, description="A review is due this long after 'current as of'; 0: only where a topic says so."
    )
    require: tuple[Literal["title", "publisher-disclaimer", "copyright", "current-as-of", "author", "reviewer"], ...] = Field(
        ("title", "publisher-disclaimer"), description="A topic that lacks one of these is held back."
    )
    assets_without_entry: Literal["ours", "refuse"] | None = Field(
        None, description="Whose an image is that assets.toml does not list. Must be said where there is an assets.toml."
    )
    order: tuple[Literal[LEGAL], ...] = Field(  # type: ignore[valid-type]
        LEGAL, description="Order of the legal block, which follows the credits; kinds left out come last."
    )
    copyright: CopyrightDefaults | None = Field(None, description="Copyright of topics that state none.")
    defaults: TopicDefaults = Field(default_factory=TopicDefaults, description="What topics may leave out.")
    notices: dict[Language, PublisherNotices] = Field(description="Notices by language; 'es' serves 'es-US' too.")


# --- assets.toml --------------------------------------------------------------------------------


class Asset(Model):
    """Rights of one image."""

    holder: str = Field("", description="Who holds the rights; empty: the publisher.")
    credit: str = Field("", description="Line that must be visible wherever the image is shown.")
    sublicense: bool = Field(False, description="Another holder lets us pass the image on to partners.")
    required: bool = Field(False, description="The text can not be followed without it.")


# --- partners/<id>.toml -------------------------------------------------------------------------


class Grant(Model):
    """What one clause of an agreement allows. A scope left out is an error, never a grant; 'all' is written."""

    clause: Text = Field(description="Clause of the agreement; printed by explain, reports and rights records.")
    collections: Scope = Field(description="Collections by id, or 'all'.")
    languages: Scope = Field(description="Languages ('es' covers 'es-US'), or 'all'.")
    audiences: Scope = Field(description="Audiences, or 'all'.")
    formats: Scope = Field(description="Formats, or 'all'.")
    images: Literal["none", "own", "sublicensable"] = Field(
        description="none; own: the publisher's; sublicensable: also those whose holder lets us pass them on."
    )
    sites: Scope = Field("all", description="Sites of the partner that the clause covers.")


class Agreement(Model):
    """One agreement; several live side by side."""

    id: Text = Field(description="The agreement's own number.")
    starts: date = Field(description="First day.")
    ends: date = Field(description="Last day, inclusive, in the partner's time zone.")
    grants: list[Grant] = Field(min_length=1, description="What it allows.")

    @model_validator(mode="after")
    def _dates_in_order(self) -> Agreement:
        if self.ends < self.starts:
            raise ValueError(f"ends ({self.ends}) is before starts ({self.starts})")
        return self


class PartnerNotices(Model):
    """The partner's notices in one language."""

    disclaimer: str = Field("", description="The partner's disclaimer.")
    attribution: list[Text] = Field(default_factory=list, description="Further lines at the end of the legal block.")


class BrandSettings(Model):
    """The partner's looks."""

    color: Color = Field("#0b5fa5", description="Brand colour; shades with enough contrast are computed.")
    logo: str = Field("", description="Logo (SVG or PNG), a file beside the partner's file.")


class SiteSettings(Model):
    """One place of the partner that shows content; what it leaves out it takes from the partner."""

    name: str = Field("", description="Name that readers see; empty: the partner's.")
    brand: BrandSettings | None = Field(None, description="Looks; left out: the partner's.")
    templates: str = Field("", description="A folder of templates and style sheets that win over ours.")
    heading_base: int = Field(2, ge=1, le=6, description="Level of the first heading in JSON fragments.")
    topic_link: LinkTemplate = Field(
        "", description="Link template of JSON fragments, with {id}, {language}, {anchor}; empty: relative links."
    )
    indexing: Literal["noindex", "free"] = Field("noindex", description="Whether search engines may index the pages.")


class Partner(Model):
    """partners/<id>.toml: who gets what, under which terms, with which looks."""

    id: PathId = Field(description="The file's name without .toml; never change it.")
    name: Text = Field(description="Name that readers see.")
    timezone: TimeZone | Literal[""] = Field("", description="Where the partner's day begins; empty: the publisher's.")
    conditions: str = Field("", description="A DITAVAL file for this partner; empty: that of syndication.toml.")
    agreements: list[Agreement] = Field(min_length=1, description="Agreements, past ones too.")
    notices: dict[Language, PartnerNotices] = Field(default_factory=dict, description="Notices by language.")
    brand: BrandSettings = Field(default_factory=BrandSettings, description="Looks.")
    templates: str = Field("", description="A folder of templates and style sheets that win over ours.")
    sites: dict[PathId, SiteSettings] = Field(default_factory=dict, description="Sites; none: one with the partner's id.")

    def all_sites(self) -> dict[str, SiteSettings]:
        """Every site by id; a partner without `[sites]` has one, with the partner's id."""
        return dict(self.sites) or {self.id: SiteSettings()}


_M = TypeVar("_M", bound=Model)

# --- everything ---------------------------------------------------------------------------------


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

    def partner(self, name: str) -> Partner:
        """The partner of this id. Raises UsageError naming the near miss."""
        for partner in self.partners:
            if partner.id == name:
                return partner
        raise unknown("partner", name, [partner.id for partner in self.partners])

    def timezone(self, partner: Partner) -> ZoneInfo:
        """The partner's time zone, else the publisher's."""
        return ZoneInfo(partner.timezone or self.publisher.timezone)


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that nobody knows, with the nearest one that exists."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    return UsageError(
        f"unknown {what} {name!r}",
        expected=", ".join(names) or f"(there is no {what})",
        fix=f"did you mean {near[0]!r}?" if near else f"use one of those, or add the {what}",
    )


def load(path: Path, destinations: Sequence[str]) -> Configuration:
    """Reads syndication.toml and the files it names. `destinations` are the plug-ins that may bring a section.

    Raises UsageError with every problem of every file.
    """
    problems: list[str] = []
    raw = _read_toml(path, problems)
    sections = {name: raw.pop(name) for name in destinations if isinstance(raw.get(name), dict)}
    settings = _validate(Settings, raw, path, problems, sections=destinations)
    if settings is None:
        raise _rejected(problems)
    folder = path.resolve().parent
    publisher_path = folder / settings.publisher
    publisher = _validate(Publisher, _read_toml(publisher_path, problems), publisher_path, problems)
    partners = _load_partners(folder / settings.partners, problems)
    assets = _load_assets(folder / settings.assets, problems) if settings.assets else {}
    if publisher and settings.assets and publisher.assets_without_entry is None:
        problems.append(
            f"{publisher_path}: assets_without_entry: missing\n  expected: 'ours' or 'refuse', because {settings.assets} is set\n"
            "  to do:    say whose images are that it does not list"
        )
    if problems or publisher is None:
        raise _rejected(problems)
    return Configuration(folder, settings, publisher, partners, assets, sections)


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
        partner = _validate(Partner, _read_toml(path, problems), path, problems)
        if partner is None:
            continue
        if partner.id != path.stem:
            problems.append(f"{path}: id\n  expected: {path.stem!r}, as the file is named\n  found:    {partner.id!r}")
        found.append(partner)
    if not found and not problems:
        problems.append(
            f"{folder}: no partner\n  expected: at least one <id>.toml\n  to do:    write one ('init' makes an example)"
        )
    return tuple(found)


def _load_assets(path: Path, problems: list[str]) -> dict[str, Asset]:
    raw = _read_toml(path, problems)
    found = {}
    for name, value in raw.items():
        asset = _validate(Asset, value if isinstance(value, dict) else {"": value}, path, problems, at=(name,))
        if asset is not None:
            found[name] = asset
    return found


def _read_toml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(
            f"{path}: no such file\n  to do:    create it ('run_pipeline.py init DIR' makes a commented starter project)"
        )
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: can not be read: {error}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: not TOML: {error}")
    else:
        found = [f"{path}: {place}: a control character\n  found:    {text!r}" for place, text in _controls(raw, ())]
        problems += found
        return {"": None} if found else raw
    return {"": None}  # a marker that no model accepts and nobody reports twice


def _controls(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every text with a character that no path and no page may hold, and where it stands."""
    if isinstance(value, str) and _CONTROL.search(value):
        yield ".".join(place), value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _controls(inner, (*place, str(key)))


_MODELS: Final = (
    Brake,
    Images,
    CopyrightDefaults,
    TopicDefaults,
    PublisherNotices,
    Asset,
    Grant,
    Agreement,
    PartnerNotices,
    BrandSettings,
    SiteSettings,
)


def _validate(
    model: type[_M],
    raw: dict[str, Any],
    path: Path,
    problems: list[str],
    *,
    sections: Sequence[str] = (),
    at: tuple[str, ...] = (),
) -> _M | None:
    if "" in raw and raw[""] is None:
        return None
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problems.append(f"{path}: {_problem(model, detail, at, sections)}")
    return None


def _problem(model: type[Model], detail: Any, at: tuple[str, ...], sections: Sequence[str]) -> str:
    place = ".".join(str(part) for part in (*at, *detail["loc"])) or "(file)"
    if detail["type"] == "extra_forbidden":
        known = [*_keys_beside(model, detail["loc"]), *sections]
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, 1)
        return f"{place}: unknown key" + (
            f"\n  to do:    did you mean {near[0]!r}?" if near else f"\n  expected: {', '.join(sorted(known))}"
        )
    if detail["type"] == "missing":
        field = _field(model, detail["loc"])
        return f"{place}: missing" + (f"\n  expected: {field}" if field else "")
    return f"{place}: {detail['msg']}\n  found:    {detail['input']!r}"


def _keys_beside(model: type[Model], location: Sequence[int | str]) -> list[str]:
    owner = _owner(model, location)
    return list(owner.model_fields) if owner else []


def _field(model: type[Model], location: Sequence[int | str]) -> str:
    owner = _owner(model, location)
    field = owner.model_fields.get(str(location[-1])) if owner else None
    return (field.description or "") if field else ""


def _owner(model: type[Model], location: Sequence[int | str]) -> type[Model] | None:
    """The model that holds the last key of a location, found by walking the annotations."""
    owner: type[Model] | None = model
    for part in location[:-1]:
        if owner is None or isinstance(part, int) or part not in owner.model_fields:
            continue  # a list index, or a key of a dictionary: the model stays
        owner = next((m for m in _MODELS if re.search(rf"\b{m.__name__}\b", str(owner.model_fields[part].annotation))), None)
    return owner


def _rejected(problems: list[str]) -> UsageError:
    count = len(problems)
    return UsageError(f"settings can not be used ({count} problem{'s' if count > 1 else ''}):\n" + "\n".join(problems))

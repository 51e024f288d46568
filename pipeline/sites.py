"""Sites: the places of a partner, with looks and notices.

In: the configuration. Out: `Site` values by prefix, the publisher by language, notice texts by partner and language,
and plans from which languages without notices or labels are withheld.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from pipeline import assets, labels
from pipeline.contracts import Brand, Decision, Image, License, Presentation, Publisher, Site
from pipeline.editions import SitePlan
from pipeline.errors import UsageError
from pipeline.findings import Finding, error
from pipeline.notices import Texts
from pipeline.settings import BrandSettings, Configuration, Partner, SiteSettings
from pipeline.topic import Code, Metadata

LANGUAGE_MISSING: Final = error(
    "notices.language-missing",
    "Publisher or partner has no notices, or we have no labels, in a language. Its topics are withheld from that site.",
    "Add [notices.<language>] with a disclaimer to the file that lacks it, or take the language out of the grant.",
)

NO_LABELS: Final = "Take the language out of the grant, or add its labels (pipeline/labels/<language>.po)."

TEMPLATE: Final = error(
    "site.template",
    "A site's own template failed. Topics are held back from that site; other sites get them.",
    "Mend the template at that line, or take it out of the site's folder: then ours is used.",
)

Today = Callable[[ZoneInfo], date]


N = TypeVar("N")


def prefix_of(site_id: str) -> str:
    """Where a site's releases stand in the store."""
    return f"p/{site_id}"


def all_sites(partner: Partner) -> dict[str, SiteSettings]:
    """The partner's sites by prefix."""
    return {prefix_of(site_id): settings for site_id, settings in partner.all_sites().items()}


def sites(configuration: Configuration, partner: Partner) -> dict[str, Site]:
    """Every site of a partner by prefix, its logo loaded and checked. Raises UsageError for a logo that can not be used."""
    return {
        prefix_of(site_id): _site(configuration, partner, site_id, settings) for site_id, settings in partner.all_sites().items()
    }


def _site(configuration: Configuration, partner: Partner, site_id: str, settings: SiteSettings) -> Site:
    templates = settings.templates or partner.templates
    return Site(
        partner=partner.id,
        id=site_id,
        name=settings.name or partner.name,
        prefix=prefix_of(site_id),
        brand=_brand(configuration.path(configuration.settings.partners), settings.brand or partner.brand),
        templates=_templates(configuration, partner, templates),
        presentation=Presentation(settings.heading_base, settings.topic_link),
        robots="noindex" if settings.indexing == "noindex" else "all",  # of the site; `robots` says it of a page
        zip=settings.zip or partner.zip,
        obligations=tuple((owed.clause, owed.text) for owed in partner.obligations),
    )


def _templates(configuration: Configuration, partner: Partner, written: str) -> str:
    if not written:
        return ""
    folder = configuration.path(written)
    if not folder.is_dir():
        raise UsageError(
            f"templates {written!r} of partner {partner.id} are not there",
            expected=f"a folder {folder}",
            fix=f"mend 'templates' in partners/{partner.id}.toml, or make the folder",
        )
    return str(folder)


def template_failure(problem: Exception, site: Site, folder: Path) -> Finding | None:
    """The finding for what went wrong in a site's own templates, with their file (as seen from `folder`) and line; None where
    it went wrong elsewhere."""
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if site.templates and Path(frame.filename).is_relative_to(site.templates):
            file = os.path.relpath(frame.filename, folder)
            return TEMPLATE.at(file, frame.lineno or 0, f"{type(problem).__name__}: {problem}", partner=site.partner)
    return None


def _brand(folder: Path, settings: BrandSettings) -> Brand:
    return Brand(settings.color, _logo(folder / settings.logo) if settings.logo else None)


def _logo(path: Path) -> Image:
    try:
        return assets.load_logo(path.read_bytes(), path.name)
    except OSError as problem:
        raise UsageError(
            f"logo {path} can not be read", found=problem.strerror or "", fix="mend 'logo', or put the file there"
        ) from None
    except ValueError as problem:
        raise UsageError(
            f"logo {path} can not be used",
            expected="SVG or PNG",
            found=str(problem),
            fix="save it again, without scripts or links",
        ) from None


def robots(settings: SiteSettings, license_: License, metadata: Metadata) -> str:
    """What a page says to search engines: `noindex` under an evaluation, and where the page would have to name the publisher's
    own as the canonical one and there is none."""
    if license_.kind == "evaluation" or settings.indexing == "noindex":
        return "noindex"
    return "all" if settings.indexing == "free" or metadata.url else "noindex"


# By the code systems that a partner needs a license of its own for: their URI (HL7) and OID.
_LICENSED_SYSTEMS: Final[dict[str, tuple[str, str]]] = {
    "snomed-ct": ("http://snomed.info/sct", "2.16.840.1.113883.6.96"),
    "cpt": ("http://www.ama-assn.org/go/cpt", "2.16.840.1.113883.6.12"),
}


def licensed_codes(codes: tuple[Code, ...], licensed: Collection[str]) -> tuple[Code, ...]:
    """The codes without those of systems that the partner states no license of."""
    closed = [names for name, names in _LICENSED_SYSTEMS.items() if name not in licensed]
    return tuple(code for code in codes if not any(_of_system(code, uri, oid) for uri, oid in closed))


def _of_system(code: Code, uri: str, oid: str) -> bool:
    system = code.system.strip().rstrip("/").lower().replace("https://", "http://").removeprefix("urn:oid:")
    return system in (uri, oid) or system.startswith(f"{uri}/") or code.oid == oid


def publishers(configuration: Configuration, languages: Iterable[str]) -> dict[str, Publisher]:
    """The publisher as each language shows it: its logo may differ."""
    publisher = configuration.publisher
    folder = configuration.path(configuration.settings.publisher).parent
    shown = {}
    for tag in languages:
        own = _for_language(publisher.notices, tag)
        logo = _logo(folder / own.logo) if own and own.logo else None
        shown[tag] = Publisher(publisher.id, publisher.name, publisher.url, logo)
    return shown


def site_digest(site: Site) -> str:
    """SHA-256 (hex) of all that a site's looks are made of: its values, logo, and every file of its templates."""
    hasher = hashlib.sha256(repr(replace(site, brand=Brand(site.brand.color), zip=None, obligations=())).encode())
    hasher.update((site.brand.logo.sha256 if site.brand.logo else "").encode())
    if site.templates:
        for path in sorted(Path(site.templates).rglob("*")):
            if path.is_file():
                hasher.update(str(path.relative_to(site.templates)).encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()


# --- notices by language ------------------------------------------------------------------------


def notice_texts(configuration: Configuration, partner: Partner, language: str) -> tuple[Texts, Texts]:
    """The publisher's and the partner's texts; `en-US` falls back to `en`, no language to another."""
    names = {field.name for field in fields(Texts)}
    found = []
    for own in (_for_language(configuration.publisher.notices, language), _for_language(partner.notices, language)):
        values = own.model_dump(include=names) if own is not None else {}
        lines = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        found.append(Texts(**{**values, **lines}))
    return found[0], found[1]


def contacts(configuration: Configuration, partner: Partner | None) -> dict[str, str]:
    """Whom readers of a withdrawn topic may ask, by language: as the partner says, else as the publisher does."""
    said = {tag: notices.contact for tag, notices in configuration.publisher.notices.items()}
    if partner:
        said.update({tag: notices.contact for tag, notices in partner.notices.items() if notices.contact})
    return {tag: contact for tag, contact in said.items() if contact}


def _for_language(notices: Mapping[str, N], language: str) -> N | None:
    parts = language.split("-")
    return next((notices[tag] for end in range(len(parts), 0, -1) if (tag := "-".join(parts[:end])) in notices), None)


def withhold_languages(plan: SitePlan, configuration: Configuration) -> tuple[SitePlan, list[Finding]]:
    """The plan without topics in a language that lacks notices or labels: one finding per language, not one per topic."""
    missing = {
        tag: why for tag in {language for _, language in plan.granted} if (why := lacking(configuration, plan.partner, tag))
    }
    if not missing:
        return plan, []
    gone = {key: (Decision("notices", "withhold", missing[key[1]]),) for key in plan.granted if key[1] in missing}
    counts = Counter(language for _, language in gone)
    file = f"{configuration.settings.partners}/{plan.partner.id}.toml"
    findings = [
        LANGUAGE_MISSING.at(
            file,
            0,
            f"{counts[tag]} topics in {tag!r} are withheld from site {plan.site.id}: {why}",
            partner=plan.partner.id,
            action="" if labels.known(tag) else NO_LABELS,
        )
        for tag, why in sorted(missing.items())
    ]
    return plan.without(gone), findings


def lacking(configuration: Configuration, partner: Partner, language: str) -> str:
    """Why topics of a language can not be given to a partner: no labels, or no disclaimer; "" where they can."""
    if not labels.known(language):
        return f"the words that we print around texts are there in {', '.join(labels.languages())} alone"
    publisher_texts, partner_texts = notice_texts(configuration, partner, language)
    if not publisher_texts.disclaimer:
        return f"{configuration.settings.publisher} has no disclaimer in [notices.{language}]"
    if not partner_texts.disclaimer:
        return f"partners/{partner.id}.toml has no disclaimer in [notices.{language}]"
    return ""

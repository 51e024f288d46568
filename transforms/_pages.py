"""What pages of a site share: templates, style sheet, logo, links, structured data.

In: a site, an edition. Out: compiled Jinja2 templates, `OutputFile`s of the bundle, values for templates. A site's own
folder of templates and style sheets wins, file by file, over the packaged ones; partners write those, so templates run
in Jinja2's sandbox. Everything is escaped unless this module made it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from pipeline import rights
from pipeline.contracts import Edition, Image, OutputFile, Site
from pipeline.labels import direction, labels
from pipeline.notices import CREDITS, Notice
from transforms._brand import brand_css

PAGES: Final = Path(__file__).with_name("pages")
_RELATIONS: Final = {"terms": "license external", "privacy": "privacy-policy external"}
_COMMENTS: Final = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


# --- templates ----------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _environment(templates: str) -> Environment:
    kind = ImmutableSandboxedEnvironment if templates else Environment  # ours alone need no sandbox, which costs half the time
    folders = [Path(templates), PAGES] if templates else [PAGES]
    return kind(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=64,
        auto_reload=False,
    )


@lru_cache(maxsize=256)
def template(templates: str, name: str) -> Template:
    """The template of that name: the site's own, else the packaged one. Raises jinja2.TemplateError."""
    return _environment(templates).get_template(name)


@lru_cache(maxsize=256)
def style(templates: str, *names: str) -> str:
    """Style sheets, joined, without their comments: the site's own, else the packaged ones."""
    loader = _environment(templates).loader
    assert loader is not None
    sources = (loader.get_source(_environment(templates), name)[0] for name in names)
    return "".join(_COMMENTS.sub("", source) for source in sources)


# --- files of the bundle ------------------------------------------------------------------------


@lru_cache(maxsize=256)
def sheet(templates: str, color: str) -> OutputFile:
    """The one style sheet of a site: brand colours, the body's rules, the page's. Its path changes with its bytes."""
    text = (brand_css(color) + style(templates, "body.css", "topic.css")).encode()
    return OutputFile(f"assets/{hashlib.sha256(text).hexdigest()[:8]}/topic.css", text, "text/css")


def logo(image: Image | None, name: str) -> OutputFile | None:
    """A logo as a file of the bundle, None where there is none."""
    if image is None:
        return None
    suffix = image.path.rpartition(".")[2]
    return OutputFile(f"assets/{image.sha256[:8]}/{name}.{suffix}", image.data, image.media_type)


def data_uri(image: Image) -> str:
    """An image inside of the page itself."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


# --- values for templates -----------------------------------------------------------------------


def common(edition: Edition, body: bytes) -> dict[str, Any]:
    """What every page of a topic needs. `t` and `nt` are the words of the topic's language; `body` stands as it is; `block` and
    `printed` (for paper) show a notice."""
    words, templates = labels(edition.metadata.language), edition.site.templates
    credit = [notice for notice in edition.notices if notice.kind in CREDITS]
    legal = [notice for notice in edition.notices if notice.kind not in CREDITS]
    return {
        "edition": edition,
        "topic": edition.metadata,
        "site": edition.site,
        "publisher": edition.publisher,
        "machines": rights.record(edition)["machines"],
        "body": Markup(body.decode()),  # printed by lxml from a tree that passed an allow-list
        "credits": credit,
        "legal": legal,
        "block": partial(block, templates),
        "printed": partial(block, templates, macro="printed"),
        "direction": words.direction,
        "t": words.text,
        "nt": words.plural,
    }


@lru_cache(maxsize=1024)
def block(templates: str, notice: Notice, macro: str = "block") -> Markup:
    """A notice as mark-up, by a macro of `notice.html`. Made once: several formats of an edition show the same notices, and
    most topics share theirs."""
    return Markup(getattr(template(templates, "notice.html").module, macro)(notice, _RELATIONS))


@lru_cache(maxsize=256)
def language_name(tag: str) -> str:
    """A language in its own words: `Español`, `العربية`."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return tag
    name = str(locale.get_display_name(locale) or tag)
    return name[:1].upper() + name[1:]


def others(edition: Edition) -> Sequence[Mapping[str, str]]:
    """The other languages of a topic: name, tag, direction, address from this topic's folder."""
    return [
        {
            "language": each.language,
            "direction": direction(each.language),
            "name": language_name(each.language),
            "title": each.title,
            "href": f"../../{each.language}/{each.id}/index.html",
        }
        for each in edition.translations
    ]


def own_sheet(site: Site) -> OutputFile:
    """The style sheet of a site."""
    return sheet(site.templates, site.brand.color)

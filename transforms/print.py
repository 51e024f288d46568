"""The print page: one self-contained HTML file to read on paper.

In: a view or an edition. Out: `<lang>/<id>/print.html`: print instruction (on screen only), title, table of contents,
sections, credits, what this page left out, copyright, disclaimers. Style and images are inside. Every printed page carries
title, id, version, language and "Page n of N" in CSS margin boxes.

What only works on a screen is left out and counted: links to other topics and to definitions become their own words; lists
of related topics, definitions and illustrations go, except figures marked required.
Follows CSS Paged Media Level 3 and Content Security Policy Level 3.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from pipeline.contracts import Assets, Body, Edition, OutputFile, View
from pipeline.labels import Labels, labels
from transforms._brand import brand_css
from transforms._html import Options, anchor_id, render
from transforms._pages import common, data_uri, style, template

MEDIA_TYPE: Final = "text/html"
OMITS: Final = frozenset({"cross-references", "definitions", "illustrations", "related"})

_NOT_PLAIN: Final = re.compile(r"[^\w ]")
_FONT: Final = "font:8.5pt/1.3 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif;color:#3f4953"


def path(edition: Edition) -> str:
    """`<lang>/<id>/print.html`."""
    return f"{edition.folder}/print.html"


def body(view: View, assets: Assets) -> Body:
    """The topic's text as HTML without what only works on a screen, images inside."""
    options = Options("print", None, data_uri, definitions=False, related=False, illustrations=False, ways_back=False)
    rendered = render(view, assets, options)
    toc = tuple((entry.id, entry.text) for entry in rendered.toc)
    return Body(rendered.html, {"toc": toc}, rendered.omitted)


def imprint(body: Body, edition: Edition) -> list[OutputFile]:
    """The print page of an edition."""
    site, words = edition.site, labels(edition.metadata.language)
    sheet, lines = _sheet(site.templates, site.brand.color), _running_lines(edition, words)
    values = common(edition, body.content) | {
        "main": anchor_id(edition.metadata.id, "syn-main"),
        "style": Markup(sheet),  # packaged, or the site's own
        "running_lines": Markup(lines),  # every string in it is escaped for CSS
        "logo": data_uri(site.brand.logo) if site.brand.logo else "",
        "publisher_logo": data_uri(edition.publisher.logo) if edition.publisher.logo else "",
        "toc": body.parts["toc"],
        "left_out": _left_out(body, words),
    }
    page = template(site.templates, "print.html").render(values)
    return [OutputFile(path(edition), page.encode(), MEDIA_TYPE)]


def _left_out(body: Body, words: Labels) -> list[str]:
    """What this page left out, counted in words."""
    names = ("cross-references", "definitions", "illustrations")
    references, definitions, pictures = (body.omitted.get(name, 0) for name in names)
    found = (
        references and words.plural("{count} cross-reference", "{count} cross-references", references),
        definitions and words.plural("{count} definition", "{count} definitions", definitions),
        pictures and words.plural("{count} illustration", "{count} illustrations", pictures),
    )
    return [text for text in found if text]


@lru_cache(maxsize=256)
def _sheet(templates: str, color: str) -> str:
    return (brand_css(color, dark=False) + style(templates, "body.css", "print.css")).replace("</", "<\\/")


def _running_lines(edition: Edition, words: Labels) -> str:
    """The `@page` rules: title and site above, what the topic is and the page's number below."""
    metadata = edition.metadata
    start, end = ("left", "right") if words.direction == "ltr" else ("right", "left")
    version = words.text("Version {version}", version=metadata.version) if metadata.version else ""
    identity = " · ".join(filter(None, (metadata.id, version, metadata.language)))
    boxes = {
        f"top-{start}": _css_string(metadata.title),
        f"top-{end}": _css_string(edition.site.name),
        f"bottom-{start}": _css_string(identity),
        f"bottom-{end}": _page_of_pages(words),
    }
    rules = "".join(f"@{box}{{content:{content};direction:{words.direction};{_FONT}}}" for box, content in boxes.items())
    return f"@page{{size:auto;margin:20mm 17mm 19mm;{rules}}}"


def _page_of_pages(words: Labels) -> str:
    text = words.text("Page {page} of {pages}", page="\0", pages="\1")
    counters = {"\0": "counter(page)", "\1": "counter(pages)"}
    return " ".join(counters.get(part) or _css_string(part) for part in re.split("([\0\1])", text) if part)


def _css_string(text: str) -> str:
    """A CSS string of any text: everything but letters, digits and spaces is written as an escape (CSS Syntax Level 3),
    so that no quote, line end or `</style>` is left."""
    return f'"{_NOT_PLAIN.sub(lambda found: f"{chr(92)}{ord(found[0]):x} ", text)}"'

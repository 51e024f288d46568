"""What opening a page makes a browser or reading system fetch, or send.

In: a tree, or an element's name and attributes. Out: addresses, each with the mark-up that asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from pipeline.audit._css import of_pages_alone, requested, sheet, unescape
from pipeline.audit._reading import Request, names
from pipeline.audit._selectors import local

# Link relations that lead somewhere or say something; all others make a browser fetch.
_STILL: Final = names(
    """license canonical alternate author bookmark contents copyright describedby external first glossary help index last
    next nofollow noopener noreferrer prev privacy-policy publisher related search self start tag terms-of-service up"""
)
_FETCHING: Final = names(
    "src data poster background action formaction ping manifest classid code archive dynsrc lowsrc longdesc profile"
)


def requests_of(root: etree._Element, source: str) -> list[Request]:
    """Everything that opening the page makes a browser or reading system fetch (or send)."""
    found: list[tuple[str, str]] = []
    for element in root.iter("*"):
        found += _by_element(element)
    before = root.getprevious()
    while before is not None:
        if isinstance(before, etree._ProcessingInstruction) and "stylesheet" in (before.target or ""):
            found += [(url, "<?xml-stylesheet?>") for url in re.findall(r"href\s*=\s*[\"']([^\"']*)", before.text or "")]
        before = before.getprevious()
    return [Request(url, how, source) for url, how in found]


_HOLD_NONE: Final = names("class id lang dir rel type role alt title name content scope tabindex width height colspan rowspan")


def _by_element(element: etree._Element) -> list[tuple[str, str]]:
    name: str = local(element)
    found = requests_by_attributes(name, element.attrib)
    if name == "style":
        found += [(url, "<style>") for url in fetched_by("".join(element.itertext()))]
    return found


def fetched_by(style: str) -> tuple[str, ...]:
    """What a `<style>` element fetches."""
    return () if of_pages_alone(style) else sheet(style).urls


def requests_by_attributes(name: str, attributes: Mapping[Any, Any] | etree._Attrib) -> list[tuple[str, str]]:
    """What an element of this name makes a browser fetch by its attributes: (address, how)."""
    found: list[tuple[str, str]] = []
    if not _HOLD_NONE.issuperset(attributes):
        for raw, value in attributes.items():
            if raw not in _HOLD_NONE:
                attribute = str(raw).rpartition("}")[2].rpartition(":")[2].lower()
                found += _requests_in(name, attribute, str(value), attributes)
    if name == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
        found.append(((attributes.get("content") or "").partition("=")[2].strip(" '\"") or "refresh", "<meta refresh>"))
    return found


def _requests_in(name: str, attribute: str, text: str, attributes: Mapping[Any, Any] | etree._Attrib) -> list[tuple[str, str]]:
    how = f"<{name} {attribute}>"
    if attribute == "href":
        return [(text, how)] if name not in ("a", "area") and _fetches(name, attributes.get("rel")) else []
    if attribute in _FETCHING:
        return [(text, how)] if attribute != "data" or name == "object" else []
    if attribute in ("srcset", "imagesrcset"):
        return [(part.split()[0], how) for part in text.split(",") if part.split()]
    if attribute == "srcdoc":
        return [(text, how)]
    return [(url, how) for url in requested(unescape(text))] if attribute == "style" or "(" in text else []


def _fetches(name: str, relation: str | None) -> bool:
    if name == "link":
        relations = (relation or "").lower().split()
        return (
            not relations
            or any(rel not in _STILL and not rel.startswith("schema.") for rel in relations)
            or "stylesheet" in relations
        )
    return True

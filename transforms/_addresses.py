"""Where the links and images of a rendered body lead.

In: images, addresses from outside, topic ids. Out: addresses as mark-up may carry them. Follows RFC 3986; letters of
other scripts stay, as HTML allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pipeline.contracts import Image, View
from transforms._anchors import anchor_id

TopicLink = Callable[[str, str, str], str]  # of (topic, language, anchor)

# What may not stand in an address as it is (RFC 3986), besides letters of other scripts, which HTML allows.
_NOT_IN_URL: Final = re.compile(r"[\s<>\"{}|\\^`\x00-\x1f]")
_HOST: Final = re.compile(r"[^/?#]*//[^/?#]*")  # here alone brackets may stand, around an IPv6 address
_EXTERNAL: Final = ("https:", "http:", "mailto:", "tel:")


def at_media_path(image: Image) -> str:
    """The address of an image beside the page."""
    return quote(image.path)


def outside(address: str) -> str:
    """An address that leads out of the publisher's topics, as mark-up may carry it; "" where it is none of http, https,
    mailto and tel."""
    address = _NOT_IN_URL.sub(lambda found: quote(found[0]), address.strip())
    host = _HOST.match(address)
    end = host.end() if host else 0
    address = address[:end] + address[end:].replace("[", "%5B").replace("]", "%5D")
    return address if address.lower().startswith(_EXTERNAL) else ""


@dataclass(frozen=True, slots=True)
class _TopicLinks:
    """Addresses of topics. Equal ones give equal addresses, so formats that lead alike can share a rendering."""

    language: str
    page: str
    template: str

    def __call__(self, topic: str, language: str, anchor: str) -> str:
        fragment = quote(anchor_id(topic, anchor)) if anchor else ""
        if not self.template:
            folder = f"../{quote(topic)}" if language == self.language else f"../../{quote(language)}/{quote(topic)}"
            return f"{folder}/{self.page}" + (f"#{fragment}" if fragment else "")
        filled = self.template.replace("{id}", quote(topic)).replace("{language}", quote(language)).replace("{anchor}", fragment)
        return filled if fragment else filled.removesuffix("#")


def topic_links(view: View, page: str = "index.html", template: str = "") -> TopicLink:
    """Where links to other topics lead: the site's `template` (`{id}`, `{language}`, `{anchor}`), or, without one, the
    `page` of that topic in the bundle, relative to this topic's own folder."""
    return _TopicLinks(view.topic.metadata.language, page, template)

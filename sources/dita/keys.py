"""Keys as one topic sees them: its scopes, indirection (a key defined by another key), and what went wrong.

In: the `Keys` of the index, the scopes a topic stands in. Out: `Key`, or None. Specification: DITA 1.3, indirect
key-based addressing.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from pipeline.findings import Finding
from sources.dita import codes
from sources.dita.model import Data, Key
from sources.dita.places import Ref


class KeySpace:
    """What keys mean in one topic."""

    def __init__(self, data: Data, scopes: tuple[int, ...]) -> None:
        self._keys, self._scopes = data.keys, scopes
        self.findings: list[Finding] = []

    def find(self, keyref: str, element: etree._Element, file: str) -> tuple[Key, str] | None:
        """What `key` or `key/element` means, with the element's id; a key that scopes disagree on is a finding."""
        name, _, inner = keyref.strip().partition("/")
        found = [key for scope in self._scopes if (key := self._whole(name, scope))]
        if not found:
            return None
        other = next((key for key in found if key.said != found[0].said), None)
        if other:
            text = f"key {name!r} is defined differently in {_place(found[0])} (used) and {_place(other)}"
            self.findings.append(codes.KEY_AMBIGUOUS.at(file, element.sourceline, text))
        return found[0], inner

    def target(self, keyref: str, element: etree._Element, file: str) -> Ref | None:
        """The place that `key/element` leads to; None where the key is not defined or has no file."""
        found = self.find(keyref, element, file)
        if found is None or found[0].ref is None:
            return None
        key, inner = found
        return aimed(key, inner)

    def _whole(self, name: str, scope: int) -> Key | None:
        """The definition, completed by those that it refers to."""
        key, seen = self._keys.find(name, scope), {name}
        while key and key.keyref:
            name = key.keyref.partition("/")[0]
            other = None if name in seen else self._keys.find(name, scope)
            seen.add(name)
            key = _completed(key, other)
        return key


def aimed(key: Key, inner: str) -> Ref | None:
    """The key's place, and in it the element `inner`."""
    if key.ref is None or not inner or key.ref.url:
        return key.ref
    return key.ref._replace(element=inner)


def _completed(key: Key, other: Key | None) -> Key:
    if other is None:
        return replace(key, keyref="")
    return replace(
        key,
        keyref=other.keyref,
        ref=key.ref or other.ref,
        format=key.format or other.format,
        keyword=key.keyword or other.keyword,
        linktext=key.linktext or other.linktext,
        navtitle=key.navtitle or other.navtitle,
    )


def _place(key: Key) -> str:
    return f"{key.file}:{key.line}"

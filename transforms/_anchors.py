"""Ids of a page: `syn-<topic id>--<anchor>`, unique, and the same whenever the same words are rendered.

In: the ids of a source and the titles of sections. Out: ids. No counter is used: an anchor must not move because
something was added before it; where two titles are equal, the section around and a digest of the words part them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

# Anchors that pages around a body use.
RESERVED: Final = frozenset({"syn-main", "syn-main-toc", "syn-main-credits"})


def anchor_id(topic: str, anchor: str) -> str:
    """The id that an anchor of a topic has in every page that holds the topic."""
    return f"syn-{topic}--{anchor}"


class Anchors:
    """The ids of one page."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._prefix = anchor_id(topic, "")
        self._taken = {anchor_id(topic, name) for name in RESERVED}
        self._of_source: dict[str, str] = {}
        self._referred: set[str] = set()

    def from_source(self, anchor: str) -> str:
        """The id for a source's own anchor; "" where it is taken already."""
        made = self._prefix + anchor
        if made in self._taken:
            return ""
        self._taken.add(made)
        self._of_source[anchor] = made
        return made

    def of(self, anchor: str) -> str | None:
        """The id of a source's anchor, None where the page does not have it."""
        return self._of_source.get(anchor)

    def derived(self, name: str, above: str, words: Callable[[], str]) -> str:
        """An id made of a title; where it is taken, of the section above and the title; then of all its words."""
        outer = above.removeprefix(self._prefix)
        for candidate in filter(None, (name, f"{outer}--{name}" if outer else "")):
            if self._take(self._prefix + candidate):
                return self._prefix + candidate
        digest = hashlib.sha256(words().encode())
        while not self._take(made := f"{self._prefix}{name}-{digest.hexdigest()[:8]}"):
            digest = hashlib.sha256(digest.digest())
        return made

    def beside(self, made: str, part: str) -> str:
        """An id for something that belongs to an element with an id: its title, the first link to it."""
        return self.derived(f"{made.removeprefix(self._prefix)}--{part}", "", lambda: made)

    def first_reference(self, made: str) -> bool:
        """Whether this is the first link to an id that was asked about."""
        first = made not in self._referred
        self._referred.add(made)
        return first

    def _take(self, made: str) -> bool:
        free = made not in self._taken
        self._taken.add(made)
        return free

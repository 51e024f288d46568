"""The exact notice lines of an edition: transforms place them, the audit expects them.

In: a topic's metadata (defaults filled in), the publisher's and the partner's texts for its language, and
the words of that language. Out: `Notice` values in the order of the legal block. A notice whose value
nobody gave does not exist: it is not printed, and not expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from pipeline.topic import Metadata

# In the default order: credits, then the legal block.
CREDITS: Final = ("current-as-of", "author", "medical-review")
LEGAL: Final = (
    "copyright",
    "publisher-disclaimer",
    "use",
    "terms",
    "privacy",
    "learn-more",
    "partner-disclaimer",
    "attribution",
)
KINDS: Final = CREDITS + LEGAL


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `label` ("Author:") stands before the lines, or is empty; each of `lines` is a line of its own;
    `url` is where the notice leads. Its block's visible text, white space folded, is `text`; a format that can not
    show a link's address prints `printed` instead."""

    kind: str
    lines: tuple[str, ...]
    label: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """Label and lines, joined by one space."""
        return " ".join(part for part in (self.label, *self.lines) if part)

    @property
    def printed(self) -> str:
        """`text`, and the address in words where there is one: "Terms of use: https://..."."""
        return f"{self.text.rstrip(' :.')}: {self.url}" if self.url else self.text


@dataclass(frozen=True, slots=True)
class Texts:
    """What publisher or partner says in one language; empty = nothing. `extra` lines are attributions."""

    trademark: str = ""
    disclaimer: str = ""
    use: str = ""
    terms_url: str = ""
    privacy_url: str = ""
    learn_more: str = ""
    learn_more_url: str = ""
    attribution: tuple[str, ...] = ()


class Words(Protocol):
    """What notices need of a language's labels (see pipeline/labels)."""

    def text(self, message: str, **values: object) -> str:
        """The message in that language, with `{name}` fields filled in."""

    def date(self, day: date) -> str:
        """`March 1, 2023`, as that language writes it."""


def notices(
    metadata: Metadata, publisher: Texts, partner: Texts, words: Words, order: Sequence[str] = KINDS
) -> tuple[Notice, ...]:
    """All notices of an edition, in `order` (kinds not named in it follow in the default order)."""
    ranked = [*order, *(kind for kind in KINDS if kind not in order)]
    found = (_MAKERS[kind](metadata, publisher, partner, words) for kind in ranked)
    return tuple(notice for notice in found if notice)


def adapted(found: Sequence[Notice], partner: str, publisher: str, words: Words) -> tuple[Notice, ...]:
    """The notices of a text that the partner edited: who adapted it, and the legal block without author, reviewers and dates of
    review, who never saw the edited text."""
    line = sentence(words.text("Adapted by {name} under license from {publisher}", name=partner, publisher=publisher))
    return (Notice("adapted", (line,)), *(notice for notice in found if notice.kind not in CREDITS))


def sentence(text: str) -> str:
    """The text with one full stop at its end, and never a second one."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "。", "؟")) else f"{text}."


def _current_as_of(metadata: Metadata, _p: Texts, _q: Texts, words: Words) -> Notice | None:
    if metadata.current_as_of is None:
        return None
    return Notice("current-as-of", (words.date(metadata.current_as_of),), words.text("Current as of:"))


def _author(metadata: Metadata, _p: Texts, _q: Texts, words: Words) -> Notice | None:
    lines = tuple(person.printed() for person in metadata.authors)
    return Notice("author", lines, words.text("Author:")) if lines else None


def _review(metadata: Metadata, _p: Texts, _q: Texts, words: Words) -> Notice | None:
    lines = tuple(review.person.printed() for review in metadata.reviews)
    return Notice("medical-review", lines, words.text("Medical Review:")) if lines else None


def _copyright(metadata: Metadata, publisher: Texts, _q: Texts, _w: Words) -> Notice | None:
    if metadata.copyright is None:
        return None
    line = sentence(f"© {metadata.copyright.years()} {metadata.copyright.holder}")
    return Notice("copyright", (f"{line} {publisher.trademark}".strip(),))


def _publisher_disclaimer(_m: Metadata, publisher: Texts, _q: Texts, _w: Words) -> Notice | None:
    return Notice("publisher-disclaimer", (publisher.disclaimer,)) if publisher.disclaimer else None


def _use(_m: Metadata, publisher: Texts, _q: Texts, _w: Words) -> Notice | None:
    return Notice("use", (publisher.use,)) if publisher.use else None


def _terms(_m: Metadata, publisher: Texts, _q: Texts, words: Words) -> Notice | None:
    return Notice("terms", (words.text("Terms of use"),), url=publisher.terms_url) if publisher.terms_url else None


def _privacy(_m: Metadata, publisher: Texts, _q: Texts, words: Words) -> Notice | None:
    return Notice("privacy", (words.text("Privacy policy"),), url=publisher.privacy_url) if publisher.privacy_url else None


def _learn_more(_m: Metadata, publisher: Texts, _q: Texts, _w: Words) -> Notice | None:
    return Notice("learn-more", (publisher.learn_more,), url=publisher.learn_more_url) if publisher.learn_more else None


def _partner_disclaimer(_m: Metadata, _p: Texts, partner: Texts, _w: Words) -> Notice | None:
    return Notice("partner-disclaimer", (partner.disclaimer,)) if partner.disclaimer else None


def _attribution(metadata: Metadata, publisher: Texts, partner: Texts, _w: Words) -> Notice | None:
    lines = (*metadata.source_rights, *publisher.attribution, *partner.attribution)
    return Notice("attribution", lines) if lines else None


_MAKERS: Final[dict[str, Callable[[Metadata, Texts, Texts, Words], Notice | None]]] = {
    "current-as-of": _current_as_of,
    "author": _author,
    "medical-review": _review,
    "copyright": _copyright,
    "publisher-disclaimer": _publisher_disclaimer,
    "use": _use,
    "terms": _terms,
    "privacy": _privacy,
    "learn-more": _learn_more,
    "partner-disclaimer": _partner_disclaimer,
    "attribution": _attribution,
}

"""Frames are read once: around a body, pages of one site differ in values alone (title, names, dates, notices).

In: the text of a frame, and the values that its edition puts there. Out: `Frame`: the text with a sign in place of each value,
so that what was read in one frame serves every page with the same text around other values, and `fill`, which puts the
values back into what was read. Reading passes plain words through unchanged, hence what comes out is what reading the page
itself would give. A value that could be mistaken for mark-up is left where it is: such a page is read by itself.
"""

from __future__ import annotations

import html
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, TypeVar

from pipeline.audit._reading import Block, Finished, fold
from pipeline.contracts import Edition

T = TypeVar("T")

_FIRST: Final = 0xE000  # signs are characters of the Private Use Area: no word has them
# What a policy allows by its hash differs with each page's running lines, and no reader sees it.
_HASHES: Final = re.compile("'sha256-[A-Za-z0-9+/]{43}='")
_SIGNS: Final = re.compile("[\ue000-\uf8ff]")
# Words of a reader's language: something that no name of an element, attribute, class or property is made of stands in them.
_WORDS: Final = re.compile(r"(?=.*[^\W_])(?=.*[A-Z0-9\u0080-\uffff])(?=.*[^A-Za-z_-]).{6,}")
_NAME: Final = re.compile(r"[\w.-]+")
_NOT_ALNUM: Final = re.compile("[^A-Za-z0-9]")
_RUNNING: Final = (('content:"', " "),)  # a string of a style sheet, where signs are escaped
_WHOLE: Final = ((">", "<"), (">", " |"), (':"', '"'))
_PLACES: Final = (
    ('topic="', '"'),
    ("#syn-", "--"),
    ('id="syn-', "--"),
    ('labelledby="syn-', "--"),
    ("#", '"'),
    ("/", "/"),
    ('="', "."),
    (':"', '"'),
    (': "', '"'),
)
_NEVER: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f<>="{}\\\\\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufeff]|syn-|  '
)


@dataclass(frozen=True, slots=True)
class Frame:
    """`text` has signs numbered as they come; `values` what each stands for."""

    text: str
    values: Mapping[int, str]

    def fill(self, found: T) -> T:
        """What was read in `text`, with the values in place of their signs."""
        return _filled(found, self.values) if self.values else found


def frame(text: str, values: Iterable[str], names: Iterable[str] = ()) -> Frame:
    """The frame's text with a sign in place of each value that is plain words (a single word: where it is all that an element or
    a JSON string holds), and of each of `names` (ids) where it stands in an address, an id or a JSON string."""
    text = _HASHES.sub("'sha256-'", text.replace("\u00a0", " "))
    if _SIGNS.search(text):
        return Frame(text, {})
    known: list[str] = []
    for value in sorted({v for v in values if _usable(v)}, key=len, reverse=True):
        sign = chr(_FIRST + len(known))
        for spelled in dict.fromkeys((value, html.escape(value), _quoted(value), _numeric(value))):
            if spelled in text:
                text = text.replace(spelled, sign) if _WORDS.fullmatch(value) else _placed(text, spelled, sign, _WHOLE)
        known.append(value)
    for name in sorted({n for n in names if n in text and _NAME.fullmatch(n)}, key=len, reverse=True):
        sign = chr(_FIRST + len(known))
        text = _placed(text, name, sign, _PLACES)
        if 'content:"' in text:
            text = _placed(text, _NOT_ALNUM.sub(_escaped, name), sign, _RUNNING)
        known.append(name)
    order = list(dict.fromkeys(_SIGNS.findall(text)))
    numbered = {ord(sign): _FIRST + place for place, sign in enumerate(order)}
    return Frame(text.translate(numbered), {_FIRST + place: known[ord(sign) - _FIRST] for place, sign in enumerate(order)})


def _escaped(found: re.Match[str]) -> str:
    return f"\\{ord(found[0]):x} "


def _placed(text: str, value: str, sign: str, places: Iterable[tuple[str, str]]) -> str:
    for before, after in places:
        text = text.replace(f"{before}{value}{after}", f"{before}{sign}{after}")
    return text


def _usable(value: str) -> bool:
    return len(value) > 2 and not _NEVER.search(value) and fold(value) == value


def _quoted(value: str) -> str:
    """As JSON writes it inside a script element."""
    return json.dumps(value, ensure_ascii=False)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027")


def _numeric(value: str) -> str:
    return html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _filled(found: Any, values: Mapping[int, str]) -> Any:
    if isinstance(found, str):
        return found if found.isascii() else found.translate(values)
    if isinstance(found, tuple):
        filled = tuple(_filled(each, values) for each in found)
        return Block(*filled) if isinstance(found, Block) else filled
    if is_dataclass(found) and not isinstance(found, type):
        return type(found)(**{f.name: _filled(getattr(found, f.name), values) for f in fields(found)})
    return found


# --- the values of an edition -------------------------------------------------------------------


def values(finished: Finished) -> Iterator[str]:
    """Everything that a frame may say of its topic; what is repeated or empty does no harm."""
    yield from edition_values(finished.edition)
    yield from (block.text for block in finished.inner.blocks if block.kind == "heading")


def edition_values(edition: Edition) -> Iterator[str]:
    """What title, names, dates and notices of an edition say."""
    m = edition.metadata
    yield from (m.title, m.summary, m.url, *m.also_called, *m.keywords, m.version)
    yield from (str(day) for day in (m.created, m.modified, m.current_as_of, m.review_due, m.go_live, m.expires) if day)
    people = [*m.authors, *(review.person for review in m.reviews)]
    yield from (text for p in people for text in (p.printed(), p.name, p.specialty, p.credentials))
    yield from (text for code in m.codes for text in (code.code, code.display))
    yield from (text for notice in edition.notices for text in (*notice.lines, notice.text, notice.printed))
    yield from (text for other in edition.translations for text in (other.title,))
    yield from (mark.text for mark in edition.marks)


def names(finished: Finished) -> Iterator[str]:
    """The ids that a frame may lead to."""
    edition = finished.edition
    yield from (edition.metadata.id, edition.metadata.concept, *(other.id for other in edition.translations))
    yield from finished.inner.ids


# --- remembering --------------------------------------------------------------------------------


class Remembered:
    """What was read in frames, by their text and by what else decides the reading."""

    def __init__(self, most: int = 256) -> None:
        self._found: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._most = most

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """What `make` gives, made once for a key."""
        if key not in self._found:
            self._found[key] = make()
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        found: T = self._found[key]
        return found

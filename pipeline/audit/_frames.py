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
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, lru_cache
from operator import is_
from typing import Any, Final, TypeVar

from pipeline.audit._reading import Finished, fold
from pipeline.contracts import Edition

T = TypeVar("T")

_FIRST: Final = 0xE000  # signs are characters of the Private Use Area: no word has them
# What a policy allows by its hash differs with each page's running lines, and no reader sees it.
_HASHES: Final = re.compile("'sha256-[A-Za-z0-9+/]{43}='")
_STYLE: Final = re.compile("<style>[^<]*</style>")
_LARGE: Final = 2000  # characters
_SHEETS: Final = 0xF800
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


def frame(text: str, words: Iterable[Spelled], names: Iterable[str] = ()) -> Frame:
    """The frame's text with a sign in place of each of `words` (a single word: where it is all that an element or a JSON string
    holds), and of each of `names` (ids) where it stands in an address, an id or a JSON string."""
    text = _HASHES.sub("'sha256-'", text.replace("\u00a0", " "))
    if _SIGNS.search(text):
        return Frame(text, {})
    sheets = [found for found in _STYLE.findall(text) if len(found) > _LARGE]
    for place, sheet in enumerate(sheets):  # a site's own, the same on every page: no need to look for values in it
        text = text.replace(sheet, chr(_SHEETS + place), 1)
    known: list[str] = []
    for word in words:
        sign = chr(_FIRST + len(known))
        for spelled in word.spellings:
            if spelled in text:
                text = text.replace(spelled, sign) if word.free else _placed(text, spelled, sign, _WHOLE)
        known.append(word.value)
    for name in sorted({n for n in names if n in text and _NAME.fullmatch(n)}, key=len, reverse=True):
        sign = chr(_FIRST + len(known))
        text = _placed(text, name, sign, _PLACES)
        if 'content:"' in text:
            text = _placed(text, _NOT_ALNUM.sub(_escaped, name), sign, _RUNNING)
        known.append(name)
    order = [sign for sign in dict.fromkeys(_SIGNS.findall(text)) if ord(sign) < _SHEETS]
    numbered: dict[int, int | str] = {ord(sign): _FIRST + place for place, sign in enumerate(order)}
    numbered.update({_SHEETS + place: sheet for place, sheet in enumerate(sheets)})
    return Frame(text.translate(numbered), {_FIRST + place: known[ord(sign) - _FIRST] for place, sign in enumerate(order)})


def _escaped(found: re.Match[str]) -> str:
    return f"\\{ord(found[0]):x} "


def _placed(text: str, value: str, sign: str, places: Iterable[tuple[str, str]]) -> str:
    for before, after in places:
        text = text.replace(f"{before}{value}{after}", f"{before}{sign}{after}")
    return text


@dataclass(frozen=True, slots=True)
class Spelled:
    """A value, how HTML and JSON write it, and whether it can be told from mark-up wherever it stands."""

    value: str
    spellings: tuple[str, ...]
    free: bool


def spelled(values: Iterable[str]) -> list[Spelled]:
    """The values that are plain words, the longest first."""
    usable = {v for v in values if len(v) > 2 and not _NEVER.search(v) and fold(v) == v}
    return [_spelled(value) for value in sorted(usable, key=lambda value: (-len(value), value))]


@lru_cache(maxsize=4096)
def _spelled(value: str) -> Spelled:
    ways = tuple(dict.fromkeys((value, html.escape(value), _quoted(value), _numeric(value))))
    return Spelled(value, ways, bool(_WORDS.fullmatch(value)))


def _quoted(value: str) -> str:
    """As JSON writes it inside a script element."""
    return json.dumps(value, ensure_ascii=False)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027")


def _numeric(value: str) -> str:
    return html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _filled(found: Any, values: Mapping[int, str]) -> Any:
    """The same object where no sign is in it."""
    if isinstance(found, str):
        return found if found.isascii() else found.translate(values)
    if isinstance(found, tuple):
        new = tuple([_filled(each, values) for each in found])
        if all(map(is_, new, found)):
            return found
        return found._make(new) if hasattr(found, "_make") else new  # a NamedTuple stays one
    if is_dataclass(found) and not isinstance(found, type):
        changes = {}
        for name in _field_names(type(found)):
            value = getattr(found, name)
            if value and isinstance(value, str | tuple) and (filled := _filled(value, values)) is not value:
                changes[name] = filled
        return replace(found, **changes) if changes else found
    return found


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


# --- the values of an edition -------------------------------------------------------------------


_last: list[tuple[Edition, frozenset[str]]] = []


def values(finished: Finished) -> list[Spelled]:
    """Everything that a frame may say of its topic; what is repeated or empty does no harm."""
    if not _last or _last[0][0] is not finished.edition:  # all formats of an edition come one after the other
        _last[:] = [(finished.edition, frozenset(edition_values(finished.edition)))]
    return spelled(_last[0][1].union(block.text for block in finished.inner.blocks if block.kind == "heading"))


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

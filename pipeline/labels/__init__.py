"""Words that a reader sees, by language: gettext catalogs (`<language>.po`), Babel dates, writing direction.

In: a BCP 47 tag. Out: `Labels`. English is the language of the message ids, so it has no catalog. `en-US`
falls back to `en`; a language that has neither is `UnknownLanguage`, never English by accident: a page
with the wrong language's warning words is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from gettext import c2py  # the stdlib's own reader of "Plural-Forms" expressions
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

SOURCE_LANGUAGE: Final = "en"
_FOLDER: Final = Path(__file__).parent


class UnknownLanguage(LookupError):
    """No catalog for the language; the message names those that exist."""


@dataclass(frozen=True)
class Labels:
    """The words of one language. `language` is the tag asked for, `direction` ltr or rtl."""

    language: str
    direction: str
    _catalog: Catalog
    _locale: Locale

    def text(self, message: str, **values: object) -> str:
        """The message in this language, `{name}` fields filled in. An untranslated message raises KeyError."""
        return self._translated(message).format(**values) if values else self._translated(message)

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """The right plural form for `count`, with `{count}` and other fields filled in."""
        if self._catalog.locale is None or self._locale.language == SOURCE_LANGUAGE:
            return (one if count == 1 else many).format(count=count, **values)
        message = self._catalog.get(one)
        forms = message.string if message is not None else ()
        if not isinstance(forms, list | tuple) or not forms or not all(forms):
            raise KeyError(f"{self.language}.po has no translation of {one!r}")
        return str(forms[_plural_index(self._catalog.plural_expr, count)]).format(count=count, **values)

    def date(self, day: date) -> str:
        """The day written out: `March 1, 2023`, `1 de marzo de 2023`; digits 0-9 in every language, because
        doses and dates are compared across languages."""
        return _written_out(day, self._locale)

    def language_name(self, tag: str) -> str:
        """The language of a tag as this language calls it (CLDR): `inglés`; the tag itself where CLDR has no name."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self._locale) or tag
        except (UnknownLocaleError, ValueError):
            return tag

    def _translated(self, message: str) -> str:
        if self._locale.language == SOURCE_LANGUAGE:
            return message
        found = self._catalog.get(message)
        if found is None or not found.string:
            raise KeyError(f"{self.language}.po has no translation of {message!r}")
        return str(found.string)


@cache
def languages() -> tuple[str, ...]:
    """Every language that has labels, sorted."""
    return tuple(sorted({SOURCE_LANGUAGE, *(path.stem for path in _FOLDER.glob("*.po"))}))


def known(language: str) -> bool:
    """Whether the language, or the one it falls back to, has labels."""
    return _catalog_name(language) is not None


@cache
def labels(language: str) -> Labels:
    """The words of a language. Raises UnknownLanguage."""
    name = _catalog_name(language)
    if name is None:
        raise UnknownLanguage(f"no labels for language {language!r}; there are labels for {', '.join(languages())}")
    return Labels(language, direction(language), _read(name), _locale(language, name))


@lru_cache(maxsize=1024)
def direction(language: str) -> str:
    """`rtl` for right-to-left scripts (CLDR's character order), else `ltr`."""
    try:
        return "rtl" if Locale.parse(language, sep="-").character_order == "right-to-left" else "ltr"
    except (UnknownLocaleError, ValueError):
        return "rtl" if language.split("-")[0].lower() in {"ar", "fa", "he", "ur", "ps", "yi", "dv", "ckb"} else "ltr"


@cache
def _catalog_name(language: str) -> str | None:
    parts = language.split("-")
    candidates = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    lower = {name.lower(): name for name in languages()}
    return next((lower[c.lower()] for c in candidates if c.lower() in lower), None)


@cache
def _read(name: str) -> Catalog:
    path = _FOLDER / f"{name}.po"
    if not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file, locale=name.replace("-", "_"))


def _locale(language: str, name: str) -> Locale:
    for tag in (language, name):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(SOURCE_LANGUAGE)


@lru_cache(maxsize=4096)
def _written_out(day: date, locale: Locale) -> str:
    return format_date(day, "long", locale=locale)


def _plural_index(expression: str, count: int) -> int:
    return int(c2py(expression)(count))

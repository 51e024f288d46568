"""Words that readers see: every message of the code is in every catalog, whole and with its fields; dates and direction."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from datetime import date
from gettext import c2py
from pathlib import Path
from typing import NamedTuple

import jinja2
import jinja2.nodes
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from pipeline.labels import SOURCE_LANGUAGE, UnknownLanguage, direction, known, labels, languages

ROOT = Path(__file__).parents[1]
CODE = ("pipeline", "sources", "transforms", "outputs")
CATALOGS = sorted((ROOT / "pipeline" / "labels").glob("*.po"))
COUNTS = range(1000)  # enough to meet every plural rule of CLDR's integers


class Message(NamedTuple):
    """A message of the code and where it stands; `many` is "" where it has no plural."""

    one: str
    many: str
    place: str


def fields(text: str) -> set[str]:
    """The names of a message's `{fields}`."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


# --- what the code says -------------------------------------------------------------------------


def _of_python(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            literals = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            if node.func.attr == "text" and literals:
                yield Message(literals[0], "", place)
            elif node.func.attr == "plural" and len(literals) == 2:
                yield Message(literals[0], literals[1], place)
            elif node.func.attr in ("text", "plural") and ast.unparse(node.func.value) in ("words", "self.words"):
                yield Message("", "", place)  # a message that no test can find


def _of_template(path: Path) -> Iterator[Message]:
    tree = jinja2.Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for node in tree.find_all(jinja2.nodes.Call):
        if isinstance(node.node, jinja2.nodes.Name) and node.node.name in ("t", "nt"):
            literals = [arg.value for arg in node.args if isinstance(arg, jinja2.nodes.Const)]
            wanted = 2 if node.node.name == "nt" else 1
            found = [*map(str, literals), "", ""][:2] if len(literals) >= wanted else ["", ""]
            yield Message(found[0], found[1] if wanted == 2 else "", f"{path.relative_to(ROOT)}:{node.lineno}")


def messages() -> list[Message]:
    """Every message of code and templates."""
    found = [m for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")) for m in _of_python(path)]
    found += [m for path in sorted((ROOT / "transforms" / "pages").rglob("*.html")) for m in _of_template(path)]
    return found


MESSAGES = messages()


def catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def forms(found: Catalog, one: str) -> list[str]:
    """The translations of a message: one, or one for each plural form."""
    message = found.get(one)
    if message is None:
        return []
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return [text or "" for text in strings]


# --- tests --------------------------------------------------------------------------------------


def test_messages_are_found() -> None:
    said = {message.one for message in MESSAGES}
    assert {"Warning", "Emergency", "Table of Contents", "Credits for {title}", "{count} definition"} <= said


def test_messages_are_literal() -> None:
    """Else nobody could say whether a language has them all."""
    assert [message.place for message in MESSAGES if not message.one] == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_every_message_is_translated(path: Path) -> None:
    found = catalog(path)
    missing = [m for m in MESSAGES if m.one and (not forms(found, m.one) or not all(forms(found, m.one)))]
    assert missing == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_no_message_is_stale(path: Path) -> None:
    said = {m.one for m in MESSAGES}
    held = [message.id if isinstance(message.id, str) else message.id[0] for message in catalog(path) if message.id]
    assert sorted(set(held) - said) == []
    assert len(held) == len(set(held))


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_no_translation_is_fuzzy_or_obsolete(path: Path) -> None:
    found = catalog(path)
    assert [message.id for message in found if message.fuzzy and message.id] == []
    assert list(found.obsolete) == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_translations_have_the_fields_of_their_message(path: Path) -> None:
    found = catalog(path)
    for message in MESSAGES:
        if not message.many:
            assert [fields(text) for text in forms(found, message.one)] == [fields(message.one)], (path.stem, message)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_plurals_have_every_form_and_show_the_number(path: Path) -> None:
    """A form that stands for one number alone (Arabic "two") may say it in words; every other one shows `{count}`."""
    found = catalog(path)
    index = c2py(found.plural_expr)
    numbers: dict[int, list[int]] = {}
    for count in COUNTS:
        numbers.setdefault(index(count), []).append(count)
    assert sorted(numbers) == list(range(found.num_plurals))
    for message in (m for m in MESSAGES if m.many):
        translated = forms(found, message.one)
        assert len(translated) == found.num_plurals, (path.stem, message)
        entry = found.get(message.one)
        assert entry is not None
        assert entry.id == (message.one, message.many)
        for number, text in enumerate(translated):
            optional = {"count"} if len(numbers[number]) == 1 and numbers[number] != [0] else set()
            assert fields(text) | optional == fields(message.many) | optional, (path.stem, message, number)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_catalogs_say_what_they_are(path: Path) -> None:
    headers = dict(catalog(path).mime_headers)
    assert headers["Language"] == path.stem.replace("-", "_")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "nplurals" in headers["Plural-Forms"]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_words_of_warnings_differ(path: Path) -> None:
    """A reader must be able to tell a tip from an emergency by its word."""
    words = labels(path.stem)
    kinds = ("Note", "Tip", "Important", "Caution", "Warning", "Danger", "Emergency")
    assert len({words.text(kind) for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "March 1, 2023"),
        ("en-US", "March 1, 2023"),
        ("es", "1 de marzo de 2023"),
        ("es-US", "1 de marzo de 2023"),
        ("ar", "1 مارس 2023"),
        ("ar-EG", "1 مارس 2023"),
        ("ar-SA", "1 مارس 2023"),
    ],
)
def test_dates(language: str, expected: str) -> None:
    assert labels(language).date(date(2023, 3, 1)) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "ltr"), ("es-MX", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("ur", "rtl"), ("zz-Qaaa", "ltr")],
)
def test_direction(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_regions_fall_back_to_their_language() -> None:
    assert labels("es-US").text("Warning") == labels("es").text("Warning") != "Warning"
    assert labels("es-US").language == "es-US"
    assert labels("EN-us").text("Warning") == "Warning"


def test_a_language_without_labels_is_refused() -> None:
    assert not known("vi")
    with pytest.raises(UnknownLanguage, match="no labels for language 'vi'; there are labels for ar, en, es"):
        labels("vi")


def test_a_message_that_no_catalog_has_is_refused() -> None:
    with pytest.raises(KeyError, match=r"es\.po has no translation of 'No such words'"):
        labels("es").text("No such words")
    with pytest.raises(KeyError, match=r"ar\.po has no translation of '\{count\} thing'"):
        labels("ar").plural("{count} thing", "{count} things", 2)


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("en", 1, "1 definition"),
        ("en", 0, "0 definitions"),
        ("es", 1, "1 definición"),
        ("es", 4, "4 definiciones"),
        ("ar", 1, "تعريف واحد"),
        ("ar", 2, "تعريفان"),
        ("ar", 3, "3 تعريفات"),
        ("ar", 11, "11 تعريفًا"),
        ("ar", 100, "100 تعريف"),
    ],
)
def test_plurals(language: str, count: int, expected: str) -> None:
    assert labels(language).plural("{count} definition", "{count} definitions", count) == expected


def test_languages_are_the_catalogs_and_english() -> None:
    assert languages() == tuple(sorted({SOURCE_LANGUAGE, *(path.stem for path in CATALOGS)}))
    assert {"ar", "en", "es"} <= set(languages())

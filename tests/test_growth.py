"""Readers of files from outside take time in proportion to a file, however it was made. Nobody can stop a run by one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pipeline import svg, xml
from sources._html import convert
from sources.dita import names
from sources.dita.conditions import groups

# A reader, what stands once at the beginning, and what is repeated.
HTML = [
    ("<p>", unit, "")
    for unit in (
        "<!--", '<a b="', "<a b='\" ", "<!", "<?", "<![CDATA[", "<script>", "<style></style>", "<b>", "<br>", "&#65;", "x<hr>",
        "<li value=7>a", "<x><y>a</y>", "<ul><li>", "<table><td>",
    )
]  # fmt: skip
XML = [
    ("<a>&#65;", "<!--", ""), ("<a>&#65;", "<![CDATA[", ""), ("<a>&#65;", "<?", ""), ("<a>", "&#65;", "</a>"),
    *[('<!DOCTYPE a [<!ENTITY b "x">', unit, "]><a/>")
      for unit in ("<!ATTLIST a ", "<!ENTITY a ", "<!", "%", "<!ATTLIST a b CDATA 'x'>")],
    *[('<!DOCTYPE a [<!ENTITY b "x"><!ATTLIST a ', unit, ">]><a/>") for unit in ("A", "A ", "A (", "A A #")],
    *[('<!DOCTYPE a [<!ENTITY b "x">]><a>', unit, "") for unit in ("<!--", "<?", "<![CDATA[", "&b")],
    ("<!DOCTYPE ", "1\"", ""), ("<!DOCTYPE a ", "'x' ", ""), ("<!--", "-->", ""), ("", "<?xml ", ""),
]  # fmt: skip
SVG = [
    *[('<svg xmlns="http://www.w3.org/2000/svg" width="', unit, 'x"/>') for unit in ("1", "1.", " ", "1 ")],
    *[('<svg xmlns="http://www.w3.org/2000/svg" viewBox="', unit, 'x"/>') for unit in ("1", "1.", "1e")],
    *[('<svg xmlns="http://www.w3.org/2000/svg" fill="', unit, '"/>') for unit in ("url(", "url('", "url( ", "expression ")],
    *[
        ('<svg xmlns="http://www.w3.org/2000/svg"><style>', unit, "</style></svg>")
        for unit in ("a", "a{", "@{a{}", "@{@{}", "@a{a{}", "/*", "a{fill:url(", "}")
    ],
]  # fmt: skip
WORDS = [("", unit, "") for unit in ("a", "a(", "a/", " a", "(", "/")]
SIZE = 12_000  # bytes
TOO_QUICK = 0.02  # seconds: too little to compare


def read_html(text: str) -> object:
    return convert(text, "f", 1)


def read_xml(text: str) -> object:
    return xml.parse(text.encode(), "f")


def read_svg(text: str) -> object:
    return svg.rebuilt(text.encode(), "f", lambda _: True)


def read_groups(text: str) -> object:
    return groups("product", text)


def read_classes(text: str) -> object:
    return names._names.__wrapped__("p", text)


CASES = [
    (read, *case)
    for read, cases in ((read_html, HTML), (read_xml, XML), (read_svg, SVG), (read_groups, WORDS), (read_classes, WORDS))
    for case in cases
]


@pytest.mark.parametrize(("read", "begin", "unit", "end"), CASES)
def test_four_times_the_size_takes_about_four_times_the_time(
    read: Callable[[str], object], begin: str, unit: str, end: str
) -> None:
    once, fourfold = (best_of(read, begin + unit * (size // len(unit)) + end) for size in (SIZE, 4 * SIZE))
    assert fourfold < 8 * max(once, TOO_QUICK)  # 16 times, where it is quadratic


def best_of(read: Callable[[str], object], text: str) -> float:
    """The shortest of three times of this thread: other work on the machine only ever adds to one."""
    times: list[float] = []
    while len(times) < 3 and not (times and min(times) < TOO_QUICK):
        begun = time.thread_time()
        read(text)
        times.append(time.thread_time() - begun)
    return min(times)

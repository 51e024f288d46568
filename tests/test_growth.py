"""Readers of files from outside take time in proportion to a file, however it was made. Nobody can stop a run by one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sources._html import convert

# A reader, what stands once at the beginning, and what is repeated.
HTML = [
    ("<p>", unit)
    for unit in (
        "<!--", '<a b="', "<a b='\" ", "<!", "<?", "<![CDATA[", "<script>", "<style></style>", "<b>", "<br>", "&#65;", "x<hr>",
        "<li value=7>a", "<x><y>a</y>", "<ul><li>", "<table><td>",
    )
]  # fmt: skip
SIZE = 12_000  # bytes
TOO_QUICK = 0.02  # seconds: too little to compare


def read_html(text: str) -> object:
    return convert(text, "f", 1)


CASES = [(read_html, *case) for case in HTML]


@pytest.mark.parametrize(("read", "begin", "unit"), CASES)
def test_twice_the_size_takes_twice_the_time(read: Callable[[str], object], begin: str, unit: str) -> None:
    once, fourfold = (best_of(read, begin + unit * (size // len(unit))) for size in (SIZE, 4 * SIZE))
    assert fourfold < 8 * max(once, TOO_QUICK)  # 16 times, where it is quadratic


def best_of(read: Callable[[str], object], text: str) -> float:
    """The shortest of three times of this thread: other work on the machine only ever adds to one."""
    times: list[float] = []
    while len(times) < 3 and not (times and min(times) < TOO_QUICK):
        begun = time.thread_time()
        read(text)
        times.append(time.thread_time() - begun)
    return min(times)

"""text/plain, read back: lines unwrapped into paragraphs.

In: UTF-8 bytes. Out: `Reading`. A notice is a paragraph of its own. How words that plain text can not show are written down
is the grammar of `_speech.py`; how lists, tables and warnings are laid out, that of `_lines.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from pipeline.audit import _codes as codes
from pipeline.audit import _frame as frame
from pipeline.audit import _lines
from pipeline.audit._compare import visible_signs
from pipeline.audit._markup import BIDI, decode
from pipeline.audit._reading import Block, Finished, Problem, Reading, Shown, fold
from pipeline.contracts import Edition, Place, View
from pipeline.findings import Finding

MEDIA_TYPE: Final = "text/plain"
PICTURES: Final = False
ASPECTS: Final[frozenset[str]] = frozenset()

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u2028\u2029]")
_UNDERLINE: Final = re.compile(r"([=\-~.])\1*")
_ALIKE: Final = 0.6  # how much of a paragraph must be a notice's for it to be that notice, altered


def body(content: bytes, view: View, place: Place) -> Reading:  # noqa: ARG001
    """The lines of a body. Raises Unreadable."""
    text = decode(content)
    return Reading(blocks=tuple(_as_lines(text)), problems=tuple(_characters(text)))


def compare(expected: Sequence[Block], found: Sequence[Block], *, inside: bool) -> list[Finding]:
    """What is lost, changed or added."""
    return _lines.compare(expected, [block.text for block in found], inside=inside)


def file(finished: Finished) -> Reading:
    """The paragraphs around the body; all lines where the body is not in the file verbatim. Raises Unreadable."""
    data, content = finished.files[0].data, finished.body.content
    places = list(_places(data, content))
    count = len(places)
    text = decode(data[: places[0]] + b"\n\n" + data[places[0] + len(content) :] if places else data)
    paragraphs = list(_paragraphs(text))
    twice = [Problem(codes.BODY_PLACE, f"the topic's text stands {count} times in the file")] if count > 1 else []
    problems = [*twice, *_characters(text), *(_reordering(text, finished.edition) if count else ())]
    return Reading(
        blocks=tuple(_as_lines(text) if not count else (Block("paragraph", p) for p in paragraphs)),
        notices=tuple(_notices(paragraphs, finished.edition)),
        metadata=(("heading", tuple(_title(text, fold(finished.edition.metadata.title)))),),
        problems=tuple(problems),
        said=tuple(("entry", paragraph) for paragraph in paragraphs) if count else (),
        whole=not count,
    )


def _as_lines(text: str) -> Iterator[Block]:
    return (Block("line", line) for line in text.split("\n"))


def _paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n[ \t]*\n", text):
        if folded := fold(part):
            yield folded


def _title(text: str, expected: str) -> Iterator[str]:
    """The first lines of the file, up to the line under them; as expected, where that is what they say in other lines."""
    lines = text.strip("\n").split("\n\n", 1)[0].split("\n")
    kept = lines[:-1] if len(lines) > 1 and _UNDERLINE.fullmatch(lines[-1].strip()) else lines
    found = fold(" ".join(kept))
    yield expected if _lines.words(found) == _lines.words(expected) else found


def _places(data: bytes, content: bytes) -> Iterator[int]:
    """Where a body stands in a file, as paragraphs of its own: one of few words may also be how a title ends."""
    at = data.find(content) if content.strip() else -1
    while at >= 0:
        if data[max(at - 2, 0) : at] in (b"", b"\n\n") and data[at + len(content) :][:1] in (b"", b"\n"):
            yield at
        at = data.find(content, at + 1)


def _notices(paragraphs: Sequence[str], edition: Edition) -> Iterator[Shown]:
    """The paragraphs that are a notice, or most of one that nothing else is, in their order."""
    wanted = {kind: printed for kind, (_, _, printed) in frame.wanted(edition).notices.items()}
    exact = {_lines.words(text): kind for kind, text in wanted.items()}
    kinds = [exact.get(_lines.words(paragraph), "") for paragraph in paragraphs]
    for kind in wanted.keys() - set(kinds):
        alike = [(_likeness(wanted[kind], p), at) for at, p in enumerate(paragraphs) if not kinds[at]]
        score, at = max(alike, default=(0.0, 0))
        if score > _ALIKE:
            kinds[at] = kind
    for kind, paragraph in zip(kinds, paragraphs, strict=True):
        if kind:
            same = _lines.words(paragraph) == _lines.words(wanted[kind])
            yield Shown(kind, wanted[kind] if same else paragraph)


def _likeness(wanted: str, found: str) -> float:
    return SequenceMatcher(None, wanted, found[: 2 * len(wanted)], autojunk=False).ratio()


def _characters(text: str) -> Iterator[Problem]:
    if bad := _CONTROL.search(text):
        yield Problem(codes.CHARACTER, f"control character U+{ord(bad[0]):04X} at offset {bad.start()}")


def _reordering(text: str, edition: Edition) -> Iterator[Problem]:
    known = "".join([edition.metadata.title, *(n.printed for n in edition.notices), *(m.text for m in edition.marks)])
    for sign in sorted(set(BIDI.findall(text)) - set(known)):
        yield Problem(codes.CHARACTER, f"{visible_signs(sign)} reorders text")

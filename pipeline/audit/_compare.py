"""Nothing lost, nothing added: the blocks of a rendering against those of the topic.

In: what a format must show (`_expect.py`) and what a reader found. Out: findings that name the words, what was expected
and found, and the line of the source. Only the aspects that the media type can express are compared.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from pipeline.audit import _codes as codes
from pipeline.audit._expect import Expected, ExpectedImage
from pipeline.audit._markup import clean, scheme
from pipeline.audit._reading import Block, Link, Picture, Reading
from pipeline.contracts import Image
from pipeline.findings import Code, Finding

_SHOWN: Final = 120  # characters of a text that a finding quotes
_MOST: Final = 25  # findings of one comparison; a rendering of another topic needs no thousand


def compare(
    wanted: Sequence[Block],
    found: Sequence[Block],
    aspects: frozenset[str],
    credit_lines: frozenset[str],
    *,
    inside: bool = False,
) -> list[Finding]:
    """The differences, in document order. `credit_lines` are those that must stand with pictures. `inside`: the blocks are
    those of a whole page, so that words around the topic's are no addition."""
    said = {block.text for block in found}
    missing = [codes.IMAGE_LOST.at("", 0, f"credit line {quoted(line)} is missing") for line in sorted(credit_lines - said)]
    found = [block for block in found if block.kind != "credit" or block.text not in credit_lines]
    return [*missing, *_compared(list(wanted), found, aspects, inside)][:_MOST]


def _compared(wanted: list[Block], found: Sequence[Block], aspects: frozenset[str], inside: bool) -> list[Finding]:
    pairs = _fast(wanted, found)
    if pairs is None:
        return list(_slow(wanted, list(found), aspects, inside))
    return [finding for w, f in pairs for finding in _kinds(w, f, aspects)]


def _fast(wanted: Sequence[Block], found: Sequence[Block]) -> list[tuple[Block, Block]] | None:
    """The pairs, where both sides have the same texts one by one (the usual case)."""
    required = [w for w in wanted if not w.optional]
    for candidate in (wanted, required):
        if len(candidate) == len(found) and all(_same(w, f) for w, f in zip(candidate, found, strict=True)):
            return list(zip(candidate, found, strict=True))
    return None


def _same(wanted: Block, found: Block) -> bool:
    return wanted.text == found.text or (wanted.kind == "word" and found.text.rstrip(" :.") == wanted.text)


def _slow(wanted: list[Block], found: list[Block], aspects: frozenset[str], inside: bool) -> Iterator[Finding]:
    texts = [w.text for w in wanted]
    seen = [f.text if f.text in texts else f.text.rstrip(" :.") for f in found]
    lost: list[Block] = []
    added: list[Block] = []
    findings: list[Finding] = []
    for action, a, b, c, d in SequenceMatcher(None, texts, seen, autojunk=False).get_opcodes():
        if action == "equal":
            for w, f in zip(wanted[a:b], found[c:d], strict=True):
                findings += _kinds(w, f, aspects)
        else:
            lost += wanted[a:b]
            added += found[c:d]
    yield from _moved_lost_added(lost, added, inside)
    yield from findings


def _moved_lost_added(lost: list[Block], added: list[Block], inside: bool) -> Iterator[Finding]:
    extra = Counter(f.text for f in added)
    rest = []
    for block in lost:
        if not block.optional and extra[block.text] > 0 and block.kind != "word":
            extra[block.text] -= 1
            yield _at(codes.ORDER, block, f"{named(block)} {quoted(block.text)} stands in another place than in the topic")
        elif not (block.optional or block.text in ("",)):
            rest.append(block)
    left = []
    for f in added:
        if extra[f.text] > 0:
            extra[f.text] -= 1
            left.append(f)
    for block in rest:
        near = None if block.kind == "word" else _nearest(block.text, left)
        if block.kind == "word":
            yield _at(codes.WARNING_WORD, block, f"expected the word {quoted(block.text)} before what it is about, found none")
        elif near is not None:
            left.remove(near)
            yield _at(codes.TEXT_CHANGED, block, f"{named(block)}: expected {differing(block.text, near.text)}")
        else:
            yield _at(codes.TEXT_LOST, block, f"{named(block)} {quoted(block.text)} is missing")
    if not inside:
        for f in left:
            if f.text:
                yield _at(codes.TEXT_ADDED, f, f"{named(f)} {quoted(f.text)} is neither the topic's nor a known label")


def _nearest(text: str, candidates: Sequence[Block]) -> Block | None:
    best, score = None, 0.5
    for candidate in candidates[:200]:
        matcher = SequenceMatcher(None, text[:2000], candidate.text[:2000], autojunk=False)
        if matcher.real_quick_ratio() > score and matcher.quick_ratio() > score and (ratio := matcher.ratio()) > score:
            best, score = candidate, ratio
    return best


def _kinds(wanted: Block, found: Block, aspects: frozenset[str]) -> Iterator[Finding]:
    """What became of a block besides its words."""
    if wanted.kind == "word":
        if "within" in aspects and wanted.within != found.within:
            yield _structure(wanted, f"within {_path(wanted)}, found {_path(found)}")
        return
    if "kind" in aspects and not _kind_fits(wanted, found):
        yield _structure(wanted, f"a {wanted.kind}, found a {found.kind}")
    elif "level" in aspects and wanted.kind == "heading" and wanted.level and wanted.level != found.level:
        yield _at(codes.HEADING, wanted, f"{quoted(wanted.text)}: expected heading level {wanted.level}, found {found.level}")
    elif "first" in aspects and wanted.kind not in ("paragraph", "heading") and wanted.first != found.first:
        kept = f"the beginning of a {wanted.kind}" if wanted.first else f"more of the same {wanted.kind}"
        yield _structure(wanted, kept)
    elif "marker" in aspects and wanted.marker != found.marker:
        yield _structure(wanted, f"number {wanted.marker or 'none'}, found {found.marker or 'none'}")
    if "scope" in aspects and wanted.scope != found.scope:
        yield _at(
            codes.TABLE, wanted, f"{quoted(wanted.text)}: expected scope {wanted.scope or 'none'}, found {found.scope or 'none'}"
        )
    if "within" in aspects and wanted.within != found.within:
        yield _structure(wanted, f"within {_path(wanted)}, found {_path(found)}")


def _kind_fits(wanted: Block, found: Block) -> bool:
    if wanted.kind == "heading" and not wanted.level:
        return found.kind in ("heading", "paragraph")  # the heading of an aside
    return wanted.kind == found.kind


def _structure(wanted: Block, what: str) -> Finding:
    return _at(codes.STRUCTURE, wanted, f"{quoted(wanted.text)}: expected {what}")


def _path(block: Block) -> str:
    return " in ".join(reversed(block.within)) or "no aside"


def named(block: Block) -> str:
    """What a block is, for a message: "item 3 of the warning"."""
    number = f" {block.marker}" if block.marker else ""
    return f"{block.kind}{number}" + (f" of the {block.within[-1]}" if block.within else "")


def quoted(text: str) -> str:
    """The text in quotation marks, cut where it is long, with every sign visible."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f'"{visible_signs(short)}"'


def visible_signs(text: str) -> str:
    """The text with characters that nobody can see written as `U+200B`."""
    return "".join(c if c == " " or c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def differing(wanted: str, found: str) -> str:
    """Both texts from a little before the first difference on."""
    same = next((i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found)))
    start = max(0, same - 30)
    dots = "..." if start else ""
    return f"{quoted(dots + wanted[start:])}, found {quoted(dots + found[start:])}"


def _at(code: Code, block: Block, text: str) -> Finding:
    return code.at(block.file, block.line, text)


# --- images and links ---------------------------------------------------------------------------


def compare_images(expected: Expected, reading: Reading, shown: Mapping[str, Image]) -> list[Finding]:
    """Every image that there is (`shown`, by `img/@src`) stands in the rendering, with its words."""
    left = [(_identity(p.src), p.alt) for p in reading.pictures]
    findings = []
    for image in expected.images:
        asset = shown.get(image.src)
        if asset is None:
            continue  # its words stand in its place
        identities = _identities(asset)
        same = next((there for there in left if there[0] in identities and there[1] == image.alt), None)
        if same:
            left.remove(same)
        elif not image.optional:
            alts = [alt for there, alt in left if there in identities]
            findings.append(_image(image, f"alternative text {quoted(alts[0])}" if alts else "no such image"))
    return findings


def shows(pictures: Sequence[Picture], image: Image) -> bool:
    """Whether an image is among the pictures of a rendering."""
    return any(_identity(picture.src) in _identities(image) for picture in pictures)


def _identities(image: Image) -> tuple[str, str]:
    return image.path.rsplit("/", 1)[-1], hashlib.sha256(image.data).hexdigest()


@lru_cache(maxsize=256)
def _identity(src: str) -> str:
    """What an address says of the picture: its file name, or the SHA-256 of the picture that is in the address itself."""
    url = clean(src)
    if scheme(url) != "data":
        return unquote(url.rsplit("/", 1)[-1])
    kind, _, data = url.partition(",")
    try:
        return hashlib.sha256(b64decode(data) if kind.endswith(";base64") else unquote_to_bytes(data)).hexdigest()
    except ValueError:
        return ""


def _image(image: ExpectedImage, found: str) -> Finding:
    return codes.IMAGE_LOST.at(image.file, image.line, f"{image.src}: expected it with {quoted(image.alt)}, found {found}")


def compare_links(expected: Expected, reading: Reading) -> list[Finding]:
    """Every link leads where it did: outside addresses as they are, other topics by name, local ones to a place that exists."""
    outside = Counter(clean(link.href) for link in reading.links)
    topics = Counter((link.topic.split(" ")[0], link.text) for link in reading.links if link.topic)
    local = Counter(link.text for link in reading.links if clean(link.href).startswith("#"))
    findings = []
    for link in expected.links:
        table, key, where = {
            "external": (outside, clean(link.href), link.href),
            "topic": (topics, (link.topic, link.text), f"topic {link.topic}"),
        }.get(link.kind, (local, link.text, f"a place in this topic ({link.href})"))
        if table[key] > 0:  # type: ignore[index]
            table[key] -= 1  # type: ignore[index]
        elif not link.optional:
            text = f"{quoted(link.text)}: expected a link to {where}, found none"
            findings.append(codes.LINK_LOST.at(link.file, link.line, text))
    return findings


def same_pictures(wanted: Sequence[Picture], found: Sequence[Picture]) -> list[Finding]:
    """Every picture of the body is in the page that rewrote it."""
    left = Counter((_identity(p.src), p.alt) for p in found)
    left.subtract((_identity(p.src), p.alt) for p in wanted)
    return [codes.IMAGE_LOST.at("", 0, f"{name}: expected it with {quoted(alt)}") for (name, alt), n in left.items() if n < 0]


def same_links(wanted: Sequence[Link], found: Sequence[Link]) -> list[Finding]:
    """Every link of the body is in the page that rewrote it."""
    left = Counter((clean(link.href), link.text) for link in found)
    left.subtract((clean(link.href), link.text) for link in wanted)
    return [codes.LINK_LOST.at("", 0, f"{quoted(text)}: expected a link to {to}") for (to, text), n in left.items() if n < 0]

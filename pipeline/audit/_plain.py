"""Plain mark-up, read in one pass over its tags, without a tree.

In: the text of a fragment or a page in which every tag is whole, every element ends where it should, and nothing is active,
hidden by mark-up or open to a second reading. Out: `Found`, the same as the parsers and walks of `_markup.py` give; or NotPlain,
and the page is read by those, which say what is wrong. So this pass never finds a fault: it only saves the work where
there is none. Tags are judged once (`_tags.py`), and so is the way an element of a kind looks below others (`_visible.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

from pipeline.audit import _markup as markup
from pipeline.audit._reading import Block, Link, Picture, Shown, fold, names
from pipeline.audit._requests import fetched_by
from pipeline.audit._tags import BLOCK, BREAK, CREDIT, INLINE, ROOT, TAG, TRANSPARENT, NotPlain, Tag, decoded, judged, remembered
from pipeline.audit._visible import AS_IT_IS, GONE, Styles, interned

_HTML_HEAD: Final = "<!DOCTYPE html>\n"
_XML_HEAD: Final = re.compile(r'<\?xml version="1\.0" encoding="UTF-8"\?>\n<!DOCTYPE html>\n')
_HEAD_PARTS: Final = names("meta title link style script")
_DATA: Final = "application/ld+json"
BODY: Final = interned("the body of a topic", 0)  # stands for whatever is around a body, wherever it goes


@dataclass(slots=True)
class Found:
    """What the pass has found. `chains` are the kinds of elements by the kinds around them; `sheets` (tag or text) in their
    order;
    `top` are the outermost elements, `words` says whether words stand before them; `place` is the number of the element that the
    body was cut out of."""

    blocks: list[Block] = field(default_factory=list)
    notices: list[Shown] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    chains: set[int] = field(default_factory=set)
    sheets: list[tuple[Tag, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    licenses: list[str] = field(default_factory=list)
    charsets: list[str] = field(default_factory=list)
    metas: list[tuple[str, str]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    root: Tag | None = None
    said: list[tuple[str, str]] = field(default_factory=list)
    top: list[Tag] = field(default_factory=list)
    words: bool = False
    strange: bool = False
    place: int = 0


class _Owner:
    """The list item, cell or paragraph that runs of text belong to."""

    __slots__ = ("kind", "level", "marker", "scope", "started")

    def __init__(self, kind: str, level: int = 0, marker: str = "", scope: str = "") -> None:
        self.kind, self.level, self.marker, self.scope, self.started = kind, level, marker, scope, False


# --- what is asked for --------------------------------------------------------------------------


def fragment(text: str, topic_id: str) -> Found:
    """A body in HTML. Raises NotPlain."""
    found = _Pass(False, None, BODY).read(text, "body")
    _proper(found, topic_id)
    return found


def chapter(text: str, topic_id: str) -> Found:
    """A body that is a whole XHTML document; ids, links and pictures are those of its body. Raises NotPlain."""
    found = _Pass(True, None, BODY).read(_after(_XML_HEAD, text), "")
    _proper(found, topic_id)
    return found


def article(text: str, styles: Styles) -> Found:
    """What stands around a body in an HTML fragment. Raises NotPlain."""
    if not styles.plain:
        raise NotPlain("sheets under which an element's kind does not say how it looks")
    return _page(_Pass(False, styles, interned(("body",), interned(("html",), 0))), text, "body")


def page(text: str, styles: Callable[[Sequence[tuple[Tag, str]]], Styles], *, xml: bool) -> Found:
    """What stands around a body in a page; `styles` gives what the sheets say that its head names. Raises NotPlain."""
    if not xml and not text.startswith(_HTML_HEAD):
        raise NotPlain("another document type")
    return _page(_Pass(xml, styles, 0), _after(_XML_HEAD, text) if xml else text[len(_HTML_HEAD) :], "")


def _after(head: re.Pattern[str], text: str) -> str:
    found = head.match(text)
    if found is None:
        raise NotPlain("another beginning")
    return text[found.end() :]


def _page(reading: _Pass, text: str, above: str) -> Found:
    found = reading.read(text, above)
    known = Counter(found.ids)
    if len(known) != len(found.ids):
        raise NotPlain("an id twice")
    return found


def _proper(found: Found, topic_id: str) -> None:
    """What must hold in any body, whatever its topic says."""
    own = f"syn-{topic_id}--"
    ids = set(found.ids)
    if len(ids) != len(found.ids) or not all(i.startswith(own) for i in ids) or not ids.issuperset(found.targets):
        raise NotPlain("ids")
    if any(link.href.startswith("#") and unquote(link.href[1:]) not in ids for link in found.links):
        raise NotPlain("a link that leads nowhere")
    levels = [block.level for block in found.blocks if block.kind == "heading" and block.level]
    if any(level > before + 1 for before, level in pairwise(levels)):
        raise NotPlain("a heading's level")


# --- the pass -----------------------------------------------------------------------------------


class _Pass:
    """One pass. Each open element is a tuple: name, number, whether words may stand in it, what its end does, with what."""

    def __init__(self, xml: bool, styles: Any, number: int) -> None:
        self.xml, self.styles, self.number = xml, styles, number
        self.found = Found()
        self.known: dict[int, int] | None = styles.known if isinstance(styles, Styles) else None
        self.run: list[str] = []
        self.owner, self.within = _Owner("paragraph"), ()  # type: tuple[_Owner, tuple[str, ...]]
        self.stack: list[tuple[str, int, bool, Callable[..., None] | None, Any]] = []
        self.tokens: list[str] = []
        self.counts: list[int] = []  # the next number of each list that is open
        self.math = self.silent = self.noticing = self.linked = 0
        self.in_head = False

    def read(self, text: str, above: str) -> Found:
        """Reads the text, standing in an element of this name ("" = it is a document)."""
        if _odd(text, self.number != BODY):
            raise NotPlain("a character that reorders text, or that no text should hold")
        self.tokens = tokens = TAG.split(text)
        words = "\0".join(tokens[::2])
        if "<" in words or (self.xml and "]]>" in words):
            raise NotPlain("a tag that is not whole, a comment, or a sign that should be a reference")
        self.stack.append((above, self.number, not above, None, None))
        self._words(tokens[0])
        self.found.words = bool(tokens[0].strip())
        self._all(tokens)
        if len(self.stack) != 1:
            raise NotPlain(f"<{self.stack[-1][0]}> has no end")
        self._flush()
        return self.found

    def _all(self, tokens: list[str]) -> None:
        stack, known, xml = self.stack, remembered(self.xml), self.xml
        for at in range(1, len(tokens), 2):
            written, words = tokens[at], tokens[at + 1]
            if written[1] == "/":
                name, _, _, close, payload = stack.pop()
                if name != written[2:-1] or not stack:
                    raise NotPlain(f"{written} ends <{name}>")
                if close is not None:
                    close(payload)
            else:
                tag = known.get(written)
                if tag is None:
                    tag = known[written] = judged(written, xml)
                self._start(tag, at)
            if words and (self.run or not words.isspace()):
                self._words(words)

    def _words(self, words: str) -> None:
        if not self.stack[-1][2] or words.isspace():
            self.run.append(decoded(words) if "&" in words else words)
        elif self.stack[-1][0] in ("script", "style"):
            self.run.append(words)
        elif words:
            raise NotPlain("words between parts")

    def _flush(self) -> None:
        if self.run:
            text = " ".join("".join(self.run).split())
            self.run.clear()
            if text:
                self._emit(text)

    def _emit(self, text: str) -> None:
        owner = self.owner
        first, owner.started = not owner.started, True
        if not self.silent:
            self.found.blocks.append(Block(owner.kind, text, owner.level, first, owner.marker, owner.scope, self.within))

    # --- an element begins ---

    def _start(self, tag: Tag, at: int) -> None:
        number = tag.below.get(self.stack[-1][1]) or self._below(tag)
        if tag.said:
            self.found.said += tag.said
        if tag.referred:
            self._referred(tag)
        if self.in_head or tag.route == ROOT:
            self._head(tag, number)
            return
        if not (tag.known or self.math):
            raise NotPlain(f"<{tag.name}>")
        grade = AS_IT_IS if self.known is None else self.known.get(number)
        if self.known is None:
            if tag.strange:
                raise NotPlain(f"<{tag.name}>: a name that is not ours")
        elif grade is None or self.noticing or tag.watched:
            self._seen(tag, number, grade)
        self.found.strange |= tag.strange
        self.found.chains.add(number)
        if len(self.stack) == 1:
            self.found.top.append(tag)
        if tag.route == TRANSPARENT:
            self._transparent(tag)
        elif grade == GONE:
            self._gone(tag, number)
        elif tag.route == BLOCK:
            self._block(tag, number)
        elif tag.route == INLINE:
            self._inline(tag, number, at)
        elif tag.route == CREDIT:
            self._credit(tag, number)
        elif tag.route == BREAK:
            self.run.append(" ")
        elif tag.name == "a":  # one tag alone: a link without words
            self._link(tag, "")

    def _below(self, tag: Tag) -> int:
        """The number of such an element at this place. Raises NotPlain where none may stand here."""
        above, parent = self.stack[-1][:2]
        if not _fits(above, tag.name):
            raise NotPlain(f"<{tag.name}> in <{above}>")
        if self.number == BODY and tag.name == "body":  # a chapter's body stands for any place that a body may have
            root = self.found.root.own if self.found.root else ()
            self.found.place = interned(tag.own, interned(root, 0))
            return BODY
        number = tag.below[parent] = interned(tag.own, parent)
        return number

    def _referred(self, tag: Tag) -> None:
        if tag.id is not None:
            if self.in_head or tag.name == "html":
                raise NotPlain("an id outside of the body")
            self.found.ids.append(tag.id)
        self.found.requests += tag.requests
        self.found.targets += tag.targets

    def _head(self, tag: Tag, number: int) -> None:
        """`html`, `head`, and what stands in a head."""
        name, get = tag.name, tag.attributes.get
        if name == "html":
            self.found.root = tag
            self.stack.append((name, number, True, None, None))
        elif name == "head":
            self.in_head = True
            self.stack.append((name, number, True, self._head_ended, None))
        elif name not in _HEAD_PARTS:
            raise NotPlain(f"<{name}> in the head")
        elif name == "meta":
            self.found.charsets += [get("charset", "").lower()] if "charset" in tag.attributes else []
            self.found.metas.append((get("name", "").strip().lower(), get("content", "")))
        elif name == "link":
            relations = get("rel", "").lower().split()
            self.found.licenses += [get("href", "")] if "license" in relations else []
            self.found.sheets += [(tag, "")] if "stylesheet" in relations else []
        elif name == "title":
            self.stack.append((name, number, False, self._raw_ended, tag))
        else:
            self._raw(tag, number)

    def _head_ended(self, _: Any) -> None:
        self.in_head = False
        self.run.clear()
        if callable(self.styles):
            styles: Styles = self.styles(self.found.sheets)
            if not styles.plain:
                raise NotPlain("sheets under which an element's kind does not say how it looks")
            self.styles, self.known = styles, styles.known

    def _raw(self, tag: Tag, number: int) -> None:
        if tag.name == "script" and (tag.attributes.get("type") != _DATA or tag.requests):
            raise NotPlain("a script")
        self.run.clear()
        self.stack.append((tag.name, number, True, self._raw_ended, tag))

    def _raw_ended(self, tag: Tag) -> None:
        text = "".join(self.run)
        self.run.clear()
        if tag.name == "script":
            self.found.data.append(decoded(text) if self.xml else text)
        elif tag.name == "style":
            if self.xml and "&" in text:
                raise NotPlain("a reference in a sheet")
            self.found.sheets.append((tag, text))
            self.found.requests += [(url, "<style>") for url in fetched_by(text)]

    def _seen(self, tag: Tag, number: int, grade: int | None) -> None:
        """Whether elements of this kind are known to be seen here; a place that nobody has looked at is no plain one."""
        if grade is None:
            raise NotPlain("an element that nobody has looked at")
        if tag.notice is not None:
            if tag.route != BLOCK or self.noticing or self.silent:
                raise NotPlain("a notice in a place of no notice")
        elif self.noticing and tag.name not in markup.NOTICE_PARTS:
            raise NotPlain("no part of a notice")
        if self.noticing or tag.notice is not None or tag.name == "h1":
            plain = grade == AS_IT_IS if tag.name in ("br", "img") else number in self.styles.exact
            if not plain:
                raise NotPlain("a notice that may not be seen")
        if "data-audit-body" in tag.attributes:
            if grade != AS_IT_IS or self.found.place or self.silent or self.noticing:
                raise NotPlain("a body in a place of no body")
            self.found.place = number

    def _transparent(self, tag: Tag) -> None:
        if tag.name == "img":
            self.found.pictures.append(Picture(tag.attributes.get("src", ""), tag.alt()))
        else:
            raise NotPlain(f"<{tag.name}> in a body")

    def _gone(self, tag: Tag, number: int) -> None:
        """An element that the sheets hide: its links, ids and pictures count, its words do not."""
        if tag.empty or tag.name in ("math", "ol") or (tag.name == "a" and self.linked):
            raise NotPlain("something hidden that is no plain text")
        before = self.run, self.owner, self.within, tag
        self.linked += tag.name == "a"
        self.run, self.owner = [], _Owner("paragraph")
        self.silent += 1
        self.stack.append((tag.name, number, tag.bare, self._gone_ended, before))

    def _gone_ended(self, before: tuple[list[str], _Owner, tuple[str, ...], Tag]) -> None:
        tag = before[3]
        if tag.name == "a":
            self._link(tag, fold("".join(self.run)))
        self.linked -= tag.name == "a"
        self.silent -= 1
        self.run, self.owner, self.within = before[:3]

    def _block(self, tag: Tag, number: int) -> None:
        if self.linked:
            raise NotPlain("a block in a link")
        if self.run:
            self._flush()
        owner, role = self.owner, tag.role
        if tag.empty:  # an item without words counts all the same
            if self.stack[-1][0] == "ol":
                self.counts[-1] += 1
            return
        if tag.name in markup.FILL:
            owner.started = True
        if tag.simple:
            self.stack.append((tag.name, number, tag.bare, self._simple_ended, owner))
        else:
            before = owner, self.within, tag, len(self.found.blocks), len(self.found.links)
            self.stack.append((tag.name, number, tag.bare, self._block_ended, before))
            self._special(tag)
        if role and not (role in ("paragraph", "preformatted") and owner.kind in markup.KEEPS):
            marker = self._number(tag) if role == "item" else ""
            self.owner = _Owner(role, tag.level, marker, tag.attributes.get("scope", ""))

    def _special(self, tag: Tag) -> None:
        self.noticing += tag.notice is not None
        if tag.name == "ol":
            start = tag.attributes.get("start", "1")
            self.counts.append(int(start) if re.fullmatch(r"-?\d+", start) else 1)
        elif tag.name == "aside" and tag.attributes.get("data-kind"):
            self.within = (*self.within, tag.attributes["data-kind"])
            self.owner.started = True
            self.owner = _Owner("paragraph")

    def _simple_ended(self, owner: _Owner) -> None:
        if self.run:
            self._flush()
        self.owner = owner

    def _credit(self, tag: Tag, number: int) -> None:
        """A picture's credit line: a block of its own, even where it stands in a line of text."""
        if self.linked or tag.empty or tag.notice is not None:
            raise NotPlain("a credit line in an odd place")
        self.stack.append((tag.name, number, tag.bare, self._credit_ended, (self.run, self.owner)))
        self.run, self.owner = [], _Owner("credit")

    def _credit_ended(self, before: tuple[list[str], _Owner]) -> None:
        self._flush()
        self.run, self.owner = [*before[0], " "], before[1]

    def _block_ended(self, before: tuple[_Owner, tuple[str, ...], Tag, int, int]) -> None:
        self._flush()
        owner, within, tag, blocks, links = before
        if tag.name in ("td", "th") and not self.owner.started:
            self._emit("")
        self.owner, self.within = owner, within
        if tag.notice is not None:
            self.noticing -= 1
            text = fold(" ".join(block.text for block in self.found.blocks[blocks:]))
            self.found.notices.append(Shown(tag.notice, text, tuple(link.href for link in self.found.links[links:])))
        elif tag.name == "h1" and not self.silent:
            self.found.headings.append(fold(" ".join(block.text for block in self.found.blocks[blocks:])))
        elif tag.name == "ol":
            self.counts.pop()

    def _number(self, tag: Tag) -> str:
        if self.stack[-2][0] != "ol":
            return ""
        number = self.counts[-1]
        self.counts[-1] += 1
        return tag.attributes.get("value") or str(number)

    # --- inline ---

    def _inline(self, tag: Tag, number: int, at: int) -> None:
        name, close, payload = tag.name, None, None  # type: tuple[str, Callable[..., None] | None, Any]
        if name == "a":
            if self.linked:
                raise NotPlain("a link in a link")
            self.linked = 1
            close, payload = self._link_ended, (tag, len(self.run), self.run, self._is_sign(tag, at))
        elif name in markup.SCRIPTS:
            if not self._only_link(name, at):
                close, payload = self._script_ended, (name, len(self.run))
        elif name == "math":
            self.math += 1
            display = tag.attributes.get("display") == "block"
            if display:
                self._flush()
            close, payload = self._math_ended, display
        self.stack.append((name, number, False, close, payload))

    def _link_ended(self, payload: tuple[Tag, int, list[str], bool]) -> None:
        tag, start, run, sign = payload
        self.linked = 0
        self._link(tag, fold("".join(run[start:])))
        if sign:
            del run[start:]

    def _link(self, tag: Tag, text: str) -> None:
        if tag.href is not None:
            self.found.links.append(Link(tag.href, text, tag.topic))
        if self.known is not None or tag.attributes.get("data-topic"):  # in a body an author may call other links anything
            self.found.said.append(("entry", text))

    def _script_ended(self, payload: tuple[str, int]) -> None:
        name, start = payload
        if fold("".join(self.run[start:])):
            self.run.insert(start, markup.SCRIPTS[name])

    def _math_ended(self, display: bool) -> None:
        self.math -= 1
        if display:
            self._flush()

    def _is_sign(self, tag: Tag, at: int) -> bool:
        """An arrow back to the text, which a format adds."""
        here = tag.href is not None and tag.href.startswith("#") and self.tokens[at + 2] == "</a>"
        return here and markup.ARROW.fullmatch(decoded(self.tokens[at + 1])) is not None

    def _only_link(self, name: str, at: int) -> bool:
        """Whether a super- or subscript is nothing but the mark of a footnote or definition."""
        tokens = self.tokens
        if tokens[at + 1].strip() or not tokens[at + 2].startswith("<a ") or ' href="#' not in tokens[at + 2]:
            return False
        try:
            end = tokens.index("</a>", at + 2)
        except ValueError:
            raise NotPlain("<a> has no end") from None
        return not tokens[end + 1].strip() and tokens[end + 2] == f"</{name}>"


def _odd(text: str, around: bool) -> bool:
    """Whether a text holds a control character, or one that reorders what stands `around` a body."""
    if text.replace("\n", "").replace("\u00a0", "").isprintable():  # all of them are not; most text is, and this is soon known
        return False
    return bool(markup.BAD_CHARACTER.search(text) or "\r" in text or (around and markup.BIDI.search(text)))


@cache
def _fits(above: str, name: str) -> bool:
    """Whether an element of one name may stand in another; elsewhere, browsers would move it."""
    if not above:
        return name == "html"
    if above == "html":
        return name in ("head", "body")
    return name not in ("html", "head", "body") and not markup.misplaced(above, name)

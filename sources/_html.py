"""HTML text from outside -> canonical blocks. Shared by sources whose topics carry HTML, escaped or in CDATA.

In: a string of HTML (a fragment, of any age and any quality) and where it stands. Out: `Html`: blocks that `topic.rng` allows,
credit lines, findings. No text is lost: what stands in a wrong place is moved as browsers do, an unknown element
keeps its text, and each of these is a finding; where it is not sure that all words are there, that is an error. Looks (style,
class, font, center) are dropped: they say nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from lxml import etree

from pipeline.findings import Code, Finding, error, warning
from pipeline.topic import plain
from sources._blocks import Piece, around, blocks, fill, flow, inlines, new, paragraph_of, says, sections
from sources._htmllists import Item, lists, whole
from sources._htmltokens import unescaped
from sources._htmltree import FORBIDDEN, HEADINGS, names, tree

REPAIRED = warning(
    "html.repaired",
    "The HTML inside a topic is broken; it was read the way browsers read it.",
    "Mend the HTML, and compare the page with it.",
)
TEXT_UNSURE = error(
    "html.text-unsure",
    "The HTML inside a topic is broken in such a way that words may be lost: a quotation mark, or the end of a comment or a"
    " script, is missing.",
    "Put in what is missing; where the characters themselves are meant, write &lt; and &gt;.",
)
ESCAPED_TWICE = warning(
    "html.escaped-twice",
    "The HTML inside a topic was escaped once too often; it was read as HTML.",
    "Escape the HTML once when exporting.",
)
UNKNOWN_ELEMENT = warning(
    "html.unknown-element",
    "The HTML inside a topic has an element that means nothing here; its text was kept.",
    "Use paragraphs, lists, tables.",
)
LEFT_OUT = warning(
    "html.left-out",
    "The HTML inside a topic has something that can not be shown in a document.",
    "Take it out, or say it in words.",
)
LINK_REFUSED = warning(
    "html.link-refused",
    "A link leads nowhere, or to something that is no address; its text was kept.",
    "Correct the link's href.",
)
ALT_MISSING = warning(
    "html.alt-missing", "An image has no alternative text.", "Add alt; an empty one if the image only decorates."
)
CHARACTERS = warning(
    "html.characters", "The HTML held control characters; they were taken out.", "Export the text again as UTF-8."
)

_INLINE: Final = {name: name for name in names("em strong i b u s sub sup code kbd samp var cite q dfn bdi abbr span")} | {
    "acronym": "abbr",
    "tt": "code",
    "strike": "s",
    "del": "s",
    "bdo": "span",
}
# Looks, and what groups text without saying anything of it.
_LOOKS: Final = names("font big small nobr mark ins time label wbr data html head body picture source noscript colgroup")
_GROUPS: Final = names("div section article main header footer nav center address hgroup form fieldset details dialog search")
_SILENT: Final = names("col meta link base style")  # nothing to read in them
_SCRIPTS: Final = names("script template title")  # their text is not the topic's
_MEDIA: Final = names("iframe object embed video audio canvas input area track")  # their text stands in for them
# What stands apart from what is before and after it, though on the same line.
_APART: Final = names("option optgroup select button textarea progress meter rt datalist")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_NMTOKEN: Final = re.compile(r"[\w.:-]+")
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Html:
    """What a string of HTML says: blocks, the credit lines among them (see `convert`), findings."""

    blocks: tuple[etree._Element, ...]
    credits: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def convert(text: str, file: str, line: int, base: str = "", topic_of: Callable[[str], str] = lambda _url: "") -> Html:
    """The canonical blocks of a fragment of HTML that begins at `line` of `file`.

    Relative links are completed with `base`; a link whose address (without fragment) `topic_of` knows leads to that topic.
    A paragraph of the class `attribution` is a credit line and leaves the text, unless it holds a link; a last
    paragraph with a style that is no sentence is a credit line and stays as well, because a style alone is no proof.
    """
    findings = []
    if not re.search(r"<[A-Za-z/!]", text) and re.search(r"&lt;/?[A-Za-z][^&]*&gt;", text):
        findings.append(ESCAPED_TWICE.at(file, line, f"expected tags, found {_shown(text)!r}"))
        text = unescaped(text)
    if FORBIDDEN.search(text):
        findings.append(CHARACTERS.at(file, line, f"{len(FORBIDDEN.findall(text))} control characters"))
        text = FORBIDDEN.sub("", text)
    read = tree(text, line)
    if read.losses:
        findings.append(TEXT_UNSURE.at(file, read.first_loss, "; ".join(_counted(read.losses))))
    if read.repairs:
        findings.append(REPAIRED.at(file, read.first, "; ".join(_counted(read.repairs))))
    converter = _Converter(file, base, topic_of, read.root)
    body = etree.Element("body")
    body.extend(sections(blocks(converter.pieces(read.root))))
    converter.check_local_links(body)
    return Html(tuple(body), tuple(converter.credits), (*findings, *converter.findings()))


def absolute(href: str, base: str) -> str:
    """The address of a link, completed with `base`; "" where it is none that a reader can follow (http, https, mailto, tel)."""
    href = re.sub(r"[\t\r\n]", "", href).strip().replace(" ", "%20")
    try:
        address = urljoin(base, href)
        parts = urlsplit(address)
    except ValueError:
        return ""
    followed = parts.netloc if parts.scheme in ("http", "https") else parts.path if parts.scheme in ("mailto", "tel") else ""
    return parts.scheme + address[len(parts.scheme) :] if followed else ""


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _counted(problems: Mapping[str, int]) -> list[str]:
    most = Counter(problems).most_common(3)
    named = [f"{problem} ({count} times)" if count > 1 else problem for problem, count in most]
    return [*named, f"{len(problems) - 3} other kinds"] if len(problems) > 3 else named


class _Converter:
    """A tree of HTML to pieces. `credits` are the credit lines met, `findings()` what was met besides."""

    def __init__(self, file: str, base: str, topic_of: Callable[[str], str], root: etree._Element) -> None:
        self.credits: list[str] = []
        self._file, self._base, self._topic_of = file, base, topic_of
        self._found: dict[tuple[Code, str], tuple[int, int]] = {}
        self._wanted = {a.get("href", "").strip()[1:] for a in root.iter("a") if a.get("href", "").strip().startswith("#")}
        self._line = root.get("line")
        self._preformatted = 0
        self._last = _styled_name(root)

    def findings(self) -> tuple[Finding, ...]:
        """One finding for each kind and text, at its first line, with a count."""
        return tuple(
            code.at(self._file, line, f"{text} ({count} times)" if count > 1 else text)
            for (code, text), (line, count) in self._found.items()
        )

    def _find(self, code: Code, line: str | None, text: str) -> None:
        first, count = self._found.get((code, text), (int(line or "0"), 0))
        self._found[code, text] = (first, count + 1)

    def pieces(self, node: etree._Element) -> list[Piece]:
        """The node's content: text, inline elements, blocks."""
        result: list[Piece] = [self._text(node.text)]
        for child in node:
            result += [*self._element(child), self._text(child.tail)]
        return _squeezed([piece for piece in result if not isinstance(piece, str) or piece])

    def check_local_links(self, body: etree._Element) -> None:
        """Takes links to places that are not in the body away, keeping their text."""
        there = {element.get("id") for element in body.iter(etree.Element)}
        for link in body.iter("a"):
            if link.get("data-kind") == "local" and link.get("href", "")[1:] not in there:
                line = next((e.get("data-line") for e in link.iterancestors() if e.get("data-line")), self._line)
                self._find(LINK_REFUSED, line, f"the link {link.get('href')!r} leads to no place in the text")
                link.tag = "unlinked"
        etree.strip_tags(body, "unlinked")

    def _text(self, text: str | None) -> str:
        return (text or "") if self._preformatted else _SPACE.sub(" ", text or "")

    def _element(self, node: etree._Element) -> Sequence[Piece]:
        tag = str(node.tag)
        maker = _MAKERS.get(tag)
        if maker:
            return maker(self, node)
        if tag in _SILENT:
            return ()
        if tag in _SCRIPTS or tag in _MEDIA:
            said = _shown(plain(node) or node.get("src", ""))
            self._find(LEFT_OUT, node.get("line"), f"<{tag}> {said}".strip())
            return [" ", *self.pieces(node), " "] if tag in _MEDIA else ()
        if tag not in _LOOKS:
            self._find(UNKNOWN_ELEMENT, node.get("line"), f"<{tag}> is not known; its text was kept")
        return [" ", *self.pieces(node), " "] if tag in _APART else self.pieces(node)

    def _common(self, node: etree._Element, *, line: bool = True) -> dict[str, str]:
        """The attributes that any element may keep. An id is kept, once, where a link wants it."""
        said: dict[str, str] = {}
        name = node.get("id") or (node.get("name", "") if node.tag == "a" else "")
        if name in self._wanted and _NMTOKEN.fullmatch(name):
            self._wanted.discard(name)
            said["id"] = name
        if _LANGUAGE.fullmatch(node.get("lang", "")):
            said["lang"] = node.get("lang", "")
        if node.get("dir", "").lower() in ("ltr", "rtl", "auto"):
            said["dir"] = node.get("dir", "").lower()
        return {**said, "data-line": node.get("line", "")} if line else said

    # blocks

    def _group(self, node: etree._Element) -> Sequence[Piece]:
        said, found = self._common(node, line=False), blocks(self.pieces(node))
        if not said or not found:
            return found
        group = new("div", {**said, "data-line": node.get("line", "")})
        group.extend(sections(found))
        return (group,)

    def _heading(self, node: etree._Element) -> Sequence[Piece]:
        heading = new("h", self._common(node))
        fill(heading, inlines(self.pieces(node)))
        if not says(heading):
            return ()
        heading.set("level", str(node.tag)[1:])
        return (heading,)

    def _paragraph(self, node: etree._Element) -> Sequence[Piece]:
        found = blocks(self.pieces(node), self._common(node))
        credit = "attribution" in node.get("class", "").lower().split()
        if credit or node is self._last:
            self.credits += [text for block in found if (text := plain(block))]
        return () if credit and not any(block.find(".//a") is not None for block in found) else found

    def _wrapped(self, node: etree._Element) -> Sequence[Piece]:
        element = new(str(node.tag), self._common(node))
        if node.tag == "aside":
            element.set("data-kind", "note")
        element.extend(sections(blocks(self.pieces(node))))
        return (element,) if len(element) else ()

    def _figure(self, node: etree._Element) -> Sequence[Piece]:
        figure, caption = new("figure", self._common(node)), None
        for child in _contents(node):
            if not isinstance(child, str) and child.tag == "figcaption" and caption is None:
                flow(caption := new("figcaption", self._common(child)), self.pieces(child))
                continue
            for block in blocks((self._text(child),) if isinstance(child, str) else self._element(child)):
                figure.append(_for_figure(block))
        if caption is not None and not len(figure):
            caption.tag = "div"
            return blocks(inlines([caption]))
        figure.extend([caption] if caption is not None and says(caption) else [])
        return (figure,) if len(figure) else ()

    def _pre(self, node: etree._Element) -> Sequence[Piece]:
        self._preformatted += 1
        pre = new("pre", self._common(node))
        fill(pre, inlines(self.pieces(node)), trim=False)
        self._preformatted -= 1
        return (pre,) if says(pre) else ()

    def _list(self, node: etree._Element) -> Sequence[Piece]:
        before: list[Piece] = []
        items: list[Item] = []
        ordered = node.tag == "ol"
        for child in _contents(node):
            if not isinstance(child, str) and child.tag == "li":
                items.append(Item(self._common(child), self.pieces(child), whole(child.get("value", ""))))
                continue
            pieces: list[Piece] = [self._text(child)] if isinstance(child, str) else [*self._element(child)]
            nested = not isinstance(child, str) and child.tag in ("ul", "ol")
            if items and (ordered or nested):
                items[-1].pieces.extend([" ", *pieces])  # a nested list beside its item, or what has no number of its own
            elif ordered:
                before += pieces
            else:
                items.append(Item({}, pieces))
        if ordered and node.get("reversed") is not None:
            self._find(LEFT_OUT, node.get("line"), "<ol reversed>: its items are numbered upwards")
        return [*blocks(before), *lists(node, self._common(node), items)]

    def _definitions(self, node: etree._Element) -> Sequence[Piece]:
        before: list[etree._Element] = []
        result = new("dl", self._common(node))
        for child in _contents(node, through="div"):
            pieces = [self._text(child)] if isinstance(child, str) else self.pieces(child)
            if not isinstance(child, str) and child.tag == "dt":
                fill(term := new("dt", self._common(child)), inlines(pieces))
                result.append(term)
            elif len(result):
                flow(said := new("dd", {} if isinstance(child, str) else self._common(child)), pieces)
                result.append(said)
            else:
                before += blocks(pieces)
        if len(result) and result[-1].tag == "dt":
            etree.SubElement(result, "dd")
        return (*before, result) if len(result) else before

    def _loose(self, node: etree._Element) -> Sequence[Piece]:
        # An item, cell or caption outside its list or table.
        return blocks(self.pieces(node), self._common(node))

    def _table(self, node: etree._Element) -> Sequence[Piece]:
        outside: list[etree._Element] = []
        parts: dict[str, list[etree._Element]] = {"caption": [], "thead": [], "tbody": [], "tfoot": []}
        for child in _contents(node):
            if isinstance(child, str):
                outside += blocks([self._text(child)])
            elif child.tag == "caption":
                fill(caption := new("caption", self._common(child)), inlines(self.pieces(child)))
                parts["caption"].append(caption)
            elif child.tag in parts or child.tag == "tr":
                name = "tbody" if child.tag == "tr" else str(child.tag)
                for row in [child] if child.tag == "tr" else _contents(child):
                    if not isinstance(row, str) and row.tag == "tr":
                        parts[name].append(self._row(row, name == "thead"))
                    else:
                        outside += blocks([self._text(row)] if isinstance(row, str) else self._element(row))
            else:
                outside += blocks(self._element(child))
        return (*outside, *_assembled(new("table", self._common(node)), parts))

    def _row(self, node: etree._Element, head: bool) -> etree._Element:
        row = new("tr", self._common(node))
        headers = head or not any(child.tag == "td" for child in node)
        for child in _contents(node):
            if isinstance(child, str) or child.tag not in ("td", "th"):
                flow(cell := new("td", {}), [self._text(child)] if isinstance(child, str) else self._element(child))
            else:
                scope = _scope(child, "col" if headers else "row")
                flow(cell := new(str(child.tag), {**self._common(child), **_spans(child), "scope": scope}), self.pieces(child))
            row.append(cell)
        return row

    # inline

    def _inline(self, node: etree._Element) -> Sequence[Piece]:
        said, name = self._common(node, line=False), _INLINE[str(node.tag)]
        if name == "abbr" and node.get("title"):
            said["title"] = node.get("title", "")
        if name == "span" and not said:
            return self.pieces(node)
        return around(self.pieces(node), name, said)

    def _break(self, _node: etree._Element) -> Sequence[Piece]:
        return (etree.Element("br"),)

    def _rule(self, _node: etree._Element) -> Sequence[Piece]:
        return (etree.Element("hr"),)

    def _image(self, node: etree._Element) -> Sequence[Piece]:
        source, alt = node.get("src", "").strip(), node.get("alt")
        if not source:
            self._find(LEFT_OUT, node.get("line"), f"<img> without src {_shown(alt or '')}".strip())
            return (alt or "",)
        if alt is None:
            self._find(ALT_MISSING, node.get("line"), f"the image {_shown(source)!r} has no alt")
        sizes = {name: value for name in ("width", "height") if re.fullmatch("[1-9][0-9]{0,4}", value := node.get(name, ""))}
        source = (absolute(source, self._base) or source) if self._base else source
        return (new("img", {"src": source, "alt": alt or "", **sizes}),)

    def _link(self, node: etree._Element) -> Sequence[Piece]:
        said, pieces = self._common(node, line=False), self.pieces(node)
        if node.get("href") is None:
            return around(pieces, "span", said) if said else pieces
        target = self._target(node.get("href", ""))
        if target:
            return around(pieces, "a", {**said, **target})
        self._find(LINK_REFUSED, node.get("line"), f"the link {_shown(node.get('href', ''))!r} can not be followed")
        return pieces

    def _target(self, href: str) -> dict[str, str]:
        if href.strip().startswith("#"):
            return {"data-kind": "local", "href": href.strip()} if href.strip() != "#" else {}
        address = absolute(href, self._base)
        page, _, anchor = address.partition("#")
        topic = self._topic_of(page) if page else ""
        if topic:
            return {"data-kind": "topic", "data-topic": topic, "data-anchor": anchor}
        return {"data-kind": "external", "href": address} if address else {}


_MAKERS: Final[dict[str, Callable[[_Converter, etree._Element], Sequence[Piece]]]] = {
    **dict.fromkeys(_INLINE, _Converter._inline),
    **dict.fromkeys(_GROUPS, _Converter._group),
    **dict.fromkeys(HEADINGS, _Converter._heading),
    **dict.fromkeys(("blockquote", "aside"), _Converter._wrapped),
    **dict.fromkeys(("ul", "ol", "menu", "dir"), _Converter._list),
    **dict.fromkeys(
        ("li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "caption", "figcaption", "summary", "legend"),
        _Converter._loose,
    ),
    "p": _Converter._paragraph,
    "figure": _Converter._figure,
    "pre": _Converter._pre,
    "dl": _Converter._definitions,
    "table": _Converter._table,
    "br": _Converter._break,
    "hr": _Converter._rule,
    "img": _Converter._image,
    "a": _Converter._link,
}


def _squeezed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without a space that stands behind a space."""
    before: Piece = ""
    result: list[Piece] = []
    for piece in pieces:
        if not (piece == " " and isinstance(before, str) and before.endswith(" ")):
            result.append(piece)
        before = piece
    return result


def _styled_name(root: etree._Element) -> etree._Element | None:
    """The last paragraph, where it has a style and does not end like a sentence: so old feeds say whose text it is."""
    last = next((child for child in reversed(root) if plain(child)), None)
    styled = last is not None and last.tag == "p" and last.get("style") and not (last.tail or "").strip()
    return last if last is not None and styled and not plain(last).endswith((".", "!", "?", ":")) else None


def _contents(node: etree._Element, through: str = "") -> Iterator[str | etree._Element]:
    """Child elements, and the texts between them that say something; children named `through` give their own."""
    if (text := node.text or "").strip():
        yield text
    for child in node:
        if child.tag == through:
            yield from _contents(child, through)
        else:
            yield child
        if (text := child.tail or "").strip():
            yield text


def _for_figure(block: etree._Element) -> etree._Element:
    """A block as a figure may hold it: an image alone without its paragraph, a heading as a paragraph, no figure directly."""
    if block.tag == "p" and [inner.tag for inner in block] == ["img"] and not plain(block):
        return block[0]
    if block.tag == "figure":
        group = etree.Element("div")
        group.append(block)
        return group
    return paragraph_of(block) if block.tag == "h" else block


def _spans(node: etree._Element) -> dict[str, str]:
    return {
        name: value for name in ("colspan", "rowspan") if re.fullmatch("[1-9][0-9]{0,2}", value := node.get(name, "").strip())
    }


def _scope(node: etree._Element, usual: str) -> str:
    given = node.get("scope", "").lower()
    return "" if node.tag == "td" else given if given in ("col", "row", "colgroup", "rowgroup") else usual


def _assembled(table: etree._Element, parts: dict[str, list[etree._Element]]) -> Sequence[etree._Element]:
    """The table of its caption and rows, in the order that `topic.rng` wants; its captions' text where it has no rows."""
    captions = [caption for caption in parts.pop("caption") if says(caption)]
    rows = {name: [row for row in found if len(row)] for name, found in parts.items()}
    if not rows["tbody"]:
        moved = "thead" if rows["thead"] else "tfoot"
        rows["tbody"], rows[moved] = rows[moved], []
    beside = captions if not rows["tbody"] else captions[1:]
    for paragraph in beside:
        paragraph.tag = "p"
    if not any(says(row) for row in rows["tbody"]):
        return beside
    table.extend(captions[:1])
    for name, found in rows.items():
        if found:
            etree.SubElement(table, name).extend(found)
    return (*beside, table)

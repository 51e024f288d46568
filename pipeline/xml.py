"""XML from outside: bytes of any encoding in, a safe lxml tree (or the findings that say why not) out.

`parse` gives the whole tree, `head` only what a file shows at its start. Nothing outside the bytes is ever asked for: no DTD,
no external entity, no schema. Three things are mended, because real feeds need them and nothing is guessed that the bytes
do not show: an encoding that the declaration lies about, a namespace prefix that only the DTD declares, and
entities and attribute defaults that the file itself declares. Whatever can not be mended is an error finding; nothing is dropped.

Specification: XML 1.0 (fifth edition), its appendix F for detecting encodings; Namespaces in XML 1.0.
Lines are libxml2's: exact up to line 65,535, after that the line of the nearest text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from pipeline.contracts import Head
from pipeline.entities import ASIDES, CDATA, PROLOG, QUOTED, add_defaults, blank, doctype_of, expanded
from pipeline.findings import Finding, Severity, error, warning
from pipeline.topic import MATHML, PARSER_OPTIONS

EMPTY = error("xml.empty", "A file holds no XML at all.", "Export the file again, or take it out of the inputs.")
NOT_WELL_FORMED = error(
    "xml.not-well-formed",
    "A file breaks the rules of XML, so nothing after that place can be trusted.",
    "Mend the mark-up at that line.",
)
ENCODING = error(
    "xml.encoding", "A file's bytes are not text in its encoding.", "Save the file as UTF-8, or export it again from its system."
)
ENCODING_DECLARED = warning(
    "xml.encoding-declared",
    "A file declares another encoding than its bytes are in; it was read by its bytes.",
    "Correct the encoding in the XML declaration, and compare accented letters with the original.",
)
PREFIX_UNDECLARED = warning(
    "xml.prefix-undeclared",
    "A file uses a namespace prefix that it declares nowhere; it was read as if declared.",
    "Declare the prefix with xmlns on the root element.",
)
CHARACTERS = warning(
    "xml.characters",
    "A file holds characters that are no text: control characters where Windows letters are meant (&#146; for an apostrophe),"
    " byte order marks, line separators. The letters were put in, the marks taken out, the separators made spaces.",
    "Write the letters themselves, and compare the place with what readers get.",
)
LIMIT = error(
    "xml.limit",
    "A file is nested too deep (256 levels), holds a single text that is too long (10 million bytes), or grows many times by its"
    " DOCTYPE.",
    "Split the file; if nobody wrote it like this on purpose, find out where it came from.",
)

HEAD_BYTES: Final = 16_384  # the root's start tag stands in these, in all but odd files

_PREFIXES: Final = {
    "ditaarch": "http://dita.oasis-open.org/architecture/2005/",
    "mml": MATHML,
    "m": MATHML,
    "svg": "http://www.w3.org/2000/svg",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_ENCODINGS: Final = re.compile(
    r"utf-?(8|16|32)(-?[lb]e)?|(us-)?ascii|iso-?8859-\d{1,2}|latin-?1|(windows-|cp)(125\d|437|850|874|932|949|950)|(x-)?sjis|shift_jis|"
    r"windows-31j|ms_kanji|(x-)?euc-(jp|kr)|iso-2022-jp|gb2312|gbk|gb18030|big5(-hkscs)?|koi8-[ru]|tis-620|(x-)?mac(intosh|-roman)",
    re.IGNORECASE,
)
_SINGLE_BYTE: Final = re.compile(r"ascii|iso8859-\d+|cp(125\d|437|850|874)|koi8-[ru]|mac-roman|tis-620")
_BOMS: Final = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: Final[dict[tuple[bool, ...], str]] = {  # which of the first four bytes are zero, where there is no mark
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}

_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"\sencoding\s*=\s*[\"']([A-Za-z][\w.\-]*)[\"']")
_START_TAG = re.compile(rb"<[^\s/>!?\"'=]+(?:[^<>\"'/]++|%s|/(?!>))*+" % QUOTED)
_WINDOWS: Final = {number: bytes([number]).decode("cp1252", "ignore").encode() for number in range(0x80, 0xA0)}
_STAND_FOR: Final = {**_WINDOWS, 0x7F: b"", 0xFEFF: b"", 0x2028: b" ", 0x2029: b" "}
_NO_TEXT = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xef\xbb\xbf|\xe2\x80[\xa8\xa9]")
_NUMBERED = re.compile(rb"%s|%s|&#(?:x(?P<hexadecimal>[0-9A-Fa-f]{1,6})|(?P<decimal>[0-9]{1,7}));" % (ASIDES, CDATA), re.DOTALL)
_UNDECLARED_PREFIX = re.compile(r"Namespace prefix (\S+)")


def parse(data: bytes, file: str) -> tuple[etree._Element | None, list[Finding]]:
    """The root element of a file's bytes, and findings; None where an error finding says why there is none.

    No entity node is left in the tree; comments and processing instructions are kept.
    """
    source, findings = _utf8(data, file)
    if source is None:
        return None, findings
    source, odd = _legible(source, file)
    findings += odd
    source, refused = expanded(source, file)
    if refused:
        return None, findings + refused
    root, problems = _tree(source, file)
    if root is not None and b"<!ATTLIST" in source[: _root_at(source)]:
        add_defaults(root, source)
    return root, findings + problems


def head(data: bytes, file: str) -> Head | Finding:
    """What a file shows at its start (only as much as needed is looked at), or the error finding that says why it shows nothing.

    `data` may be the file's first `HEAD_BYTES`, as long as the root element's start tag is in them.
    """
    source, findings = _utf8(data[:HEAD_BYTES], file, whole=len(data) <= HEAD_BYTES)
    alone = _root_alone(source) if source is not None else None
    root, problems = parse(alone if alone is not None else data, file)
    if root is None:
        return next(f for f in [*findings, *problems] if f.severity is Severity.ERROR)
    name, doctype = etree.QName(root), root.getroottree().docinfo
    attributes = {str(key): str(value) for key, value in root.attrib.items()}
    return Head(file, name.localname, name.namespace or "", doctype.public_id or "", doctype.system_url or "", attributes)


def _root_alone(source: bytes) -> bytes | None:
    """The document with an empty root: prolog and start tag, closed. None where the start tag is not whole."""
    tag = _START_TAG.match(source, _root_at(source))
    return source[: tag.end()] + b"/>" if tag and tag.end() < len(source) else None


# --- encodings ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Encoding:
    """What a file's first bytes show: the encoding to read it by, what it declares, the length of its mark."""

    name: str
    declared: str
    mark: int


def _utf8(data: bytes, file: str, whole: bool = True) -> tuple[bytes | None, list[Finding]]:
    """The file in UTF-8, without byte order mark, its XML declaration blanked out (lines stay)."""
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf\xfe\xff"):
        return None, [EMPTY.at(file, 1, f"the file is empty ({len(data)} bytes)")]
    found = _encoding(data)
    try:
        text = codecs.getincrementaldecoder(found.name)().decode(data[found.mark :], final=whole)
    except UnicodeDecodeError as problem:
        return None, [_undecodable(problem, data, found, file)]
    source = text.encode("utf-8", "surrogatepass")
    declaration = _DECLARATION.match(source)
    if declaration:
        source = blank(declaration.group()) + source[declaration.end() :]
    return source, _lies(found, file)


def _encoding(data: bytes) -> _Encoding:
    mark, name = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", ""))
    name = name or _ZEROS.get(tuple(byte == 0 for byte in data[:4]), "")
    start = data[len(mark) : len(mark) + 1024].decode(name or "ascii", "ignore").encode("ascii", "ignore")
    declaration = _DECLARATION.match(start)
    encoding = _DECLARED.search(declaration.group()) if declaration else None
    declared = encoding.group(1).decode() if encoding else ""
    if not name:
        name = _by_content(data, declared)
    return _Encoding(name, declared, len(mark))


def _by_content(data: bytes, declared: str) -> str:
    """The encoding of bytes without mark and zeros: as declared, unless the bytes show that it can not be."""
    name = _normal(declared)
    if not name or name.startswith(("utf-16", "utf-32")):
        return "utf-8"
    if data.isascii():
        return name
    if _SINGLE_BYTE.fullmatch(name) and _decodes(data, "utf-8"):
        return "utf-8"  # any bytes are text in these; bytes that are also UTF-8 are no accident
    if name in ("iso8859-1", "ascii"):
        return "cp1252" if re.search(rb"[\x80-\x9f]", data) else "iso8859-1"
    return name if _decodes(data, name) or not _decodes(data, "utf-8") else "utf-8"


def _normal(declared: str) -> str:
    usual = declared.lower().removeprefix("x-")
    return codecs.lookup(usual).name if declared and _ENCODINGS.fullmatch(declared) and _known(usual) else ""


def _known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _decodes(data: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _lies(found: _Encoding, file: str) -> list[Finding]:
    declared = _normal(found.declared)
    if not found.declared or (declared and found.name.startswith(declared)):
        return []
    return [ENCODING_DECLARED.at(file, 1, f"the file declares {found.declared!r}, its bytes are {found.name}")]


def _undecodable(problem: UnicodeDecodeError, data: bytes, found: _Encoding, file: str) -> Finding:
    offset = problem.start + found.mark
    line = data[found.mark : offset].decode(found.name, "ignore").count("\n") + 1
    bad = data[offset : offset + 1].hex()
    return ENCODING.at(file, line, f"byte 0x{bad} at offset {offset} is not {found.name} text; {_declared_words(found)}")


def _declared_words(found: _Encoding) -> str:
    return f"the file declares {found.declared!r}" if found.declared else "the file declares no encoding"


# --- characters ---------------------------------------------------------------------------------


def _legible(source: bytes, file: str) -> tuple[bytes, list[Finding]]:
    """The file with what stands for each character that is no text: of DEL, C1 controls, U+FEFF, U+2028 and U+2029, written out
    or by number. C1 controls are read as Windows-1252, as browsers do (HTML Standard, numeric character references)."""
    found: list[int] = []  # where they stand; both passes keep the lines

    def instead(item: re.Match[bytes]) -> bytes:
        number = int(item["hexadecimal"], 16) if item["hexadecimal"] else int(item["decimal"] or 0)
        return item.group() if number not in _STAND_FOR else noted(item, number)

    def noted(item: re.Match[bytes], number: int) -> bytes:
        found.append(item.start())
        return _STAND_FOR[number]

    numbered = _NUMBERED.sub(instead, source) if b"&#" in source else source
    text = _NO_TEXT.sub(lambda item: noted(item, ord(item.group().decode())), numbered)
    line = source.count(b"\n", 0, min(found, default=0)) + 1
    return text, [CHARACTERS.at(file, line, f"{len(found)} of them, the first about here")] if found else []


# --- trees --------------------------------------------------------------------------------------


def _tree(source: bytes, file: str) -> tuple[etree._Element | None, list[Finding]]:
    root, log = _libxml2(source)
    if root is not None:
        return root, []
    prefixes = _undeclared_prefixes(log)
    if not prefixes:
        return None, [_syntax(log, file)]
    root, log = _libxml2(_with_prefixes(source, prefixes))
    if root is None:
        return None, [_syntax(log, file)]
    if doctype_of(source) is not None:
        return root, []  # its DTD declares them
    names = ", ".join(prefixes)
    return root, [PREFIX_UNDECLARED.at(file, root.sourceline, f"no declaration of the namespace prefix {names}")]


def _libxml2(source: bytes) -> tuple[etree._Element | None, list[etree._LogEntry]]:
    parser = etree.XMLParser(**PARSER_OPTIONS)
    try:
        return etree.fromstring(source, parser), []
    except etree.XMLSyntaxError:
        return None, list(parser.error_log)


def _undeclared_prefixes(log: list[etree._LogEntry]) -> list[str]:
    """The prefixes that nothing declares, where that is all that is wrong."""
    wrong = [entry for entry in log if entry.level_name != "WARNING"]
    if any(entry.type_name != "NS_ERR_UNDEFINED_NAMESPACE" for entry in wrong):
        return []
    found = (_UNDECLARED_PREFIX.match(entry.message) for entry in wrong)
    return sorted({match[1] for match in found if match})


def _with_prefixes(source: bytes, prefixes: list[str]) -> bytes:
    """The file with the prefixes declared on its root, in the root's own line."""
    start = _root_at(source)
    name = re.compile(rb"<[^\s/>]*").match(source, start)
    end = name.end() if name else start
    uris = ((prefix, _PREFIXES.get(prefix, f"urn:undeclared-prefix:{prefix}")) for prefix in prefixes)
    declarations = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in uris)
    return source[:end] + declarations.encode() + source[end:]


def _root_at(source: bytes) -> int:
    doctype = doctype_of(source)
    prolog = PROLOG.match(source, doctype.end() if doctype else 0)
    return prolog.end() if prolog else 0


_SENTENCES: Final[Mapping[str, Callable[[str], str]]] = {
    "ERR_DOCUMENT_EMPTY": lambda _: "the file does not begin with a tag, so it is not XML",
    "ERR_INVALID_CHAR": lambda _: "there is a control character, which XML does not allow",
    "ERR_UNDECLARED_ENTITY": lambda message: f"{message}; write the character itself, or its number (&#160;)",
}


def _syntax(log: list[etree._LogEntry], file: str) -> Finding:
    entry = next((e for e in log if e.level_name == "FATAL"), log[0] if log else None)
    if entry is None:
        return NOT_WELL_FORMED.at(file, 1, "the file can not be read as XML")
    message = entry.message.strip().rstrip(".")
    if entry.type_name == "ERR_RESOURCE_LIMIT":
        return LIMIT.at(file, entry.line, message.split(", ")[0])
    if message == "Unregistered error message":
        message = entry.type_name.removeprefix("ERR_").replace("_", " ").lower()
    sentence = _SENTENCES.get(entry.type_name)
    return NOT_WELL_FORMED.at(file, entry.line, f"column {entry.column}: {sentence(message) if sentence else message}")

"""XML from outside: every encoding that real feeds have, and everything that must be refused."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.contracts import Head
from pipeline.entities import MAX_EXPANSION
from pipeline.findings import Finding
from pipeline.xml import HEAD_BYTES, head, parse


def read(data: bytes) -> tuple[str | None, list[tuple[str, int]]]:
    """The tree as text, and the findings' codes and lines."""
    root, findings = parse(data, "f.xml")
    assert all(finding.file == "f.xml" for finding in findings)
    return (None if root is None else etree.tostring(root, encoding="unicode")), [(f.code, f.line) for f in findings]


def said(data: bytes) -> str:
    """The text of the only finding of a file that is not read."""
    root, (finding,) = parse(data, "f.xml")
    assert root is None
    return finding.text


# --- encodings ----------------------------------------------------------------------------------

TEXT = "<a>Más ñandú: 5\u00a0µg – “عربي” 漢</a>"


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_unicode_is_read_with_and_without_mark_and_declaration(encoding: str, mark: bool) -> None:
    marks = {
        "utf-8": codecs.BOM_UTF8,
        "utf-16-le": codecs.BOM_UTF16_LE,
        "utf-16-be": codecs.BOM_UTF16_BE,
        "utf-32-le": codecs.BOM_UTF32_LE,
        "utf-32-be": codecs.BOM_UTF32_BE,
    }
    start = marks[encoding] if mark else b""
    assert read(start + TEXT.encode(encoding)) == (TEXT, [])
    declared = f'<?xml version="1.0" encoding="{encoding[:-3] if encoding != "utf-8" else encoding}"?>\n'
    assert read(start + (declared + TEXT).encode(encoding)) == (TEXT, [])


@pytest.mark.parametrize(
    ("declared", "real"),
    [
        ("utf-8", "utf-16-le"),
        ("UTF-8", "utf-16-be"),
        ("utf-16", "utf-8"),
        ("iso-8859-1", "utf-8"),
        ("windows-1252", "utf-8"),
        ("us-ascii", "utf-16-le"),
    ],
)
def test_a_lying_declaration_is_found_out(declared: str, real: str) -> None:
    data = (f'<?xml version="1.0" encoding="{declared}"?>' + TEXT).encode(real)
    assert read(data) == (TEXT, [("xml.encoding-declared", 1)])


@pytest.mark.parametrize(
    ("declared", "real", "text"),
    [
        ("iso-8859-1", "ascii", "<a>plain</a>"),
        ("us-ascii", "ascii", "<a>plain</a>"),
        ("Big5", "ascii", "<a>plain</a>"),
        ("iso-8859-1", "iso8859-1", "<a>Más</a>"),
        ("windows-1252", "cp1252", "<a>it’s</a>"),
        ("Shift_JIS", "shift_jis", "<a>漢字</a>"),
        ("koi8-r", "koi8-r", "<a>Боль</a>"),
    ],
)
def test_declared_encodings_are_believed(declared: str, real: str, text: str) -> None:
    assert read(f'<?xml version="1.0" encoding="{declared}"?>{text}'.encode(real)) == (text, [])


def test_windows_quotes_in_latin_1_are_quotes() -> None:
    data = '<?xml version="1.0" encoding="ISO-8859-1"?><a>it’s</a>'.encode("cp1252")
    assert read(data) == ("<a>it’s</a>", [("xml.encoding-declared", 1)])


def test_bytes_that_are_no_text_are_an_error_at_their_offset() -> None:
    data = b'<?xml version="1.0" encoding="UTF-8"?>\n<a>\nca\xe9</a>'
    assert read(data) == (None, [("xml.encoding", 3)])
    assert said(data) == "byte 0xe9 at offset 45 is not utf-8 text; the file declares 'UTF-8'"
    assert said(b"<a>\xff</a>") == "byte 0xff at offset 3 is not utf-8 text; the file declares no encoding"
    assert (
        said("<a>x</a>".encode("utf-16-le")[:-1]) == "byte 0x3e at offset 14 is not utf-16-le text; the file declares no encoding"
    )


@pytest.mark.parametrize("name", ["rot13", "utf-7", "unicode_escape", "zlib", "idna", "iso-8859-99", "x-nobody"])
def test_a_declared_encoding_that_is_none_is_not_used(name: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{name}"?>'
    assert read((declaration + TEXT).encode()) == (TEXT, [("xml.encoding-declared", 1)])
    assert read(declaration.encode() + b"<a>\xe9</a>") == (None, [("xml.encoding", 1)])


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff<&]>"), min_size=1),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
)
def test_any_text_comes_through_any_unicode_encoding(text: str, encoding: str) -> None:
    root, findings = parse(f"<a>{text}</a>".encode(encoding), "f.xml")
    assert findings == []
    assert root is not None
    assert root.text == text


# --- what is not XML ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0"])
def test_an_empty_file_is_a_finding(data: bytes) -> None:
    assert read(data) == (None, [("xml.empty", 1)])


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"<a>\n<b>\n</a>", 3, "Opening and ending tag mismatch"),
        (b"<a>\n", 2, "Premature end of data"),
        (b"<a/>\n<b/>", 2, "Extra content"),
        (b"hello", 1, "does not begin with a tag"),
        (b"<a>\n\x01</a>", 2, "control character"),
        (b"<a>\n\0</a>", 2, "control character"),
        (b"<a>&#1;</a>", 1, "control character"),
        (b"<a>\n&nbsp;</a>", 2, "'nbsp' not defined; write the character itself"),
        (b"<a b='1' b='2'/>", 1, "Attribute b redefined"),
        (b'<?xml version="1.0"?>\n<a b=1/>', 2, "AttValue"),
        (b"<a><![CDATA[x", 1, "cdata not finished"),
    ],
)
def test_broken_xml_is_a_finding_with_its_line(data: bytes, line: int, words: str) -> None:
    assert read(data) == (None, [("xml.not-well-formed", line)])
    assert words.lower() in said(data).lower()
    assert said(data).startswith("column ")


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * 300 + b"</a>" * 300,
        b"<a>" * 100_000,
        b"<a>" + b"x" * 10_100_000 + b"</a>",
        b'<a b="' + b"x" * 10_100_000 + b'"/>',
    ],
)
def test_what_is_too_deep_or_too_long_is_a_finding(data: bytes) -> None:
    assert read(data) == (None, [("xml.limit", 1)])


def test_lines_beyond_65535_are_nearly_right() -> None:
    root, findings = parse(b"<a>" + b"\n" * 100_000 + b"<b>x</b></a>", "f.xml")
    assert findings == []
    assert root is not None
    assert abs((root[0].sourceline or 0) - 100_001) <= 1


def test_comments_instructions_and_cdata_are_kept() -> None:
    assert read(b"<!-- a --><?p q?><a>1<!-- b --><?r s?><![CDATA[<&]]></a>") == ("<a>1<!-- b --><?r s?>&lt;&amp;</a>", [])


def test_blank_lines_before_the_declaration_do_no_harm() -> None:
    root, findings = parse(b'\n\n<?xml version="1.0"?>\n<a/>', "f.xml")
    assert findings == []
    assert root is not None
    assert root.sourceline == 4


# --- entities -----------------------------------------------------------------------------------


def test_a_doctype_alone_is_fine_and_asks_nobody() -> None:
    data = b'<!DOCTYPE a PUBLIC "-//X//DTD A//EN" "http://localhost:1/a.dtd" [<!ELEMENT a ANY>]>\n<a>1 &lt; 2 &#38; &#x41;</a>'
    assert read(data) == ("<a>1 &lt; 2 &amp; A</a>", [])


def test_entities_of_plain_text_are_written_out() -> None:
    data = (
        b'<!DOCTYPE a [<!-- <!ENTITY no "n"> --><!ENTITY p "R&#38;#38;D &amp; &#60;&#34;x">\n<!ENTITY q "caf\xc3\xa9\n5">'
        b'<!ENTITY p "second"><!ATTLIST a z CDATA "of &q;">]>\n<a b="&p;"><c>&q;</c><![CDATA[&p;]]><!-- &p; --></a>'
    )
    plain = '<a b="R&amp;D &amp; &quot;x" z="of café&#10;5"><c>café\n5</c>&amp;p;<!-- &p; --></a>'
    assert read(data.replace(b"&#60;", b"")) == (plain, [])
    assert read(data) == (None, [("xml.not-well-formed", 4)])


def test_entities_hold_mark_up_and_other_entities() -> None:
    subset = (
        b"""<!ENTITY name "Acme &amp; Co"><!ENTITY whole "&name;, 'the' &#34;firm&#34;"><!ENTITY bold "<b c='&name;'>so\n</b>">"""
    )
    data = b"<!DOCTYPE a [" + subset + b"]>\n<a b='&whole;'>&whole;\n<c/>&bold;</a>"
    plain = "Acme &amp; Co, 'the' \"firm\""
    expected = f'<a b="{plain.replace(chr(34), "&quot;")}">{plain}\n<c/><b c="Acme &amp; Co">so </b></a>'
    assert read(data) == (expected, [])
    assert parse(data, "x.xml")[0][0].sourceline == 4  # type: ignore[index]  # there is a tree


def test_html_names_are_known_where_a_dtd_would_define_them() -> None:
    data = b'<!DOCTYPE a PUBLIC "-//X//DTD A//EN" "a.dtd">\n<a b="5&nbsp;mg">&eacute;&ndash;&mu;</a>'
    assert read(data) == ('<a b="5\xa0mg">é–μ</a>', [])
    unknown = b'<!DOCTYPE a PUBLIC "-//X//DTD A//EN" "a.dtd">\n<a>\n<b c="&company;"/>&company;</a>'
    assert read(unknown) == (None, [("xml.entity-unknown", 3)])
    declared_elsewhere = b'<!DOCTYPE a [<!ENTITY % more SYSTEM "more.ent"> %more;]>\n<a>&company;</a>'
    assert read(declared_elsewhere) == (None, [("xml.entity-unknown", 2)])


BOMB = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


@pytest.mark.parametrize(
    ("subset", "use", "words"),
    [
        (b'<!ENTITY x SYSTEM "file:///etc/passwd">', b"&x;", "stands outside the file"),
        (b'<!ENTITY x PUBLIC "-//X//EN" "http://localhost:1/x">', b"<b c='&x;'/>", "stands outside the file"),
        (b'<!ENTITY l0 "ha">' + BOMB, b"&l9;", "built of others has more than 512 bytes"),
        (b'<!ENTITY x "<b>bold</b>">', b"<b c='&x;'/>", "not allowed in attributes"),
        (b'<!ENTITY x "&x;">', b"&x;", "holds itself"),
        (b'<!ENTITY x "a &y;"><!ENTITY y "b &x;">', b"&x;", "holds itself"),
        (b'<!ENTITY x "see &y;"><!ENTITY y SYSTEM "y.xml">', b"&x;", "stands outside the file"),
        (b'<!ENTITY x "%p;">', b"&x;", "parameter entity"),
        (b'<!ENTITY x "' + b"A" * 1000 + b'">', b"&x;" * (MAX_EXPANSION // 1000 + 1), f"add more than {MAX_EXPANSION} bytes"),
        (b"<!ENTITY % p \"<!ENTITY x 'y'>\"> %p;", b"&x;", "is defined in a DTD"),
    ],
)
def test_entities_that_are_more_than_text_are_refused_where_they_are_used(subset: bytes, use: bytes, words: str) -> None:
    assert words in said(b"<!DOCTYPE a [" + subset + b"]>\n<a>" + use + b"</a>")
    assert read(b"<!DOCTYPE a [" + subset + b"]>\n<a>1</a>") == ("<a>1</a>", [])


def test_characters_that_are_no_text_are_read_as_what_they_stand_for() -> None:
    data = (
        "<a b='it&#146;s'>\n5 &#x96; 6\u0093x\u0094 a\ufeffb\u2028c&#8233;d\x7f&#129; &#160;&#9731;<![CDATA[&#146;\u0092]]></a>"
    )
    assert read(data.encode()) == ('<a b="it’s">\n5 – 6“x” ab c d \xa0☃&amp;#146;’</a>', [("xml.characters", 1)])


def test_attribute_defaults_of_the_file_itself_are_put_in() -> None:
    subset = b"""<!ENTITY who "nurse"><!-- <!ATTLIST p audience CDATA "nobody"> --><!ATTLIST p audience CDATA "&who;"
      audience CDATA "second" id ID #IMPLIED kind (a | b) 'a' xml:lang CDATA #FIXED "en">"""
    data = b"<!DOCTYPE a [" + subset + b']><a><p/><p audience="patient" kind="b"/></a>'
    expected = '<a><p audience="nurse" kind="a" xml:lang="en"/><p audience="patient" kind="b" xml:lang="en"/></a>'
    assert read(data) == (expected, [])
    many = b'<!DOCTYPE a [<!ATTLIST p b CDATA "' + b"x" * 10_000 + b'">]><a>' + b"<p/>" * 1000 + b"</a>"
    assert read(many) == (None, [("xml.limit", 1)])


def test_each_refused_entity_is_one_finding_at_its_first_use() -> None:
    data = b'<!DOCTYPE a [<!ENTITY x SYSTEM "x"><!ENTITY y SYSTEM "y">]>\n<a>&y;\n&x;&x;</a>'
    assert read(data) == (None, [("xml.entity-refused", 2), ("xml.entity-refused", 3)])


@pytest.mark.parametrize("piece", [b"<", b"<!--", b"<!ENTITY ", b"<!ENTITY x ", b'"', b"%", b"]", b"<?", b"<!DOCTYPE a ["])
def test_a_doctype_of_rubbish_is_refused(piece: bytes) -> None:
    tree, findings = read(b"<!DOCTYPE a [" + piece * 20_000)
    assert tree is None
    assert [code for code, _ in findings] == ["xml.not-well-formed"]


# --- namespaces ---------------------------------------------------------------------------------


def test_prefixes_that_only_the_dtd_declares_are_declared() -> None:
    data = b'<!DOCTYPE topic PUBLIC "-//X//DTD T//EN" "t.dtd">\n<topic ditaarch:Version="1.3">\n<foo:b xlink:href="c"/></topic>'
    root, findings = parse(data, "f.xml")
    assert findings == []
    assert root is not None
    assert root.get("{http://dita.oasis-open.org/architecture/2005/}Version") == "1.3"
    assert root[0].tag == "{urn:undeclared-prefix:foo}b"
    assert root[0].get("{http://www.w3.org/1999/xlink}href") == "c"
    assert (root.sourceline, root[0].sourceline) == (2, 3)


def test_prefixes_that_nothing_declares_are_a_warning() -> None:
    root, findings = parse(b"<!-- <x y='>'> -->\n<a:b><c:d/></a:b>", "f.xml")
    assert root is not None
    assert [(f.code, f.line, f.text) for f in findings] == [
        ("xml.prefix-undeclared", 2, "no declaration of the namespace prefix a, c")
    ]


def test_undeclared_prefixes_do_not_hide_broken_xml() -> None:
    assert read(b"<a:b>\n<c></a:b>") == (None, [("xml.not-well-formed", 2)])


# --- heads --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "root", "namespace"),
    [
        (b"<a><b>", "a", ""),
        (b"<a\n", "", ""),
        (b'<x:a xmlns:x="urn:x"/>', "a", "urn:x"),
        (b"<a " + b"b" * HEAD_BYTES + b"='1'><c/></a>", "a", ""),
        (b"<!--" + b" <no> " * HEAD_BYTES + b"--><a/>", "a", ""),
        ("<a>ñ".encode("utf-16"), "a", ""),
        (b"<a>" + "ñ".encode() * HEAD_BYTES + b"</a>", "a", ""),
        (b"<a>\xff", "", ""),
    ],
)
def test_a_head_needs_no_more_than_the_start_tag(data: bytes, root: str, namespace: str) -> None:
    found = head(data, "f.xml")
    if root:
        assert isinstance(found, Head)
        assert (found.file, found.root, found.namespace) == ("f.xml", root, namespace)
    else:
        assert isinstance(found, Finding)
        assert found.code in ("xml.not-well-formed", "xml.encoding")


def test_a_head_says_doctype_and_attributes() -> None:
    data = b'<?xml version="1.0"?><!DOCTYPE a PUBLIC "-//X//EN" "a.dtd" [<!ENTITY e "v>">]><a b="&e;" c:d="/>" xmlns:c="urn:c">'
    assert head(data, "f.xml") == Head("f.xml", "a", "", "-//X//EN", "a.dtd", {"b": "v>", "{urn:c}d": "/>"})
    assert head(b"<!DOCTYPE a SYSTEM 'b.dtd'><a/>", "f.xml") == Head("f.xml", "a", "", "", "b.dtd", {})


# --- corpora ------------------------------------------------------------------------------------


@pytest.mark.corpus
def test_hostile_files_are_refused_or_harmless(corpora: Path) -> None:
    folder = corpora / "hostile-defusedxml" / "xmltestdata"
    refused = {path.name for path in folder.glob("*.xml") if parse(path.read_bytes(), path.name)[0] is None}
    assert refused == {"cyclic.xml", "external.xml", "external_file.xml", "quadratic.xml", "xmlbomb.xml"}


@pytest.mark.corpus
def test_every_other_file_of_the_corpora_is_read(corpora: Path) -> None:
    paths = [path for path in corpora.rglob("*.xml") if "hostile-defusedxml" not in path.parts]
    unread = {
        path.name: parse(path.read_bytes(), path.name)[1] for path in paths if parse(path.read_bytes(), path.name)[0] is None
    }
    assert len(paths) > 100
    assert unread == {}

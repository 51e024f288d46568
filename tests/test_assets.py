"""Images: what is shown is what was checked; an SVG only draws."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from lxml import etree

from pipeline import assets
from pipeline.assets import DefaultLimits, check, load_logo
from pipeline.contracts import Image
from pipeline.errors import NotFound
from pipeline.topic import Metadata, Topic

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="20">%s</svg>'


@dataclass
class Held:
    """Input files in memory; counts what is read."""

    files: Mapping[str, bytes]
    reads: list[str] = field(default_factory=list)

    def names(self) -> Sequence[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        if name not in self.files:
            raise NotFound(name)
        return self.files[name]

    def __contains__(self, name: object) -> bool:
        return name in self.files


def topic(body: str) -> Topic:
    return Topic(Metadata(id="t", language="en", title="T", file="t.xml", line=2), etree.fromstring(f"<body>{body}</body>"))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 3, height: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 8)) + chunk(b"IEND", b"")


def jpeg(width: int = 3, height: int = 2, orientation: int = 0) -> bytes:
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HH", orientation, 0) + b"\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif if orientation else b""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + segment + frame + b"\xff\xd9"


def gif(width: int = 3, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0,;"


def webp(kind: bytes, payload: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(body)) + body


def one(data: bytes, name: str = "a.png") -> tuple[Image | None, list[str]]:
    """The image and the findings' codes and texts of a topic that shows one file."""
    found, findings = check(topic(f'<p data-line="7"><img src="{name}" alt=""/></p>'), Held({name: data}), DefaultLimits(), {})
    assert all((f.file, f.line, f.topic) == ("t.xml", 7, "t en") for f in findings)
    return found.images.get(name), [f"{f.code}: {f.text}" for f in findings]


def drawn(inner: bytes, **wrapped: bytes) -> tuple[str, str]:
    """What an SVG with this content is delivered as, without its root's tags, and what it lost."""
    image, findings = one(wrapped.get("whole", SVG % inner), "a.svg")
    assert image is not None, findings
    root = etree.fromstring(image.data)
    content = (root.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in root)
    clean = content.replace(' xmlns="http://www.w3.org/2000/svg"', "").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    assert all(finding.startswith("image.svg-cleaned") for finding in findings)
    return clean, "".join(finding.partition(" lost: ")[2] for finding in findings)


# --- raster images ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media_type", "extension"),
    [
        (png(), "image/png", "png"),
        (jpeg(), "image/jpeg", "jpg"),
        (gif(), "image/gif", "gif"),
        (webp(b"VP8X", b"\0\0\0\0\x02\0\0\x01\0\0"), "image/webp", "webp"),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 2 | 1 << 14)), "image/webp", "webp"),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a\x03\0\x02\0"), "image/webp", "webp"),
    ],
)
def test_an_image_is_what_its_bytes_are(data: bytes, media_type: str, extension: str) -> None:
    image, findings = one(data, "Pictures/Hip joint (left).PNG")
    assert findings == []
    assert image is not None
    assert (image.src, image.media_type, image.width, image.height) == ("Pictures/Hip joint (left).PNG", media_type, 3, 2)
    assert image.path == f"media/{image.sha256[:8]}-hip-joint-left.{extension}"
    assert image.data == data


@pytest.mark.parametrize(("orientation", "size"), [(1, (3, 2)), (3, (3, 2)), (6, (2, 3)), (8, (2, 3))])
def test_a_turned_photograph_has_the_size_it_is_shown_in(orientation: int, size: tuple[int, int]) -> None:
    image, findings = one(jpeg(orientation=orientation))
    assert findings == []
    assert image is not None
    assert (image.width, image.height) == size


@pytest.mark.parametrize(
    "data",
    [png()[:-12], png()[:20], jpeg()[:-2], jpeg()[:4] + b"\xff\xd9", gif()[:-1], gif()[:8], png(0, 5), b"RIFF\xff\0\0\0WEBPVP8X"],
)
def test_a_damaged_image_is_an_error(data: bytes) -> None:
    image, (finding,) = one(data)
    assert image is None
    assert finding.startswith("image.damaged: the image 'a.png' begins like image/")


@pytest.mark.parametrize("data", [b"", b"BM\0\0", b"II*\0", b"%PDF-1.7", b"\0\0\0\x0cjP  ", b"just text"])
def test_other_types_are_errors(data: bytes) -> None:
    image, (finding,) = one(data)
    assert image is None
    assert finding.startswith("image.type: ")


def test_limits_hold() -> None:
    image, findings = one(png(5000, 5001))
    assert (image, findings) == (None, ["image.too-large: the image 'a.png' is 5000 x 5001 pixels; allowed are 25,000,000"])
    image, (finding,) = one(png() + b"\0" * 5_000_000)
    assert image is None
    assert finding.startswith("image.too-large: the image 'a.png' has 5,000,0")

    @dataclass
    class Tight:
        max_megabytes: float = 1.0
        max_megapixels: float = 0.000005

    found, findings_ = check(topic('<p><img src="a.png" alt=""/></p>'), Held({"a.png": png()}), Tight(), {})
    assert found.images == {}
    assert [f.code for f in findings_] == ["image.too-large"]


# --- places -------------------------------------------------------------------------------------


def test_missing_and_external_images_are_errors_at_their_place() -> None:
    body = (
        '<p data-line="4"><img src="img/Hip.png" alt=""/><img src="gone.png" alt=""/><img src="gone.png" alt=""/></p>'
        '<section data-line="9" data-file="shared.xml"><p><img src="https://other.example/a.png" alt=""/></p></section>'
        '<p><img src="data:image/png;base64,AA" alt=""/><img src="//other.example/b.png" alt=""/>'
        '<img src="old/knee.png" alt=""/></p>'
    )
    found, findings = check(topic(body), Held({"img/hip.png": png(), "new/Knee.png": png()}), DefaultLimits(), {})
    assert found.images == {}
    assert [(f.code, f.place) for f in findings] == [
        ("image.missing", "t.xml:4"),
        ("image.missing", "t.xml:4"),
        ("image.external", "shared.xml:9"),
        ("image.external", "t.xml:2"),
        ("image.external", "t.xml:2"),
        ("image.missing", "t.xml:2"),
    ]
    assert "there is 'img/hip.png': upper and lower case count" in findings[0].text
    assert "there is 'new/Knee.png'" in findings[5].text


def test_credit_lines_go_with_their_images() -> None:
    files = Held({"a.png": png(), "b.gif": gif()})
    found, findings = check(
        topic('<figure><img src="a.png" alt=""/><img src="b.gif" alt=""/><img src="a.png" alt=""/></figure>'),
        files,
        DefaultLimits(),
        {"a.png": "Drawing: J. Doe"},
    )
    assert findings == []
    assert {name: image.credit for name, image in found.images.items()} == {"a.png": "Drawing: J. Doe", "b.gif": ""}
    assert files.reads == ["a.png", "b.gif"]


def test_a_changed_image_is_examined_again() -> None:
    first, _ = one(png(3, 2))
    second, _ = one(png(4, 2))
    assert first is not None
    assert second is not None
    assert (first.width, second.width) == (3, 4)


def test_a_logo_is_checked_like_any_image() -> None:
    assert load_logo(png(), "Logo.png").path.endswith("-logo.png")
    with pytest.raises(ValueError, match="is not PNG"):
        load_logo(b"BM", "logo.bmp")
    with pytest.raises(ValueError, match="line 1"):
        load_logo(b"<svg", "logo.svg")


# --- drawings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inner",
    [
        '<title>Hip</title><desc>The joint</desc><g transform="scale(2)" id="a"><path d="M0 0" fill="#f00"/></g>',
        '<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><rect fill="url(#g)" width="1"/>',
        '<text x="1" font-family="serif">10<tspan baseline-shift="super">9</tspan> cells</text>',
        '<style>.a{fill:red;stroke:url(#g)}.b{opacity:.5}</style><circle class="a" r="1"/>',
        '<rect style="fill:url(#g);stroke-width:2px"/>',
        '<symbol id="s"><circle r="1"/></symbol><use xlink:href="#s" x="3"/>',
        '<switch><g systemLanguage="es"><text>uno</text></g><g><text>one</text></g></switch>',
    ],
)
def test_what_draws_is_kept_as_it_is(inner: str) -> None:
    assert drawn(inner.encode()) == (inner, "")


@pytest.mark.parametrize(
    ("inner", "kept", "lost"),
    [
        ("<script>alert(1)</script><path/>", "<path/>", "<script>"),
        ('<path onclick="alert(1)" ONLOAD="x()"/>', "<path/>", "onclick, ONLOAD"),
        ('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>', "", "<foreignObject>"),
        ('<image href="https://other.example/p.png" width="1"/>', "", "link to https://other.example/p.png"),
        ('<image xlink:href="file:///etc/passwd"/>', "", "link to file:///etc/passwd"),
        ('<use href="other.svg#a"/>', "", "link to other.svg#a"),
        ('<a xlink:href="javascript:alert(1)"><text>go</text></a>', "<text>go</text>", ""),
        ('<rect fill="url(https://other.example/#a)"/>', "<rect/>", "fill with https://other.example/#a"),
        ('<rect fill="url( \'HTTPS://x\' )" filter="url(#f)"/>', '<rect filter="url(#f)"/>', "fill with HTTPS://x"),
        ('<rect fill="u\\72l(https://x)"/>', "<rect/>", "fill"),
        ('<rect fill="url(#a"/>', "<rect/>", "fill"),
        (
            '<rect style="fill:red;background:url(//x);behavior:url(#b);-x:1"/>',
            '<rect style="fill:red"/>',
            "style background, style behavior",
        ),
        (
            "<style>@import url(https://x/a.css);.a{fill:red}</style>",
            "<style>.a{fill:red}</style>",
            "style @import url(https://x/a.css);",
        ),
        (
            "<style>@font-face{src:url(f.woff)}.a{fill:blue}</style>",
            "<style>.a{fill:blue}</style>",
            "style @font-face{src:url(f.woff)}",
        ),
        (
            "<style>@media print{.a{fill:red}}.b{fill:red}</style>",
            "<style>.b{fill:red}</style>",
            "style @media print{.a{fill:red}}",
        ),
        ("<style>.a{fill:url(https://x)}/* } @import */</style>", "<style>.a{}</style>", "style fill with https://x"),
        ("<style>&lt;/style>&lt;script>x&lt;/script>.a{fill:red}</style>", "<style/>", "style rule"),
        (
            '<rect><animate attributeName="href" to="javascript:x"/><set attributeName="onclick"/></rect>',
            "<rect/>",
            "<animate>, <set>",
        ),
        ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "", "link to data:image/svg+xml;base64,PHN2Zy8+"),
        ('<image href="data:image/png;base64,bm90IGEgcG5n"/>', "", "link to data:image/png;base64,bm90IGEgcG5n"),
        ('<feImage href="#a"/><path d="M0 0"/><?php x ?><!-- c -->', '<path d="M0 0"/>', "<feImage>"),
        (
            '<metadata><x:rdf xmlns:x="urn:x">Jane</x:rdf></metadata><x:view xmlns:x="urn:x"/><path x:note="1" xmlns:x="urn:x"/>',
            "<path/>",
            "",
        ),
        ("<marquee>x</marquee>", "", "<marquee>"),
    ],
)
def test_what_does_more_than_draw_is_taken_out_and_named(inner: str, kept: str, lost: str) -> None:
    assert drawn(inner.encode()) == (kept, lost)


def test_a_picture_inside_the_drawing_stays() -> None:
    data = base64.b64encode(png()).decode()
    kept, lost = drawn(f'<image width="3" href="data:image/png;base64,{data[:9]}\n {data[9:]}"/>'.encode())
    assert (kept, lost) == (f'<image width="3" xlink:href="data:image/png;base64,{data}"/>', "")


def test_a_style_sheet_from_elsewhere_is_named() -> None:
    kept, lost = drawn(b"", whole=b'<?xml-stylesheet href="https://x/a.css"?>' + SVG % b"<path/>")
    assert (kept, lost) == ("<path/>", 'style sheet href="https://x/a.css"')


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html><body/></html>", "its root is <html>"),
        (b'<svg xmlns="urn:other"/>', "its root is <svg>"),
        (SVG % b'<g id="a"><use href="#a"/></g>', "or themselves"),
        (SVG % b'<use id="a" href="#b"/><use id="b" href="#a"/>', "or themselves"),
        (
            SVG % b"".join(b'<g id="g%d">%s</g>' % (n, b'<use href="#g%d"/>' % (n - 1) * 10) for n in range(1, 9)),
            "would draw more than",
        ),
    ],
)
def test_what_is_no_picture_is_an_error(data: bytes, said: str) -> None:
    image, (finding,) = one(data, "a.svg")
    assert image is None
    assert finding.startswith("image.type: ")
    assert said in finding


@pytest.mark.parametrize(
    "data",
    [b"<svg", b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>'],
)
def test_a_drawing_that_is_no_safe_xml_is_an_error(data: bytes) -> None:
    image, (finding,) = one(data, "a.svg")
    assert image is None
    assert finding.startswith("image.damaged: the image 'a.svg', line 1: ")


def test_a_deep_drawing_is_drawn() -> None:
    inner = b"<g>" * 250 + b"<path/>" + b"</g>" * 250
    assert drawn(inner) == (inner.decode(), "")


def test_plain_text_entities_of_drawing_programs_are_read() -> None:
    whole = (
        b'<!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg">]><svg xmlns="&ns;" viewBox="0 0 4 8"><path d="M0 0"/></svg>'
    )
    assert drawn(b"", whole=whole) == ('<path d="M0 0"/>', "")


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="10" height="20.6px"', (10, 21)),
        ('width="1in" height="2.54cm"', (96, 96)),
        ('viewBox="0 0 30 40"', (30, 40)),
        ('width="100%" height="100%" viewBox="0,0,30,40"', (30, 40)),
        ('width="60" viewBox="0 0 30 40"', (60, 80)),
        ("", (0, 0)),
        ('width="1e9" height="5"', (0, 0)),
        ('viewBox="0 0 0 0"', (0, 0)),
        ('viewBox="0 0 x"', (0, 0)),
    ],
)
def test_a_drawing_has_a_size_in_pixels(attributes: str, size: tuple[int, int]) -> None:
    image, findings = one(f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>'.encode(), "a.svg")
    assert findings == []
    assert image is not None
    assert (image.width, image.height) == size


def test_the_same_bytes_give_the_same_picture() -> None:
    data = SVG % b'<path onclick="x" d="M0 0"/>'
    assets._examined.cache_clear()
    first, _ = one(data, "a.svg")
    assets._examined.cache_clear()
    second, _ = one(data, "a.svg")
    assert first == second


def test_svg_of_a_long_chain_is_refused_without_end_of_stack() -> None:
    chain = "".join(f'<use id="u{n}" xlink:href="#u{n - 1}"/>' for n in range(3000, 0, -1)) + '<rect id="u0"/>'
    image, (finding,) = one(SVG % chain.encode(), "a.svg")
    assert image is None
    assert "would draw more than" in finding

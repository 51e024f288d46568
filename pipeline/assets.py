"""Images: what a topic's body shows, checked before anything shows it.

In: a topic, the input files, limits, credit lines by file. Out: `Assets` (images as they will be delivered) and findings.
An image is what its bytes are, whatever its name says: PNG, JPEG, GIF, WebP by their first bytes and headers, nothing is decoded;
SVG is rebuilt (see svg.py). An image that can not be shown is an error: the reader would see a hole.

Specifications: PNG (third edition), JPEG (ITU T.81) with Exif orientation, GIF89a, WebP (RFC 9649).
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from lxml import etree

from pipeline import svg
from pipeline.contracts import Assets, Files, Image
from pipeline.findings import Code, Finding, error, warning
from pipeline.topic import Topic

MISSING = error("image.missing", "An image is not in the inputs.", "Add the file, or correct the image's address.")
EXTERNAL = error("image.external", "An image stands on another host; pages ask no other host.", "Copy the image into the inputs.")
TYPE = error("image.type", "An image is none that every browser and reader shows.", "Save it as PNG, JPEG, GIF, WebP or SVG.")
DAMAGED = error("image.damaged", "An image's file is damaged or cut off.", "Export the image again.")
TOO_LARGE = error(
    "image.too-large", "An image is larger than the settings allow.", "Make it smaller, or raise [images] in syndication.toml."
)
CLEANED = warning(
    "image.svg-cleaned",
    "An SVG held something that does more than draw, or comes from elsewhere; it was taken out.",
    "Look at the image as it is delivered; save it without scripts, animation, links, fonts and images from elsewhere.",
)

_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/svg+xml": "svg"}
_SVG_START: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


class Limits(Protocol):
    """How large an image may be."""

    @property
    def max_megabytes(self) -> float:
        """Of its file, in millions of bytes."""

    @property
    def max_megapixels(self) -> float:
        """Of a raster image, in millions of pixels."""


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """The limits where nobody sets others."""

    max_megabytes: float = 5.0
    max_megapixels: float = 25.0


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with an image, before it is known where it is shown."""

    code: Code
    text: str


def check(topic: Topic, files: Files, limits: Limits, credit_lines: Mapping[str, str]) -> tuple[Assets, list[Finding]]:
    """The images of a topic's body by `img/@src`, and a finding for each that can not be shown or was changed.

    `credit_lines` are the lines that must be visible with an image, by input file. Raises StoreError where the store fails.
    """
    images: dict[str, Image] = {}
    findings: list[Finding] = []
    seen: set[str] = set()
    for element in topic.body.iter("img"):
        source = element.get("src", "")
        if source in seen:
            continue
        seen.add(source)
        image, problem = _checked(source, files, limits)
        if image is not None:
            images[source] = replace(image, credit=credit_lines.get(source, ""))
        if problem is not None:
            findings.append(_finding(problem, element, topic))
    return Assets(images), findings


def delivered(source: str, files: Files, limits: Limits) -> Image | None:
    """One image by its input file, as it is delivered; None where it can not be shown. Raises StoreError."""
    return _checked(source, files, limits)[0]


def load_logo(data: bytes, name: str) -> Image:
    """A publisher's or partner's logo, checked like any image. Raises ValueError, which says what is wrong."""
    image, problem = _examined(name, data, *_numbers(DefaultLimits()))
    if image is None:
        raise ValueError(problem.text if problem else name)
    return image


def _checked(source: str, files: Files, limits: Limits) -> tuple[Image | None, _Problem | None]:
    if _ADDRESS.match(source):
        return None, _Problem(EXTERNAL, f"the image {source!r} would be asked of another host")
    if source not in files:
        return None, _Problem(MISSING, f"the image {source!r} is not in the inputs{_hint(source, files)}")
    return _examined(source, files.read(source), *_numbers(limits))


def _numbers(limits: Limits) -> tuple[int, int]:
    return int(limits.max_megabytes * 1_000_000), int(limits.max_megapixels * 1_000_000)


def _finding(problem: _Problem, element: etree._Element, topic: Topic) -> Finding:
    """The finding at the image's own place, or the nearest that is known."""
    around = [element, *element.iterancestors()]
    line = next((int(e.get("data-line", "0")) for e in around if e.get("data-line")), topic.metadata.line)
    file = next((e.get("data-file", "") for e in around if e.get("data-file")), topic.metadata.file)
    return problem.code.at(file, line, problem.text, topic=" ".join(topic.metadata.key))


def _hint(source: str, files: Files) -> str:
    lower, base = _spellings(tuple(files.names()))
    if source.lower() in lower:
        return f"; there is {lower[source.lower()]!r}: upper and lower case count"
    same = base.get(posixpath.basename(source).lower(), ())
    return f"; there is {same[0]!r}" if len(same) == 1 else ""


@lru_cache(maxsize=2)
def _spellings(names: tuple[str, ...]) -> tuple[Mapping[str, str], Mapping[str, Sequence[str]]]:
    base: dict[str, list[str]] = {}
    for name in names:
        base.setdefault(posixpath.basename(name).lower(), []).append(name)
    return {name.lower(): name for name in names}, base


# Bytes are part of the key: an image that 100 topics show is examined once, a changed one again.
@lru_cache(maxsize=32)
def _examined(name: str, data: bytes, max_bytes: int, max_pixels: int) -> tuple[Image | None, _Problem | None]:
    """The image as it will be delivered (None where it can not be), and what is wrong with it or was taken out."""
    if len(data) > max_bytes:
        return None, _Problem(TOO_LARGE, f"the image {name!r} has {len(data):,} bytes; allowed are {max_bytes:,}")
    media_type = _media_type(data)
    if media_type == "image/svg+xml":
        return _drawing(name, data, max_pixels)
    if not media_type:
        return None, _Problem(TYPE, f"the image {name!r} is not PNG, JPEG, GIF, WebP or SVG; it begins with {data[:8]!r}")
    size = _size(media_type, data)
    if size is None:
        return None, _Problem(DAMAGED, f"the image {name!r} begins like {media_type}, but is not whole")
    if size[0] * size[1] > max_pixels:
        return None, _Problem(TOO_LARGE, f"the image {name!r} is {size[0]} x {size[1]} pixels; allowed are {max_pixels:,}")
    return _image(name, media_type, data, size), None


def _drawing(name: str, data: bytes, max_pixels: int) -> tuple[Image | None, _Problem | None]:
    drawing = svg.rebuilt(data, name, lambda inner: _allowed_inside(inner, max_pixels))
    if isinstance(drawing, Finding):
        return None, _Problem(DAMAGED, f"the image {name!r}, line {drawing.line}: {drawing.text}")
    if isinstance(drawing, str):
        return None, _Problem(TYPE, f"the image {name!r} can not be shown: {drawing}")
    image = _image(name, "image/svg+xml", drawing.data, (drawing.width, drawing.height))
    return image, _Problem(CLEANED, f"the image {name!r} lost: {', '.join(drawing.removed)}") if drawing.removed else None


def _allowed_inside(data: bytes, max_pixels: int) -> bool:
    size = _size(_media_type(data), data)
    return size is not None and size[0] * size[1] <= max_pixels


def _image(name: str, media_type: str, data: bytes, size: tuple[int, int]) -> Image:
    digest = hashlib.sha256(data).hexdigest()
    stem = posixpath.splitext(posixpath.basename(name))[0].lower()
    slug = re.sub("[^a-z0-9]+", "-", stem).strip("-")[:60].strip("-") or "image"
    return Image(name, f"media/{digest[:8]}-{slug}.{_EXTENSIONS[media_type]}", media_type, data, digest, *size)


# --- what bytes are -----------------------------------------------------------------------------


def _media_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if _SVG_START.match(data) else ""


def _size(media_type: str, data: bytes) -> tuple[int, int] | None:
    """Width and height by the file's headers; None where they are not there, or the file's end is missing."""
    reader = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}.get(media_type)
    try:
        size = reader(data) if reader else None
    except (struct.error, IndexError):
        return None
    return size if size and min(size) > 0 else None


def _png(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack(">II", data[16:24])
    place = 8
    while data[place + 4 : place + 8] != b"IEND":
        if place + 12 > len(data):
            return None
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return (width, height) if data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack("<HH", data[6:10])
    return (width, height) if b"\x3b" in data[-16:] else None


def _webp(data: bytes) -> tuple[int, int] | None:
    if len(data) < 8 + int.from_bytes(data[4:8], "little"):
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    place, turned = 2, False
    if data.rfind(b"\xff\xd9") < 0:
        return None
    while data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return (height, width) if turned else (width, height)
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            turned = _orientation(data[place + 10 : place + 2 + length]) > 4
        place += 2 + length
    return None


def _orientation(tiff: bytes) -> int:
    """Exif's orientation: above 4, width and height change places when the image is shown."""
    order = ">" if tiff[:2] == b"MM" else "<"
    (start,) = struct.unpack(f"{order}I", tiff[4:8])
    (count,) = struct.unpack(f"{order}H", tiff[start : start + 2])
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, _kind, _number, value = struct.unpack(f"{order}HHIH", tiff[place : place + 10])
        if tag == 0x0112:
            return int(value)
    return 1

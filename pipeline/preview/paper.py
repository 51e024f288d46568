"""A page as it comes off the printer: sheets under one another, with the lines that its style sheet puts on every sheet.

In: an HTML page that says how it is printed (`@page`, `@media print`). Out: the same page laid out on screen as a printer would:
print rules apply, the text runs through columns of the size of a sheet's inside (CSS Multi-column Layout Level 2), and margin
boxes stand ready for the page around it to place, since only it can count the sheets. See docs/decisions.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

SIZES: Final = {"letter": (215.9, 279.4), "a4": (210.0, 297.0)}  # millimetres
GAP: Final = 8.0  # between sheets
_MARGIN: Final = re.compile(r"@page\s*\{[^{}]*?margin\s*:\s*([^;{}]+)")
_BOX: Final = re.compile(r"@((?:top|bottom)-(?:left|center|right))\s*\{\s*content\s*:\s*((?:\"[^\"]*\"|[^;\"{}])*)")
_PART: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|counter\((pages?)\)")
_ESCAPE: Final = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)")
_PRINT: Final = re.compile(r"@media\s+print\b")
_SCREEN: Final = re.compile(r"@media\s+screen\b")


@dataclass(frozen=True)
class Margins:
    """Of a sheet, in millimetres."""

    top: float = 20.0
    right: float = 17.0
    bottom: float = 19.0
    left: float = 17.0


def is_paged(page: bytes) -> bool:
    """Whether a page says how it wants to be printed."""
    return b"@page" in page


def paged(page: bytes, size: str) -> bytes:
    """The page as sheets of a size (`letter`, `a4`)."""
    text = page.decode(errors="replace")
    margins, boxes = _margins(text), _boxes(text)
    text = _SCREEN.sub("@media not all", _PRINT.sub("@media all", text))
    marks = "".join(f'<div class="preview-box" data-box="{name}">{_spoken(value)}</div>' for name, value in boxes.items())
    holder = f'<div id="preview-boxes" hidden aria-hidden="true">{marks}</div>'
    text = text.replace("</head>", f"<style>{_sheet(size, margins)}</style></head>", 1)
    return re.sub(r"</body>", lambda _: f"{holder}</body>", text, count=1).encode()


def _margins(text: str) -> Margins:
    found = _MARGIN.search(text)
    values = [_millimetres(part) for part in found[1].split()] if found else []
    if not values or any(value is None for value in values):
        return Margins()
    top, right, bottom, left = (values * 4)[:4] if len(values) in (1, 2) else (*values, values[1])[:4]
    return Margins(top or 0, right or 0, bottom or 0, left or 0)


def _millimetres(text: str) -> float | None:
    found = re.fullmatch(r"([\d.]+)(mm|cm|in|pt|px)", text)
    scale = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "px": 25.4 / 96}
    return float(found[1]) * scale[found[2]] if found else None


def _boxes(text: str) -> dict[str, str]:
    return {found[1]: found[2] for found in _BOX.finditer(text)}


def _spoken(content: str) -> str:
    """A margin box's content as mark-up: its strings, and a slot for each counter."""
    out = []
    for part in _PART.finditer(content):
        if part[2]:
            out.append(f'<span data-counter="{part[2]}"></span>')
        else:
            out.append(html.escape(_ESCAPE.sub(_character, part[1])))
    return "".join(out)


def _character(found: re.Match[str]) -> str:
    if found[2]:
        return found[2]
    number = int(found[1], 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _sheet(size: str, margins: Margins) -> str:
    width, height = SIZES[size]
    inner_width, inner_height = width - margins.left - margins.right, height - margins.top - margins.bottom
    period = height + GAP
    return f"""
@supports (column-wrap: wrap) {{
html {{ background: #dfe3e8 !important; }}
body {{
  position: relative; box-sizing: content-box !important; width: {inner_width}mm !important; margin: 4mm auto !important;
  padding: {margins.top}mm {margins.right}mm {margins.bottom}mm {margins.left}mm !important;
  column-count: 1; column-height: {inner_height}mm; column-wrap: wrap; column-fill: auto;
  row-gap: {margins.top + margins.bottom + GAP}mm;
  background: repeating-linear-gradient(to bottom, #fff 0 {height}mm, #dfe3e8 {height}mm {period}mm) !important;
}}
.preview-box {{
  position: absolute; width: {inner_width / 2}mm; font: 8.5pt/1.3 system-ui, 'Noto Sans', Arial, sans-serif; color: #3f4953;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}}
.preview-box[data-box$="left"] {{ left: {margins.left}mm; text-align: left; }}
.preview-box[data-box$="right"] {{ right: {margins.right}mm; text-align: right; }}
.preview-box[data-box$="center"] {{ left: {margins.left + inner_width / 4}mm; text-align: center; }}
:root {{
  --preview-height: {height}; --preview-period: {period}; --preview-top: {margins.top}; --preview-bottom: {margins.bottom};
}}
}}
"""

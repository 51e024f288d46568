"""A site's brand colour as colours that can be read.

In: one `#rrggbb`, chosen by a partner for a logo and not for text. Out: custom properties: the colour itself for
decoration, black or white for words upon it, and the nearest shades of it that reach 4.5 to 1 as words on the page, light
and dark. Contrast as in WCAG 2.2, 1.4.3.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Color = tuple[int, int, int]

TEXT_CONTRAST: Final = 4.5
# The least friendly backgrounds that words in the brand colour meet, see topic.css.
LIGHT_PANEL: Final[Color] = (0xEE, 0xF1, 0xF4)
DARK_PANEL: Final[Color] = (0x26, 0x2D, 0x34)
_BLACK: Final[Color] = (0, 0, 0)
_WHITE: Final[Color] = (255, 255, 255)


@lru_cache(maxsize=256)
def brand_css(color: str, *, dark: bool = True) -> str:
    """The custom properties; `dark`: the page has a dark scheme. Raises ValueError where `color` is no `#rrggbb`."""
    brand = parse(color)
    ink = max(_WHITE, _BLACK, key=lambda text: contrast(text, brand))
    light, pale = readable(brand, LIGHT_PANEL, _BLACK), readable(brand, DARK_PANEL, _WHITE)
    colors = f".syn-page{{--syn-brand:{written(brand)};--syn-on-brand:{written(ink)};--syn-accent:{written(light)}}}"
    scheme = f"@media screen and (prefers-color-scheme: dark){{.syn-page{{--syn-accent:{written(pale)}}}}}" if dark else ""
    return f"@layer syndication{{{colors}{scheme}}}\n"


def readable(color: Color, background: Color, towards: Color) -> Color:
    """The colour, mixed with as little of `towards` as gives it the contrast that words need."""
    for step in range(101):
        mixed = _mix(color, towards, step / 100)
        if contrast(mixed, background) >= TEXT_CONTRAST:
            return mixed
    return towards


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def parse(color: str) -> Color:
    """The channels of `#rrggbb`. Raises ValueError."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError(f"brand colour: expected #rrggbb, found {color!r}")
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def written(color: Color) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _mix(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _luminance(color: Color) -> float:
    channels = [value / 255 for value in color]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

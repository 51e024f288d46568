"""Whether words stand out from what is behind them.

In: an element and the rules that set colours. Out: the lowest contrast (WCAG 2.2, 1 to 21) that it has under any
one media condition. This needs the cascade - origin layer, specificity, order, inheritance - for two properties alone.
Colours that the page leaves to the browser (system colours, `currentcolor`) count as readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Final

from lxml import etree

from pipeline.audit._css import Declaration, Rule, declarations, split
from pipeline.audit._hazards import substituted
from pipeline.audit._reading import names

Rgb = tuple[float, float, float]
LOWEST: Final = 3.0  # WCAG 1.4.3 for large text; below it small print is no longer meant to be read

_WHITE: Final[Rgb] = (1.0, 1.0, 1.0)
_BLACK: Final[Rgb] = (0.0, 0.0, 0.0)
# CSS Color 4, 6.1.
_NAMED: Final[dict[str, str]] = {
    pair[:-7]: pair[-6:]
    for pair in names(
        """aliceblue:f0f8ff antiquewhite:faebd7 aqua:00ffff aquamarine:7fffd4 azure:f0ffff beige:f5f5dc bisque:ffe4c4 black:000000
    blanchedalmond:ffebcd blue:0000ff blueviolet:8a2be2 brown:a52a2a burlywood:deb887 cadetblue:5f9ea0 chartreuse:7fff00
    chocolate:d2691e coral:ff7f50 cornflowerblue:6495ed cornsilk:fff8dc crimson:dc143c cyan:00ffff darkblue:00008b
    darkcyan:008b8b darkgoldenrod:b8860b darkgray:a9a9a9 darkgreen:006400 darkgrey:a9a9a9 darkkhaki:bdb76b
    darkmagenta:8b008b darkolivegreen:556b2f darkorange:ff8c00 darkorchid:9932cc darkred:8b0000 darksalmon:e9967a
    darkseagreen:8fbc8f darkslateblue:483d8b darkslategray:2f4f4f darkslategrey:2f4f4f darkturquoise:00ced1
    darkviolet:9400d3 deeppink:ff1493 deepskyblue:00bfff dimgray:696969 dimgrey:696969 dodgerblue:1e90ff firebrick:b22222
    floralwhite:fffaf0 forestgreen:228b22 fuchsia:ff00ff gainsboro:dcdcdc ghostwhite:f8f8ff gold:ffd700 goldenrod:daa520
    gray:808080 green:008000 greenyellow:adff2f grey:808080 honeydew:f0fff0 hotpink:ff69b4 indianred:cd5c5c indigo:4b0082
    ivory:fffff0 khaki:f0e68c lavender:e6e6fa lavenderblush:fff0f5 lawngreen:7cfc00 lemonchiffon:fffacd lightblue:add8e6
    lightcoral:f08080 lightcyan:e0ffff lightgoldenrodyellow:fafad2 lightgray:d3d3d3 lightgreen:90ee90 lightgrey:d3d3d3
    lightpink:ffb6c1 lightsalmon:ffa07a lightseagreen:20b2aa lightskyblue:87cefa lightslategray:778899 lightslategrey:778899
    lightsteelblue:b0c4de lightyellow:ffffe0 lime:00ff00 limegreen:32cd32 linen:faf0e6 magenta:ff00ff maroon:800000
    mediumaquamarine:66cdaa mediumblue:0000cd mediumorchid:ba55d3 mediumpurple:9370db mediumseagreen:3cb371
    mediumslateblue:7b68ee mediumspringgreen:00fa9a mediumturquoise:48d1cc mediumvioletred:c71585 midnightblue:191970
    mintcream:f5fffa mistyrose:ffe4e1 moccasin:ffe4b5 navajowhite:ffdead navy:000080 oldlace:fdf5e6 olive:808000
    olivedrab:6b8e23 orange:ffa500 orangered:ff4500 orchid:da70d6 palegoldenrod:eee8aa palegreen:98fb98 paleturquoise:afeeee
    palevioletred:db7093 papayawhip:ffefd5 peachpuff:ffdab9 peru:cd853f pink:ffc0cb plum:dda0dd powderblue:b0e0e6
    purple:800080 rebeccapurple:663399 red:ff0000 rosybrown:bc8f8f royalblue:4169e1 saddlebrown:8b4513 salmon:fa8072
    sandybrown:f4a460 seagreen:2e8b57 seashell:fff5ee sienna:a0522d silver:c0c0c0 skyblue:87ceeb slateblue:6a5acd
    slategray:708090 slategrey:708090 snow:fffafa springgreen:00ff7f steelblue:4682b4 tan:d2b48c teal:008080 thistle:d8bfd8
    tomato:ff6347 turquoise:40e0d0 violet:ee82ee wheat:f5deb3 white:ffffff whitesmoke:f5f5f5 yellow:ffff00
    yellowgreen:9acd32"""
    )
}
_LEFT_TO_BROWSER: Final = names(
    """currentcolor inherit initial unset revert revert-layer canvas canvastext linktext visitedtext activetext buttonface
    buttontext buttonborder field fieldtext highlight highlighttext mark marktext graytext accentcolor accentcolortext
    none"""
)


def rgb(value: str) -> tuple[Rgb, float] | None:
    """Red, green, blue and opacity (0 to 1) of a CSS colour; None where it is left to the browser. Raises ValueError
    for what is no colour that can be worked out."""
    value = value.strip().lower()
    if value in _LEFT_TO_BROWSER:
        return None
    if value == "transparent":
        return _BLACK, 0.0
    digits = _NAMED.get(value, value[1:] if value.startswith("#") else "")
    if re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        wide = "".join(c * 2 for c in digits) if len(digits) < 6 else digits
        channels = [int(wide[at : at + 2], 16) / 255 for at in range(0, len(wide), 2)]
        return (channels[0], channels[1], channels[2]), channels[3] if len(channels) == 4 else 1.0
    found = re.fullmatch(r"(rgb|hsl)a?\(([^()]*)\)", value)
    if found:
        return _function(found[1], found[2])
    raise ValueError(f"no colour that can be proven: {value!r}")


def _function(name: str, text: str) -> tuple[Rgb, float]:
    parts = re.findall(r"([+-]?[\d.]+)(%|deg|turn|rad)?", text)
    if len(parts) not in (3, 4):
        raise ValueError(f"no colour that can be proven: {name}({text})")
    alpha = float(parts[3][0]) / (100 if parts[3][1] == "%" else 1) if len(parts) == 4 else 1.0
    values = [float(number) / (100 if unit == "%" else 255) for number, unit in parts[:3]]
    if name == "rgb":
        return (values[0], values[1], values[2]), alpha
    hue = float(parts[0][0]) * (360 if parts[0][1] == "turn" else 1) / 30
    saturation, lightness = float(parts[1][0]) / 100, float(parts[2][0]) / 100
    spread = saturation * min(lightness, 1 - lightness)
    red, green, blue = (lightness - spread * max(-1, min((n + hue) % 12 - 3, 9 - (n + hue) % 12, 1)) for n in (0, 8, 4))
    return (red, green, blue), alpha


def contrast(text: Rgb, behind: Rgb) -> float:
    """WCAG's contrast ratio of two opaque colours."""
    high, low = sorted((_luminance(text), _luminance(behind)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Rgb) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- the cascade of two properties --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paint:
    """One declaration of a colour or of a custom property, with its weight in the cascade; `conditions` are its media
    and support conditions (layers are part of the weight)."""

    selector: str
    name: str
    value: str
    conditions: frozenset[str]
    weight: tuple[int, ...]


def paints(rules: Sequence[Rule]) -> tuple[Paint, ...]:
    """The declarations of `color`, background colour and custom properties of some rules, in order."""
    found = []
    for order, rule in enumerate(rules):
        if rule.selector.startswith("@") or "::" in rule.selector:
            continue
        layered = any(m.lower().startswith("@layer") for m in rule.media)
        for declaration in rule.declarations:
            if name := _property(declaration):
                weight = (declaration.important, not layered, *_specificity(rule.selector), order)
                for conditions in _conditions(rule.media):
                    found.append(Paint(rule.selector, name, declaration.value, conditions, weight))
    return tuple(found)


@lru_cache(maxsize=1024)
def _conditions(media: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """What must hold for at-rules to apply, each way: `screen, print` is two ways, `screen and (...)` two conditions."""
    ways: list[frozenset[str]] = [frozenset()]
    for rule in media:
        name, _, prelude = rule.partition(" ")
        if name.lower() in ("@layer", "@scope"):
            continue
        choices = [re.split(r"\s+and\s+", way.lower()) for way in split(prelude)] or [[]]
        ways = [held | {part.removeprefix("only ") for part in parts if part != "all"} for held in ways for parts in choices]
    return tuple(ways)


# What is never the case at once. Nobody reads paper in the dark.
_NEVER: Final = (
    frozenset({"screen", "print"}),
    frozenset({"print", "(prefers-color-scheme: dark)"}),
    frozenset({"(prefers-color-scheme: dark)", "(prefers-color-scheme: light)"}),
)


def _situations(painted: Iterable[Paint]) -> Iterator[frozenset[str]]:
    """The conditions under which a page may be read, so far as its paints ask for them: none, each, each two of them."""
    asked = list(dict.fromkeys([frozenset[str](), *(paint.conditions for paint in painted)]))
    for one, other in combinations_with_replacement(asked, 2):
        both = one | other
        held = both if "print" in both else both | {"screen"}
        if not any(never <= held for never in _NEVER):
            yield held


def _property(declaration: Declaration) -> str:
    if declaration.name.startswith("--"):
        return declaration.name
    return {"color": "color", "background": "background", "background-color": "background"}.get(declaration.name, "")


@lru_cache(maxsize=4096)
def _specificity(selector: str) -> tuple[int, int, int]:
    bare = re.sub(r":where\([^()]*\)", "", selector)
    ids = len(re.findall(r"#[-\w]+", bare))
    classes = len(re.findall(r"\.[-\w]+|\[[^\]]*\]|(?<!:):(?!is|not|has)[-\w]+", bare))
    return ids, classes, len(re.findall(r"(?:^|[\s>+~(,])[a-z][-\w]*", bare, re.IGNORECASE))


Applying = Sequence[tuple[etree._Element, Sequence[Paint]]]


def lowest_contrast(chain: Applying) -> float:
    """The lowest contrast of an element under any one of the conditions that its rules name. `chain` is every element from
    the root down to it, each with the paints that mean it. Raises ValueError."""
    situations = dict.fromkeys(_situations(paint for _, painted in chain for paint in painted))
    return min(_contrast_under(held, chain) for held in situations)


def _contrast_under(held: frozenset[str], chain: Applying) -> float:
    variables = _variables_under(held, chain)
    texts: list[Rgb | None] = [_BLACK]
    behinds: list[Rgb | None] = [_WHITE]
    for each, painted in chain:
        there = [paint for paint in painted if paint.conditions <= held]
        behinds = _mixed(_winning(each, "background", there, variables), behinds, behinds)
        texts = _mixed(_winning(each, "color", there, variables), texts, behinds)
    return min((contrast(t, b) for t in texts for b in behinds if t is not None and b is not None), default=21.0)


def _variables_under(held: frozenset[str], chain: Applying) -> dict[str, tuple[str, ...]]:
    """The values of each custom property under these conditions: one for each selector that sets it."""
    here = {p: None for _, painted in chain for p in painted if p.name.startswith("--") and p.conditions <= held}
    values: dict[tuple[str, str], str] = {}
    for paint in sorted(here, key=lambda paint: paint.weight):
        values[paint.name, paint.selector] = paint.value
    found: dict[str, tuple[str, ...]] = {}
    for (name, _), value in values.items():
        found[name] = (*found.get(name, ()), value)
    return found


def _winning(element: etree._Element, name: str, rules: Sequence[Paint], variables: Mapping[str, tuple[str, ...]]) -> list[str]:
    style = element.get("style")
    inline = [d.value for d in declarations(style) if _property(d) == name] if style else []
    matching = [p for p in rules if p.name == name]
    if not inline and not matching:
        return []
    value = inline[-1] if inline else max(matching, key=lambda p: p.weight).value
    values = substituted(value, variables, known=True)
    return [_color_of(v) for v in values] if name == "background" else values


def _mixed(values: Sequence[str], inherited: list[Rgb | None], behinds: list[Rgb | None]) -> list[Rgb | None]:
    """The opaque colours that `values` give over `behinds`; None where the browser chooses."""
    if not values:
        return inherited
    found: dict[Rgb | None, None] = {}
    for value in values:
        if value.strip().lower() in ("", "inherit", "currentcolor", "none", "unset", "initial", "revert", "revert-layer"):
            found.update(dict.fromkeys(inherited))
            continue
        color = rgb(value)
        if color is None:
            found[None] = None
        else:
            found.update({_over(*color, behind or _WHITE): None for behind in behinds})
    return list(found)


def _over(color: Rgb, alpha: float, behind: Rgb) -> Rgb:
    red, green, blue = (c * alpha + b * (1 - alpha) for c, b in zip(color, behind, strict=True))
    return red, green, blue


def _color_of(background: str) -> str:
    """The colour in a `background` shorthand; "none" where it has none. Raises ValueError for what is not worked out."""
    for part in re.findall(r"[-\w]+\((?:[^()]|\([^()]*\))*\)|[^\s,/]+", background.lower()):
        if part.startswith(("#", "rgb", "hsl")) or part in _NAMED or part in ("transparent", *_LEFT_TO_BROWSER):
            return str(part)
        if part.endswith(")") and not part.startswith("url("):
            raise ValueError(f"no colour that can be proven: {part!r}")
    return "none"

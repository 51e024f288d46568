"""Which CSS declarations may apply to words that readers must see.

The list allows. A property that is not on it, or a value outside what is allowed for it, is a hazard, so that
tomorrow's property is no hole. No cascade is worked out: a rule that hides a notice only on paper, only on a phone
or only until the pointer is there hides it. Colour alone needs a cascade (see `_colors.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import product
from typing import Final

from pipeline.audit._css import Declaration, Rule, Sheet
from pipeline.audit._reading import names

_VARIABLE: Final = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_NUMBER: Final = re.compile(r"(?<![\w#.-])([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z%]*)", re.IGNORECASE)
# CSS pixels of one unit; relative units by the usual 16 pixels of text and a narrow telephone.
_PIXELS: Final = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945,
    "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "lh": 20.0, "rlh": 20.0, "vw": 3.6, "vh": 6.0, "vmin": 3.6, "vmax": 6.0,
}  # fmt: skip
_SMALLEST_TEXT: Final = 7.5  # CSS pixels; small print in print style sheets goes down to 6pt = 8px

_DISPLAYS: Final = names(
    """block inline inline-block flow-root list-item flex inline-flex grid inline-grid contents table inline-table table-row
    table-cell table-row-group table-header-group table-footer-group table-column table-column-group table-caption ruby"""
)
_KEYWORDS: Final = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})


def _is_any(_: str) -> bool:
    return True


def _one_of(*values: str) -> Callable[[str], bool]:
    allowed = frozenset(values) | _KEYWORDS
    return lambda value: value in allowed


def _none_of(*values: str) -> Callable[[str], bool]:
    return lambda value: not any(word in values for word in value.split())


def _lengths(low: float, high: float) -> Callable[[str], bool]:
    """Every length in the value lies between `low` and `high` CSS pixels; percentages between -5 and 100."""

    def allowed(value: str) -> bool:
        return all(
            -5 <= number <= 100 if unit == "%" else low <= number * _PIXELS.get(unit, 0.0) <= high and unit in _PIXELS
            for number, unit in _numbers(value)
        )

    return allowed


def _numbers(value: str) -> list[tuple[float, str]]:
    return [(float(number), unit.lower()) for number, unit in _NUMBER.findall(value)]


def _text_size(value: str) -> bool:
    if value in _KEYWORDS or value in ("xx-small", "x-small", "small", "medium", "large", "x-large", "smaller", "larger"):
        return True
    if value in ("xx-large", "xxx-large"):
        return True
    sizes = _numbers(value)
    if value.startswith(("clamp(", "max(")):
        sizes = sizes[:1]  # the smallest that it can become
    return bool(sizes) and all(
        60 <= n <= 400 if unit == "%" else unit in _PIXELS and unit != "" and _SMALLEST_TEXT <= n * _PIXELS[unit] <= 100
        for n, unit in sizes
    )


def _font(value: str) -> bool:
    """The `font` shorthand: its size is the last length before the family, maybe with a line height after a slash."""
    if value in _KEYWORDS or value in ("caption", "icon", "menu", "message-box", "small-caption", "status-bar"):
        return True
    found = re.search(r"(?:^|\s)([\d.]+[a-z%]+|(?:xx?-)?(?:small|large)|medium|(?:clamp|max)\([^)]*\))(?:/(\S+))?\s", value)
    return found is not None and _text_size(found[1]) and (not found[2] or _line_height(found[2]))


def _line_height(value: str) -> bool:
    return (
        value in _KEYWORDS
        or value == "normal"
        or all(
            (0.9 <= n <= 4)
            if unit in ("", "em", "rem")
            else (90 <= n <= 400)
            if unit == "%"
            else 8 <= n * _PIXELS.get(unit, 0) <= 96
            for n, unit in _numbers(value)
        )
    )


def _opaque(value: str) -> bool:
    if value in _KEYWORDS:
        return True
    return all(n >= (60 if unit == "%" else 0.6) for n, unit in _numbers(value)) and bool(_numbers(value))


def _numbered(value: str) -> bool:
    """Whether a list keeps its numbers (judged for ordered lists alone)."""
    return not any(part in ("none", '""', "''", "disc", "circle", "square") for part in value.split())


_SPACE: Final = _lengths(-24, 400)
_EDGE: Final = _lengths(-32, 64)  # wider ones push words away or paint over them
# Whatever their value: they colour, align, space or break lines. Longer names count too: border-inline-start-color, ...
_HARMLESS: Final = names(
    """accent-color box-decoration-break box-sizing break caption-side clear color-adjust color-scheme forced-color-adjust
    print-color-adjust -webkit-print-color-adjust column columns counter cursor empty-cells float font-display font-family
    font-feature-settings font-kerning font-optical-sizing font-palette font-stretch font-style font-synthesis font-variant
    font-weight gap grid-auto-rows grid-gap grid-template-columns hanging-punctuation height hyphenate-limit hyphens
    -webkit-hyphens -epub-hyphens image-rendering inline-size block-size justify align-content align-items align-self place
    line-break flex flex-basis flex-grow flex-shrink flex-wrap list-style-image list-style-position max min object orphans
    overflow-wrap page pointer-events quotes resize row-gap ruby scroll scrollbar size src string-set tab-size table-layout
    text-align text-decoration-color text-decoration-skip text-decoration-style text-decoration-thickness text-justify
    text-rendering text-size-adjust -webkit-text-size-adjust -moz-text-size-adjust text-underline text-wrap transition
    unicode-range user-select vertical-align white-space widows width word-break word-wrap math container speak
    -webkit-font-smoothing -moz-osx-font-smoothing -webkit-tap-highlight-color hyphenate-character text-emphasis"""
)
_ALLOWED: Final[Mapping[str, Callable[[str], bool]]] = {
    **dict.fromkeys(["border", "outline", "box-shadow"], _EDGE),
    **dict.fromkeys(["margin", "padding"], _SPACE),
    **dict.fromkeys(["top", "right", "bottom", "left", "inset"], _lengths(-8, 8)),
    "list-style": _numbered,
    "list-style-type": _numbered,
    "display": lambda value: value in _KEYWORDS or all(word in _DISPLAYS for word in value.split()),
    "visibility": _one_of("visible"),
    "opacity": _opaque,
    "position": _one_of("static", "relative"),
    "direction": _one_of(),
    "unicode-bidi": _one_of("normal", "embed", "isolate", "plaintext"),
    "writing-mode": _one_of("horizontal-tb"),
    "flex-direction": _one_of("row", "column"),
    "flex-flow": _none_of("row-reverse", "column-reverse"),
    "overflow": _none_of("hidden", "clip", "scroll"),
    "overflow-x": _none_of("hidden", "clip"),
    "overflow-y": _none_of("hidden", "clip", "scroll"),
    "text-transform": _one_of("none"),
    "text-decoration": _none_of("line-through", "blink"),
    "text-decoration-line": _none_of("line-through", "blink"),
    "text-indent": _lengths(-64, 160),
    "text-shadow": _one_of("none"),
    "font-size": _text_size,
    "font-size-adjust": _one_of("none"),
    "font": _font,
    "line-height": _line_height,
    "letter-spacing": _lengths(-1, 6),
    "word-spacing": _lengths(-2, 24),
    "color": lambda value: value != "transparent",
    "background": _none_of("text"),
    "background-color": _is_any,
    "background-image": lambda value: "url(" not in value,
    "background-repeat": _is_any,
    "background-size": _is_any,
    "background-position": _is_any,
}


@lru_cache(maxsize=1024)
def _test(name: str) -> Callable[[str], bool] | None:
    """The test of a property's values: its own, or that of the longest beginning of its name that is known."""
    parts = name.split("-")
    for end in range(len(parts), 0, -1):
        known = "-".join(parts[:end])
        if known in _HARMLESS:
            return _is_any
        if known in _ALLOWED and (end == len(parts) or known in _BY_BEGINNING):
            return _ALLOWED[known]
    return None


# Properties whose longer names (border-inline-start-width, margin-block, ...) are judged as they are.
_BY_BEGINNING: Final = frozenset({"border", "outline", "margin", "padding", "inset"})


def hazard(declaration: Declaration, variables: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the declaration could hide, shrink, move, cover, reorder or change words it applies to."""
    if declaration.name.startswith("--"):
        return False
    allowed = _test(declaration.name)
    if allowed is None:
        return True
    return not all(allowed(value.lower()) for value in substituted(declaration.value, variables))


def substituted(value: str, variables: Mapping[str, tuple[str, ...]], *, known: bool = False, depth: int = 0) -> list[str]:
    """The value with each `var()` replaced by every value that the custom property may have; its fall-back counts too, unless
    the properties are `known` to be set."""
    found = _VARIABLE.findall(value)
    if not found or depth > 4:
        return [value]
    choices = [_choices(variables.get(name, ()), fallback.strip(), known) for name, fallback in found]
    if len(choices) > 4 or max(len(choice) for choice in choices) > 16:
        return ["var()"]  # too many to try: no property allows it
    results = []
    for chosen in product(*choices):
        parts = iter(chosen)
        replaced = _VARIABLE.sub(lambda _, parts=parts: next(parts), value)  # type: ignore[misc]
        results += substituted(replaced, variables, known=known, depth=depth + 1)
    return results


def _choices(values: tuple[str, ...], fallback: str, known: bool) -> tuple[str, ...]:
    if known and values:
        return values
    return values + ((fallback,) if fallback else ()) or ("",)


@lru_cache(maxsize=64)
def hazards(style: Sheet) -> tuple[Rule, ...]:
    """The rules of a sheet that hold a hazard, each with its hazards alone. Rules about pages, fonts and key frames
    concern no element; what generated content may say is judged by `generated`."""
    variables = dict(style.variables)
    found = []
    for rule in style.rules:
        if rule.selector.startswith("@"):
            continue
        bad = tuple(d for d in rule.declarations if d.name != "content" and hazard(d, variables))
        if bad:
            found.append(Rule(rule.selector, bad, rule.media))
    return tuple(found)


def generated(style: Sheet) -> list[str]:
    """Words that a sheet would write into the page by itself (`content: "..."`): signs are fine, words are not;
    page margin boxes (`@page`) are named slots and may carry words."""
    found = []
    variables = dict(style.variables)
    for rule in style.rules:
        for declaration in rule.declarations:
            writing = declaration.name in _WRITING and not rule.selector.startswith("@page")
            if writing and any(map(_writes, substituted(declaration.value, variables))):
                found.append(f"{rule.selector} {{ {declaration.name}: {declaration.value} }}")
    return found


# Properties that write into the page, and the attributes whose words they may repeat.
_WRITING: Final = names(
    "content list-style list-style-type quotes text-overflow hyphenate-character text-emphasis text-emphasis-style"
)
_REPEATED: Final = frozenset({"href", "data-label"})


def _writes(value: str) -> bool:
    strings = "".join(a or b for a, b in re.findall(r'"([^"]*)"|\'([^\']*)\'', value))
    attributes = re.findall(r"attr\(\s*([-\w]+)", value)
    return any(char.isalnum() for char in strings) or "url(" in value or not _REPEATED.issuperset(attributes)

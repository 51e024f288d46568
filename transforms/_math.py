"""MathML in words: a `math` element in, one line of text out, for formats that can not show formulas.

The author's own words (`alttext`) win; else the formula is spelled with `/`, `^`, `_` and brackets where it would
otherwise be ambiguous: a dose must not change its value for want of a fraction bar.
"""

from __future__ import annotations

import re

from lxml import etree

from pipeline.topic import MATHML

_NAME = f"{{{MATHML}}}"
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")
_SIMPLE = re.compile(r"[\w.,%°′″]+")
_SIGNS = {"msub": ("_",), "msup": ("^",), "msubsup": ("_", "^"), "munder": ("_",), "mover": ("^",), "munderover": ("_", "^")}


def words(math: etree._Element) -> str:
    """The formula on one line."""
    return " ".join((math.get("alttext") or _spell(math)).split())


def _spell(element: etree._Element) -> str:
    name = str(element.tag).removeprefix(_NAME)
    parts = [_spell(child) for child in element if isinstance(child.tag, str)]
    if name == "semantics":
        return parts[0] if parts else ""
    if name in ("annotation", "annotation-xml"):
        return ""
    if name == "mo":
        sign = _INVISIBLE.sub("", element.text or "").strip()
        return sign if sign in ("", "(", ")", "[", "]", ",", "!", "%") else f" {sign} "
    if name == "mfrac" and len(parts) == 2:
        return f"{_group(parts[0])}/{_group(parts[1])}"
    if name == "msqrt":
        return f"√{_group(''.join(parts))}"
    if name == "mroot" and len(parts) == 2:
        return f"{_group(parts[0])}^(1/{_group(parts[1])})"
    if name in _SIGNS and len(parts) == len(_SIGNS[name]) + 1:
        scripts = (f"{sign}{_group(part)}" for sign, part in zip(_SIGNS[name], parts[1:], strict=True))
        return parts[0] + "".join(scripts)
    if name == "mtr":
        return f"[{', '.join(part.strip() for part in parts)}]"
    if name == "mfenced":
        fence = element.get("open", "("), element.get("close", ")")
        return f"{fence[0]}{', '.join(part.strip() for part in parts)}{fence[1]}"
    return (element.text or "").strip() + "".join(parts)


def _group(text: str) -> str:
    """In brackets, unless it is one number, name or already bracketed group."""
    text = text.strip()
    return text if _SIMPLE.fullmatch(text) or re.fullmatch(r"\([^()]*\)", text) else f"({text})"

"""JSON to be read by people as well: one member a line, one space a level, no character escaped that needs none.

In: what `json` can print. Out: the text that `json.dumps(value, ensure_ascii=False, indent=1)` gives. CPython leaves its C
encoder as soon as lines are indented; this is several times faster than what it uses then.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring as _text
from typing import Any


def indented(value: Any, line: str = "\n") -> str:
    """The value as JSON. `line` is a line end and the indent of the line that the value starts in."""
    inner = f"{line} "
    if isinstance(value, dict) and value:
        members = [f"{_text(name)}: {_text(m) if type(m) is str else indented(m, inner)}" for name, m in value.items()]
        return f"{{{inner}{f',{inner}'.join(members)}{line}}}"
    if isinstance(value, list | tuple) and value:
        items = [_text(item) if type(item) is str else indented(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line}]"
    return "null" if value is None else json.dumps(value, ensure_ascii=False)

"""A partner that gets everything. In: names, formats, notices. Out: the text of its file, for libraries that are made up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal

_FILE: Final = """id = {id}
name = {name}
[[agreements]]
id = {agreement}
starts = 2020-01-01
ends = 2099-12-31
  [[agreements.grants]]
  clause = "1"
  collections = "all"
  languages = "all"
  audiences = "all"
  formats = {formats}
  images = {images}
"""


def everything(
    partner: str,
    notices: Mapping[str, str],
    *,
    name: str = "",
    formats: Sequence[str] | Literal["all"] = "all",
    images: str = "own",
) -> str:
    """The file (TOML) of a partner whose one agreement grants all. `notices`: its disclaimer by language."""
    said = {"id": partner, "name": name or f"Partner {partner}", "agreement": f"A-{partner}", "images": images}
    values = {key: json.dumps(value, ensure_ascii=False) for key, value in said.items()}
    lines = [f"[notices.{language}]\ndisclaimer = {json.dumps(text, ensure_ascii=False)}\n" for language, text in notices.items()]
    return _FILE.format(**values, formats=json.dumps(formats)) + "".join(lines)

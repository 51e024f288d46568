"""A project of many topics for benchmarks: examples/ copied as often as needed, each copy with ids of its own.

In: examples/ and a number of topics. Out: a project folder with one or more partners that get everything in five formats.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Final

from benchmarks.partner import everything

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = ROOT / "examples"
FORMATS: Final = ("html", "print", "epub", "text", "json")

# What names a topic or its relatives. Links by file and key stay inside their copy by themselves.
_NAMES: Final = re.compile(r'(<data name="(?:topic-id|concept|translation-of|companion)" value=")([^"]+)(")')

# The disclaimer of a partner, by language.
_DISCLAIMERS: Final = {
    "en": "Not all treatments or services described are covered benefits. Ask {}.",
    "es": "No todos los tratamientos o servicios descritos son prestaciones cubiertas. Pregunte a {}.",
    "ar": "ليست كل العلاجات أو الخدمات الموصوفة مشمولة بالتغطية. اسأل {}.",
}


def make(folder: Path, topics: int, partners: int = 1) -> Path:
    """Writes the project; at least `topics` topic files. Returns its settings file."""
    sources = [path for path in sorted((EXAMPLES / "topics").rglob("*")) if path.is_file()]
    each = sum(path.suffix == ".dita" and 'name="topic-id"' in path.read_text(encoding="utf-8") for path in sources)
    copies = [f"copy-{number:04}" for number in range(-(-topics // each))]
    for copy in copies:
        for source in sources:
            _copy(source, folder / copy / source.relative_to(EXAMPLES / "topics"), copy)
    for source in EXAMPLES.iterdir():
        if source.suffix in (".svg", ".png", ".ditaval") or source.name == "publisher.toml":
            shutil.copy(source, folder)
    assets = (EXAMPLES / "assets.toml").read_text(encoding="utf-8")
    (folder / "assets.toml").write_text("\n".join(assets.replace('"topics/', f'"{copy}/') for copy in copies), encoding="utf-8")
    (folder / "partners").mkdir()
    for number in range(partners):
        name = f"partner-{number}"
        notices = {language: text.format(name) for language, text in _DISCLAIMERS.items()}
        text = everything(name, notices, formats=FORMATS, images="sublicensable")
        (folder / f"partners/{name}.toml").write_text(text, encoding="utf-8")
    return _settings(folder, copies)


def _settings(folder: Path, copies: list[str]) -> Path:
    """The settings of examples/ with the copies as inputs."""
    settings = tomllib.loads((EXAMPLES / "syndication.toml").read_text(encoding="utf-8"))
    maps = [name.replace("topics/", f"{copy}/", 1) for name in settings.get("maps", []) for copy in copies]
    values = {**settings, "inputs": copies, "maps": maps}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
    config = folder / "syndication.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config


def _copy(source: Path, target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != ".dita":
        shutil.copy(source, target)
        return
    text = source.read_text(encoding="utf-8")
    target.write_text(_NAMES.sub(rf"\g<1>\g<2>-{name}\g<3>", text), encoding="utf-8")

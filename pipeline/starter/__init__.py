"""A commented starter project, for `init`.

In: a folder that does not exist or is empty. Out: settings, one partner, a map with two topics, and the JSON Schemas
that the settings files point at, so that editors complete and check them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pipeline.errors import UsageError
from pipeline.settings import json_schemas

_PROJECT: Final = Path(__file__).with_name("project")


def write(directory: Path) -> list[Path]:
    """Writes the project and returns its files. Raises UsageError where the folder holds anything, or can not be written."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        fix = "choose another folder; nothing was written"
        raise UsageError(f"{directory} is not empty", expected="a folder that does not exist, or is empty", fix=fix)
    try:
        return [_write(directory / name, data) for name, data in sorted(files().items())]
    except OSError as problem:
        raise UsageError(f"{directory} can not be written", found=str(problem), fix="choose another folder") from None


def files() -> dict[str, bytes]:
    """The project's files by path."""
    found = {path.relative_to(_PROJECT).as_posix(): path.read_bytes() for path in _PROJECT.rglob("*") if path.is_file()}
    for name, schema in json_schemas().items():
        found[f"schemas/{name}.schema.json"] = (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
    return found


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path

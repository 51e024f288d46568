"""Reads TOML files into models, and says what is wrong with them.

In: a path and a model. Out: the model, and problems as text: file, key, expected, found, and for an unknown key the nearest
known one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError

from pipeline.errors import UsageError
from pipeline.settings.fields import Model

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufffe\uffff]")
_M = TypeVar("_M", bound=Model)


def read_toml(path: Path, problems: list[str]) -> dict[str, Any]:
    """The file as values; what is wrong with it goes to `problems`, and then no model accepts what is returned."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(
            f"{path}: no such file\n  to do:    create it ('run_pipeline.py init DIR' makes a commented starter project)"
        )
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: can not be read: {error}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: not TOML: {_said(path, str(error))}")
    else:
        found = [f"{path}: {place}: a control character\n  found:    {text!r}" for place, text in _controls(raw, ())]
        problems += found
        return {"": None} if found else raw
    return {"": None}  # a marker that no model accepts and nobody reports twice


def _said(path: Path, problem: str) -> str:
    """What the parser says, the line that it means, and what to do."""
    place = re.search(r"at line (\d+)", problem)
    lines = path.read_text(encoding="utf-8").splitlines()
    found = f"\n  found:    {lines[int(place[1]) - 1].strip()}" if place and int(place[1]) <= len(lines) else ""
    return f"{problem}{found}\n  to do:    mend it there: texts stand in quotes, days are written 2026-12-31, lists end with ]"


def _controls(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every text with a character that no path and no page may hold, and where it stands."""
    if isinstance(value, str) and _CONTROL.search(value):
        yield ".".join(place), value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _controls(inner, (*place, str(key)))


def validated(
    model: type[_M],
    raw: dict[str, Any],
    path: Path,
    problems: list[str],
    *,
    sections: Sequence[str] = (),
    at: tuple[str, ...] = (),
) -> _M | None:
    """The values as a model; None where they are none, and `problems` says why. `sections`: keys that plug-ins bring; `at`:
    where in the file the values stand."""
    if "" in raw and raw[""] is None:
        return None
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problems.append(f"{path}: {_problem(model, raw, detail, at, sections)}")
    return None


def _problem(model: type[Model], raw: Any, detail: Any, at: tuple[str, ...], sections: Sequence[str]) -> str:
    place = ".".join((*at, *_named(raw, detail["loc"]))).replace(".[", "[") or "(file)"
    if detail["type"] == "extra_forbidden":
        known = [*_keys_beside(model, detail["loc"]), *sections]
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, 1)
        return f"{place}: unknown key" + (
            f"\n  to do:    did you mean {near[0]!r}?" if near else f"\n  expected: {', '.join(sorted(known))}"
        )
    if detail["type"] == "missing":
        field = _field(model, detail["loc"])
        return f"{place}: missing" + (f"\n  expected: {field}" if field else "")
    return f"{place}: {detail['msg']}\n  found:    {detail['input']!r}"


def _named(raw: Any, location: Sequence[int | str]) -> Iterator[str]:
    """The parts of a location; an item of a list by its own id or clause, else by its number, counted from 1."""
    for part in location:
        if isinstance(part, int):
            raw = raw[part] if isinstance(raw, list) and part < len(raw) else None
        else:
            raw = raw.get(part) if isinstance(raw, dict) else None
        name = (raw.get("id") or raw.get("clause")) if isinstance(part, int) and isinstance(raw, dict) else ""
        yield f"[{name or part + 1}]" if isinstance(part, int) else part


def _keys_beside(model: type[Model], location: Sequence[int | str]) -> list[str]:
    owner = _owner(model, location)
    return list(owner.model_fields) if owner else []


def _field(model: type[Model], location: Sequence[int | str]) -> str:
    owner = _owner(model, location)
    field = owner.model_fields.get(str(location[-1])) if owner else None
    return (field.description or "") if field else ""


def _owner(model: type[Model], location: Sequence[int | str]) -> type[Model] | None:
    """The model that holds the last key of a location, found by walking the annotations."""
    owner: type[Model] | None = model
    for part in location[:-1]:
        if owner is None or isinstance(part, int) or part not in owner.model_fields:
            continue  # a list index, or a key of a dictionary: the model stays
        owner = next(_models_in(owner.model_fields[part].annotation), None)
    return owner


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    """The models that an annotation names, however deep in lists, dictionaries and unions."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def rejected(problems: list[str]) -> UsageError:
    """The error that says all problems."""
    count = len(problems)
    return UsageError(f"settings can not be used ({count} problem{'s' if count > 1 else ''}):\n" + "\n".join(problems))

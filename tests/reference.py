"""The generated pages of docs/: every finding code and every setting, from the code that declares them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import outputs
import pipeline
import sources
import transforms
from pipeline.findings import Code
from pipeline.settings import Asset, Model, Partner, Publisher, Settings


def modules() -> Iterator[ModuleType]:
    """Every module of the product, imported."""
    for package in (pipeline, sources, transforms, outputs):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def codes() -> dict[str, Code]:
    """Every finding code by name."""
    found = {id(value): value for module in modules() for value in vars(module).values() if isinstance(value, Code)}
    return {code.name: code for code in sorted(found.values(), key=lambda code: code.name)}


def findings_page() -> str:
    """docs/findings.md."""
    lines = [
        "# Findings",
        "",
        "What an editor must fix or should know. An **error** holds the topic back; with a **warning** it is published.",
    ]
    area = ""
    for name, code in codes().items():
        if name.split(".")[0] != area:
            area = name.split(".")[0]
            lines += ["", f"## {area}"]
        lines += ["", f"### {name}", "", f"**{code.severity}**. {code.meaning}", "", f"To do: {code.action}"]
    return "\n".join(lines) + "\n"


_FILES: dict[str, type[Model]] = {
    "syndication.toml": Settings,
    "publisher.toml": Publisher,
    "assets.toml, one table per image file": Asset,
    "partners/<id>.toml": Partner,
}


_INTRODUCTION = (
    "All paths are relative to syndication.toml, logos to the file that names them. An unknown key is an error that",
    "names the nearest known one. `init` writes JSON Schemas of these files, which editors use to complete and check.",
    "A destination may bring its own section, named as the destination.",
)


def settings_page() -> str:
    """docs/settings.md."""
    lines = ["# Settings", "", *_INTRODUCTION]
    for title, model in _FILES.items():
        lines += ["", f"## {title}", "", *_table(model.model_json_schema())]
    return "\n".join(lines) + "\n"


def _table(schema: dict[str, Any]) -> list[str]:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    return lines + list(_rows(schema, schema.get("$defs", {}), ""))


def _rows(schema: dict[str, Any], models: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in schema["properties"].items():
        required = name in schema.get("required", [])
        default = (
            "**required**"
            if required
            else f"`{value.get('default')!r}`"
            if value.get("default") not in (None, "", [], {})
            else ""
        )
        yield f"| `{prefix}{name}` | {default} | {value['description']} |"
        inner = _model_of(value, models)
        if inner:
            many = (
                ".<name>"
                if {"additionalProperties", "patternProperties"} & set(value)
                else "[]"
                if value.get("type") == "array"
                else ""
            )
            yield from _rows(inner, models, f"{prefix}{name}{many}.")


def _model_of(value: dict[str, Any], models: dict[str, Any]) -> dict[str, Any] | None:
    text = str(value)
    return next((model for name, model in models.items() if f"#/$defs/{name}'" in text), None)

"""Plug-ins, found by listing a folder, and the System they make up together.

In: package names and the Protocol each has to fill. Out: `Plugin` references, which travel to workers as names and
are imported there. A file that does not fill its contract stops the run with its name and the fix.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar, cast

from pipeline import audit
from pipeline.cache import tool_digest
from pipeline.contracts import Archive, Decisions, Destination, Releases, Signing, Source, Store, Transform
from pipeline.errors import UsageError
from pipeline.settings import Configuration
from pipeline.terms import Rule

T = TypeVar("T")
SPEAKING: Final = ("commands", "preview")  # packages of the core that decide no byte of a release


@dataclass(frozen=True, slots=True)
class Plugin(Generic[T]):
    """A plug-in by reference: its name (the file's) and its module."""

    name: str
    module: str

    def load(self) -> T:
        """The module itself, imported on first use in this process."""
        return cast("T", importlib.import_module(self.module))

    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(importlib.import_module(self.module)) or "").split("\n", 1)[0]


def discover(package: str, contract: type[T]) -> dict[str, Plugin[T]]:
    """Every plug-in of a package by name, checked against its contract. Raises UsageError naming the file."""
    path = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))
    return {name: _checked(Plugin(name, f"{package}.{name}"), contract) for name in names}


def _checked(plugin: Plugin[T], contract: type[T]) -> Plugin[T]:
    file = plugin.module.replace(".", "/")
    try:
        module = plugin.load()
    except Exception as problem:  # a file from outside the core may fail in any way while it is imported
        found = f"{type(problem).__name__}: {problem}"
        fix = "mend the file, or take it out of the folder"
        raise UsageError(f"plug-in {file} can not be imported", found=found, fix=fix) from problem
    missing = [name for name in _members(contract) if not hasattr(module, name)]
    if missing:
        raise UsageError(
            f"plug-in {file} does not fill the contract {contract.__name__}",
            expected=", ".join(_members(contract)),
            found=f"no {', '.join(missing)}",
            fix="add what is missing (see pipeline/contracts), or give a file that is no plug-in a name that starts with _",
        )
    return plugin


def _members(contract: type) -> list[str]:
    """What a Protocol asks for: its own functions and annotated constants."""
    return [name for name in (*vars(contract), *inspect.get_annotations(contract)) if not name.startswith("_")]


@dataclass(frozen=True)
class System:
    """All parts of a running product. Picklable: plug-ins are names."""

    configuration: Configuration
    sources: Mapping[str, Plugin[Source]]
    transforms: Mapping[str, Plugin[Transform]]
    rules: Mapping[str, Plugin[Rule]]
    destinations: Mapping[str, Plugin[Destination]]
    releases: Plugin[Releases]
    decisions: Plugin[Decisions]
    archive: Plugin[Archive]
    signing: Signing | None = None  # what publishing needs; None where a command publishes nothing

    def check(self) -> System:
        """Itself, where every format can be proven and every format that a grant names exists. Raises UsageError."""
        for plugin in self.transforms.values():
            media_type = plugin.load().MEDIA_TYPE
            if media_type not in audit.readers():
                raise UsageError(
                    f"format {plugin.name} makes {media_type}, which no audit reader can read back",
                    expected=", ".join(sorted(audit.readers())),
                    fix="add pipeline/audit/<reader>.py for the media type; what can not be proven is not published",
                )
        owners: dict[str, str] = {}
        for partner in self.configuration.partners:
            self._check_names(partner.id)
            for site in partner.all_sites():
                if owners.setdefault(site, partner.id) != partner.id:
                    raise UsageError(
                        f"site id {site!r} belongs to two partners", found=f"{owners[site]} and {partner.id}", fix="rename one"
                    )
        return self

    def open_store(self, url: str) -> Store:
        """The store (or input) that a settings value or a command line names: a path is taken from the settings' folder.

        Raises UsageError where no destination claims it.
        """
        where = url if "://" in url else str(self.configuration.path(url))
        claiming = [plugin for plugin in self.destinations.values() if plugin.load().claims(where)]
        if len(claiming) != 1:
            raise UsageError(
                f"no destination stores to {url!r}" if not claiming else f"several destinations claim {url!r}",
                expected=", ".join(self.destinations),
                fix="mend 'store' or 'inputs' in syndication.toml",
            )
        return claiming[0].load().open(where, self.configuration.sections.get(claiming[0].name, {}))

    def tool_digest(self) -> str:
        """SHA-256 of the code and libraries that decide bytes: the core, every vocabulary, every format. What only shows things
        or speaks with people is left out: nothing that decides bytes imports it (tests/test_architecture.py)."""
        modules = {plugin.module.split(".")[0] for group in (self.sources, self.transforms) for plugin in group.values()} | {
            "pipeline"
        }
        files = [importlib.import_module(name).__file__ for name in sorted(modules)]
        core = Path(audit.__file__).parents[1]
        return tool_digest(tuple(Path(file).parent for file in files if file), tuple(core / name for name in SPEAKING))

    def _check_names(self, partner_id: str) -> None:
        from pipeline.settings import unknown

        partner = self.configuration.partner(partner_id)
        for agreement in partner.agreements:
            for grant in agreement.grants:
                for name in [] if grant.formats == "all" else grant.formats:
                    if name not in self.transforms:
                        raise unknown(
                            f"format in partners/{partner_id}.toml, {agreement.id}, {grant.clause}:", name, self.transforms
                        )
                for name in [] if grant.sites == "all" else grant.sites:
                    if name not in partner.all_sites():
                        raise unknown(
                            f"site in partners/{partner_id}.toml, {agreement.id}, {grant.clause}:", name, partner.all_sites()
                        )

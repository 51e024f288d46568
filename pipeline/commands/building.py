"""Puts the product together: plug-ins and settings become a System.

In: a settings file, addresses of stores. Out: System, Store. Raises UsageError for all that an operator must mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.commands.speaking import note, reported, warn
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.plugins import System
    from pipeline.settings import Configuration

DEFAULT_CONFIG: Final = Path("syndication.toml")


def plugins() -> dict[str, Any]:
    """Every plug-in of the product, by the name that System gives it."""
    from pipeline.contracts import Destination, Source, Transform
    from pipeline.plugins import Plugin, discover
    from pipeline.terms import Rule

    return {
        "sources": discover("sources", Source),
        "transforms": discover("transforms", Transform),
        "rules": discover("pipeline.rules", Rule),
        "destinations": discover("outputs.stores", Destination),
        "releases": Plugin("release", "outputs.release"),
        "decisions": Plugin("decisions", "outputs.decisions"),
        "archive": Plugin("archive", "outputs.archive"),
    }


def build(config: Path, paths: list[Path] | None = None, store: str = "") -> System:
    """The product over a settings file; over bare files (`paths`) where there is none. Raises UsageError."""
    from pipeline import settings
    from pipeline.plugins import System

    parts = plugins()
    if paths and config == DEFAULT_CONFIG and not config.exists():
        configuration = settings.without_files([str(path.resolve()) for path in paths])
    else:
        configuration = settings.load(config, list(parts["destinations"]))
    if store:  # a path on the command line is taken from here, not from the settings' folder
        configuration = configuration.with_store(store if "://" in store else str(Path(store).resolve()))
    return System(configuration, **parts).check()


def salvaged(config: Path, store: str = "") -> System:
    """The product as far as its settings can be used; what is wrong with them is said on stderr, and stops nothing. Raises
    UsageError where not even the store is known."""
    from pipeline import settings
    from pipeline.plugins import System

    parts = plugins()
    configuration, problems = settings.salvage(config, list(parts["destinations"]))
    for problem in problems:
        warn(problem)
    if store:
        configuration = configuration.with_store(store if "://" in store else str(Path(store).resolve()))
    return System(configuration, **parts)


@contextmanager
def opened(config: Path, paths: list[Path] | None = None, store: str = "") -> Iterator[System]:
    """As `build`, with errors printed and made exit codes."""
    with reported():
        yield build(config, paths, store)


def key_place(configuration: Configuration) -> Any:
    """Where the publisher's keys are, as outputs.keys takes it."""
    from outputs.keys import Place

    signing = configuration.settings.signing
    folder = configuration.path(signing.keys)
    online = signing.online_key or f"file:{folder / 'online.pem'}"
    uris = {
        "root": signing.root_key or f"file:{folder / 'root.pem'}",
        "targets": signing.targets_key or online,
        "snapshot": signing.snapshot_key or online,
        "timestamp": signing.timestamp_key or online,
    }
    places = {role: _in_folder(uri, configuration) for role, uri in uris.items()}
    return Place(folder, places, signing.days.model_dump())


def _in_folder(uri: str, configuration: Configuration) -> str:
    scheme, _, rest = uri.partition(":")
    if not rest or "/" in scheme:
        raise UsageError(
            f"[signing] {uri!r} is no place of a key", expected="file:PATH, env:NAME or awskms:KEY", fix="correct it"
        )
    return f"file:{configuration.path(rest)}" if scheme == "file" else uri


def with_keys(system: System, moment: datetime, *, make: bool = False) -> System:
    """The same system, able to publish. `make`: where neither keys nor any release are there yet, keys for development are made,
    so that a first try needs no ceremony; a store that holds releases gets none: before any work is done, the run stops. Raises
    UsageError, StoreError."""
    from outputs import keys, release

    place = key_place(system.configuration)
    signing = keys.load(place)
    if signing is None and make and not _holds_releases(system):
        keys.init(place, moment)
        signing = keys.load(place)
        note(
            f"made keys for development in {place.folder}, the root's private key among them. Who pulls needs root.json of it;"
            " before a partner relies on them, read docs/delivery.md"
        )
    return replace(system, signing=release.required_keys(signing) if make else signing)


def _holds_releases(system: System) -> bool:
    from pipeline.errors import NotFound

    try:
        return any(True for _ in system.open_store(system.configuration.settings.store).list("p/"))
    except NotFound:
        return False


def input_name(path: Path, system: System) -> str:
    """How findings name an input file that a command line names."""
    folder = system.configuration.folder
    resolved = path.resolve()
    return resolved.relative_to(folder).as_posix() if resolved.is_relative_to(folder) else str(path)

"""Puts the product together: plug-ins and settings become a System.

In: a settings file, addresses of stores. Out: System, Store. Raises UsageError for all that an operator must mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.commands.speaking import reported
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.plugins import System

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


@contextmanager
def opened(config: Path, paths: list[Path] | None = None, store: str = "") -> Iterator[System]:
    """As `build`, with errors printed and made exit codes."""
    with reported():
        yield build(config, paths, store)


def store_at(url: str, endpoint_url: str) -> Any:
    """The store at an address. Raises UsageError where no destination reads it."""
    for plugin in plugins()["destinations"].values():
        where = url if "://" in url else str(Path(url).resolve())
        if plugin.load().claims(where):
            return plugin.load().open(where, {"endpoint_url": endpoint_url} if endpoint_url else {})
    raise UsageError(f"no destination reads {url!r}", expected="a folder or s3://bucket/prefix", fix="mend the address")


def input_name(path: Path, system: System) -> str:
    """How findings name an input file that a command line names."""
    folder = system.configuration.folder
    resolved = path.resolve()
    return resolved.relative_to(folder).as_posix() if resolved.is_relative_to(folder) else str(path)

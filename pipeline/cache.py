"""Work that need not be done twice: bytes by key, in a folder.

In: a key (hex digest of everything that decides the value). Out: the bytes, or None. Losing the folder loses time only.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lxml import etree

# Packages whose version decides bytes.
_TOOLS = ("lxml", "pypandoc-binary", "pypandoc", "jinja2", "babel", "markupsafe", "pydantic")


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of values. `folder` "" = no cache: nothing is ever found."""

    folder: str

    def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""
        if not self.folder:
            return None
        try:
            return self._path(key).read_bytes()
        except OSError:
            return None

    def put(self, key: str, value: bytes) -> None:
        """Keeps a value; written whole or not at all. A full or read-only disk is no error: the work is done again."""
        if not self.folder:
            return
        path = self._path(key)
        beside = f"{path}.{os.getpid()}-{threading.get_ident()}"
        try:
            try:
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            with os.fdopen(handle, "wb") as file:
                file.write(value)
            os.replace(beside, path)  # noqa: PTH105
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return Path(self.folder) / key[:2] / key[2:]


@cache
def tool_digest(folders: tuple[Path, ...], without: tuple[Path, ...] = ()) -> str:
    """SHA-256 of what decides bytes besides the inputs: our own code in `folders`, but for what is below `without`, and the
    versions of the libraries under it."""
    hasher = hashlib.sha256(f"python {sys.version_info[:2]} zlib {zlib.ZLIB_RUNTIME_VERSION}".encode())
    hasher.update(f"libxml2 {etree.LIBXML_VERSION} libxslt {etree.LIBXSLT_VERSION}\n".encode())  # an lxml may use the system's
    for name in _TOOLS:
        hasher.update(f"{name} {_version(name)}\n".encode())
    for path in _code(folders, without):
        hasher.update(path.name.encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _code(folders: Iterable[Path], without: Iterable[Path]) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
        if not any(path.is_relative_to(other) for other in without)
    ]

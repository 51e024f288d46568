"""Which names are safe to write: keys of a store, paths of a bundle. In: untrusted names. Out: what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pipeline.names import has_device

_WINDOWS: Final = re.compile(r'[<>:"|?*]')
_CLEAN: Final = re.compile(r"(?:[a-z0-9_-][a-z0-9._-]*/)*[a-z0-9_-][a-z0-9._-]*", re.ASCII | re.IGNORECASE)
MAX_KEY: Final = 1024  # bytes: the limit of S3
MAX_NAME: Final = 255  # bytes: the limit of common file systems


def key_problem(key: str) -> str:
    """Why `key` names no object that every store can keep ("" = it does): it must be a relative POSIX path without `..`."""
    if len(key) <= MAX_NAME and _CLEAN.fullmatch(key) and not has_device(key):
        return ""  # nearly every path: a release has tens of thousands
    if not key or len(key) > MAX_KEY:
        return "it is empty" if not key else f"it is longer than {MAX_KEY} bytes"
    if problem := _character_problem(key):
        return problem
    if len(key.encode()) > MAX_KEY:
        return f"it is longer than {MAX_KEY} bytes"
    for name in key.split("/"):
        if problem := _name_problem(name):
            return problem
    return ""


def bundle_problem(path: str) -> str:
    """Why no bundle may hold a file of this path ("" = it may): partners unzip on any system, so Windows' rules hold as well."""
    if problem := key_problem(path):
        return problem
    if found := _WINDOWS.search(path):
        return f"it has the character {found.group()!r}, which Windows does not allow"
    if hidden := "" if path.isascii() else next((one for one in path if unicodedata.category(one) == "Cf"), ""):
        return f"it has the character U+{ord(hidden):04X}, which is not seen, and which some file systems leave out of names"
    if any(name.endswith((".", " ")) for name in path.split("/")):
        return "a name in it ends with a full stop or a space, which Windows drops"
    return ""


def set_problem(paths: Iterable[str]) -> str:
    """Why these paths can not all stand in one bundle ("" = they can): each is safe and, on a file system that
    ignores case or composes accents, still a file of its own and no other's folder."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        if problem := bundle_problem(path):
            return f"{path!r}: {problem}"
        folded = _fold(path)
        if other := files.get(folded):
            return f"{path!r}: it is the same name as {other!r}"
        if other := folders.get(folded):
            return f"{path!r}: it is a file, and a folder of {other!r}"
        files[folded] = path
        while "/" in folded:
            folded = folded.rpartition("/")[0]
            if other := files.get(folded):
                return f"{path!r}: {other!r} is a file, not a folder"
            if folded in folders:
                break
            folders[folded] = path
    return ""


def _fold(path: str) -> str:
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _character_problem(path: str) -> str:
    if path.isascii() and _CLEAN.fullmatch(path):
        return ""
    for character in path:
        if character == "\\":
            return "it has a backslash"
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"it has the character U+{ord(character):04X}"
    return ""


def _name_problem(name: str) -> str:
    if name in ("", ".", ".."):
        return "it starts or ends with / or has //" if not name else f"it has the name {name!r}"
    if len(name) > MAX_NAME // 4 and len(name.encode()) > MAX_NAME:
        return f"a name in it is longer than {MAX_NAME} bytes"
    if has_device(name):
        return f"{name!r} is a device on Windows"
    return ""

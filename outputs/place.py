"""The place of a partner's bundle on this disk. In: DEST. Out: it is ours alone to write in, or a plain refusal.

    DEST -> DEST.d/12-0f3a...    nothing is ever written in DEST; the link is replaced
    DEST.d/                      all that a pull writes, and nothing outside it

Someone else may be able to write there too: a symbolic link that was put in the place of something of ours would lead what we
write, and what we tidy up, elsewhere. So whatever has a name of ours and is a link that we did not make stops the pull.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from outputs._limits import plain
from outputs.trust import FOLDER, NEW, ROOTS
from pipeline.errors import StoreError, UsageError

BUNDLE: Final = re.compile(r"[1-9][0-9]*-[0-9a-f]{12}(\.[0-9]+)?")
STAGING: Final = ".staging-"
LINK: Final = ".link"  # what is about to become DEST
_LOCK: Final = ".lock"
_ROOT: Final = "root.json"  # python-tuf's link to the newest root


def destination(dest: Path) -> Path:
    """DEST as an absolute path. Raises UsageError where something stands there that is not ours to replace."""
    dest = Path(os.path.abspath(dest))  # noqa: PTH100 - resolve() would follow DEST itself
    if not dest.name:
        raise UsageError(f"{dest} can not be a bundle", fix="name a folder that is not there yet")
    if dest.is_symlink():
        target = Path(os.path.abspath(dest.parent / os.readlink(dest)))  # noqa: PTH100, PTH115
        if target.parent != home(dest):
            raise UsageError(f"{dest} is a link of someone else", found=str(target), fix="remove it, or name another place")
    elif dest.exists():
        raise UsageError(
            f"{dest} is there already, and not as a link that pull made",
            fix="move it away, or name a place that is free: pull keeps bundles in a folder beside it and makes a link",
        )
    return dest


def home(dest: Path) -> Path:
    """The folder beside DEST with its bundles."""
    return dest.with_name(f"{dest.name}.d")


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Holds that folder, made where it is missing, against other pulls; an empty one goes again. Raises StoreError where another
    pull holds it, UsageError where it is not ours."""
    made = [folder for folder in (home, home.parent) if not folder.exists()]
    _refuse_links(home)
    home.mkdir(parents=True, exist_ok=True)
    with (home / _LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{home}: another pull is at work there", fix="wait for it to end") from None
        try:
            yield
        finally:
            if made and {path.name for path in home.iterdir()} == {_LOCK}:  # there was nothing to pull: leave nothing behind
                (home / _LOCK).unlink()
                for folder in made:
                    folder.rmdir()


def _refuse_links(home: Path) -> None:
    if home.is_file() and not home.is_symlink():
        raise UsageError(f"{home} is a file", expected="a folder, or nothing", fix="move it away, or name another place")
    for path in _ours(home):
        if path.is_symlink() and not (path.name == _ROOT and _leads_to_a_root(path)):
            raise UsageError(
                f"{path} is a symbolic link, which pull did not make",
                found=plain(os.readlink(path)),  # noqa: PTH115 - resolve() would follow more
                fix="find out who made it, remove it, and pull again; nothing was written",
            )


def _ours(home: Path) -> Iterator[Path]:
    """The folder, and what has a name of ours in it and in its folders of metadata."""
    yield home
    for path in _children(home):
        if path.name in (_LOCK, FOLDER) or path.name.startswith(STAGING) or BUNDLE.fullmatch(path.name):
            yield path
    for folder in (home / FOLDER, home / FOLDER / NEW):
        yield from _children(folder)
        yield from _children(folder / ROOTS)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _leads_to_a_root(path: Path) -> bool:
    return re.fullmatch(rf"{ROOTS}/[0-9]+\.root\.json", os.readlink(path)) is not None  # noqa: PTH115

"""A folder of this machine (or of a file server) as a destination: `build/store`, `/srv/syndication`, `file:///srv/syndication`.

In: keys and bytes. Out: files below the root, each whole or absent. What is being written stands in `ROOT/.store/tmp` and
is linked or renamed into place, so a reader or a crash never meets half a file. Tokens are hashes of contents: they survive
a copy of the folder. Writers on one machine exclude each other with a lock on `ROOT/.store/lock`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from outputs._disk import explained
from outputs._limits import within
from outputs._paths import key_problem
from pipeline.contracts import Stored, Unread
from pipeline.errors import NotFound, PreconditionFailed, StoreError, Unreadable, UsageError

OWN: Final = ".store"  # the store's own folder in its root; no key leads into it
STALE_SECONDS: Final = 24 * 3600  # a temporary file this old is a dead run's, however slow its disk


def claims(url: str) -> bool:
    """Whether `url` is a plain path or a `file://` address."""
    return url.startswith("file://") or ("://" not in url and not url.lower().endswith(".zip"))


def open(url: str, settings: Mapping[str, Any]) -> FolderStore:  # noqa: A001 - the contract's name
    """The store in that folder, which need not be there yet. There are no settings: UsageError where some are given."""
    for key in settings:
        raise UsageError(f"[folder] has no setting {key!r}", fix="take it out of syndication.toml")
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path) if url.startswith("file://") else url
    return FolderStore(url, os.path.abspath(path))  # noqa: PTH100 - Path.absolute() would keep `..`


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A store in the folder `root`; see contracts.Store. A folder that is not there has no objects; the first put makes it."""

    url: str
    root: str

    parallel = 1  # more threads make a folder no faster

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """See contracts.Store.get."""
        path = self._checked(key)
        with explained(f"{self.url}: reading {key!r} failed"):
            try:
                data = _read(self._inside(path), limit)
            except OSError as error:
                if error.errno in _OF_ONE:
                    raise Unreadable(f"{self.url}: {key!r} can not be read", found=str(error.strerror), fix=_RIGHTS) from None
                raise
            if data is None:
                raise self._missing(key)
        within(data, limit, f"{self.url}: {key!r}")
        return data, _token(data)

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed."""
        found = self.get(key, limit)
        return None if found[1] == token else found

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        """See contracts.Store.put. A folder keeps no media types. Before an object that is read by a fixed name (`no-cache`)
        or replaced (`match`) all that was written before is flushed: a power cut can not leave it pointing to nothing."""
        target = self._checked(key)
        del media_type
        pointer = bool(match) or "no-cache" in cache_control
        with explained(f"{self.url}: writing {key!r} failed"):
            temporary = self._temporary(data)
            try:
                if pointer:
                    os.sync()  # one for all: fsync of each file costs thirty times as much
                self._commit(temporary, target, key, absent=absent, match=match)
                if pointer:
                    _flush(target.parent)
                    _sweep(temporary.parent.parent, before=target.stat().st_mtime - STALE_SECONDS)
            finally:
                temporary.unlink(missing_ok=True)
        return _token(data)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """See contracts.Store.list; tokens are "", because they would cost reading every file. Raises NotFound where the
        folder is not there, and StoreError at a symbolic link out of the root; links inside the root are followed to files."""
        for found in self.survey(prefix):
            if isinstance(found, Stored):
                yield found
            elif not found.ignored:
                raise StoreError(f"{self.url}: listing {prefix!r} failed", found=f"{found.key!r} {found.why}", fix=_RIGHTS)

    def survey(self, prefix: str = "") -> Iterator[Stored | Unread]:
        """See contracts.Store: what `list` gives, and what it stops at or passes over. Raises as `list`, but for single files."""
        with explained(f"{self.url}: listing {prefix!r} failed"):
            if not Path(self.root).is_dir():
                raise self._missing(prefix)
            folder = prefix.rpartition("/")[0]
            if not (folder and key_problem(folder)):
                yield from self._walk(f"{folder}/" if folder else "", prefix)

    def delete(self, key: str) -> None:
        """See contracts.Store.delete. Folders that it leaves empty stay: another writer may be about to use them."""
        path = self._checked(key)
        with explained(f"{self.url}: deleting {key!r} failed"):
            if not self._inside(path).is_file():
                return
            with self._locked(), suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()

    # --- keys to paths ---

    def _checked(self, key: str) -> Path:
        problem = key_problem(key) or ("it is the store's own" if key.split("/")[0] == OWN else "")
        if problem:
            raise StoreError(f"{self.url}: {key!r} is not safe as a key: {problem}", fix="use a plain relative path")
        return Path(self.root, key)

    def _inside(self, path: Path) -> Path:
        """`path`, where no symbolic link on it leads out of the root. Raises StoreError."""
        real = os.path.join(_real(str(path.parent)), path.name)  # noqa: PTH118
        if path.is_symlink():
            real = os.path.realpath(path)
        if not f"{real}/".startswith(_real(self.root).rstrip("/") + "/"):
            raise StoreError(
                f"{self.url}: {path} leads out of the store through a symbolic link",
                found=real,
                fix="replace the link by what it leads to, or name that place itself in the settings",
            )
        return path

    def _missing(self, key: str) -> NotFound:
        if not Path(self.root).is_dir():
            return NotFound(f"{self.url}: there is no such folder", expected=f"a folder {self.root}", fix="look at the name")
        return NotFound(f"{self.url}: there is no {key!r}")

    # --- listing ---

    def _walk(self, folder: str, prefix: str) -> Iterator[Stored | Unread]:
        try:
            with os.scandir(f"{self.root}/{folder}") as entries:
                found = sorted((f"{e.name}/" if e.is_dir(follow_symlinks=False) else e.name, e.path) for e in entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if not folder or error.errno not in _OF_ONE:
                raise
            yield Unread(folder.rstrip("/"), f"is a folder that can not be listed: {error.strerror}", folder=True)
            return
        for name, path in found:
            key = folder + name
            if name.endswith("/"):
                if (key.startswith(prefix) or prefix.startswith(key)) and key != f"{OWN}/":
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                yield from self._entry(key, path)

    def _entry(self, key: str, path: str) -> Iterator[Stored | Unread]:
        with suppress(FileNotFoundError):  # deleted since
            itself = os.lstat(path)
            found = self._followed(key, path) if stat.S_ISLNK(itself.st_mode) else itself
            if isinstance(found, Unread):
                yield found
            elif stat.S_ISREG(found.st_mode):
                yield Stored(key, found.st_size, "")
            elif not stat.S_ISDIR(found.st_mode):
                yield Unread(key, "is a pipe, a socket or a device, and no file", ignored=True)

    def _followed(self, key: str, path: str) -> os.stat_result | Unread:
        """What a symbolic link leads to."""
        try:
            self._inside(Path(path))
            return os.stat(path)  # noqa: PTH116 - as above; a Path for each of 50,000 files takes longer than the rest
        except StoreError as error:
            return Unread(key, f"leads out of the folder through a symbolic link: {error.found}", folder=os.path.isdir(path))  # noqa: PTH112
        except FileNotFoundError:
            return Unread(key, "is a symbolic link to nothing", ignored=True)
        except OSError as error:
            if error.errno not in _OF_ONE:
                raise
            return Unread(key, f"is a symbolic link that can not be followed: {error.strerror}")

    # --- writing ---

    def _temporary(self, data: bytes) -> Path:
        name = uuid4().hex
        # In 256 folders: ext4 looks through all that was deleted near a folder in the last minutes before it makes a file in it,
        # so that after a clean-up files in one folder took ten times as long.
        path = f"{self.root}/{OWN}/{_BESIDE}/{name[:2]}/{name}"
        try:
            try:
                handle = os.open(path, _NEW, 0o666)
            except FileNotFoundError:
                self._make(Path(path).parent)
                handle = os.open(path, _NEW, 0o666)
            with os.fdopen(handle, "wb", buffering=0) as file:
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
        except OSError:
            Path(path).unlink(missing_ok=True)
            raise
        return Path(path)

    def _make(self, folder: Path) -> None:
        root = Path(self.root)
        ground = next((parent for parent in (root, root.parent, root.parent.parent) if parent.is_dir()), Path(root.anchor))
        # A store at a mistyped or unmounted place would be a release that no partner ever sees.
        if ground == Path(root.anchor) and root.parent != ground:
            raise StoreError(
                f"{self.url}: there is no folder {root.parent}",
                expected=f"{root.parent} to be there ({root.name!r} in it is made by the first write)",
                fix="look at the name, mount the disk, or make that folder",
            )
        folder.mkdir(parents=True, exist_ok=True)

    def _commit(self, temporary: Path, target: Path, key: str, *, absent: bool, match: str) -> None:
        if absent and not match:
            # A link is never made over a name that is there, a symbolic link among them: its folder alone can lead elsewhere.
            self._inside(target.parent)
            with suppress(FileNotFoundError):
                if _linked(temporary, target):
                    return
        if not self._inside(target).parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        if absent and not match and _linked(temporary, target):
            return
        with self._locked():
            if absent and os.path.lexists(target):
                raise PreconditionFailed(f"{self.url}: {key!r} is there already")
            if match and (found := _state(target)) != match:
                raise PreconditionFailed(f"{self.url}: {key!r} is not as it was", expected=match, found=found)
            temporary.replace(target)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = Path(self.root, OWN, "lock")
        lock.parent.mkdir(exist_ok=True)
        with lock.open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # of this opening of the file, so it holds between threads too
            yield


_OF_ONE: Final = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)  # what befalls one file, not the disk
_RIGHTS: Final = "give the user who runs this the right to read it, or mend the link; then run again"
_BESIDE = "tmp"  # in our own folder: where files are written before they get their names
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    """The folder without symbolic links. Remembered: it is asked for each file, and guards against mistakes, not against
    whoever may change the folder while we write there."""
    return os.path.realpath(folder)


def _read(path: Path, limit: int | None = None) -> bytes | None:
    """The file's bytes, of those beyond `limit` the first alone; None where there is no file."""
    try:
        # Without O_NONBLOCK a pipe among the files would hang the run.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            most = -1 if limit is None else limit + 1
            return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _state(path: Path) -> str:
    data = _read(path)
    return "" if data is None else _token(data)


def _token(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _linked(temporary: Path, target: Path) -> bool:
    """Whether the file now has its name; False where this file system knows no links. Raises PreconditionFailed."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise PreconditionFailed(f"{target} is there already") from None
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            return False
        raise
    return True


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path, before: float) -> None:
    """Removes what dead runs left in the folders of `folder`: files written before that moment, by the disk's own clock."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime < before:
                path.unlink()

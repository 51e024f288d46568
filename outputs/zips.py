"""A release as one zip, for partners who only unzip. In: a release's files in the store. Out: `bundles/<sha256>.zip`, flat.

It holds what `pull` installs, so that `verify` and `sha256sum -c SHA256SUMS` prove it when it is unzipped. Its hash is in the
signed targets. The same release gives the same bytes. Unzipping a newer one over an older one is safe for withdrawn topics: their
notices take their paths; files that only vanished stay, which is why `pull` is better.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from outputs import manifest
from pipeline.contracts import FileRow

MEDIA_TYPE: Final = "application/zip"
FOLDER: Final = "bundles"
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16
_PACKED: Final = (".epub", ".png", ".jpg", ".jpeg", ".gif", ".webp")  # deflating again gains nothing


def key(prefix: str, sha256: str) -> str:
    """Where the zip of that hash is."""
    return f"{prefix}/{FOLDER}/{sha256}.zip"


def pack(
    found: manifest.Manifest,
    rows: Sequence[Mapping[str, Any]],
    files: Iterable[FileRow],
    read: Callable[[Sequence[FileRow]], Iterable[bytes]],
) -> bytes:
    """The zip of a release, as `write` makes it. Raises Altered."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle.zip")
        write(path, found, rows, files, read)
        return path.read_bytes()


def write(
    path: Path,
    found: manifest.Manifest,
    rows: Sequence[Mapping[str, Any]],
    files: Iterable[FileRow],
    read: Callable[[Sequence[FileRow]], Iterable[bytes]],
) -> None:
    """Writes the zip of a release to `path`, one file of it in memory at a time. `read` gives the bytes of files, in their order.
    Raises Altered where they are not those."""
    ordered = sorted(files, key=lambda file: file.path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in manifest.own_files(found, rows, ordered).items():
            _add(archive, name, data)
        for file, data in zip(ordered, read(ordered), strict=True):
            manifest.check_blob(data, file.sha256, file.size, f"the file {file.path}")
            _add(archive, file.path, data)


def described(data: bytes) -> dict[str, Any]:
    """What is signed of a zip."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = _MODE
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)

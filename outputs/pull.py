"""What a partner runs: fetch the live release, prove it, switch to it. In: a store and a prefix. Out: a bundle on this disk.

    DEST -> DEST.d/12-0f3a.../       a symbolic link, replaced in one step when all is there and proven
    DEST.d/11-77c1.../               the bundle before, kept
    DEST.d/.staging-12-0f3a.../      what is being made; a killed pull goes on from it
    DEST.d/.trust/                   what was verified before (trust.py)
    DEST.d/.lock                     two pulls of one DEST do not meet

A bundle is the release's files, `manifest.json` (header, content and all rows) and `SHA256SUMS`. Only blobs that are not held
already are fetched; held ones are hashed again before they are linked into the new bundle. Killed at any moment, DEST is a whole
bundle, old or new. Store and disk are untrusted: paths, sizes and hashes are checked before a file is made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from outputs import manifest, packs, place, pointer
from outputs._disk import explained
from outputs._paths import bundle_problem
from outputs.listing import in_parallel
from outputs.pointer import Pointer
from outputs.release import blob_key, incomplete, read_release
from outputs.trust import FOLDER, Trust, trusted
from pipeline.contracts import Content, FileRow, Pack, Store
from pipeline.errors import Altered, NotFound, StoreError, UsageError

Progress = Callable[[int, int], None]
ATTEMPTS: Final = 3  # from the pointer on, where a release is replaced while it is fetched
MANIFEST, SUMS = manifest.OWN_FILES

_SUM: Final = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did: `installed` or `unchanged`; which release is there now; how many files it has, and of these how many
    blobs with how many bytes were fetched."""

    state: str
    dest: str
    partner: str
    site: str
    sequence: int
    created: str
    content_sha256: str
    files: int
    fetched: int = 0
    fetched_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        if self.state == "unchanged":
            return f"{self.dest}: release {self.sequence} of {self.site} is installed already, nothing changed"
        what = f"{self.files} files, {self.fetched} fetched ({self.fetched_bytes} bytes)"
        return f"{self.dest}: installed release {self.sequence} of {self.site} of {self.created}: {what}"


def pull(
    store: Store,
    prefix: str,
    dest: Path,
    *,
    partner: str = "",
    site: str = "",
    root: bytes = b"",
    repair: bool = False,
    progress: Progress | None = None,
) -> PullResult:
    """Installs what is live at `prefix` as DEST. `partner` and `site`, where given, must be those of the release; `root` is the
    publisher's root metadata, which the first pull of a DEST needs; `repair` makes the bundle anew even where the release is
    installed.

    Raises UsageError where DEST is something else than a link that pull made or no root is known, Altered where what the store
    holds is not what the publisher signed for this site, or older than what was seen, Expired where the signatures are out of
    date, StoreError where there is no release, a part of it is missing, or store or disk failed. Then DEST is as it was.
    """
    dest = place.destination(dest)
    with explained(f"{dest}: installing failed"), place.locked(place.home(dest)):
        trust = Trust(store, prefix, place.home(dest) / FOLDER, root)
        before = _installed(dest)
        _refuse_site(dest, before, partner or before.document.get("partner"), site or before.document.get("site"))
        if not repair and trust.unchanged(before.name) and (held := _whole(dest, before.document)) is not None:
            return _result("unchanged", dest, _pointer(before.document), before.document, held)
        live = _live(trust, partner, site)
        for _ in range(ATTEMPTS):
            try:
                return _install(trust, dest, live, repair, progress)
            except NotFound as problem:
                # The publisher may have gone on to another release and tidied up: then it is that one we want.
                if (now := _live(trust, partner, site)).token == live.token:
                    raise incomplete(store, prefix, problem) from problem
                live = now
    raise StoreError(f"{store.url}: {prefix} changes faster than it can be fetched", fix="pull again later")


def verify(dest: Path) -> list[str]:
    """What is wrong with an installed bundle, one line each: files altered, missing or added, rows that are not those of its
    manifest, a manifest that is not the signed one. Empty = nothing was found; `checked_against` says how much that is worth.
    Raises UsageError where DEST is no bundle, StoreError where the disk fails."""
    if not (dest / MANIFEST).is_file():
        raise UsageError(f"{dest} is no bundle", expected=f"a folder with {MANIFEST}, as pull makes it", fix="correct the name")
    with explained(f"{dest}: reading failed"):
        found = list(_problems(dest))
        signed, _ = _signed(dest)
        return [*found, *filter(None, [signed])]


def checked_against(dest: Path) -> str:
    """Against what `verify` compares a bundle, in words."""
    return _signed(dest)[1]


def _signed(dest: Path) -> tuple[str, str]:
    """What is wrong with a bundle by the publisher's signature ("" = nothing), and what was checked, in words."""
    within = "each file against the hashes in its own manifest.json; NOT against the publisher's signature, because"
    installed = _installed(dest).document if dest.is_symlink() else {}
    try:
        signed = trusted(place.home(dest) / FOLDER)
    except StoreError as problem:
        return f"{problem.what}: {problem.found}", f"{within} what the last pull kept of it is damaged"
    if signed is None or not dest.is_symlink():
        return (
            "",
            f"{within} nothing that a pull verified is kept beside {dest.name} (a copy?): verify the place that was pulled to",
        )
    if not installed:
        return "", f"{within} manifest.json can not be read"
    if installed["sequence"] < signed.sequence:
        return "", f"{within} it is release {installed['sequence']} and the last pull verified {signed.sequence}: pull again"
    if wrong := [name for name in ("sequence", *_NAMES) if installed.get(name) != getattr(signed, name)]:
        name = wrong[0]
        told = f"{MANIFEST}: it is not the signed one: {name} {installed.get(name)!r}, signed is {getattr(signed, name)!r}"
        return told, "the signature that the last pull verified"
    return "", f"each file, and the publisher's signature of release {signed.sequence} as the last pull verified it"


# --- what is installed -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Installed:
    """What DEST leads to: folder name ("" = nothing) and manifest.json ({} = none that can be read)."""

    name: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)

    def is_release(self, live: Pointer) -> bool:
        return bool(self.document) and self.name.partition(".")[0] == _folder_name(live)


_NAMES: Final = ("partner", "site", "content")  # with the sequence, what a pointer says of a release


def _installed(dest: Path) -> _Installed:
    if not dest.is_symlink():
        return _Installed()
    name = Path(os.readlink(dest)).name  # noqa: PTH115
    try:
        document = json.loads((dest / MANIFEST).read_bytes())
        sound = isinstance(document["sequence"], int) and all(isinstance(document[key], str) for key in _NAMES)
        return _Installed(name, document if sound else {})
    except (OSError, ValueError, KeyError, TypeError):
        return _Installed(name)  # damaged: made anew


def _folder_name(live: Pointer) -> str:
    return f"{live.sequence}-{live.manifest[:12]}"


# --- installing -----------------------------------------------------------------------------------


def _live(trust: Trust, partner: str, site: str) -> Pointer:
    store, prefix = trust.store, trust.prefix
    live = trust.live()
    if live is None:
        raise StoreError(
            f"{store.url}: there is no release at {prefix}",
            expected=f"the object {pointer.key(prefix)}",
            found=_why_none(store, pointer.key(prefix)),
            fix="look at the address of the store and at the names of partner and site",
        )
    for what, wanted, found in (("partner", partner, live.partner), ("site", site, live.site)):
        if wanted and wanted != found:
            raise Altered(
                f"{store.url}: the release at {prefix} is another {what}'s",
                expected=wanted,
                found=found,
                fix="do not use it; tell the publisher",
            )
    return live


def _why_none(store: Store, key: str) -> str:
    """What the store says to who asks for the pointer: a folder that is not there is another mistake than a wrong partner."""
    try:
        store.get(key)
    except NotFound as problem:
        return problem.what
    return "it has just been made: pull again"


def _pointer(document: Mapping[str, Any]) -> Pointer:
    """The installed release as a pointer has it."""
    return Pointer(**{name: document[name] for name in ("sequence", *_NAMES)}, manifest="", size=0)


def _install(trust: Trust, dest: Path, live: Pointer, repair: bool, progress: Progress | None) -> PullResult:
    store, prefix = trust.store, trust.prefix
    before = _installed(dest)
    if before.is_release(live) and not repair and (held := _whole(dest, before.document)) is not None:
        trust.accept()
        trust.installed(before.name)
        return _result("unchanged", dest, live, before.document, held)
    _refuse_other(dest, before, live)
    trust.accept()
    found, rows = read_release(store, prefix, live)
    content = manifest.content(found, rows, f"{store.url}: release {live.sequence} of {prefix}")
    files = list(manifest.all_files(content))
    staging = _staging(place.home(dest), _folder_name(live), before.name)
    fetched = _stage(store, prefix, staging, content, dest, progress)
    _write_own(staging, found, rows, files)
    final = _free_name(place.home(dest), _folder_name(live))
    _switch(staging, final, dest)
    trust.installed(final.name)
    _tidy(place.home(dest), keep={final.name, before.name})
    return _result("installed", dest, live, found.document, len(files), fetched)


def _whole(bundle: Path, document: Mapping[str, Any]) -> int | None:
    """The number of the release's files where each is there in its size (contents are for `verify`), else None."""
    try:
        files = [*document["files"], *(file for row in document["topics"] for file in row["files"])]
        return len(files) if all((bundle / file["path"]).lstat().st_size == file["size"] for file in files) else None
    except (OSError, KeyError, TypeError):
        return None


def _refuse_site(dest: Path, before: _Installed, partner: object, site: object) -> None:
    """Raises where DEST holds the bundle of another site."""
    found = (before.document.get("partner"), before.document.get("site"))
    if before.document and found != (partner, site):
        raise UsageError(
            f"{dest} is the bundle of another site",
            expected=f"{partner}, {site}",
            found=f"{found[0]}, {found[1]}",
            fix="pull to another place",
        )


def _refuse_other(dest: Path, before: _Installed, live: Pointer) -> None:
    """Raises where going on would replace a bundle by an older one, or by one of another site."""
    held = before.document
    if not held:
        return
    _refuse_site(dest, before, live.partner, live.site)
    if held["sequence"] > live.sequence or (held["sequence"] == live.sequence and not before.is_release(live)):
        raise Altered(
            f"{dest}: the store offers a release that is older than the installed one, or another of its number",
            expected=f"a release after {held['sequence']}",
            found=f"release {live.sequence}",
            fix="ask the publisher: an old pointer may have been put back. Was the store made anew, remove DEST and pull again",
        )


def _result(
    state: str,
    dest: Path,
    live: Pointer,
    document: Mapping[str, Any],
    files: int,
    fetched: Sequence[int] = (),
) -> PullResult:
    return PullResult(
        state=state,
        dest=str(dest),
        partner=live.partner,
        site=live.site,
        sequence=live.sequence,
        created=str(document.get("created", "")),
        content_sha256=live.content,
        files=files,
        fetched=len(fetched),
        fetched_bytes=sum(fetched),
    )


# --- the files of a bundle ------------------------------------------------------------------------


def _staging(home: Path, name: str, installed: str) -> Path:
    """The folder to make the bundle in: what a killed pull left, of this release or another, is used again."""
    staging = home / f"{place.STAGING}{name}"
    left = [home / name] if name != installed else []  # moved into place, but not switched to
    for folder in (*left, *sorted(home.glob(f"{place.STAGING}*"))):
        if folder.is_dir() and not folder.is_symlink() and not staging.exists():
            folder.rename(staging)
    staging.mkdir(exist_ok=True)
    return staging


def _stage(store: Store, prefix: str, staging: Path, content: Content, old: Path, progress: Progress | None) -> list[int]:
    """Puts every file in its place below `staging`: kept there, linked from the bundle `old`, copied from another path, or
    fetched. Returns the sizes of what was fetched."""
    wanted = {file.path: file for file in manifest.all_files(content)}
    there, sums = _keep(staging, wanted), _sums(old)
    for path, file in wanted.items():
        if path not in there and sums.get(path) == file.sha256 and _is(old / path, file):
            _link(old / path, staging / path)
            there.add(path)
    held = {sha256: old / path for path, sha256 in sums.items()} | {wanted[path].sha256: staging / path for path in there}
    missing: dict[str, list[FileRow]] = {}
    homes = packs.homes(content.packs)
    for path, file in wanted.items():
        if path not in there:
            missing.setdefault(homes.get(file.sha256, file).sha256, []).append(file)
    done, fetched = len(there), []
    work = list(missing.values())
    for written, size in in_parallel(store, lambda some: _write(store, prefix, staging, some, homes, held), work):
        fetched += [size] if size is not None else []
        done += written
        if progress:
            progress(done, len(wanted))
    if progress and not missing:
        progress(done, len(wanted))
    return fetched


def _write(
    store: Store, prefix: str, staging: Path, files: Sequence[FileRow], homes: Mapping[str, Pack], held: Mapping[str, Path]
) -> tuple[int, int | None]:
    """Writes files that one object of the store holds: a pack, or else their very bytes. Returns how many, and the size of the
    object where it had to be fetched, because a file is not at hand here (`held`: places by SHA-256)."""
    by_hash: dict[str, list[FileRow]] = {}
    for file in files:
        by_hash.setdefault(file.sha256, []).append(file)
    away = {sha256 for sha256, same in by_hash.items() if not (sha256 in held and _is(held[sha256], same[0]))}
    for sha256 in by_hash.keys() - away:
        data = held[sha256].read_bytes()
        manifest.check_blob(data, sha256, by_hash[sha256][0].size, f"{held[sha256]}")
        _place(staging, by_hash[sha256], data)
    if not away:
        return len(files), None
    whole = homes.get(files[0].sha256) or Pack(files[0].sha256, {files[0].sha256: files[0].size})
    key = blob_key(prefix, whole.sha256)
    for sha256, data in packs.cut(whole, store.get(key, whole.size)[0], away, f"{store.url}: {key}"):
        _place(staging, by_hash[sha256], data)
    return len(files), whole.size


def _place(staging: Path, files: Sequence[FileRow], data: bytes) -> None:
    for file in files:
        path = staging / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _keep(staging: Path, wanted: Mapping[str, FileRow]) -> set[str]:
    """Takes out of `staging` all that is not a wanted file, whole; returns the paths that stay."""
    kept = set()
    for folder, folders, names in os.walk(staging, topdown=False):
        for name in names:
            path = Path(folder, name)
            file = wanted.get(path.relative_to(staging).as_posix())
            if file and _is(path, file):
                kept.add(file.path)
            else:
                path.unlink()
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                path.unlink()
            else:
                with suppress(OSError):  # not empty
                    path.rmdir()
    return kept


def _link(source: Path, target: Path) -> None:
    """Gives a file of the old bundle its place in the new one, without a copy where the disk can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _is(path: Path, file: FileRow) -> bool:
    """Whether at `path` there is a file (no link) of that size and hash."""
    try:
        found = path.lstat()
        return stat.S_ISREG(found.st_mode) and found.st_size == file.size and _hash(path) == file.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_own(staging: Path, found: manifest.Manifest, rows: Sequence[Mapping[str, Any]], files: Sequence[FileRow]) -> None:
    for name, data in manifest.own_files(found, rows, files).items():
        (staging / name).write_bytes(data)


def _sums(bundle: Path) -> dict[str, str]:
    """SHA-256 by path, as the bundle's SHA256SUMS says it; lines that we do not write are left out."""
    try:
        lines = (bundle / SUMS).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_SUM.fullmatch(line) for line in lines)
    return {match[2]: match[1] for match in found if match and not bundle_problem(match[2])}


# --- switching ------------------------------------------------------------------------------------


def _free_name(home: Path, name: str) -> Path:
    """The folder's place among the bundles; with a number where the bundle that is repaired has that name."""
    return next(path for path in (home / f"{name}{end}" for end in _endings()) if not os.path.lexists(path))


def _endings() -> Iterator[str]:
    yield ""
    for number in count(2):
        yield f".{number}"


def _switch(staging: Path, final: Path, dest: Path) -> None:
    os.sync()  # before anything leads to it: a power cut must not leave a link to files that never reached the disk
    staging.rename(final)
    link = final.parent / place.LINK
    link.unlink(missing_ok=True)
    link.symlink_to(f"{final.parent.name}/{final.name}")
    link.replace(dest)


def _tidy(home: Path, keep: set[str]) -> None:
    for path in home.iterdir():
        if path.name not in keep and (place.BUNDLE.fullmatch(path.name) or path.name.startswith(place.STAGING)):
            shutil.rmtree(path, ignore_errors=True)  # the release is installed; the next pull tries again


# --- verifying ------------------------------------------------------------------------------------


def _problems(bundle: Path) -> Iterator[str]:
    data = (bundle / MANIFEST).read_bytes()
    try:
        found, rows = manifest.read_bundle(data, MANIFEST)
        files = list(manifest.all_files(manifest.content(found, rows, MANIFEST)))
        wanted = {MANIFEST: hashlib.sha256(data).hexdigest(), **{file.path: file.sha256 for file in files}}
        if _sums(bundle) != wanted:
            yield f"{SUMS}: it does not say what {MANIFEST} says"
    except StoreError as problem:
        yield f"{problem.what}: {problem.found}" if problem.found else problem.what
        wanted = _sums(bundle)
    present = {path.relative_to(bundle).as_posix(): path for path in _walk(bundle)}
    for name in sorted(wanted.keys() | present.keys() - {SUMS}):
        if name not in wanted:
            yield f"{name}: it is no part of the release"
        elif name not in present:
            yield f"{name}: it is missing"
        elif present[name].is_symlink() or not present[name].is_file():
            yield f"{name}: it is no file of its own"
        elif (sha256 := _hash(present[name])) != wanted[name]:
            yield f"{name}: it was altered: SHA-256 {sha256}, expected {wanted[name]}"


def _walk(bundle: Path) -> Iterator[Path]:
    """Everything below the bundle that is no folder."""
    for folder, folders, names in os.walk(bundle):
        yield from (Path(folder, name) for name in names)
        yield from (path for path in (Path(folder, name) for name in folders) if path.is_symlink())

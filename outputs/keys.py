"""A publisher's keys: made, rotated, shown. In: a folder, key URIs, a moment. Out: root metadata, and Signing to publish with.

    keys/1.root.json 2.root.json ...   root metadata, each signed by the keys of the one before and its own; public
    keys/root.json                     a copy of the newest: what a partner's first pull needs
    keys/root.pem                      the root's private key: take it off this machine
    keys/online.pem                    the private key of every run, unless [signing] names another place

Ed25519 unless a key service says otherwise. The root's key signs nothing but root metadata: who steals the online keys can be
shut out by `rotate` with it, and no partner has to do anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import AWSSigner, CryptoSigner, Key, SSlibKey
from tuf.api.metadata import Metadata, Root
from tuf.api.serialization.json import JSONSerializer

from outputs import signing
from outputs._disk import explained
from pipeline.contracts import Signing
from pipeline.errors import StoreError, UsageError

ROLES: Final = ("root", *signing.ONLINE)
_VERSION: Final = re.compile(r"([1-9][0-9]*)\.root\.json")


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are: the folder of root metadata, the private keys' URIs by role, and each role's days."""

    folder: Path
    keys: Mapping[str, str]
    days: Mapping[str, int]


def load(place: Place) -> Signing | None:
    """What releases are signed with; None where the folder holds no root metadata. Raises UsageError where a version is missing
    or is not signed by the one before."""
    found = {int(match[1]): path for path in place.folder.glob("*.root.json") if (match := _VERSION.fullmatch(path.name))}
    if not found:
        return None
    with explained(f"{place.folder}: reading keys failed"):
        roots = [found[number].read_bytes() for number in sorted(found)]
    if sorted(found) != list(range(1, len(found) + 1)):
        raise UsageError(f"{place.folder}: a version of the root metadata is missing", found=", ".join(map(str, sorted(found))))
    _check_chain(place.folder, roots)
    return Signing(tuple(roots), {role: place.keys[role] for role in signing.ONLINE}, dict(place.days))


def _check_chain(folder: Path, roots: list[bytes]) -> None:
    before: Root | None = None
    for number, data in enumerate(roots, 1):
        signing.root_of(data)
        found: Metadata[Root] = Metadata.from_bytes(data)
        if found.signed.version != number or not found.signed.get_root_verification_result(
            before, found.signed_bytes, found.signatures
        ):
            raise UsageError(
                f"{folder}/{number}.root.json is not signed by the root before it",
                expected=f"version {number}, signed by the root keys of version {max(number - 1, 1)}",
                found=f"version {found.signed.version}",
                fix="take the folder from a backup",
            )
        before = found.signed


def init(place: Place, now: datetime) -> list[Path]:
    """Makes keys and the first root metadata; returns the files written. Keys that are there already (a service, a variable, a
    file) are used. Raises UsageError where the folder has root metadata."""
    if any(place.folder.glob("*.root.json")):
        raise UsageError(
            f"{place.folder} holds keys already", fix="`keys rotate` replaces them; new ones would shut every partner out"
        )
    written: list[Path] = []
    keys = {role: _key_of(place.keys[role], written) for role in ROLES}
    root = Root(1, None, _moment(now) + timedelta(days=place.days["root"]))
    for role in ROLES:
        root.add_key(keys[role], role)
    return [*written, *_write_root(place, root, [(place.keys["root"], keys["root"])])]


def rotate(place: Place, roles: tuple[str, ...], now: datetime) -> list[Path]:
    """New keys for these roles ("root", "targets", "snapshot", "timestamp"; none: only the root's expiry is set anew), signed by
    the present root key. A file's key is replaced, the old one kept as `<name>.old-<version>`; for other places the new key must
    stand there already. Killed anywhere, keys and root metadata still fit. Returns the files written. Raises UsageError."""
    held = load(place)
    if held is None:
        raise UsageError(f"{place.folder} holds no keys yet", fix="run `keys init`")
    _check_shared(place, roles)
    root = signing.root_of(held.roots[-1])
    old_root = signing.key_of(root, "root")
    _finish(place, root)
    if place.keys["root"].startswith("file:"):  # in other places the new key may stand there already
        signing.signer(
            place.keys["root"], old_root
        )  # without the root's key nothing can be rotated: say so before anything is made
    version, written = root.version, list[Path]()
    made = {uri: _key_of(_next(uri), written) for uri in dict.fromkeys(place.keys[role] for role in roles)}
    for role in roles:
        for keyid in list(root.get_delegated_role(role).keyids):
            root.revoke_key(keyid, role)
        root.add_key(made[place.keys[role]], role)
    signers = [(place.keys["root"], old_root)]
    signers += [(_next(place.keys["root"]), made[place.keys["root"]])] if "root" in roles else []
    root.version, root.expires = version + 1, _moment(now) + timedelta(days=place.days["root"])
    roots = _write_root(place, root, signers)
    return [*(_in_place(uri, version) for uri in made if uri.startswith("file:")), *roots]


def _check_shared(place: Place, roles: tuple[str, ...]) -> None:
    """A key that several roles share is rotated for all of them, or the others would be left without."""
    for role in roles:
        left = [other for other in ROLES if other not in roles and place.keys[other] == place.keys[role]]
        if left:
            raise UsageError(
                f"{role} has the same key as {', '.join(left)}",
                fix=f"rotate them together ('online'), or give {role} a key of its own ([signing] {role}_key)",
            )


def _next(uri: str) -> str:
    """Where the successor of a key file is made; signing.signer looks there too, until it is in its place."""
    return f"{uri}{signing.NEXT}" if uri.startswith("file:") else uri


def _finish(place: Place, root: Root) -> None:
    """Puts successors in their place that a killed rotation made known, and left beside."""
    for role in ROLES:
        path = Path(place.keys[role].removeprefix("file:"))
        successor = path.with_name(f"{path.name}{signing.NEXT}")
        if place.keys[role].startswith("file:") and successor.exists():
            named = signing.key_of(root, role).keyid
            if not path.exists() or named == _public(successor.read_bytes(), str(successor)).keyid:
                _in_place(place.keys[role], root.version - 1)


def _in_place(uri: str, version: int) -> Path:
    """Moves the successor of a key file into its place; the old one is kept."""
    path = Path(uri.removeprefix("file:"))
    with explained(f"moving the key {path} failed"):
        if path.exists():
            path.replace(path.with_name(f"{path.name}.old-{version}"))
        path.with_name(f"{path.name}{signing.NEXT}").replace(path)
    return path


def show(place: Place) -> dict[str, Any]:
    """The newest root metadata in plain values: version, expiry, and by role the key's id, kind and place."""
    held = load(place)
    if held is None:
        raise UsageError(f"{place.folder} holds no keys yet", fix="run `keys init`")
    root = signing.root_of(held.roots[-1])
    keys = {role: signing.key_of(root, role) for role in ROLES}
    return {
        "version": root.version,
        "expires": root.expires.isoformat(),
        "keys": {
            role: {"id": key.keyid, "kind": f"{key.keytype} ({key.scheme})", "place": place.keys[role]}
            for role, key in keys.items()
        },
    }


def _moment(now: datetime) -> datetime:
    return now.replace(microsecond=0)


def _key_of(uri: str, written: list[Path]) -> Key:
    """The public key of a private one; a file that is not there is made."""
    scheme, _, rest = uri.partition(":")
    if scheme == "awskms":
        return _kms(rest)
    if scheme == "env":
        return _public(os.environ.get(rest, "").encode(), uri)
    if scheme != "file":
        raise UsageError(f"keys can not be made at {uri}", expected="file:, env: or awskms:", fix="see docs/delivery.md")
    path = Path(rest)
    with explained(f"writing the key {path} failed"):
        if path.exists():
            return _public(path.read_bytes(), uri)
        made = CryptoSigner.generate_ed25519()
        _write(path, made.private_bytes, mode=0o600)
    written.append(path)
    return made.public_key


def _kms(name: str) -> Key:
    try:
        return AWSSigner.import_(name)[1]
    except Exception as problem:  # boto3's, securesystemslib's, or a network's
        raise StoreError(
            f"the key awskms:{name} can not be had",
            found=f"{type(problem).__name__}: {problem}",
            fix="look at its name, the region, and the rights kms:GetPublicKey and kms:DescribeKey",
        ) from problem


def _public(pem: bytes, uri: str) -> Key:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return SSlibKey.from_crypto(load_pem_private_key(pem, None).public_key())
    except (ValueError, TypeError) as problem:
        raise UsageError(f"there is no private key at {uri}", expected="PEM, PKCS 8", found=str(problem)) from problem


def _write_root(place: Place, root: Root, signers: list[tuple[str, Key]]) -> list[Path]:
    metadata = Metadata(root)
    for uri, key in signers:
        metadata.sign(signing.signer(uri, key), append=True)
    data = metadata.to_bytes(JSONSerializer(compact=True))
    paths = [place.folder / f"{root.version}.root.json", place.folder / "root.json"]
    with explained(f"writing {paths[0]} failed"):
        for path in paths:
            _write(path, data)
    return paths


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)

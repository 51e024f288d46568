"""What a release says, as bytes: canonical JSON that is the same anywhere, and strict reading of what a store gives back.

In: contracts.Content and a Header. Out: shards (rows, by the hash of their topic's id), the manifest that names them, and both
read back. A manifest is a header and content; the header's `content` is the SHA-256 of all the rest, so that releases of the same
content are told apart by their headers alone.

A store's answer is untrusted: hash first, then types, names and paths. Keys that we do not know are left alone, because a later
version may say more. A row leaves out what is empty, so that a new field changes no hash of a row that does not have it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from dataclasses import field as made
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, Final, TypeVar

from outputs._paths import set_problem
from pipeline.contracts import Content, FileRow, Moved, Pack, Row, Withdrawn, plain_values
from pipeline.errors import Altered, StoreError, UsageError

SCHEMA: Final = "1"
MEDIA_TYPE: Final = "application/json"
SHARD_TOPICS: Final = 500
MAX_TOPICS: Final = 1_000_000  # of a release, in rows of about 2 kB: what a client will read, and a publisher can make
MAX_BYTES: Final = 2 * 1024**3  # of all rows; and of one file
OWN_FILES: Final = ("manifest.json", "SHA256SUMS")  # what pull adds to a bundle
PACK_LIMIT: Final = 64 * 1024**2  # bytes of a pack that we would read: it is held in memory

_HASH_BITS: Final = 256
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TAMPERED: Final = (
    "do not use it; if the store was not restored or edited by hand, find out who can write there, then publish again"
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Header:
    """Which release it is. `previous` is the SHA-256 of the manifest before ("" = the first), `changes` the blob that says what
    it changes (`sha256`, `size`)."""

    partner: str
    site: str
    sequence: int
    previous: str
    run_id: str
    created: str
    changes: Mapping[str, Any] = made(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the rows, as the manifest names it."""

    sha256: str
    size: int
    topics: int


@dataclass(frozen=True, slots=True)
class Described:
    """The content of a release, ready to be stored: the manifest without its header, its SHA-256, and the shards' bytes."""

    document: Mapping[str, Any]
    sha256: str
    shards: tuple[tuple[Shard, bytes], ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read and found sound. `document` is all of it, with the keys that we do not know."""

    header: Header
    content_sha256: str
    shards: tuple[Shard, ...]
    document: Mapping[str, Any]


# --- writing --------------------------------------------------------------------------------------


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value: keys sorted, no white space, UTF-8, a line feed at the end. Raises UsageError for what
    has no exact spelling: a float, NaN, a lone surrogate, a key that is no text."""
    try:
        text = json.dumps(value, default=_as_dict, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        _check_exact(value)  # after json.dumps, which refuses what holds itself
        return f"{text}\n".encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            "a release can not be written as JSON", found=str(error), fix="report the plug-in that made it"
        ) from error


def describe(content: Content) -> Described:
    """The content as a store will have it. Raises UsageError where no bundle could hold it: two files of one path, a path that
    is not safe, a topic twice."""
    rows = [row_document(row) for row in sorted(content.rows, key=_key)]
    if problem := _rows_problem(content) or _files_problem(all_files(content), content.packs):
        raise UsageError(
            f"a release can not be made: {problem}", fix="report the format or setting that names that file or topic"
        )
    parts = tuple(pack(rows))
    if problem := _amount_problem(sum(shard.size for shard, _ in parts), len(rows)):
        raise UsageError(f"a release can not be made: {problem}", fix="give the partner several sites with fewer topics each")
    document = {
        "as_of": content.as_of,
        "terms_sha256": content.terms_sha256,
        "license": content.license,
        "notices": content.notices,
        "shards": [plain_values(shard) for shard, _ in parts],
        "files": [plain_values(file) for file in sorted(content.files, key=lambda file: file.path)],
        "withdrawn": [plain_values(gone) for gone in sorted(content.withdrawn, key=_key)],
        "moved": [plain_values(moved) for moved in sorted(content.moved, key=_key)],
        "upcoming": content.upcoming,
        **(
            {"packs": [plain_values(pack) for pack in sorted(content.packs, key=lambda pack: pack.sha256)]}
            if content.packs
            else {}
        ),
    }
    return Described(document, _sha256(canonical(document)), parts)


def write(described: Described, header: Header) -> bytes:
    """The manifest's bytes."""
    return canonical({"schema": SCHEMA, **plain_values(header), "content": described.sha256, **described.document})


def row_document(row: Row) -> dict[str, Any]:
    """A row as JSON has it: without what is empty, files in their own order (the format's main file first)."""
    document = {field.name: value for field in fields(Row) if (value := getattr(row, field.name)) or not _is_optional(field)}
    return {**document, "files": [plain_values(file) for file in row.files]}


def _is_optional(field: Field[Any]) -> bool:
    """Whether a row that does not say it has it empty (`status` has a value even then)."""
    return field.default in ("", ()) or field.default_factory is not MISSING


def pack(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Shard, bytes]]:
    """Row documents in shards of at most 500. A part that is too full splits by the next bit of its ids' hashes: its bounds
    come from the ids alone, not from history, and a topic that comes, goes or changes touches one shard."""
    hashed = [(int.from_bytes(hashlib.sha256(row["id"].encode()).digest(), "big"), row) for row in rows]
    for part in _split(hashed, _HASH_BITS - 1):
        data = canonical({"topics": [row for _, row in part]})
        yield Shard(_sha256(data), len(data), len(part)), data


def all_files(content: Content) -> Iterator[FileRow]:
    """Every file of a release: the bundle's, then each topic's, then the notices in the place of withdrawn ones."""
    yield from content.files
    for row in content.rows:
        yield from row.files
    for gone in content.withdrawn:
        yield from gone.files


def _split(items: list[tuple[int, Mapping[str, Any]]], bit: int) -> Iterator[list[tuple[int, Mapping[str, Any]]]]:
    if len(items) <= SHARD_TOPICS or bit < 0:
        if items:
            yield items
        return
    for side in (0, 1):
        yield from _split([item for item in items if item[0] >> bit & 1 == side], bit - 1)


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is a {type(value).__name__}: only texts, whole numbers, lists and objects are exact")


def _check_exact(value: object) -> None:
    """Raises TypeError for what JSON would spell in a way that is not exact, or not the only one. No recursion: there are a
    million values in a large release."""
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is str or kind is int or one is None:
            continue
        if kind is dict or isinstance(one, Mapping):
            if not all(issubclass(key, str) for key in set(map(type, one))):
                raise TypeError(f"an object has a key that is no text: {list(one)!r}")
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif not isinstance(one, str | int):
            raise TypeError(f"{one!r} is a {kind.__name__}: only texts, whole numbers, lists and objects are exact")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- reading --------------------------------------------------------------------------------------


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `data`. Raises StoreError where it is none or not in the spelling of `canonical`: one text, one hash."""
    value = _parse(data, what)
    try:
        if canonical(value) == data:
            return value
    except UsageError as error:
        raise unsound(what, error.found) from error
    raise unsound(what, "not in the form that we write: edited, or a key twice")


def read(data: bytes, what: str) -> Manifest:
    """The manifest in `data`, sound in itself: schema, types, content hash. `what` names it in errors. Raises StoreError."""
    document = read_json(data, what)
    if document.get("schema") != SCHEMA:
        raise StoreError(
            f"{what} has a schema that this program does not know",
            expected=SCHEMA,
            found=repr(document.get("schema")),
            fix="update this program",
        )
    header = record(Header, document, what)
    if header.sequence < 1 or (header.previous and not is_sha256(header.previous)):
        raise unsound(what, f"sequence {header.sequence}, previous {header.previous!r}")
    content = {key: value for key, value in document.items() if key not in _HEADER}
    if (found := _sha256(canonical(content))) != document.get("content"):
        raise altered(what, found, f"content {document.get('content')}")
    shards = tuple(record(Shard, item, what) for item in _items(document, "shards", what))
    if "topics" in document:
        raise unsound(what, "it holds rows, which belong into shards")
    if bad := next((shard for shard in shards if not is_sha256(shard.sha256) or min(shard.size, shard.topics) < 0), None):
        raise unsound(what, f"the shard {bad}")
    return Manifest(header, found, shards, document)


def read_rows(manifest: Manifest, data: Iterable[bytes], what: str) -> list[dict[str, Any]]:
    """The row documents of the manifest's shards, whose bytes come in the manifest's order; hashes and numbers are checked, and
    no shard is read that does not have the right one. Raises StoreError."""
    rows: list[dict[str, Any]] = []
    for shard, part in zip(manifest.shards, data, strict=True):
        check_blob(part, shard.sha256, shard.size, f"a shard of {what}")
        found = _items(read_json(part, f"a shard of {what}"), "topics", what)
        if len(found) != shard.topics:
            raise unsound(f"a shard of {what}", f"{len(found)} topics where the manifest says {shard.topics}")
        rows += found
    return rows


def shard_rows(data: bytes, what: str) -> list[dict[str, Any]]:
    """The row documents of one shard whose hash was checked: each names its topic. Raises StoreError."""
    rows = _items(_parse(data, what), "topics", what)
    if bad := next((row for row in rows if not isinstance(row, dict) or not {"id", "language"} <= row.keys()), None):
        raise unsound(what, f"{bad!r:.80} where a topic is expected")
    return rows


def bundle_document(manifest: Manifest, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The `manifest.json` of a bundle: the manifest with all rows in `topics`, in the order of its shards and one a line, so
    that `read_bundle` can prove each."""
    head = canonical(manifest.document).decode().removesuffix("}\n")
    lines = ",\n".join(canonical(row).decode().rstrip("\n") for row in rows)
    return f'{head},\n"topics":[\n{lines}\n]}}\n'.encode()


def own_files(manifest: Manifest, rows: Sequence[Mapping[str, Any]], files: Iterable[FileRow]) -> dict[str, bytes]:
    """What stands in a bundle beside the release's files, by name: `manifest.json`, and `SHA256SUMS` for common tools."""
    data = bundle_document(manifest, rows)
    sums = {OWN_FILES[0]: _sha256(data), **{file.path: file.sha256 for file in files}}
    return {OWN_FILES[0]: data, OWN_FILES[1]: "".join(f"{sums[path]}  {path}\n" for path in sorted(sums)).encode()}


def read_bundle(data: bytes, what: str) -> tuple[Manifest, list[dict[str, Any]]]:
    """Manifest and row documents of a bundle's `manifest.json`, proven by the manifest's hashes. Raises StoreError."""
    document = _parse(data, what)
    rows = _items(document, "topics", what)
    try:
        found = read(canonical({key: value for key, value in document.items() if key != "topics"}), what)
        starts = [0, *accumulate(shard.topics for shard in found.shards)]
        parts = (canonical({"topics": rows[start:end]}) for start, end in pairwise(starts))
        proven = read_rows(found, parts, what)
    except UsageError as error:
        raise unsound(what, error.found) from error
    if len(proven) != len(rows):
        raise unsound(what, f"{len(rows)} topics where its shards have {len(proven)}")
    return found, proven


def content(manifest: Manifest, rows: Sequence[Mapping[str, Any]], what: str) -> Content:
    """The content that manifest and row documents say, with every path checked. Raises StoreError."""
    found = record(Content, {**manifest.document, "rows": list(rows)}, what)
    found = replace(found, rows=tuple(sorted(found.rows, key=_key)))
    if problem := _rows_problem(found) or _files_problem(all_files(found), found.packs):
        raise Altered(f"{what} is not safe to use: {problem}", fix=_TAMPERED)
    return found


def check_blob(data: bytes, sha256: str, size: int, what: str) -> None:
    """Raises StoreError where the bytes are not those of that size and hash."""
    if len(data) != size:
        raise Altered(f"{what} is not whole", expected=f"{size} bytes", found=f"{len(data)} bytes", fix=_TAMPERED)
    if (found := _sha256(data)) != sha256:
        raise altered(what, found, sha256)


def check_amount(size: int, topics: int, what: str) -> None:
    """Raises Altered where a release is larger than any that we make: reading it could fill the memory."""
    if problem := _amount_problem(size, topics):
        raise Altered(
            f"{what} can not be read: {problem}", fix="do not use it; tell the publisher, who should find out who can sign"
        )


def _amount_problem(size: int, topics: int) -> str:
    if 0 <= size <= MAX_BYTES and 0 <= topics <= MAX_TOPICS:
        return ""
    return f"{topics} topics in {size} bytes of rows, where at most {MAX_TOPICS} in {MAX_BYTES} are allowed"


def unsound(what: str, found: str) -> Altered:
    """The error for an object that is not what we write."""
    return Altered(f"{what} is damaged", found=found, fix=_TAMPERED)


def altered(what: str, found: str, expected: str = "") -> Altered:
    """The error for an object that was changed after it was written."""
    return Altered(f"{what} was altered", expected=expected, found=found, fix=_TAMPERED)


def record(kind: type[_T], document: object, what: str) -> _T:
    """A dataclass from an object's keys: each of the right type, none missing that has no default. Raises StoreError."""
    if not isinstance(document, dict):
        raise unsound(what, f"{document!r:.80} where an object is expected")
    values: dict[str, Any] = {}
    for name, read_one, needed in _plan(kind):  # type: ignore[arg-type]
        if name in document:
            value = document[name]
            values[name] = value if read_one is _text and type(value) is str else read_one(value, f"{what}, {name}")
        elif needed:
            raise unsound(what, f"{name!r} is missing")
    return kind(**values)


@cache
def _plan(kind: Any) -> tuple[tuple[str, Callable[[object, str], Any], bool], ...]:
    """Name of each field of a dataclass, how it is read, and whether it must be there: looked up once, not for each file."""
    needed = {field.name: field.default is MISSING and field.default_factory is MISSING for field in fields(kind)}
    return tuple((field.name, _READERS[str(field.type)], needed[field.name]) for field in fields(kind))


def is_sha256(text: str) -> bool:
    """Whether the text is a SHA-256 as we write it."""
    return _SHA256.fullmatch(text) is not None


def _parse(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise unsound(what, str(error)) from error
    if not isinstance(value, dict):
        raise unsound(what, f"a {type(value).__name__} where an object is expected")
    return value


def _no_float(text: str) -> object:
    raise ValueError(f"the number {text} is not whole")


def _items(document: Mapping[str, Any], key: str, what: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise unsound(what, f"{key!r} is no list")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise unsound(what, f"{value!r:.80} where a text is expected")
    return sys.intern(value)  # the rows of twenty sites say much the same; kept once, they are a third of the size


def _number(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise unsound(what, f"{value!r:.80} where a whole number is expected")
    return value


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise unsound(what, f"{value!r:.80} where an object is expected")
    return value


def _texts_by_name(value: object, what: str) -> dict[str, str]:
    return {sys.intern(key): _text(inner, what) for key, inner in _mapping(value, what).items()}


def _numbers_by_name(value: object, what: str) -> dict[str, int]:
    return {key: _number(inner, what) for key, inner in _mapping(value, what).items()}


def _many(read_one: Callable[[object, str], _T]) -> Callable[[object, str], tuple[_T, ...]]:
    def read_all(value: object, what: str) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise unsound(what, f"{value!r:.80} where a list is expected")
        return tuple(read_one(item, what) for item in value)

    return read_all


def _file(value: object, what: str) -> FileRow:
    found = record(FileRow, value, what)
    if not is_sha256(found.sha256) or not 0 <= found.size <= MAX_BYTES:
        raise unsound(what, f"{found.path!r}: SHA-256 {found.sha256!r:.80}, {found.size} bytes")
    return found


def _pack(value: object, what: str) -> Pack:
    found = record(Pack, value, what)
    if not all(map(is_sha256, (found.sha256, *found.members))) or min(found.members.values(), default=-1) < 0:
        raise unsound(what, f"the pack {found.sha256!r:.80}: {len(found.members)} members, or one of them is no file")
    if found.size > PACK_LIMIT:
        raise unsound(what, f"the pack {found.sha256}: {found.size:.3e} bytes, more than {PACK_LIMIT}")
    return found


def _row(value: object, what: str) -> Row:
    return record(Row, value, what)


def _withdrawn(value: object, what: str) -> Withdrawn:
    return record(Withdrawn, value, what)


def _moved(value: object, what: str) -> Moved:
    return record(Moved, value, what)


# By a field's type as the contracts write it.
_READERS: Final[dict[str, Callable[[object, str], Any]]] = {
    "str": _text,
    "int": _number,
    "Mapping[str, Any]": _mapping,
    "Mapping[str, str]": _texts_by_name,
    "Mapping[str, int]": _numbers_by_name,
    "tuple[str, ...]": _many(_text),
    "tuple[Mapping[str, str], ...]": _many(_texts_by_name),
    "tuple[FileRow, ...]": _many(_file),
    "tuple[Row, ...]": _many(_row),
    "tuple[Withdrawn, ...]": _many(_withdrawn),
    "tuple[Moved, ...]": _many(_moved),
    "tuple[Pack, ...]": _many(_pack),
}
_HEADER: Final = frozenset({"schema", "content", *(field.name for field in fields(Header))})


# --- both ways ------------------------------------------------------------------------------------


def _key(row: Row | Withdrawn | Moved) -> tuple[str, str]:
    return row.id, row.language


def _rows_problem(content: Content) -> str:
    seen: set[tuple[str, str]] = set()
    everything: tuple[Row | Withdrawn, ...] = (*content.rows, *content.withdrawn)
    for row in everything:
        if _key(row) in seen:
            return f"the topic {row.id!r} is in it twice in {row.language!r}"
        seen.add(_key(row))
    return ""


def _files_problem(files: Iterable[FileRow], packs: Iterable[Pack]) -> str:
    found = list(files)
    if problem := set_problem([*OWN_FILES, *(file.path for file in found)]):
        return problem
    sizes: dict[str, int] = {}
    for pack in packs:
        for sha256, size in pack.members.items():
            if sizes.setdefault(sha256, size) != size:
                return f"the pack {pack.sha256!r}: {size} and {sizes[sha256]} bytes of one SHA-256"
    for file in found:
        if sizes.setdefault(file.sha256, file.size) != file.size:
            return f"{file.path!r}: {file.size} and {sizes[file.sha256]} bytes of one SHA-256"
    return ""

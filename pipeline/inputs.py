"""The input files: one flat, sorted list of names over one or more stores, and which source claims which file.

In: stores (folders, archives, buckets), each with the name its files get in front. Out: `Inputs`, which fills the
`Files` contract, and `Survey`: the files of each source, and findings for those that nobody or more than one claims.
Names come from outside: one that could be mistaken for another place is refused, not cleaned.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline import xml
from pipeline.contracts import Files, Head, Source, Store, Stored, Unread
from pipeline.errors import NotFound, SyndicationError, Unreadable
from pipeline.findings import Finding, error, warning
from pipeline.names import has_device

NAME_REFUSED = error(
    "input.name-refused",
    "A file's name could be mistaken for another place (`..`, a backslash, a control character), or is none that every system can"
    " hold (a device such as `con`), so the file was not read.",
    "Rename the file.",
)
UNREADABLE = error(
    "input.unreadable",
    "A file of the inputs can not be read: no right to, a symbolic link that leads nowhere or out of the input, no file at all.",
    "Give the user who runs this the right to read it, put the file itself in the place of the link, or take it away.",
)
FOLDER_UNREADABLE = error(
    "input.folder-unreadable",
    "A folder of the inputs can not be listed, or is a symbolic link out of them. Nobody knows what is in it, so no topic that is"
    " live and not in the inputs is taken down.",
    "Give the user who runs this the right to read it, or name the folder itself in `inputs`.",
)
NAME_TWICE = error(
    "input.name-twice",
    "Two inputs hold a file of the same name; only the first was read.",
    "Take one of the two inputs out of the settings.",
)
UNCLAIMED = warning(
    "input.unclaimed",
    "An XML file is in no vocabulary that is installed, so it was not published.",
    "Take the file out of the inputs, or add a source for its vocabulary.",
)
CLAIMED_TWICE = error(
    "input.claimed-twice", "More than one source claims a file; none read it.", "Narrow `claims` of one of the sources."
)
FAILED = error(
    "source.failed",
    "A source's program failed over a file. What is in the file is held back, the other files go on.",
    "Report it with the file and the message; until it is mended, take out of the file what nobody else writes.",
)
NO_INPUT = error("input.empty", "There is nothing to publish in the inputs.", "Check `inputs` in syndication.toml.")

_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LONGEST_KEY: Final = 1024
_LONGEST_NAME: Final = 255
# XML by name: a damaged one is reported, not passed over.
_XML: Final = frozenset({".xml", ".dita", ".ditamap", ".bookmap", ".nxml"})
# XML that is no topic, and files that are never XML: not worth reading.
_OTHER: Final = re.compile(
    r"\.(svg|html?|xhtml|css|dtd|ent|mod|xsd|rng|rnc|sch|xslt?|ditaval|png|jpe?g|gif|webp|tiff?|bmp|ico|pdf|zip|gz|tar|jar|epub"
    r"|docx|xlsx|pptx|mp[34]|mov|webm|woff2?|ttf|otf|js|json|md|toml|ya?ml|csv|py)",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe(?:\0\0)?|(?:\0\0)?\xfe\xff)?[\s\0]*<")


@dataclass(frozen=True, slots=True)
class Input:
    """One input: `prefix` stands before its files' names, `only` is the one key to take where the input is a single file.

    Of an address (`s3://bucket/topics`), what follows `://` stands before the names: they are paths, and resolve like paths.
    """

    prefix: str
    store: Store
    only: str = ""

    def name(self, key: str) -> str:
        """The input file's name of a key of the store."""
        prefix = self.prefix.partition("://")[2] or self.prefix
        return posixpath.join(prefix, key) if prefix not in ("", ".") else key

    def key(self, name: str) -> str:
        """The store's key of an input file's name."""
        return name[len(self.name("")) :]


@dataclass(frozen=True, slots=True)
class _Listing:
    names: tuple[str, ...] = ()
    owners: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


# Listings of this process, by what they list: a worker gets many `Inputs` that are one and the same.
_LISTINGS: dict[str, _Listing] = {}
_LISTINGS_KEPT: Final = 4


class Inputs:
    """The `Files` over several stores. Lists each store once; pickles without the list, so that workers get it cheaply."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._inputs = tuple(inputs)
        self._listing: _Listing | None = None
        self._key = ""
        self._digests: dict[str, str] = {}

    def names(self) -> Sequence[str]:
        """Every file, sorted; hidden files (a part of the path begins with a dot) are left out. Raises StoreError."""
        return self._listed().names

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Names that were refused or stand in two inputs."""
        return self._listed().findings

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises NotFound where no input holds it, StoreError where the store fails."""
        owner = self._listed().owners.get(name)
        if owner is None:
            raise NotFound(f"no input file {name!r}", fix="check the name, upper and lower case included")
        found = self._inputs[owner]
        try:
            data = found.store.get(found.key(name))[0]
        except Unreadable as problem:  # to a source it is as good as gone; `survey` says why
            raise NotFound(problem.what, found=problem.found, fix=problem.fix) from None
        self._digests[name] = hashlib.sha256(data).hexdigest()
        return data

    def digest(self, name: str) -> str:
        """SHA-256 (hex) of a file as this process last read it, which it does now where it has not. Raises as `read`."""
        if name not in self._digests:
            self.read(name)
        return self._digests[name]

    def __contains__(self, name: object) -> bool:
        return name in self._listed().owners

    def anew(self) -> Inputs:
        """The same files, listed already, of which none has been read."""
        again = Inputs(self._inputs)
        again._listing = self._listed()
        return again

    def __getstate__(self) -> dict[str, Any]:
        return {"_inputs": self._inputs, "_listing": None, "_key": self._listed_key(), "_digests": {}}

    def _listed_key(self) -> str:
        if not self._key:
            listing = self._listed()
            urls = [(one.prefix, one.store.url, one.only) for one in self._inputs]
            self._key = hashlib.sha256(repr((urls, listing.names)).encode("utf-8", "surrogatepass")).hexdigest()
            _keep(self._key, listing)
        return self._key

    def _listed(self) -> _Listing:
        if self._listing is None:
            self._listing = _LISTINGS.get(self._key) or _list(self._inputs)
            if self._key:
                _keep(self._key, self._listing)
        return self._listing


def _keep(key: str, listing: _Listing) -> None:
    _LISTINGS[key] = listing
    while len(_LISTINGS) > _LISTINGS_KEPT:
        _LISTINGS.pop(next(iter(_LISTINGS)))


def _list(inputs: Sequence[Input]) -> _Listing:
    owners: dict[str, int] = {}
    findings = []
    for number, one in enumerate(inputs):
        survey_of: Callable[[str], Iterator[Stored | Unread]] = getattr(one.store, "survey", one.store.list)
        for stored in survey_of(one.only):
            if _hidden(stored.key) or (one.only and stored.key != one.only):
                continue
            name, problem = one.name(stored.key), _unsafe(stored.key)
            if isinstance(stored, Unread):
                code = FOLDER_UNREADABLE if stored.folder else UNREADABLE
                findings.append(code.at(_shown(name), 0, f"it {_shown(stored.why)}"))
            elif problem:
                findings.append(NAME_REFUSED.at(_shown(name), 0, f"the name {_shown(name)!r} {problem}"))
            elif name in owners:
                first, second = inputs[owners[name]].store.url, one.store.url
                findings.append(NAME_TWICE.at(name, 0, f"in {first} and in {second}"))
            else:
                owners[name] = number
    return _Listing(tuple(sorted(owners)), owners, tuple(findings))


def _hidden(key: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in key.split("/"))


def _unsafe(key: str) -> str:
    """What is wrong with a store's key as a file name; "" where nothing is."""
    if any(part in ("", ".", "..") for part in key.split("/")):
        return "has an empty part, `.` or `..` in its path"
    if "\\" in key:
        return "has a backslash"
    if _BIDI.search(key) or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in key):
        return "has a control character, or bytes that are not UTF-8"
    if has_device(key):  # what no store hands out: one such file must not stop the others
        return "is that of a device on Windows"
    if len(key.encode()) > _LONGEST_KEY or any(len(part.encode()) > _LONGEST_NAME for part in key.split("/")):
        return f"is too long: {_LONGEST_KEY} bytes for the whole of it and {_LONGEST_NAME} for each part are the most"
    return ""


def _shown(name: str) -> str:
    shown = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in name)
    return _BIDI.sub("\ufffd", shown)


# --- who reads what -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """The files that each source claims, by source name (every source is named, sorted), and findings."""

    claimed: Mapping[str, tuple[str, ...]]
    findings: tuple[Finding, ...] = ()


Owner = str | Finding | None  # a source's name, or why none has the file; None where it is no XML


def survey(files: Files, sources: Mapping[str, Source], known: dict[str, Owner] | None = None) -> Survey:
    """Asks every source about every XML file's head, but for files whose owner is `known`; those found are added to it. Raises
    StoreError; what is wrong with a file is a finding."""
    claimed: dict[str, list[str]] = {name: [] for name in sorted(sources)}
    findings: list[Finding] = []
    owners = {} if known is None else known
    seen = 0
    for name in files.names():
        if name not in owners:
            owners[name] = _found_owner(files, name, sources)
        owner = owners[name]
        if owner is None:
            continue
        seen += 1
        if isinstance(owner, Finding):
            findings.append(owner)
        else:
            claimed[owner].append(name)
    if not seen:
        findings.append(NO_INPUT.at("", 0, f"the inputs hold {len(files.names())} files, none of them XML"))
    return Survey({name: tuple(names) for name, names in claimed.items()}, tuple(findings))


def _found_owner(files: Files, name: str, sources: Mapping[str, Source]) -> Owner:
    try:
        head = _head(files, name)
        return _owner(head, sources) if isinstance(head, Head) else head
    except NotFound as problem:
        return UNREADABLE.at(name, 0, f"it can not be read: {problem.found or 'it is not there any more'}")
    except SyndicationError:
        raise
    except Exception as problem:  # of a source that looks at what nobody thought of
        return failed(name, problem)


def failed(name: str, problem: Exception) -> Finding:
    """What is said of a file that a source fails over."""
    return FAILED.at(name, 0, f"{type(problem).__name__}: {problem}"[:300])


def _head(files: Files, name: str) -> Head | Finding | None:
    """The head of an XML file, or why it has none; None for other files."""
    extension = posixpath.splitext(name)[1].lower()
    if _OTHER.fullmatch(extension):
        return None
    data = files.read(name)
    return xml.head(data, name) if extension in _XML or _MARKS.match(data) else None


def _owner(head: Head, sources: Mapping[str, Source]) -> str | Finding:
    owners = sorted(name for name, source in sources.items() if source.claims(head))
    if len(owners) == 1:
        return owners[0]
    if owners:
        return CLAIMED_TWICE.at(head.file, 0, f"the sources {', '.join(owners)} all claim {_element(head)}")
    return UNCLAIMED.at(head.file, 0, f"no source claims {_element(head)}; there are sources for {', '.join(sorted(sources))}")


def _element(head: Head) -> str:
    return f"<{head.root}> in the namespace {head.namespace}" if head.namespace else f"<{head.root}>"

"""The canonical topic itself: files that `topic.dump` printed, or that people wrote in that form.

In: `<topic schema="1">` files, one topic each. Out: that topic, its provenance pointing at this file. Ids are public. An image's
`src` is looked for beside the topic's file first, then as an input file's name. DITA's `<topic>` has no `schema`.
Specification: `pipeline/topic.rng`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from lxml import etree

from pipeline import xml
from pipeline.contracts import Conditions, Entry, Files, Head, Index, Read, Unit
from pipeline.findings import Finding, error
from pipeline.topic import BLOCKS, SCHEMA, InvalidTopic, Topic, load_element, safe_id, schema_problems
from sources._noting import NotedFiles, Notes

SCHEMA_VERSION = error(
    "canonical.schema",
    "A topic file is in another version of the canonical form.",
    f'Print the topic again with this version, which writes schema="{SCHEMA}".',
)
INVALID = error(
    "canonical.invalid", "A topic file is not as the canonical form wants it.", "Correct the element at that line; see topic.rng."
)
# What libxml2 says of the elements around the one that is wrong.
_CONSEQUENCE: Final = re.compile("failed to validate|in interleave|has extra content")


def claims(head: Head) -> bool:
    """Canonical topics of any version: `topic` in no namespace, with a `schema`."""
    return head.root == "topic" and not head.namespace and "schema" in head.attributes


def index(files: Files, names: Sequence[str], conditions: Conditions) -> Index:
    """One entry for each valid file; what is wrong with the others are findings with their lines."""
    return indexer(conditions).index(files, names)


def indexer(conditions: Conditions) -> Indexer:  # noqa: ARG001  # conditions were met before printing
    """An index that is kept up as files change."""
    return Indexer()


class Indexer:
    """One entry for each file, made again where the file changed, or an image that it shows came or went."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Notes, Entry | None, tuple[Finding, ...]]] = {}

    def index(self, files: Files, names: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """See contracts.Indexer."""
        noted, before = NotedFiles(files), self._held if changed is not None else {}
        self._held = {
            name: held if (held := before.get(name)) and held[0].hold(files, changed or ()) else _indexed(noted, name)
            for name in names
        }
        entries = tuple(entry for _, entry, _ in self._held.values() if entry is not None)
        return Index(entries, tuple(finding for _, _, found in self._held.values() for finding in found))


def _indexed(files: NotedFiles, name: str) -> tuple[Notes, Entry | None, tuple[Finding, ...]]:
    notes = files.begin()
    topic, problems = _load(files, name)
    entry = Entry(Unit(name), topic.metadata, uses=tuple(dict.fromkeys(_images(topic)))) if topic is not None else None
    return notes, entry, tuple(problems)


def read(entry: Entry, index: Index, files: Files) -> Read:
    """The topic of a file, under its published id."""
    topic, findings = _load(files, entry.unit.file)
    if topic is None:
        return Read(None, tuple(findings))
    return Read(Topic(replace(entry.metadata, id=index.ids[entry.unit]), topic.body), tuple(findings))


def _load(files: Files, name: str) -> tuple[Topic | None, list[Finding]]:
    root, findings = xml.parse(files.read(name), name)
    if root is None:
        return None, findings
    if root.get("schema") != SCHEMA:
        found = SCHEMA_VERSION.at(name, root.sourceline, f"expected schema {SCHEMA!r}, found {root.get('schema')!r}")
        return None, [*findings, found]
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    problems = schema_problems(root)
    if problems:
        causes = [problem for problem in problems if not _CONSEQUENCE.search(problem[1])] or problems
        return None, [*findings, *(INVALID.at(name, line, text) for line, text in causes)]
    try:
        topic = load_element(_placed(root, files, name))
    except InvalidTopic as problem:
        return None, [*findings, INVALID.at(name, root.sourceline, str(problem))]
    return Topic(replace(topic.metadata, file=name, line=root.sourceline or 1), topic.body), findings


def _placed(root: etree._Element, files: Files, name: str) -> etree._Element:
    """The topic with lines, images and links as they are in this file, not in the one it was once made from."""
    for element in root.iterfind("body//*"):
        element.attrib.pop("data-file", None)
        if element.tag in BLOCKS:
            element.set("data-line", str(element.sourceline))
    for image in root.iterfind("body//img"):
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), image.get("src", "")))
        if beside in files or image.get("src") not in files:
            image.set("src", beside)
    for link in root.iterfind("body//a[@data-topic]"):
        link.set("data-topic", safe_id(link.get("data-topic", "")))
    return root


def _images(topic: Topic) -> Iterator[str]:
    return (image.get("src", "") for image in topic.body.iter("img"))

"""DITA 1.3: maps and topics (concept, task, reference, glossary, troubleshooting, and what is specialised from them).

In: files whose root is a DITA topic, `<dita>` or map, with or without a DOCTYPE (no DTD is ever loaded). Out:
canonical topics. Specification: OASIS DITA 1.3, all-inclusive edition. docs/dita.md tells editors which mark-up means
what.

Identity. A topic's id is `data name="topic-id"` in its prolog: meant for the world. Else its `resourceid`, else its
`@id`, which are local: unique in their file alone. One topic per file; nested topics become sections; each child of
`<dita>` is a topic.

Published is what a root map reaches (a map that no other map takes in) and what no map mentions; not what maps
mention only as `resource-only`, nor what is reached by conref alone. What conditions leave out of a map counts as
mentioned.

Collections. A topic's collections are those of the map branches that hold it: `data name="collection"` or `category`
in the topicmeta of its reference, of any reference, group or heading around it, or of a map on the way to it; of all
branches together. A topic of which no map says any has those of its own prolog. Audience, territory and credit lines
of branches are added to the topic's own; author, copyright, owner, setting and version of a branch stand in where the
topic says none.

Conditions. A DITAVAL applies to maps and topics. What it decides nothing on stays in the text, marked: `deliveryTarget`
as `data-only` (html, print, epub, text, json; pdf counts as print; html5, xhtml, web, online as html; epub3 as
epub; txt as text), `audience` as `data-audience`. A `ditavalref` filters the topics of its branch; a topic of which its
branches would make different texts is held back, for one topic is one text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipeline.contracts import Conditions, Entry, Files, Head, Index, Read
from pipeline.topic import Topic
from sources.dita import codes, copies, names
from sources.dita.body import HANDLERS, body
from sources.dita.documents import parsed
from sources.dita.indexing import Indexer, scopes_of, topic_element
from sources.dita.keys import KeySpace
from sources.dita.model import Data
from sources.dita.reuse import Resolver
from sources.dita.writer import Writer

_SAYS_DITA: Final = re.compile(r"(?<![a-z])dita")  # also of makers of their own: urn:pubid:dita4publishers...
_BASES: Final = frozenset({"topic", "map"})


def claims(head: Head) -> bool:
    """Whether a file is DITA: by `@class`, by its public identifier, or by the name of its root."""
    if head.namespace or head.root == "val":  # a DITAVAL
        return False
    stated = head.attributes.get("class", "")
    if " topic/topic " in f" {stated} " or " map/map " in f" {stated} ":
        return True
    if _SAYS_DITA.search(head.public_id.lower()):
        return True
    if "schema" in head.attributes:
        return False  # a printed canonical topic
    return head.root == "dita" or names.ancestry(head.root)[-1] in _BASES


def index(files: Files, names: Sequence[str], conditions: Conditions) -> Index:
    """All topics that are published, and what `read` must know of maps, keys and reuse."""
    return Indexer(conditions).index(files, names)


def indexer(conditions: Conditions) -> Indexer:
    """An index that is kept up as files change."""
    return Indexer(conditions)


def read(entry: Entry, index: Index, files: Files) -> Read:
    """One topic. An error finding says why there is none, or why it must be held back."""
    data: Data = index.data.within(entry.unit)
    root, findings = parsed(files, entry.unit.file)
    original, copy = data.copies.get(entry.unit, (entry.unit, None))
    topic = topic_element(root, original) if root is not None else None
    if topic is None:
        gone = codes.GONE.at(entry.unit.file, entry.metadata.line, f"there is no topic {entry.metadata.id!r} any more")
        return Read(None, findings or (gone,))
    resolver = Resolver(files, data, KeySpace(data, scopes_of(data, entry.unit)))
    writer = Writer(resolver, data, index.ids, entry.unit, entry.metadata.language, HANDLERS)
    copied = resolver.copied(topic, entry.unit.file)
    if copy is not None and copy.summary:
        copies.described(copied, copy, resolver)
    made = body(writer, copied, data.links.get(entry.unit, ()))
    metadata = replace(entry.metadata, id=index.ids.get(entry.unit, entry.metadata.id))
    all_findings = dict.fromkeys((*findings, *data.findings.get(entry.unit, ()), *writer.all_findings()))
    return Read(Topic(metadata, made), tuple(all_findings))

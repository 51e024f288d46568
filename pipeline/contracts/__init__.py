"""What the other folders fill or get, as Protocols and plain values.

A plug-in is a module: its functions fill a Protocol below, its docstring says what it is, its file
name is its name everywhere. All values here are frozen, picklable and free of I/O, so that the same
function runs in this process, in a pool or on a cluster.
"""

from __future__ import annotations

from pipeline.contracts.deciding import Archive, Decisions, EditorialDecision, PastRelease, Pruned, Received, ReceivedFile, Since
from pipeline.contracts.licensing import Around, Decision, Rights, Use
from pipeline.contracts.reading import (
    Assets,
    Conditions,
    Entry,
    Files,
    Head,
    Image,
    Index,
    Indexer,
    InputFiles,
    Read,
    Source,
    Unit,
)
from pipeline.contracts.releasing import Content, Outcome, Released, Releases, Signing
from pipeline.contracts.rendering import (
    MACHINE_USES,
    Body,
    Brand,
    BundleTransform,
    Edition,
    License,
    Mark,
    OutputFile,
    Place,
    Presentation,
    Publisher,
    Site,
    Transform,
    Translated,
    View,
)
from pipeline.contracts.rows import FileRow, Moved, Pack, Row, Withdrawn, plain_values
from pipeline.contracts.storing import Destination, Store, Stored, Unread

__all__ = [
    "MACHINE_USES",
    "Archive",
    "Around",
    "Assets",
    "Body",
    "Brand",
    "BundleTransform",
    "Conditions",
    "Content",
    "Decision",
    "Decisions",
    "Destination",
    "Edition",
    "EditorialDecision",
    "Entry",
    "FileRow",
    "Files",
    "Head",
    "Image",
    "Index",
    "Indexer",
    "InputFiles",
    "License",
    "Mark",
    "Moved",
    "Outcome",
    "OutputFile",
    "Pack",
    "PastRelease",
    "Place",
    "Presentation",
    "Pruned",
    "Publisher",
    "Read",
    "Received",
    "ReceivedFile",
    "Released",
    "Releases",
    "Rights",
    "Row",
    "Signing",
    "Since",
    "Site",
    "Source",
    "Store",
    "Stored",
    "Transform",
    "Translated",
    "Unit",
    "Unread",
    "Use",
    "View",
    "Withdrawn",
    "plain_values",
]

"""No false alarm on real publications: what the formats make of them is proven, in every format."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from editions import PUBLISHER_TEXTS
from proven import FORMATS, rendering

from pipeline.contracts import Assets, Conditions, Image
from pipeline.errors import NotFound
from pipeline.labels import known
from pipeline.topic import Topic, safe_id
from sources import dita


class Folder:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Every file, sorted."""
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        if name not in self:
            raise NotFound(name)
        return (self.root / name).read_bytes()

    def __contains__(self, name: object) -> bool:
        return (self.root / str(name)).is_file()


def topics(root: Path) -> list[Topic]:
    """The topics of a publication that there are labels and notices for."""
    files = Folder(root)
    names = [name for name in files.names() if name.endswith((".dita", ".ditamap", ".xml"))]
    index = dita.index(files, names, Conditions())
    ids = {entry.unit: safe_id(entry.metadata.id) for entry in index.entries}
    index = replace(index, ids=ids)
    found = []
    for entry in index.entries:
        metadata = replace(entry.metadata, id=ids[entry.unit], language=entry.metadata.language or "en")
        if known(metadata.language) and metadata.language.split("-")[0] in PUBLISHER_TEXTS:
            topic = dita.read(replace(entry, metadata=metadata), index, files).topic
            found += [topic] if topic else []
    return found


def pictures(topic: Topic) -> Assets:
    """Most of a topic's pictures, some with a credit line; every third is not to be had."""
    images = {}
    for number, element in enumerate(topic.body.iter("img")):
        source, credit = element.get("src", ""), "Photo: A. Person" if number % 2 else ""
        if number % 3 != 2:
            images[source] = Image(
                source, f"media/{number:08x}-x.png", "image/png", b"%d" % number, f"{number:064x}", 9, 9, credit
            )
    return Assets(images)


@pytest.mark.corpus
@pytest.mark.parametrize("corpus", ["dita-ot-docs", "dita-ot-tests"])
def test_real_publications_are_proven(corpora: Path, corpus: str) -> None:
    found: Counter[str] = Counter()
    publication = topics(corpora / corpus)
    assert len(publication) > 200
    for topic in publication:
        assets = pictures(topic)
        for name in FORMATS:
            made = rendering(name, topic, assets=assets)
            found.update(f"{finding.place} {finding.text}" for finding in (*made.body_findings(), *made.file_findings()))
    assert found == Counter()

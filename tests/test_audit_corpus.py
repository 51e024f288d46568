"""No false alarm on real publications: what the formats make of them is proven, in every format."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from editions import PUBLISHER, PUBLISHER_TEXTS, SITE
from inputs import Folder
from proven import FORMATS, rendering

from pipeline import audit, editions, withheld
from pipeline.contracts import Assets, Conditions, Image
from pipeline.editions import SitePlan
from pipeline.labels import known
from pipeline.topic import Topic, safe_id
from sources import dita

AS_OF = date(2026, 6, 1)


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


@pytest.mark.corpus
@pytest.mark.parametrize("corpus", ["dita-ot-docs", "dita-ot-tests"])
def test_half_a_publication_does_not_name_the_other_half(corpora: Path, corpus: str) -> None:
    """Every second topic, and every third picture, is withheld: links to them go, and no proof sees one where none is."""
    publication = list({topic.metadata.key: topic for topic in topics(corpora / corpus)}.values())
    titles = {topic.metadata.key: topic.metadata.title for topic in publication}
    granted = dict.fromkeys([topic.metadata.key for topic in publication][::2])
    languages = {name: tuple(tag for n, tag in granted if n == name) for name, _ in granted}
    plan = SitePlan(SITE, None, AS_OF, granted, {}, languages)  # type: ignore[arg-type]
    site = withheld.from_site(plan, titles, PUBLISHER.id)
    assert len(site.folders) > 40
    found: Counter[str] = Counter()
    for topic in publication[::2]:
        assets = pictures(topic)
        known = editions.traits(topic, "x")
        gone = frozenset(known.images - assets.images.keys())
        links = tuple((n, editions.target_language(n, topic.metadata.language, languages) or "") for n in known.links)
        shown = editions.view(topic, known, editions.Cut(gone, "all", links), titles)[0]
        site_and_view = withheld.from_view(site, topic, known.images, shown, assets)
        for name in FORMATS:
            made = rendering(name, shown.topic, assets=assets)
            proof = audit.prove_file(made.view, made.body, made.files, made.edition, made.place, made.bundle, site_and_view)
            found.update(f"{finding.place} {finding.text}" for finding in proof)
    assert found == Counter()

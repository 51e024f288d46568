"""Cases of the two page formats: the shared topics, and those with a folder of their own."""

from __future__ import annotations

import re
from pathlib import Path

from editions import edition, view
from rendering import ASSETS, CASES, TOPICS, case_edition, rendered, topic, transform

from pipeline.contracts import Edition, OutputFile
from pipeline.topic import Topic, load

OWN = tuple(sorted(path.parent.name for path in CASES.glob("html/*/topic.xml")))
ALL = (*TOPICS, *OWN)


def topic_of(case: str) -> Topic:
    """The topic of a case."""
    return topic(case) if case in TOPICS else load((CASES / "html" / case / "topic.xml").read_bytes())


def edition_of(case: str) -> Edition:
    """The edition of a case."""
    return case_edition(case) if case in TOPICS else edition(topic_of(case).metadata)


def page(format_name: str, case: str) -> str:
    """The finished page of a case."""
    return pages(format_name, case)[0].data.decode()


def pages(format_name: str, case: str) -> list[OutputFile]:
    """The finished files of a case."""
    if case in TOPICS:
        return rendered(format_name, case)
    made = transform(format_name)
    return made.imprint(made.body(view(topic_of(case)), ASSETS), edition_of(case))


def without_style(text: str) -> str:
    """A page without what changes whenever a style sheet does: its sheet, its sheet's name and hash. The running
    lines of a print page stay."""
    text = re.sub(r"assets/[0-9a-f]{8}/topic\.css", "assets/.../topic.css", text)
    text = re.sub(r"'sha256-[^']*' ", "'sha256-...' ", text, count=1)
    return re.sub(r"<style>@layer.*?</style>", "<style>...</style>", text, flags=re.DOTALL)


def written(folder: Path, files: list[OutputFile]) -> list[Path]:
    """Lays files out below a folder; returns the pages."""
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    return [folder / file.path for file in files if file.media_type == "text/html"]

"""Libraries of any size that share one fragment, for what must work on many topics and partners at once.

In: a folder, numbers. Out: settings, topics that all take a line from `shared/dose.dita`, partners that get everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.partner import everything

FRAGMENT: Final = "topics/shared/dose.dita"

_SETTINGS: Final = 'inputs = ["topics"]\nstore = "build/store"\nworkers = {workers}\n'
_PUBLISHER: Final = """id = "example"
name = "Example Health Press"
[copyright]
holder = "Example Health Press, Inc."
first_year = 2020
[notices.en]
disclaimer = "This information does not replace the advice of a doctor."
contact = "Call Example Health Press at 1-800-555-0100."
"""
_FRAGMENT: Final = """<topic id="dose"><title>Doses</title><body><p id="adult">Take one tablet a day.</p></body></topic>
"""
_TOPIC: Final = """<topic id="t" xml:lang="en"><title>Medicine {number}</title>
<prolog><metadata><data name="topic-id" value="medicine-{number}"/></metadata></prolog>
<body><p>About medicine {number}.</p>{line}<p>Call 911 if you can not breathe.</p></body></topic>
"""
_REUSED: Final = '<p conref="shared/dose.dita#dose/adult"/>'


def make(folder: Path, topics: int, partners: int, sharing: int, workers: int = 1) -> Path:
    """Writes the library; the first `sharing` topics use the fragment. Returns its settings file."""
    (folder / "topics/shared").mkdir(parents=True)
    (folder / "partners").mkdir()
    (folder / "syndication.toml").write_text(_SETTINGS.format(workers=workers))
    (folder / "publisher.toml").write_text(_PUBLISHER)
    (folder / FRAGMENT).write_text(_FRAGMENT)
    for number in range(topics):
        line = _REUSED if number < sharing else "<p>No dose.</p>"
        (folder / f"topics/medicine-{number}.dita").write_text(_TOPIC.format(number=number, line=line))
    for number in range(partners):
        name = f"partner-{number}"
        (folder / f"partners/{name}.toml").write_text(everything(name, {"en": f"Ask {name}."}))
    (folder / "topics/library.ditamap").write_text(
        "<map>" + "".join(f'<topicref href="medicine-{number}.dita"/>' for number in range(topics)) + "</map>\n"
    )
    return folder / "syndication.toml"

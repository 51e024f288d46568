"""The drill: how long until a withdrawal is live everywhere.

In: numbers of topics, partners, and topics that share the fragment. Out: a table of seconds, on standard output. A library is
made and published; one partner's file is taken away and a source is broken; a run is begun; then all topics that use the fragment
are withdrawn with one command, while that run goes on. Afterwards every site is read back.

    python benchmarks/withdrawal.py --topics 2000 --partners 20 --sharing 2000 --folder DIR
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import library  # noqa: E402
from outputs import release  # noqa: E402
from outputs.stores import folder as stores  # noqa: E402

HOW: Final = ["--reason", "safety", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "A drill"]


def pipeline(*words: str, config: Path) -> subprocess.Popen[str]:
    """A command of the product, begun."""
    command = [sys.executable, str(ROOT / "run_pipeline.py"), *words, "--config", str(config)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long the block took, and how much processor time the commands that ended in it."""
    start, before = time.perf_counter(), _processor()
    yield
    print(f"| {what} | {time.perf_counter() - start:.1f} s | {_processor() - before:.1f} s |", flush=True)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def withdrawn(config: Path, partners: int) -> list[int]:
    """How many topics each site's live release says are withdrawn."""
    store = stores.open(str(config.parent / "build/store"), {})
    found = (release.current(store, f"p/partner-{number}") for number in range(partners))
    return [len(live.content.withdrawn) if live else -1 for live in found]


def main() -> None:
    """The drill, once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=200)
    parser.add_argument("--partners", type=int, default=5)
    parser.add_argument("--sharing", type=int, default=200)
    parser.add_argument("--folder", type=Path, required=True, help="A folder that does not exist yet.")
    given = parser.parse_args()
    print(f"{given.topics} topics, {given.sharing} of which share the fragment, {given.partners} partners\n")
    print("| step | wall | processor |\n|---|---:|---:|")
    config = library.make(given.folder, given.topics, given.partners, given.sharing, workers=0)
    with timed("first run"):
        pipeline("run", config=config).communicate()
    (given.folder / f"partners/partner-{given.partners - 1}.toml").rename(given.folder / "left.toml")
    (given.folder / "topics/medicine-0.dita").write_text("<topic", encoding="utf-8")
    for number in range(1, given.topics):
        path = given.folder / f"topics/medicine-{number}.dita"
        path.write_text(path.read_text(encoding="utf-8").replace("About", "All about"), encoding="utf-8")
    running = pipeline("run", "--allow-changes", str(given.topics), "--json", config=config)
    time.sleep(5)
    with timed("withdraw, while a run goes on"):
        said = pipeline("withdraw", "--uses", library.FRAGMENT, *HOW, "--json", config=config).communicate()[0]
    sites = json.loads(said)["sites"]
    print(f"\nsites: {[(site['state'], len(site['withdrawn']), site['exit_code']) for site in sites]}")
    print(f"live: {withdrawn(config, given.partners)}")
    print(f"the run that was under way: exit code {(running.communicate(), running.returncode)[1]}")
    with timed("next run"):
        pipeline("run", "--allow-changes", str(given.topics), config=config).communicate()
    print(f"live: {withdrawn(config, given.partners)}")


if __name__ == "__main__":
    main()

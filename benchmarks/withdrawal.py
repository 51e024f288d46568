"""The drill: how long until a withdrawal is live everywhere.

In: numbers of topics, partners, and topics that share the fragment. Out: a table of seconds, on standard output. A library is
made and published; one partner's file is taken away and a source is broken; a run is begun; then all topics that use the fragment
are withdrawn with one command, while that run goes on. Afterwards every site is read back, the next run and a rollback follow,
one bundle is unpacked over an old one, and the topics are restored. `--store s3` starts a SeaweedFS server on the same machine.

    python benchmarks/withdrawal.py --topics 2000 --partners 20 --sharing 2000 --folder DIR [--store s3]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
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
from deploy import seaweedfs  # noqa: E402
from outputs import pull, release  # noqa: E402
from pipeline.commands.building import salvaged  # noqa: E402
from pipeline.contracts import Store  # noqa: E402

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


def store_of(config: Path) -> Store:
    """The library's store."""
    system = salvaged(config)
    return system.open_store(system.configuration.settings.store)


def withdrawn(config: Path, partners: int) -> list[int]:
    """How many topics each site's live release says are withdrawn."""
    store = store_of(config)
    found = (release.current(store, f"p/partner-{number}") for number in range(partners))
    return [len(live.content.withdrawn) if live else -1 for live in found]


def notices(bundle: Path) -> list[int]:
    """Of the topics' folders, how many files there are, and how many say that the topic was withdrawn (books: by their size)."""
    files = [path for path in (bundle / "en").rglob("*") if path.is_file()]
    told = [path for path in files if path.suffix != ".epub" and b"Do not use it" in path.read_bytes()]
    return [len(files), len(told), len([path for path in files if path.suffix == ".epub"])]


def pulled(config: Path, partner: str) -> Path:
    """The partner's bundle, verified."""
    root, dest = (config.parent / "keys/root.json").read_bytes(), config.parent / f"bundles/{partner}"
    pull.pull(store_of(config), f"p/{partner}", dest, partner=partner, site=partner, root=root)
    return dest


def command(name: str, *words: str, config: Path) -> None:
    """A command of the product, timed, to its end."""
    with timed(f"`{' '.join((name, *words[:4]))}`"):
        running = pipeline(name, *words, config=config)
        running.communicate()
    print(f"  exit code {running.returncode}", flush=True)


def main() -> None:
    """The drill, once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=200)
    parser.add_argument("--partners", type=int, default=5)
    parser.add_argument("--sharing", type=int, default=200)
    parser.add_argument("--folder", type=Path, required=True, help="A folder that does not exist yet.")
    parser.add_argument("--store", choices=("folder", "s3"), default="folder")
    given = parser.parse_args()
    print(
        f"{given.topics} topics, {given.sharing} of which share the fragment, {given.partners} partners, store: {given.store}\n"
    )
    print("| step | wall | processor |\n|---|---:|---:|", flush=True)
    config = library.make(given.folder, given.topics, given.partners, given.sharing, workers=0)
    if given.store == "folder":
        drill(config, given)
        return
    with seaweedfs.running() as server:
        server.make_bucket("drill")
        os.environ.update(server.environment("drill"))
        text = config.read_text(encoding="utf-8").replace('store = "build/store"', 'store = "s3://drill"')
        config.write_text(f'{text}[s3]\nendpoint_url = "{server.endpoint}"\n', encoding="utf-8")
        drill(config, given)


def drill(config: Path, given: argparse.Namespace) -> None:
    """All of it, over a library that was never published."""
    with timed("first run"):
        pipeline("run", config=config).communicate()
    old = given.folder / "unpacked"
    shutil.copytree(pulled(config, "partner-0").resolve(), old)
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
    with timed("pull of one partner"):
        bundle = pulled(config, "partner-0")
    shutil.copytree(bundle, old, dirs_exist_ok=True)
    print(f"unpacked over the old bundle (files, notices, books): {notices(old)}")
    command("run", "--allow-changes", str(given.topics), config=config)
    print(f"live: {withdrawn(config, given.partners)}")
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "A drill", config=config)
    print(f"live: {withdrawn(config, given.partners)}")
    command("resume", "--partner", "partner-0", "--by", "A drill", config=config)
    names = [f"medicine-{number}" for number in range(given.sharing)]
    command("restore", *names, "--by", "A drill", config=config)
    command("run", "--allow-changes", str(given.topics), config=config)
    print(f"live: {withdrawn(config, given.partners)}")
    print(f"pulled (files, notices, books): {notices(pulled(config, 'partner-0'))}")


if __name__ == "__main__":
    main()

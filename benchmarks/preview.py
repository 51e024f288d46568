"""How long the preview takes from a saved file to the new page, and how much memory it takes, at any number of topics.

    python benchmarks/preview.py [--topics 16 10000] [--saves 20] [--output benchmarks/results/preview.md]

Works as a browser does: listens to the server's news, asks for the page when it is told so, then for what the page's frame shows,
until that holds the words that were saved. Meanwhile another reader asks for the list again and again. Each step is done several
times; the table has the best and the middle of them. Memory is the most that the preview's own process ever took (VmHWM).
"""

from __future__ import annotations

import argparse
import html
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import project

ROOT: Final = Path(__file__).parents[1]
AS_OF: Final = "2026-12-01"
COPY: Final = "copy-0000"
TOPIC: Final = f"/topics/en/burns-{COPY}?site=partner-0&view=html"
PATIENCE: Final = 120.0


@dataclass
class Server:
    """A running preview and the news that it tells."""

    port: int
    process: subprocess.Popen[str]
    news: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an address."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def listen(self) -> None:
        """Notes each `pages` event, as an open page does."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        while line := answer.fp.readline():
            if line.strip() == b"event: pages":
                self.news.set()

    def most(self) -> int:
        """The most memory that the process ever took, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024

    def until(self, shows: Callable[[], bool], started: float) -> float:
        """Seconds until what was saved is shown; looks again at each news alone."""
        while self.news.wait(PATIENCE):
            self.news.clear()
            if shows():
                return time.perf_counter() - started
        raise SystemExit("what was saved is not shown")


@contextmanager
def running(config: Path) -> Iterator[tuple[Server, float]]:
    """A preview that has read its topics, and the seconds that this took."""
    words = [sys.executable, str(ROOT / "run_pipeline.py"), "preview", "-c", str(config), "--port", "0", "--as-of", AS_OF]
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout
        server = Server(int(re.findall(r":(\d+)/", process.stdout.readline())[0]), process)
        while 'data-number="0"' in server.get("/")[1]:
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        threading.Thread(target=server.listen, daemon=True).start()
        yield server, seconds
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


# --- what is saved, and how it shows -------------------------------------------------------------


@dataclass(frozen=True)
class Save:
    """One kind of save: a file, the words in it that a mark comes after, and whether the mark stands in the style sheet."""

    name: str
    file: str
    after: str
    styles: bool = False

    def write(self, folder: Path, mark: str) -> None:
        """Saves the file with the mark in it."""
        path = folder / self.file
        text = re.sub(r" saved\d+", "", path.read_text(encoding="utf-8"))
        assert self.after in text, (self.file, self.after)
        path.write_text(text.replace(self.after, f"{self.after} {mark}", 1), encoding="utf-8")


SAVES: Final = (
    Save("its topic", f"{COPY}/first-aid/burns.dita", "<title>Burns"),
    Save("a fragment that it reuses", f"{COPY}/shared/warnings.dita", "If you are not sure"),
    Save("a map with its keys", f"{COPY}/keys.ditamap", "<keyword>1-800-555-0142"),
    Save("the partner's file", "partners/partner-0.toml", "services described are covered benefits."),
    Save("a style sheet", "templates/topic.css", ".bench", styles=True),
)


def _shows(server: Server, mark: str, *, styles: bool) -> bool:
    page = server.get(TOPIC)[1]
    frame = html.unescape(re.findall(r'<iframe[^>]* src="([^"]+)"', page)[0])
    content = server.get(frame)[1]
    if styles:
        sheets = re.findall(r'href="(?:\.\./)*(assets/[^"]+\.css)"', content)
        return any(mark in server.get(f"{frame.split('/en/')[0]}/{sheet}")[1] for sheet in sheets)
    return mark in content


# --- measuring ----------------------------------------------------------------------------------


@dataclass
class Measured:
    """Seconds and megabytes of one library."""

    topics: int
    start: float
    first_list: float
    first_topic: float
    saves: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    lists: list[float] = field(default_factory=list)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _library(folder: Path, topics: int) -> Path:
    config: Path = project.make(folder, topics, 2)
    (folder / "templates").mkdir()
    ours = (ROOT / "transforms/pages/topic.css").read_text(encoding="utf-8")
    (folder / "templates/topic.css").write_text(f"{ours}\n.bench {{ margin: 0 }}\n", encoding="utf-8")
    partner = folder / "partners/partner-0.toml"
    partner.write_text(f'templates = "templates"\n{partner.read_text(encoding="utf-8")}', encoding="utf-8")
    return config


def measure(folder: Path, topics: int, times: int) -> Measured:
    """Everything about one library."""
    config = _library(folder, topics)
    with running(config) as (server, start):
        found = Measured(topics, start, _timed(lambda: server.get("/")), 0.0)
        found.memory["start, list"] = server.most()
        found.first_topic = _timed(lambda: _shows(server, "", styles=False))
        found.memory["a topic opened"] = server.most()
        done = threading.Event()
        reader = threading.Thread(target=_read_lists, args=(server, found.lists, done), daemon=True)
        reader.start()
        for number, save in enumerate(SAVES):
            found.saves[save.name] = [_save(server, folder, save, f"saved{number}{turn:03}") for turn in range(times)]
            found.memory[f"{times} saves of {save.name}"] = server.most()
        done.set()
        reader.join()
    return found


def _save(server: Server, folder: Path, save: Save, mark: str) -> float:
    time.sleep(0.3)  # what the save before set off is over
    server.news.clear()
    started = time.perf_counter()
    save.write(folder, mark)
    return server.until(lambda: _shows(server, mark, styles=save.styles), started)


def _read_lists(server: Server, seconds: list[float], done: threading.Event) -> None:
    while not done.wait(0.5):
        seconds.append(_timed(lambda: server.get("/?site=partner-0")))


# --- the table ----------------------------------------------------------------------------------


def table(found: Measured) -> str:
    """What was measured of one library, as Markdown."""
    lines = [f"## {found.topics} topics", "", "| saved | best, s | middle, s | most memory, MB |", "|---|---|---|---|"]
    for (name, seconds), memory in zip(found.saves.items(), list(found.memory.values())[2:], strict=True):
        lines.append(f"| {name} | {min(seconds):.2f} | {statistics.median(seconds):.2f} | {memory} |")
    middle, most = statistics.median(found.lists), max(found.lists)
    lines += [
        "",
        f"Read from the start in {found.start:.1f} s; then the list in {found.first_list:.2f} s, the first topic in"
        f" {found.first_topic:.2f} s, {found.memory['a topic opened']} MB. While all this was saved, the list took"
        f" {middle:.2f} s in the middle of {len(found.lists)} readings, and {most:.2f} s at the most.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--topics", type=int, nargs="+", default=[16, 10000])
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    parts = [f"# Preview\n\nFrom a saved file to the new page, {asked.saves} times each; {machine}.\n"]
    for topics in asked.topics:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder) / "project", topics, asked.saves)
        parts.append(table(found))
        print(parts[-1], flush=True)
    if asked.output:
        asked.output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()

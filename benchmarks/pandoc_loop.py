"""This pipeline beside a shell loop of pandoc, on the same topics, in the same run, on the same one core.

    python benchmarks/pandoc_loop.py [--topics 200] [--partners 1] [--output benchmarks/results/pandoc_loop.md]

The pipeline does its whole work: it starts, indexes, reads DITA, makes editions, renders five formats, proves every file and
publishes to a folder. The loop gets HTML that was prepared for it, and calls pandoc five times a topic: web page, print page with
contents, EPUB, plain text, JSON. It proves nothing, knows no terms, publishes nothing. Pandoc's processes count on both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import pypandoc  # type: ignore[import-untyped]
from lxml import etree, html

from benchmarks import project

AS_OF: Final = "2026-12-01"
CALLS: Final = {
    "html": "-t html5 -s -o out/{name}.html",
    "print": "-t html5 -s --toc -o out/{name}.print.html",
    "epub": "-t epub3 -o out/{name}.epub",
    "text": "-t plain -o out/{name}.txt",
    "json": "-t json -o out/{name}.json",
}
STAGES: Final = ("read", "images", "editions", *(f"render {name}" for name in project.FORMATS), "audit", "store")


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds on the clock, and of processor time with all its children's."""

    wall: float
    cpu: float


def main() -> int:
    """Runs both and prints a Markdown report; 1 where the pipeline is less than `--at-least` times as fast."""
    arguments = _arguments()
    core = _one_core()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        config = project.make(Path(folder), arguments.topics, arguments.partners)
        ours, report = _pipeline(config)
        idle, again = _pipeline(config)
        pages = _prepare(config, Path(folder, "loop"))
        size = sum(page.stat().st_size for page in pages) / len(pages) / 1000
        loop = {name: _loop(Path(folder, "loop"), pages, call) for name, call in CALLS.items()}
    text = _report(
        f"{core}. {len(pages)} topics of {size:.1f} kB", arguments.partners, len(pages), ours, report, idle, again, loop
    )
    print(text)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    ratio = sum(cost.cpu for cost in loop.values()) / ours.cpu
    if ratio < arguments.at_least:
        print(f"error: {ratio:.1f} times as fast as the loop, expected at least {arguments.at_least}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=200, help="at least this many (default: 200)")
    parser.add_argument("--partners", type=int, default=1, help="each gets everything (default: 1)")
    parser.add_argument("--at-least", type=float, default=20.0, help="fail below this ratio of processor time (default: 20)")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results/pandoc_loop.md", help="the report's file")
    return parser.parse_args()


def _one_core() -> str:
    """Keeps this process and all its children on one core, where the system can (as `taskset -c` does)."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned to a core: this system can not"
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"pinned to core {core}"


def _timed(command: Sequence[str], cwd: Path, codes: tuple[int, ...] = (0,)) -> tuple[Cost, str]:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        raise SystemExit(f"{shlex.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


def _pipeline(config: Path) -> tuple[Cost, Mapping[str, Any]]:
    command = [sys.executable, str(project.ROOT / "run_pipeline.py"), "run", "--config", str(config)]
    cost, printed = _timed([*command, "--as-of", AS_OF, "--workers", "1", "--json"], config.parent)
    report = json.loads(printed)
    assert report["exit_code"] == 0, report["findings"][:5]
    return cost, report


# --- the loop -----------------------------------------------------------------------------------


def _prepare(config: Path, folder: Path) -> list[Path]:
    """The web pages that the pipeline made, without all that is not topic: plain HTML that pandoc reads well."""
    bundle = folder / "bundle"
    store = config.parent / "build/store"
    _timed(
        [
            sys.executable,
            str(project.ROOT / "run_pipeline.py"),
            "pull",
            str(store),
            str(bundle),
            "--partner",
            "partner-0",
            "--root",
            str(config.parent / "keys/root.json"),
        ],
        folder.parent,
    )
    (folder / "out").mkdir()
    pages = []
    for source in sorted(bundle.glob("*/*/index.html")):
        page = html.document_fromstring(source.read_text(encoding="utf-8"))
        (body,) = page.xpath("//*[contains(concat(' ', @class, ' '), ' syn-body ')]")
        language, title = page.get("lang"), page.findtext(".//title")
        for image in body.iter("img"):
            image.set("src", str((source.parent / image.get("src", "")).resolve()))
        text = etree.tostring(body, encoding="unicode", method="html", with_tail=False)
        target = folder / f"{source.parent.parent.name}-{source.parent.name}.html"
        head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
        frame = f'<!DOCTYPE html>\n<html lang="{language}">{head}<body>{text}</body></html>\n'
        target.write_text(frame, encoding="utf-8")
        pages.append(target)
    return pages


def _loop(folder: Path, pages: Sequence[Path], call: str) -> Cost:
    """One pandoc process a topic, called by a shell."""
    pandoc = shlex.quote(pypandoc.get_pandoc_path())
    lines = [f"{pandoc} -f html {page.name} {call.format(name=page.stem)}" for page in pages]
    script = folder / "loop.sh"
    script.write_text("set -e\n" + "\n".join(lines) + "\n", encoding="utf-8")
    cost, _ = _timed(["sh", str(script)], folder)
    return cost


# --- the report ---------------------------------------------------------------------------------


def _report(
    about: str,
    partners: int,
    topics: int,
    ours: Cost,
    report: Mapping[str, Any],
    idle: Cost,
    again: Mapping[str, Any],
    loop: Mapping[str, Cost],
) -> str:
    total = Cost(sum(cost.wall for cost in loop.values()), sum(cost.cpu for cost in loop.values()))
    stages = {name: float(report["seconds"].get(name, 0.0)) for name in (*STAGES, *report["seconds"])}
    rest = ours.wall - sum(stages.values())
    files = sum(site["files"] for site in report["sites"])
    assert all(site["state"] == "unchanged" for site in again["sites"]), "a second run published again"
    rows = [
        "# This pipeline beside a shell loop of pandoc",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"pandoc {pypandoc.get_pandoc_version()}, {about}, {partners} partner(s), {files} files, five formats.",
        "",
        "| | wall s | processor s | ms a topic (processor) |",
        "|---|---:|---:|---:|",
        _row("this pipeline: start to published, all formats proven", ours, topics),
        _row("shell loop: five pandoc calls a topic, nothing proven", total, topics),
        f"| **times as fast** | **{total.wall / ours.wall:.1f}** | **{total.cpu / ours.cpu:.1f}** | |",
        _row("this pipeline run again, nothing changed", idle, topics),
        "",
        "| stage of this pipeline | wall s | ms a topic |",
        "|---|---:|---:|",
        *(f"| {name} | {seconds:.2f} | {1000 * seconds / topics:.2f} |" for name, seconds in stages.items()),
        f"| start, index, terms, bundle files, publishing | {rest:.2f} | {1000 * rest / topics:.2f} |",
        "",
        "| call of the loop | wall s | ms a topic |",
        "|---|---:|---:|",
        *(
            f"| `pandoc {CALLS[name].split(' -o ')[0]}` | {cost.wall:.2f} | {1000 * cost.wall / topics:.1f} |"
            for name, cost in loop.items()
        ),
    ]
    return "\n".join(rows) + "\n"


def _row(name: str, cost: Cost, topics: int) -> str:
    return f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {1000 * cost.cpu / topics:.1f} |"


if __name__ == "__main__":
    sys.exit(main())

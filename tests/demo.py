"""The product run as its users run it, on a copy: settings -> run -> pull. In: a project folder. Out: pulled bundles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
AS_OF: Final = "2026-12-01"


@dataclass(frozen=True)
class Demo:
    """A finished run: its report, its store, and each partner's bundle."""

    report: Mapping[str, Any]
    store: Path
    bundles: Mapping[str, Path]

    def copied(self, folder: Path) -> Path:
        """A copy of the project with its store, which a test may change; the path of its settings file."""
        shutil.copytree(self.store.parents[1], folder)
        return folder / "syndication.toml"

    def files(self, *patterns: str) -> list[Path]:
        """Every file of every bundle whose name matches one of the patterns; each distinct content once."""
        found: dict[tuple[str, bytes], Path] = {}
        for bundle in self.bundles.values():
            for pattern in patterns:
                for path in sorted(bundle.rglob(pattern)):
                    found.setdefault((path.relative_to(bundle).as_posix(), path.read_bytes()), path)
        return list(found.values())


def command(*arguments: str, cwd: Path = ROOT, codes: tuple[int, ...] = (0,), **environment: str) -> str:
    """What `run_pipeline.py` prints. Any exit code but `codes`, and any traceback, is a failure."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "run_pipeline.py"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode in codes, f"{arguments}: exit code {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "Traceback" not in done.stderr, done.stderr[-4000:]
    return done.stdout


def copy_of_examples(folder: Path) -> Path:
    """A copy of examples/ without what runs left there; the path of its settings file."""
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("build"))
    return folder / "syndication.toml"


def run(config: Path, folder: Path, *options: str, codes: tuple[int, ...] = (0,), cwd: Path = ROOT, **environment: str) -> Demo:
    """Runs a project whose store is build/store and pulls every site's bundle into a folder, each of them verified."""
    words = ("run", "--config", str(config), "--as-of", AS_OF, "--json", *options)
    report = json.loads(command(*words, codes=codes, cwd=cwd, **environment))
    store, bundles = config.parent / "build/store", {}
    for site in report["sites"]:
        assert site["state"] in ("published", "unchanged"), site
        dest = folder / site["site"]
        root = next(str(path) for path in config.parent.rglob("keys/root.json"))
        command("pull", str(store), str(dest), "--partner", site["partner"], "--site", site["site"], "--root", root)
        command("verify", str(dest))
        bundles[site["site"]] = dest.resolve()
    return Demo(report, store, bundles)

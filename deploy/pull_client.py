"""Builds `syndication-pull.pyz`: the partner's client as one file of pure Python, for machines where nothing may be installed.

    python deploy/pull_client.py build/syndication-pull.pyz

In: this project and its environment. Out: a zip application that Python 3.11+ runs on Linux and macOS: `python3
syndication-pull.pyz pull ...`. The same inputs give the same bytes. In it are this project's client, tuf, securesystemslib and
urllib3, with their licenses. Where boto3 is installed it reads `s3://` too; where cryptography is, ECDSA keys too.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OURS: Final = (
    "outputs/__init__.py",
    *(
        f"outputs/{name}.py"
        for name in (
            *("_disk", "_limits", "_paths", "listing", "manifest", "packs", "pointer", "signing"),
            *("changes", "zips", "release", "trust", "place", "pull", "client"),
            *("stores/__init__", "stores/folder", "stores/https", "stores/s3"),
        )
    ),
    *("pipeline/__init__.py", "pipeline/errors.py", "pipeline/names.py"),
    *(f"pipeline/contracts/{name}.py" for name in ("releasing", "rows", "storing")),
)
CONTRACTS: Final = "pipeline/contracts/__init__.py"
LIBRARIES: Final = ("tuf", "securesystemslib", "urllib3")
MAIN: Final = b"import sys\n\nfrom outputs.client import main\n\nsys.exit(main())\n"
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def build(target: Path) -> int:
    """Writes the file and returns its size in bytes. Raises FileNotFoundError where a library is not installed."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        files = dict(_files())
        # A folder without __init__.py is a package on a disk, and none inside a zip.
        packages = {f"{folder}/__init__.py" for name in files for folder in map(str, Path(name).parents) if name.endswith(".py")}
        for name, content in sorted({**dict.fromkeys(packages - {"./__init__.py"}, b""), **files}.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"#!/usr/bin/env python3\n" + data.getvalue())
    target.chmod(0o755)
    return target.stat().st_size


def _files() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", MAIN
    yield "LICENSE", (ROOT / "LICENSE").read_bytes()
    for name in OURS:
        yield name, (ROOT / name).read_bytes()
    yield CONTRACTS, _contracts()
    for library in LIBRARIES:
        for file in importlib.metadata.files(library) or ():
            name = file.as_posix()
            if name.startswith(f"{library}/") and name.endswith(".py"):
                yield name, file.read_binary()
            elif ".dist-info/" in name and "LICENSE" in name.upper():
                yield f"licenses/{library}/{Path(name).name}", file.read_binary()


def _contracts() -> bytes:
    """The contracts that the client needs: those about topics would bring lxml."""
    tree = ast.parse((ROOT / CONTRACTS).read_text(encoding="utf-8"))
    kept = [f"pipeline.contracts.{Path(name).stem}" for name in OURS if name.startswith("pipeline/contracts/")]
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module in kept]
    return ("\n".join(ast.unparse(node) for node in imports) + "\n").encode()


def main() -> int:
    """Builds the file that the command line names."""
    parser = argparse.ArgumentParser(description="Build the partner's client as one file.")
    parser.add_argument("target", type=Path, help="the file to write")
    target = parser.parse_args().target
    print(f"wrote {target} ({build(target)} bytes): python3 {target} pull --help")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A partner's client: one pull, from an address to a bundle in place, its hook run and its arrival told. In: words of a command
line. Out: a bundle, a report for people or programs, an exit code.

`python run_pipeline.py pull` and the single file `syndication-pull.pyz` are both this. It needs Python's own library, tuf and
urllib3 alone; boto3 only for `s3://`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import pkgutil
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from outputs import manifest, pull, stores
from outputs.stores import https, s3
from outputs.trust import FOLDER
from pipeline.contracts import Destination, Store
from pipeline.errors import Forbidden, StoreError, SyndicationError, UsageError

HOOK_FAILED: Final = 1
_DONE: Final = "done.json"  # which bundle the hook ran for, and was acknowledged


@dataclass(frozen=True, slots=True)
class Request:
    """What a partner asks for. `hook` is a command line, run after a switch; `name` and `statement` are acknowledged."""

    store: str
    dest: Path
    partner: str
    site: str = ""
    root: Path | None = None
    endpoint_url: str = ""
    ca_file: str = ""
    repair: bool = False
    hook: str = ""
    acknowledge: bool = True
    name: str = ""
    statement: str = ""


def open_store(url: str, endpoint_url: str = "", ca_file: str = "") -> Store:
    """The store at an address, of whatever kind of destination there is. Raises UsageError where nothing reads it."""
    where = url if "://" in url else os.path.abspath(url)  # noqa: PTH100 - resolve() would follow links
    if s3.claims(where) and importlib.util.find_spec("boto3") is None:
        raise UsageError("boto3 is not installed, which reads s3://", fix="pip install boto3, or ask for an https:// address")
    settings = {"s3": {"endpoint_url": endpoint_url}, "https": {"ca_file": ca_file}}
    for name in sorted(module.name for module in pkgutil.iter_modules(stores.__path__)):
        destination: Destination = cast(Any, importlib.import_module(f"{stores.__name__}.{name}"))
        if destination.claims(where):
            return destination.open(where, {key: value for key, value in settings.get(name, {}).items() if value})
    raise UsageError(f"nothing reads {url!r}", expected="https://host/prefix, s3://bucket/prefix or a folder", fix="correct it")


def run(request: Request, now: datetime, progress: pull.Progress | None = None) -> dict[str, Any]:
    """One pull; what came of it as plain values: those of PullResult, and `hook` ("" = none was due, "done", or what went wrong)
    and `acknowledgement` ("" = none was due, "written", or why not). Raises SyndicationError."""
    site = request.site or request.partner
    store = open_store(request.store, request.endpoint_url, request.ca_file)
    result = pull.pull(
        store,
        f"p/{site}",
        request.dest,
        partner=request.partner,
        site=site,
        root=_root(request.root),
        repair=request.repair,
        progress=progress,
    )
    home = Path(f"{os.path.abspath(request.dest)}.d", FOLDER)  # noqa: PTH100
    done = _read(home / _DONE)
    bundle = Path(os.readlink(request.dest)).name  # noqa: PTH115
    found: dict[str, Any] = {**result.as_json(), "bundle": bundle, "hook": "", "acknowledgement": "", "text": str(result)}
    if request.acknowledge and done.get("acknowledged") != bundle and not https.claims(request.store):
        found["acknowledgement"], final = _acknowledge(store, request, result, now)
        done |= {"acknowledged": bundle} if final else {}
        _write(home / _DONE, done)
    if request.hook and done.get("hook") != bundle:
        found["hook"] = _run_hook(request, result, bundle)
        done |= {"hook": bundle} if found["hook"] == "done" else {}
        _write(home / _DONE, done)
    return found


def exit_code(found: dict[str, Any]) -> int:
    """0, or 1 where the bundle is in place but its hook failed: the next pull runs it again."""
    return HOOK_FAILED if found["hook"] not in ("", "done") else 0


def failure(problem: SyndicationError) -> dict[str, Any]:
    """A failed pull as plain values."""
    parts = {"what": problem.what, "expected": problem.expected, "found": problem.found, "to_do": problem.fix}
    return {"state": "failed", "kind": type(problem).__name__, "exit_code": problem.exit_code, "error": parts}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What people read of a pull."""
    yield found["text"]
    if found["acknowledgement"] not in ("", "written"):
        yield f"the acknowledgement was not written: {found['acknowledgement']}"
    if found["hook"]:
        yield f"hook: {found['hook']}"


def _root(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError as problem:
        raise UsageError(
            f"--root {path} can not be read", found=problem.strerror or "", fix="ask the publisher for root.json"
        ) from None


def _acknowledge(store: Store, request: Request, result: pull.PullResult, now: datetime) -> tuple[str, bool]:
    """Tells the publisher what is installed. Returns "written" or why not, and whether that is final for this release."""
    document = {
        "schema": manifest.SCHEMA,
        "partner": result.partner,
        "site": result.site,
        "sequence": result.sequence,
        "content": result.content_sha256,
        "installed": now.isoformat(timespec="seconds"),
        "name": request.name,
        "statement": request.statement,
    }
    key = f"p/{result.site}/ack/{result.sequence}.json"
    try:
        store.put(key, manifest.canonical(document), media_type=manifest.MEDIA_TYPE, cache_control="no-store")
    except Forbidden:
        return f"the publisher gave no right to write {key}", True
    except StoreError as problem:
        return problem.found or problem.what, False
    return "written", True


def _run_hook(request: Request, result: pull.PullResult, bundle: str) -> str:
    facts = {"DEST": str(request.dest), "BUNDLE": bundle, "SITE": result.site, "SEQUENCE": str(result.sequence)}
    environment = {**os.environ, **{f"SYNDICATION_{name}": value for name, value in facts.items()}}
    try:
        done = subprocess.run(shlex.split(request.hook), env=environment, check=False, stdout=sys.stderr)
    except (OSError, ValueError) as problem:
        return f"it could not be run: {problem}"
    return "done" if done.returncode == 0 else f"it failed with exit code {done.returncode}; the next pull runs it again"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, document: dict[str, Any]) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(document), encoding="utf-8")
    new.replace(path)


# --- the single file ------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    """The command line of `syndication-pull.pyz`: `pull` and `verify`. Returns the exit code."""
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.do(arguments))
    except SyndicationError as problem:
        if arguments.json:
            print(json.dumps(failure(problem), ensure_ascii=False, indent=2))
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
    except OSError as problem:
        print(f"error: this machine refused {problem.filename or 'something'}: {problem.strerror or problem}", file=sys.stderr)
        return StoreError.exit_code
    except KeyboardInterrupt:
        print("interrupted: the bundle is as it was; pull again to go on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="syndication-pull", description="Fetch and verify a partner's bundle of health topics.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fetch = commands.add_parser("pull", help="fetch what is newest: only what is missing, verified, switched in at once")
    fetch.add_argument("store", help="https://host/prefix, s3://bucket/prefix (where boto3 is installed) or a folder")
    fetch.add_argument("dest", type=Path, help="where the bundle goes: a link to a folder in DEST.d/")
    fetch.add_argument("--partner", required=True, help="the partner's id")
    fetch.add_argument("--site", default="", help="the site's id, where the partner has several")
    fetch.add_argument("--root", type=Path, help="the publisher's root.json; the first pull needs it")
    fetch.add_argument("--endpoint-url", default="", help="address of an S3 server other than Amazon's")
    fetch.add_argument("--ca-file", default="", help="certificates of a private authority, for https://")
    fetch.add_argument("--repair", action="store_true", help="make the bundle anew")
    fetch.add_argument("--hook", default="", help="a command to run after a new bundle is in place")
    fetch.add_argument("--no-acknowledge", action="store_true", help="do not write ack/<sequence>.json")
    fetch.add_argument("--name", default="", help="who installs, for the acknowledgement")
    fetch.add_argument("--statement", default="", help="a sentence for the acknowledgement")
    fetch.set_defaults(do=_pull)
    check = commands.add_parser("verify", help="check that a bundle is complete and unaltered")
    check.add_argument("dest", type=Path, help="a pulled bundle")
    check.set_defaults(do=_verify)
    for one in (fetch, check):
        one.add_argument("--json", action="store_true", help="print the result as JSON, for programs")
    return parser


def _pull(arguments: argparse.Namespace) -> int:
    names = ("store", "dest", "partner", "site", "root", "endpoint_url", "ca_file", "repair", "hook", "name", "statement")
    request = Request(**{name: getattr(arguments, name) for name in names}, acknowledge=not arguments.no_acknowledge)
    found = run(request, datetime.now(UTC), None if arguments.json else _progress())
    code = exit_code(found)
    if arguments.json:
        print(json.dumps({**found, "exit_code": code}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(lines(found)))
    return code


def _progress() -> Callable[[int, int], None]:
    said = {"tenth": -1}

    def show(done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        if said["tenth"] != tenth:
            said["tenth"] = tenth
            print(f"files: {done} of {total}", file=sys.stderr)

    return show


def _verify(arguments: argparse.Namespace) -> int:
    problems, checked = pull.verify(arguments.dest), pull.checked_against(arguments.dest)
    if arguments.json:
        print(json.dumps({"dest": str(arguments.dest), "problems": problems, "checked": checked}, ensure_ascii=False, indent=2))
    else:
        print("\n".join([*problems, f"{arguments.dest}: {len(problems) or 'no'} problems", f"checked: {checked}"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

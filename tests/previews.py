"""The preview as its users run it: a copy of a project, the command, a page in Chromium. In: a project. Out: an address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from demo import AS_OF, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass(frozen=True)
class Preview:
    """A running preview: its address (without a final slash), its project folder, its process."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    def get(self, path: str, method: str = "GET", data: bytes | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer; header names are written with `_`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.address + path, data=data, method=method, headers=named)
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except HTTPError as problem:
            return problem.code, problem.read(), dict(problem.headers)


@contextmanager
def preview(config: Path, *options: str, first: str = "") -> Iterator[Preview]:
    """Runs `preview` over a project; it must end at once, and quietly, when it is interrupted. `first`: statements that run
    before the program does."""
    program = ["-c", f"import run_pipeline\n{first}\nrun_pipeline.main()"] if first else [str(ROOT / "run_pipeline.py")]
    command = [sys.executable, "-W", "error", *program, "preview", "--config", str(config)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--as-of", AS_OF, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
    )
    assert process.stdout
    line = process.stdout.readline()
    try:
        assert line.startswith("preview: http://127.0.0.1:"), line + (process.stderr.read() if process.stderr else "")
        running = Preview(line.split()[1].rstrip("/"), config.parent, process)
        _until_read(running)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
    assert "Traceback" not in errors, errors[-4000:]


def _until_read(running: Preview) -> None:
    for _ in range(600):
        if b'data-number="0"' not in running.get("/")[1]:
            return
        time.sleep(0.05)
    raise AssertionError("the topics were not read within 30 s")


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = 1240, dark: bool = False, requests: list[str] | None = None, axe: bool = False
) -> Iterator[Page]:
    """An address in a window of its own. Whatever the page itself complains of is a failure."""
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme, bypass_csp=axe)
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{error.message} {error.stack}"))
        if requests is not None:
            context.on("request", lambda request: requests.append(request.url))
        page.goto(address, wait_until="load")
        yield page
        assert complaints == [], complaints
    finally:
        context.close()

"""The preview is safe: who may ask, what reaches the file system, and that hostile content runs nothing and sends nothing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from demo import copy_of_examples
from playwright.sync_api import Browser
from previews import Preview, opened, preview

# Whatever of this runs, or is asked for, is a failure.
HOSTILE = """
<base href="ELSEWHERE/">
<script>fetch('ELSEWHERE/script')</script>
<img src="ELSEWHERE/image.png" onerror="document.title='owned'; top.document.title='owned'" alt="">
<style>@import url("ELSEWHERE/import.css"); body { background: url("ELSEWHERE/background.png") }
@font-face { font-family: x; src: url("ELSEWHERE/font.woff2") } p { font-family: x }</style>
<link rel="stylesheet" href="ELSEWHERE/sheet.css"><link rel="prefetch" href="ELSEWHERE/prefetch">
<meta http-equiv="refresh" content="0; url=ELSEWHERE/refresh">
<iframe src="ELSEWHERE/frame"></iframe><object data="ELSEWHERE/object"></object>
<video src="ELSEWHERE/video" autoplay></video><embed src="ELSEWHERE/embed">
<form action="ELSEWHERE/form"><button id="send">Send</button></form>
<a id="away" href="ELSEWHERE/link" target="_top" ping="ELSEWHERE/ping">Away</a>
<svg><script>fetch('ELSEWHERE/svg')</script></svg>
<details open ontoggle="document.title='owned'; fetch('ELSEWHERE/toggle')"><summary>x</summary></details>
"""


@dataclass
class Elsewhere:
    """Another host, which notes every request that reaches it."""

    address: str
    asked: list[str] = field(default_factory=list)

    @property
    def hostile(self) -> str:
        """Hostile mark-up that would ask this host."""
        return HOSTILE.replace("ELSEWHERE", self.address)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """Another origin, on this machine: a real server that answers."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Elsewhere(f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def running(elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The examples, with a partner whose own templates are hostile; and secrets in and beside the project."""
    folder = tmp_path_factory.mktemp("safety")
    config = copy_of_examples(folder / "project")
    (folder / "secret.txt").write_text("a secret", encoding="utf-8")
    (config.parent / "hidden.toml").write_text("key = 'a secret'", encoding="utf-8")
    templates = config.parent / "looks"
    shutil.copytree(Path(__file__).parents[1] / "transforms/pages", templates)
    for name in ("html.html", "print.html"):
        page = (templates / name).read_text(encoding="utf-8")
        page = page.replace("<meta http-equiv", "<meta name").replace("</head>", elsewhere.hostile.replace("\n", " ") + "</head>")
        (templates / name).write_text(page, encoding="utf-8")
    (templates / "link.html").symlink_to(folder / "secret.txt")
    partner = config.parent / "partners/riverside.toml"
    partner.write_text(partner.read_text(encoding="utf-8").replace("[[agreements]]", 'templates = "looks"\n\n[[agreements]]', 1))
    topic = config.parent / "topics/heart/heart-attack.dita"
    text = topic.read_text(encoding="utf-8")
    topic.write_text(
        text.replace("</conbody>", f"<p><foreign>{_as_xml(elsewhere.hostile)}</foreign></p></conbody>"), encoding="utf-8"
    )
    with preview(config) as started:
        yield started


def _as_xml(markup: str) -> str:
    return markup.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize("view", ["html", "print", "epub", "text", "json", "source"])
def test_hostile_content_runs_nothing_and_sends_nothing(
    view: str, browser: Browser, running: Preview, elsewhere: Elsewhere
) -> None:
    elsewhere.asked.clear()
    requests: list[str] = []
    address = f"{running.address}/topics/en/heart-attack?site=riverside&view={view}&beside=problems"
    with opened(browser, address, requests=requests) as page:
        page.wait_for_timeout(500)
        assert "owned" not in page.title()
        frame = page.frame_locator("#pane-1 iframe")
        if view in ("html", "print"):
            assert page.locator("#pane-1 iframe").count() == 1, "a rendering that fails its proofs can still be looked at"
            for target in ("#send", "#away"):
                if frame.locator(target).count():
                    frame.locator(target).first.dispatch_event("click")
            page.wait_for_timeout(300)
        assert page.url == address
    assert elsewhere.asked == []
    # and nobody else: what the browser itself refused is on this list too, and all of it was meant for that host
    own = (running.address, elsewhere.address, "data:", "blob:")
    assert [url for url in requests if not url.startswith(own)] == []


def test_the_same_content_would_ask_elsewhere_without_the_preview(browser: Browser, elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.asked.clear()
    page = tmp_path / "hostile.html"
    page.write_text(f"<!DOCTYPE html><title>x</title>{elsewhere.hostile}<p>text</p>", encoding="utf-8")
    shown = browser.new_page()
    shown.goto(page.as_uri())
    shown.wait_for_timeout(500)
    shown.close()
    assert len(elsewhere.asked) >= 5


def test_hostile_templates_may_be_seen_and_not_published(running: Preview, elsewhere: Elsewhere) -> None:
    page = running.get("/topics/en/heart-attack?site=riverside&beside=problems")[1].decode()
    assert "May not publish" in page
    status, body, headers = running.get("/bundle/riverside~~/en/heart-attack/index.html")
    assert status == 200
    assert elsewhere.address.encode() in body, "the test shows nothing where the templates are not used"
    policy = headers["content-security-policy"]
    assert "sandbox allow-same-origin;" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "elsewhere.invalid"}, 403),
        ({"Host": "127.0.0.1.elsewhere.invalid"}, 403),
        ({"Origin": "http://elsewhere.invalid"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 403),
        ({"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 200),
    ],
)
def test_only_this_machine_and_its_own_pages_may_ask(headers: dict[str, str], status: int, running: Preview) -> None:
    assert running.get("/", "GET", None, **headers)[0] == status


def test_nothing_is_done_for_another_site(running: Preview) -> None:
    assert running.get("/check", "POST", b"")[0] == 403  # without an origin
    assert running.get("/check", "POST", b"", Origin="http://elsewhere.invalid")[0] == 403
    assert running.get("/", "DELETE")[0] == 403
    assert running.get("/", "PUT", b"x")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%2f..%2f..%2fpyproject.toml",
        "/library/%2e%2e/package.json",
        "/library/../../../pyproject.toml",
        "/library/foliate-js/package.json",
        "/bundle/~~/../../secret.txt",
        "/bundle/~~/en/heart-attack/..%2f..%2f..%2fsecret.txt",
        "/bundle/~~/assets/../../../secret.txt",
        "/bundle/../../en/heart-attack/index.html",
        "/bundle/riverside~not-a-day~/en/heart-attack/index.html",
        "/bundle/riverside~~../en/heart-attack/index.html",
        "/book/~~/en/heart-attack/heart-attack.epub/!/../../../secret.txt",
        "/book/~~/en/heart-attack/index.html/!/mimetype",
        "/topics/en/..%2f..%2fsecret",
        "/topics/..%2f..%2f/heart-attack",
        "/static/a%00b.css",
        "/?site=../../secret",
        "/?site=riverside&trial=../../../secret",
        "/?as_of=2026-13-45",
    ],
)
def test_no_path_reaches_a_file(path: str, running: Preview) -> None:
    status, body, _ = running.get(path)
    assert status == 404
    assert b"a secret" not in body
    assert b"[project]" not in body


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "/etc/passwd",
        "hidden.toml",
        "topics/../../secret.txt",
        "looks/link.html",
        "looks/../hidden.toml",
        "a%00b",
        ".",
    ],
)
def test_the_source_view_shows_sources_alone(name: str, running: Preview) -> None:
    _, body, _ = running.get(f"/topics/en/heart-attack?view=source&file={name}")
    assert b"This file can not be shown here" in body
    assert b"a secret" not in body
    assert b"root:" not in body


@pytest.mark.parametrize("name", ["topics/heart/stroke.dita", "partners/riverside.toml", "publisher.toml", "looks/html.html"])
def test_the_source_view_shows_what_findings_name(name: str, running: Preview) -> None:
    assert b'id="line-1"' in running.get(f"/topics/en/heart-attack?view=source&file={name}")[1]


def test_too_large_a_form_is_nothing(running: Preview) -> None:
    status, body, _ = running.get("/terms?site=harbor", "POST", b"text=" + b"x" * 900_000, Origin=running.address)
    assert status == 422
    assert b"missing" in body or b"Field required" in body

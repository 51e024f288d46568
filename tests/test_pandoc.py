"""The pandoc process: answers, and what happens when it dies, hangs, is asked nonsense or from many sides."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from pipeline import pandoc
from pipeline.pandoc import PandocError, convert

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    pandoc.close()
    yield
    pandoc.close()


def pid() -> int:
    worker = pandoc._worker
    assert worker is not None
    return worker.process.pid


def plain(text: str) -> str:
    return convert(text.encode(), "markdown", "plain").decode()


def child(answers: multiprocessing.Queue[tuple[str, int]]) -> None:
    answers.put((plain("in *child*"), pid()))


def test_one_process_answers_all_requests() -> None:
    assert plain("one *two*") == "one two\n"
    first = pid()
    assert convert(b"", "markdown", "plain") == b""
    assert "Grüße, שלום" in plain("Grüße, שלום")
    assert len(plain("word " * 200_000)) >= 999_999
    assert pid() == first


def test_options_reach_the_writer() -> None:
    words = "word " * 40
    assert convert(words.encode(), "markdown", "plain", {"wrap_text": "wrap-none"}).count(b"\n") == 1
    assert convert(words.encode(), "markdown", "plain", {"columns": 20}).count(b"\n") > 5


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b'{"pandoc-api-version":[99],"blocks":[],"meta":{}}', b"[1, 2]"])
def test_nonsense_is_refused_and_the_process_goes_on(text: bytes) -> None:
    with pytest.raises(PandocError, match=r"^pandoc: "):
        convert(text, "json", "plain")
    first = pid()
    assert plain("well") == "well\n"
    assert pid() == first


@pytest.mark.parametrize("name", ["nosuch", "./reader.lua", "x.lua", "", "-"])
def test_a_format_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(PandocError):
        convert(b"x", name, "plain")
    with pytest.raises(PandocError):
        convert(b"x", "markdown", name)


def test_a_refusal_becomes_a_finding() -> None:
    with pytest.raises(PandocError) as caught:
        convert(b"{", "json", "plain")
    finding = caught.value.at("topics/a.xml", 3)
    assert (finding.code, finding.place) == ("pandoc.failed", "topics/a.xml:3")
    assert finding.text.startswith("pandoc: JSON parse error")


def test_a_process_killed_from_outside_is_replaced_unseen() -> None:
    plain("one")
    first = pid()
    os.kill(first, signal.SIGKILL)
    assert plain("two") == "two\n"
    assert pid() != first


def test_a_text_over_which_the_process_dies_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dying = tmp_path / "pandoc"
    dying.write_text("#!/bin/sh\nhead -c 20 > /dev/null\nexit 1\n")
    dying.chmod(0o755)
    monkeypatch.setattr("pypandoc.get_pandoc_path", lambda: str(dying))
    with pytest.raises(PandocError, match="ended before it answered"):
        convert(b"x" * 100, "markdown", "plain")
    monkeypatch.undo()
    assert plain("well") == "well\n"


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "pandoc"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    monkeypatch.setattr("pypandoc.get_pandoc_path", lambda: str(hanging))
    large = b"x" * 10_000_000  # more than a pipe takes: writing hangs as well as reading
    for text in (b"x", large):
        with pytest.raises(PandocError, match=r"within 0\.2 s"):
            convert(text, "markdown", "plain", timeout=0.2)
    assert pandoc._worker is None
    monkeypatch.undo()
    assert plain("well") == "well\n"


def test_a_stopped_process_is_ended() -> None:
    plain("one")
    os.kill(pid(), signal.SIGSTOP)
    with pytest.raises(PandocError, match="did not come to an end"):
        convert(b"two", "markdown", "plain", timeout=0.2)
    assert plain("three") == "three\n"


def test_a_spent_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "MAX_REQUESTS", 2)
    pids = []
    for number in range(5):
        assert plain(f"n{number}") == f"n{number}\n"
        pids.append(pid())
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    monkeypatch.setattr(pandoc, "MAX_BYTES", 1)
    plain("much")
    assert pid() != pids[4]


def test_threads_get_their_own_answers() -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(plain, (f"word{number}" for number in range(200))))
    assert answers == [f"word{number}\n" for number in range(200)]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_another_process_has_its_own_pandoc(method: str) -> None:
    plain("parent")
    mine = pid()
    context = multiprocessing.get_context(method)
    answers: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    process = context.Process(target=child, args=(answers,))  # type: ignore[attr-defined]
    process.start()
    text, theirs = answers.get(timeout=60)
    process.join(60)
    assert process.exitcode == 0
    assert text.startswith("in ")
    assert theirs != mine
    assert plain("still *here*").startswith("still ")
    assert pid() == mine


def test_pandoc_ends_with_its_parent() -> None:
    code = "from pipeline import pandoc; import os, sys; pandoc.convert(b'x', 'markdown', 'plain');"
    code += "print(pandoc._worker.process.pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    status = Path(f"/proc/{orphan}/stat")
    for _ in range(1000):
        if not status.exists() or status.read_text().split()[2] == "Z":
            break
        os.sched_yield()
        subprocess.run(["sleep", "0.01"], check=True)
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_no_file_is_read_for_the_text(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    assert b"SECRET" not in convert(f".. include:: {secret}".encode(), "rst", "plain")
    with pytest.raises(PandocError, match="not found"):
        convert(f".. csv-table::\n   :file: {secret}\n".encode(), "rst", "plain")
    picture = convert(f"![alt]({secret})".encode(), "markdown", "docx")
    with zipfile.ZipFile(BytesIO(picture)) as archive:
        assert not [name for name in archive.namelist() if "media/" in name]
        assert b"SECRET" not in b"".join(archive.read(name) for name in archive.namelist())
    named = f"---\ncss: {secret}\ncover-image: {secret}\nepub-cover-image: {secret}\ntitle: T\n---\nx"
    with zipfile.ZipFile(BytesIO(convert(named.encode(), "markdown", "epub"))) as archive:
        assert b"SECRET" not in b"".join(archive.read(name) for name in archive.namelist())


def test_answers_depend_on_nothing_but_the_request(tmp_path: Path) -> None:
    (tmp_path / "pandoc" / "templates").mkdir(parents=True)
    (tmp_path / "pandoc" / "templates" / "default.html5").write_text("MINE $body$")
    (tmp_path / "pandoc" / "init.lua").write_text("error('read')")
    code = "from pipeline import pandoc; import sys;"
    code += "sys.stdout.write(pandoc.convert(sys.argv[1].encode(), 'markdown', 'docx').hex())"
    text = json.dumps({"a": "Grüße"}) + " *x*"
    answers = set()
    for language, zone, home in (("C", "UTC", "/"), ("de_DE.UTF-8", "Asia/Tokyo", str(tmp_path))):
        environment = {
            "LANG": language,
            "LC_ALL": language,
            "TZ": zone,
            "HOME": home,
            "XDG_DATA_HOME": home,
            "PYTHONPATH": str(ROOT),
        }
        environment |= {"LUA_INIT": "error('read')", "PATH": os.environ["PATH"]}
        run = subprocess.run(
            [sys.executable, "-c", code, text], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        answers.add(run.stdout)
    assert len(answers) == 1

"""Where a partner pulls to: links that someone planted, pulls that meet, disks that are full or read-only. Whatever is there, the
message says what and what to do, the installed bundle is whole and as it was, and nothing is written or removed elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from releases import SITE, expected_files, publish, root, tree

from deploy import pull_client
from outputs import pull
from outputs.stores import folder
from pipeline.contracts import Store
from pipeline.errors import UsageError

OWN = {"manifest.json", "SHA256SUMS"}


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    (tmp_path / "root.json").write_bytes(root())
    store = folder.open(str(tmp_path / "store"), {})
    publish(store)
    return store


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "here" / "bundle"


@pytest.fixture(scope="module")
def single_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "syndication-pull.pyz"
    pull_client.build(path)
    return path


def fetch(store: Store, dest: Path, **how: Any) -> pull.PullResult:
    return pull.pull(store, SITE.prefix, dest, **{"partner": "riverside", "site": "portal", "root": root(), **how})


def words(single_file: Path, disk: Store, dest: Path) -> list[str]:
    """A pull as a partner's cron runs it."""
    place = Path(disk.url)
    return [
        *(sys.executable, "-S", "-I", "-W", "error", str(single_file), "pull", str(place), str(dest)),
        *("--partner", "riverside", "--site", "portal", "--root", str(place.parent / "root.json")),
    ]


def bundle(dest: Path) -> dict[str, bytes]:
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


# --- planted --------------------------------------------------------------------------------------

PLANTED = [
    *(".lock", ".trust", ".staging-2-0f3a", ".staging-x", "7-0123456789ab"),
    *(".trust/.new", ".trust/root_history", ".trust/timestamp.json", ".trust/timestamp.json.new", ".trust/anchor.json"),
    *(
        ".trust/pointer.json",
        ".trust/pointer.json.new",
        ".trust/done.json.new",
        ".trust/root.json",
        ".trust/root_history/1.root.json",
    ),
]


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("kind", ["folder", "nothing"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_link_in_the_place_of_something_of_ours(disk: Store, dest: Path, name: str, kind: str, first: bool) -> None:
    if not first:
        fetch(disk, dest)
    publish(disk, changed={0: "new"})
    precious = dest.parent.parent / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    (precious / "folder").mkdir()
    (precious / "folder" / "file").write_text("precious")
    planted = dest.with_name("bundle.d") / name
    planted.parent.mkdir(parents=True, exist_ok=True)
    if planted.is_dir() and not planted.is_symlink():
        planted.rename(planted.with_name("moved"))
    planted.unlink(missing_ok=True)
    planted.symlink_to(precious / kind)
    before = tree(precious)
    with pytest.raises(UsageError, match="is a symbolic link, which pull did not make") as caught:
        fetch(disk, dest)
    assert str(planted) in str(caught.value)
    assert "to do:" in str(caught.value)
    assert tree(precious) == before
    assert not (precious / "nothing").exists()
    planted.unlink()  # verify reads what is trusted
    if not first:
        assert bundle(dest) == expected_files()
    fetch(disk, dest)
    assert bundle(dest) == expected_files(changed={0: "new"})


def test_the_folder_itself_is_a_link(disk: Store, dest: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    dest.parent.mkdir()
    dest.with_name("bundle.d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is a symbolic link"):
        fetch(disk, dest)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_links_inside_what_is_being_made_lead_nowhere(disk: Store, dest: Path, tmp_path: Path) -> None:
    """In a folder that a killed pull left, and in the installed bundle."""
    fetch(disk, dest)
    publish(disk, changed={0: "new"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "index.html").write_text("outside")
    staging = dest.with_name("bundle.d") / ".staging-9-dead"
    (staging / "en").mkdir(parents=True)
    (staging / "en/topic-0").symlink_to(tmp_path / "outside")
    (staging / "manifest.json").symlink_to(tmp_path / "outside" / "index.html")
    (staging / "SHA256SUMS").symlink_to(tmp_path / "outside" / "new")
    fetch(disk, dest)
    assert bundle(dest) == expected_files(changed={0: "new"})
    assert tree(tmp_path / "outside") == {"index.html": b"outside"}


def test_what_is_not_ours_in_the_folder_stays(disk: Store, dest: Path, tmp_path: Path) -> None:
    home = dest.with_name("bundle.d")
    home.mkdir(parents=True)
    (home / "current").symlink_to(tmp_path)
    (home / "notes.txt").write_text("mine")
    fetch(disk, dest)
    assert (home / "current").readlink() == tmp_path
    assert (home / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("make", [lambda place: place.write_text("x"), lambda place: place.mkdir(mode=0o700)])
def test_something_else_stands_where_we_write(disk: Store, dest: Path, single_file: Path, make: Callable[[Path], object]) -> None:
    for place in (dest, dest.with_name("bundle.d")):
        place.parent.mkdir(exist_ok=True)
        make(place)
        done = subprocess.run(words(single_file, disk, dest), capture_output=True, text=True, check=False)
        if place == dest or place.is_file():
            assert done.returncode == 2, done.stderr
            assert "to do:" in done.stderr
            assert not dest.is_symlink()
            place.unlink() if place.is_file() else place.rmdir()
        else:
            assert bundle(dest) == expected_files()


# --- meeting --------------------------------------------------------------------------------------


def test_pulls_that_meet(disk: Store, dest: Path, single_file: Path) -> None:
    """Four at once, of another release each round: one installs, the others say that it is at work, or find its bundle."""
    for state in ("a", "b"):
        publish(disk, topics=40, changed={0: state})
        running = [
            subprocess.Popen(words(single_file, disk, dest), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(4)
        ]
        said = [(one.communicate()[0], one.returncode) for one in running]
        assert any(code == 0 and "installed release" in text for text, code in said), said
        for text, code in said:
            assert code == 0 or (code == 4 and "another pull is at work" in text and "to do:" in text), text
        assert bundle(dest) == expected_files(40, {0: state})


# --- disks ----------------------------------------------------------------------------------------


def in_a_room_of_its_own(mount: str, then: str) -> subprocess.CompletedProcess[str]:
    """Runs shell commands where `mount` holds for them alone; skips where this machine allows no such room."""
    script = f"{mount} || exit 99\n{then}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no file system of its own here: {done.stderr.strip()}")
    return done


def test_a_disk_that_is_full(disk: Store, single_file: Path, tmp_path: Path) -> None:
    """Nothing is installed; when there is room again, the next pull goes on."""
    (tmp_path / "small").mkdir()
    there = tmp_path / "small" / "bundle"
    call = " ".join(words(single_file, disk, there))
    publish(disk, topics=300)
    done = in_a_room_of_its_own(
        f"mount -t tmpfs -o size=1m none {tmp_path}/small",
        f"head -c 900000 /dev/zero > {tmp_path}/small/filler\n{call} > {tmp_path}/said 2>&1; echo $? > {tmp_path}/code\n"
        f"ls {tmp_path}/small > {tmp_path}/left\nrm {tmp_path}/small/filler\n"
        f"mount -o remount,size=50m {tmp_path}/small\n{call}; cp -aL {there} {tmp_path}/kept",
    )
    assert (tmp_path / "code").read_text() == "4\n", (tmp_path / "said").read_text()
    said = (tmp_path / "said").read_text()
    assert "No space left on device" in said
    assert "free space on this disk" in said
    assert "bundle\n" not in (tmp_path / "left").read_text().replace("bundle.d\n", "")
    assert "installed release 2" in done.stdout, done.stderr
    assert bundle(tmp_path / "kept") == expected_files(300)


def test_a_disk_that_gets_full_leaves_the_installed_bundle(disk: Store, single_file: Path, tmp_path: Path) -> None:
    """A small file system holds the first release; the second, of 600 topics, does not fit beside it."""
    there = tmp_path / "small" / "bundle"
    there.parent.mkdir()
    call = " ".join(words(single_file, disk, there))
    old = tmp_path / "old"
    subprocess.run(["cp", "-a", disk.url, str(old)], check=True)
    publish(disk, topics=600)
    in_a_room_of_its_own(
        f"mount -t tmpfs -o size=900k none {there.parent}",
        f"{call.replace(disk.url, str(old), 1)} || exit 1\n"
        f"{call} > {tmp_path}/said 2>&1; echo $? > {tmp_path}/code\ncp -aL {there} {tmp_path}/kept",
    )
    assert (tmp_path / "code").read_text() == "4\n", (tmp_path / "said").read_text()
    assert "No space left on device" in (tmp_path / "said").read_text()
    assert bundle(tmp_path / "kept") == expected_files()


def test_a_disk_that_is_read_only(disk: Store, dest: Path, single_file: Path) -> None:
    fetch(disk, dest)
    publish(disk, changed={0: "new"})
    for place, stays in ((dest, True), (dest.with_name("other"), False)):
        done = in_a_room_of_its_own(
            f"mount --bind {dest.parent} {dest.parent} && mount -o remount,bind,ro {dest.parent}",
            " ".join(words(single_file, disk, place)),
        )
        assert done.returncode == 4, done.stdout + done.stderr
        assert "Read-only file system" in done.stderr
        assert "mount the file system for writing" in done.stderr
        assert place.exists() == stays
    assert bundle(dest) == expected_files()

"""The ready files of deploy/: what they name exists, what they run works, and the tools that read them have nothing to say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from conftest import require_command, require_tool

import run_pipeline
from pipeline import starter

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
JS_YAML = ROOT / "tests/tools/node_modules/js-yaml"


def accepted(words: list[str]) -> None:
    """The command line knows these words (and would begin to work with them)."""
    group: Any = typer.main.get_command(run_pipeline.app)
    group.commands[words[0]].make_context(words[0], words[1:])


# --- systemd --------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_has_nothing_to_say(unit: Path, tmp_path: Path) -> None:
    """With paths of this machine in place of those of /opt and /srv."""
    tool = require_command("systemd-analyze")
    for path in UNITS:
        text = (
            path.read_text().replace("/opt/syndication/.venv/bin/python", sys.executable).replace("/opt/syndication", str(ROOT))
        )
        (tmp_path / path.name).write_text(text.replace("/srv/library", str(tmp_path)))
    done = subprocess.run([tool, "verify", str(tmp_path / unit.name)], capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "syndication" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_runs_a_command_that_exists(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
    python, program, *words = line.split()
    assert python == "/opt/syndication/.venv/bin/python"
    assert (ROOT / Path(program).relative_to("/opt/syndication")).is_file()
    accepted(words)


def test_every_timer_starts_a_service_that_is_there() -> None:
    for unit in UNITS:
        if unit.suffix == ".timer":
            (service,) = re.findall(r"^Unit=(.+)$", unit.read_text(), re.MULTILINE)
            assert (unit.parent / service).is_file()


# --- Docker ---------------------------------------------------------------------------------------


def dockerfile() -> list[list[str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]


def test_what_the_image_holds_is_enough(tmp_path: Path) -> None:
    """What the Dockerfile copies, and nothing else, makes and publishes a project."""
    for word, rest in dockerfile():
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                where = tmp_path / "image" / target / ("" if target != "./" else source)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, where, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    where.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / source, where)
    starter.write(tmp_path / "library")
    program = tmp_path / "image/run_pipeline.py"
    done = subprocess.run(
        [sys.executable, str(program), "run", "--workers", "1", "--as-of", "2026-06-01"],
        cwd=tmp_path / "library",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "published release 1" in done.stdout


def test_the_image_starts_what_exists_and_as_nobody() -> None:
    values = dict(line for line in dockerfile() if line[0] in ("ENTRYPOINT", "CMD", "USER", "STOPSIGNAL"))
    accepted(json.loads(values["CMD"]))
    assert json.loads(values["ENTRYPOINT"])[1] == "/opt/syndication/run_pipeline.py"
    assert values["USER"] == "10001"
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [source for word, rest in dockerfile() if word == "COPY" for source in rest.split()[:-1]]
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied)


# --- Kubernetes -----------------------------------------------------------------------------------


def manifests() -> list[dict[str, Any]]:
    node = require_command("node")
    require_tool(JS_YAML.is_dir(), "tests/tools/node_modules (npm ci in tests/tools)")
    script = "const y = require(process.argv[1]); console.log(JSON.stringify(y.loadAll(require('fs').readFileSync(0, 'utf8'))))"
    text = (DEPLOY / "kubernetes/cronjob.yaml").read_text()
    done = subprocess.run([node, "-e", script, str(JS_YAML)], input=text, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_cronjobs_never_overlap_and_run_what_exists() -> None:
    found = manifests()
    assert [one["metadata"]["name"] for one in found] == ["syndication", "syndication-due"]
    for one in found:
        assert (one["apiVersion"], one["kind"], one["spec"]["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
        job = one["spec"]["jobTemplate"]["spec"]
        pod = job["template"]["spec"]
        (container,) = pod["containers"]
        accepted(container["args"])
        assert pod["restartPolicy"] == "Never", "podFailurePolicy asks for it"
        (rule,) = job["podFailurePolicy"]["rules"]
        assert rule["onExitCodes"]["containerName"] == container["name"]
        assert 4 not in rule["onExitCodes"]["values"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert pod["securityContext"]["runAsUser"] == 10001


def test_kustomize_reads_the_cronjobs(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    shutil.copy(DEPLOY / "kubernetes/cronjob.yaml", tmp_path)
    (tmp_path / "kustomization.yaml").write_text("resources: [cronjob.yaml]\n")
    done = subprocess.run([kubectl, "kustomize", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kind: CronJob") == 2

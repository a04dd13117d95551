"""What Promote, Drift and Teardown install: little, and enough for what they run."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import offline

from automl_rehearsal.install import install
from tools.wheels import TEMPLATE

MOST_MEGABYTES = 300
# The rooms that these commands work in; imported whole, since a command imports what it needs when it needs it.
ROOMS = ("github", "kernel", "promotion", "serving", "stacks", "verification")
IMPORT_ALL = f"""
import importlib, pkgutil
for room in {ROOMS}:
    package = importlib.import_module("automl_gitops." + room)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""
WORKFLOWS = ("promote.yml", "drift.yml", "teardown.yml")


@pytest.fixture(scope="module")
def environment(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of serving.lock alone, as `make setup LOCK=serving.lock` makes it."""
    folder = tmp_path_factory.mktemp("serving") / ".venv"
    install(folder, [template / TEMPLATE / "serving.lock"])
    return folder


def runs_of(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_it_is_small(environment):
    size = sum(path.lstat().st_size for path in environment.rglob("*"))

    assert size <= MOST_MEGABYTES * 1e6


def test_what_these_workflows_run_finds_its_packages(environment, projects):
    project = projects["multiclass"]

    done = subprocess.run(
        [environment / "bin" / "python", "-c", IMPORT_ALL],
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", WORKFLOWS)
def test_these_workflows_install_it_and_call_commands_that_it_has(environment, projects, name):
    project = projects["multiclass"]
    runs = runs_of(project / ".github" / "workflows" / name)
    commands = re.findall(r"\.venv/bin/automl (\w+)", "\n".join(runs))

    assert "make setup LOCK=serving.lock" in runs
    assert commands
    for command in commands:
        done = subprocess.run(
            [environment / "bin" / "automl", command, "--help"],
            cwd=project,
            env=offline(project),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


def test_what_a_laptop_alone_runs_is_not_there_and_says_so(environment, projects):
    project = projects["multiclass"]
    site = next(environment.glob("lib/python3*/site-packages"))

    done = subprocess.run(
        [environment / "bin" / "automl", "rehearse", "--until", "staging"],
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert not [
        path for path in site.iterdir() if path.name.startswith(("automl_rehearsal", "local_sagemaker"))
    ]
    assert done.returncode == 2
    assert (
        "rehearse: is a command of the package automl-rehearsal, which is not installed here" in done.stderr
    )

"""Ctrl-C ends a rehearsal's command and its local AWS, and all that they started, without their advice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from making import automl_toml

from automl_rehearsal import life

SLEEPER = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("writing").write_text(str(child.pid))
pathlib.Path("writing").rename("started")
try:
    time.sleep(600)
except KeyboardInterrupt:
    print("look into AWS", file=sys.stderr)
    raise
"""
CALLER = """
import sys
from pathlib import Path
from automl_rehearsal.commands import call
call(Path(sys.argv[1]), {}, "sleeper")
"""
SECONDS = 60


def until(true, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Whoever adopts it may take a moment to bury it.
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_an_interrupted_command_ends_with_all_that_it_started(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    # Found before the installed one, since the command runs in this folder.
    package = tmp_path / "automl_gitops"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SLEEPER)
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, tmp_path],
        cwd=elsewhere,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until((tmp_path / "started").exists, "the command did not start")
        os.killpg(caller.pid, signal.SIGINT)  # as a terminal does
        _, told = caller.communicate(timeout=SECONDS)
    finally:
        caller.kill()

    assert told.rstrip().endswith("KeyboardInterrupt")
    assert "look into AWS" not in told
    pid = int((tmp_path / "started").read_text())
    until(lambda: is_gone(pid), "what the command started is still there")


STARTER = """
import os, signal, subprocess, sys, time
from pathlib import Path
from automl_rehearsal import aws
begin = subprocess.Popen
def started(*arguments, **options):
    process = begin(*arguments, **options)
    Path(sys.argv[1], "pid").write_text(str(process.pid))
    if sys.argv[2] == "begun":
        os.kill(os.getpid(), signal.SIGINT)  # before who called knows its process
    return process
aws.subprocess.Popen = started
with aws.LocalAws(Path(sys.argv[1]), "eu-west-1"):
    Path(sys.argv[1], "entered").touch()
    time.sleep(600)
"""


def of_group(group: int) -> list[str]:
    """The processes of a group that have not ended, as lines."""
    listed = subprocess.run(
        ["ps", "-axo", "pgid=,stat=,pid=,args="], capture_output=True, text=True, check=True, timeout=SECONDS
    )
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [rest for found, state, rest in lines if int(found) == group and not state.startswith("Z")]


@pytest.mark.parametrize("moment", ["begun", "pid", "output.log", "local-aws.log", "ready.env", "entered"])
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_start_of_the_local_aws_leaves_no_process(
    tmp_path: Path, moment: str, times: int
) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path, moment],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until((tmp_path / ("pid" if moment == "begun" else moment)).exists, f"no {moment}")
        for _ in range(times - (moment == "begun")):
            os.killpg(caller.pid, signal.SIGINT)  # as a terminal does
        _, told = caller.communicate(timeout=SECONDS)
        until((tmp_path / "pid").exists, "nothing was started")
        group = int((tmp_path / "pid").read_text())
        left = of_group(group)
        until(lambda: not of_group(group), "the local AWS is still there")
    finally:
        caller.kill()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    assert "KeyboardInterrupt" in told  # a second one may come while Python tells of the first
    assert not any("local-sagemaker" in line for line in left), "it ended before what it had started"


def test_a_life_that_is_interrupted_before_its_first_step_ends_its_local_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[Path] = []

    class Aws:
        """Starts, and is interrupted at the first question."""

        def __init__(self, folder: Path, *_: object, **__: object) -> None:
            self.folder = folder

        def __enter__(self) -> Aws:
            running.append(self.folder)
            return self

        def __exit__(self, *_: object) -> None:
            running.remove(self.folder)

        @property
        def account(self) -> str:
            assert running
            raise KeyboardInterrupt

    monkeypatch.setattr(life, "LocalAws", Aws)
    (tmp_path / "automl.toml").write_text(automl_toml())
    whole = life.Life(tmp_path, tmp_path / "out", None, None, 20)

    with pytest.raises(KeyboardInterrupt), whole:
        pass

    assert running == []

"""Ctrl-C ends a rehearsal's command, and all that it started, without its advice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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

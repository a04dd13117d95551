"""A command that runs in the warmed process ends, prints and stops as one that starts on its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REAL = Path(sys.executable).parent
NOTES = """
import os, sys, time
from pathlib import Path

print(os.getpid(), sys.argv[1], os.environ.get("NOTED"), Path.cwd(), sys.stdin.read())
print("to standard error", file=sys.stderr)
if sys.argv[1] == "wait":
    Path("waits").write_text(str(os.getpid()))
    time.sleep(600)
if sys.argv[1] == "die":
    os.kill(os.getpid(), 15)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "notes.py"
    path.write_text(NOTES)
    return path


@pytest.fixture(scope="module")
def commands(warmed, script):
    return warmed.prefix("test", script=str(script)) / "bin"


@pytest.mark.parametrize("arguments", [["--version"], ["status"], ["data", "check", "none.csv"], ["unknown"]])
def test_a_command_says_and_returns_what_it_does_on_its_own(commands, tmp_path, arguments):
    for program in (["automl"], ["python", "-m", "automl_gitops"]):
        told = [
            subprocess.run([folder / program[0], *program[1:], *arguments], cwd=tmp_path, capture_output=True)
            for folder in (commands, REAL)
        ]

        assert told[0].stdout + told[0].stderr
        assert len({(one.returncode, one.stdout, one.stderr) for one in told}) == 1


@pytest.mark.parametrize(("argument", "status"), [("0", 0), ("3", 3), ("die", -15)])
def test_it_has_the_streams_variables_and_folder_of_its_caller(commands, script, tmp_path, argument, status):
    ended = subprocess.run(
        [commands / "python", script, argument],
        cwd=tmp_path,
        env=os.environ | {"NOTED": "here"},
        input="given",
        capture_output=True,
        text=True,
    )

    assert ended.returncode == status
    if argument != "die":  # which ends with what it has not written yet
        assert ended.stdout.split()[1:] == [argument, "here", str(tmp_path), "given"]
    assert ended.stderr == "to standard error\n"


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_ends_with_its_caller(commands, script, tmp_path):
    with subprocess.Popen(
        [commands / "python", script, "wait"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as called:
        soon = time.monotonic() + 60
        while not (noted := (tmp_path / "waits")).exists() or not noted.read_text():
            assert time.monotonic() < soon
            time.sleep(0.02)
        called.send_signal(signal.SIGKILL)

    while is_there(int(noted.read_text())):
        assert time.monotonic() < soon
        time.sleep(0.02)


def test_what_is_not_handed_over_runs_with_the_packages_of_this_environment(commands, tmp_path):
    code = "import automl_gitops, sys; print(sys.executable, sys.prefix)"

    ended = subprocess.run([commands / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert ended.stdout.split() == [str(commands / "python"), str(commands.parent)], ended.stderr

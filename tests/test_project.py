"""A generated project as its owner uses it: its own tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import offline

# Writes the table of the project's life.
TABLE = """
import csv, sys
from automl_gitops.kernel.config import Config
sys.path.append("tests")
from test_life import table

config = Config.load()
rows = table(config.autopilot.problem_type, config.dataset.target)
with open(sys.argv[1], "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
"""


def run_in(project, *command, timeout=300):
    return subprocess.run(
        command,
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def pytest_in(project, *arguments, timeout):
    return run_in(project, sys.executable, "-m", "pytest", "-q", *arguments, timeout=timeout)


def test_the_project_s_own_tests_pass(projects):
    """All of them, the life of a multiclass model among them."""
    result = pytest_in(projects["multiclass"], timeout=2400)

    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]


@pytest.mark.parametrize("problem_type", ["binary", "regression"])
def test_they_suit_a_project_of_another_problem_type(projects, tmp_path, problem_type):
    """Without its life, whose table is checked instead: tests/strangers has a life of each problem type."""
    project, data = projects[problem_type], tmp_path / "table.csv"

    result = pytest_in(project, "-m", "not life", timeout=600)
    made = run_in(project, sys.executable, "-c", TABLE, data)
    checked = run_in(project, Path(sys.executable).with_name("automl"), "data", "check", data)

    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]
    assert made.returncode == 0, made.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr

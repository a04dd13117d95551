"""A generated project as its owner uses it: its own tests, and a model's life for each problem type."""

import subprocess
import sys

import pytest
from conftest import offline


def pytest_in(project, *arguments, timeout):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_the_project_s_own_tests_pass(projects):
    """All of them, the life of a multiclass model among them."""
    result = pytest_in(projects["multiclass"], "--numprocesses", "2", timeout=2400)

    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]


@pytest.mark.parametrize("problem_type", ["binary", "regression"])
def test_a_model_of_another_problem_type_goes_all_the_way(projects, problem_type):
    result = pytest_in(projects[problem_type], "-m", "life", timeout=1500)

    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]

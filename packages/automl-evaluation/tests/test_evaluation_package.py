"""The package by itself: what it imports, and the example of its README."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from support.imports import assert_no_circles

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import, also those in functions."""
    return grimp.build_graph("automl_evaluation", include_external_packages=True, cache_dir=None)


def test_it_imports_what_the_container_has_alone(graph: grimp.ImportGraph) -> None:
    declared = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    measure = declared["optional-dependencies"]["measure"]
    reached = {module.partition(".")[0] for module in graph.modules} - {"automl_evaluation"}

    assert declared["dependencies"] == []
    # botocore comes with boto3.
    assert reached - sys.stdlib_module_names == {*measure, "botocore"}


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert_no_circles(graph)


def test_the_readme_names_modules_that_there_are(graph: grimp.ImportGraph) -> None:
    rows = re.findall(r"^\| (`.*?) \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named
    assert {f"automl_evaluation.{name}" for name in named} <= graph.modules


def test_the_readme_s_example_prints_what_it_says() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)
    (printed,) = re.findall(r"^```text\n(.*?)^```$", README, re.M | re.S)

    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, check=False, encoding="utf-8", timeout=120
    )

    assert (done.stdout, done.stderr) == (printed, "")

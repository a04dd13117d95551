"""The modules of the package: arrows between them run down; what it imports is what it declares."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

from support.imports import assert_contracts_hold, assert_no_circles

PACKAGE = Path(__file__).parents[1]
# What is called as a command, in a process of its own.
COMMANDS = {"local-sagemaker"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import, also those in functions."""
    return grimp.build_graph("automl_rehearsal", include_external_packages=True, cache_dir=None)


def test_a_module_imports_only_modules_below_it() -> None:
    assert_contracts_hold(PACKAGE)


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert_no_circles(graph)


def test_what_is_imported_is_what_is_declared(graph: grimp.ImportGraph) -> None:
    declared = {
        re.split(r"[^\w.-]", requirement)[0]
        for requirement in tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    distributions = packages_distributions()
    own = {"automl_rehearsal", *sys.stdlib_module_names}

    imported = {
        distribution.lower()
        for name in {module.partition(".")[0] for module in graph.modules} - own
        for distribution in distributions.get(name, [name.replace("_", "-")])  # of sources, by its name
    }

    assert imported | COMMANDS == declared

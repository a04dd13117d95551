"""The rooms of the package: arrows between them run down, and no modules import each other in a circle."""

from __future__ import annotations

import ast
import sys
from itertools import chain
from pathlib import Path

import grimp
import pytest

from support.imports import assert_contracts_hold, assert_no_circles

PACKAGE = Path(__file__).parents[1]
EVALUATION = PACKAGE.with_name("automl-evaluation")
# What the runner may know of the container's code: the document that it writes, the table of the metrics in it, and how
# a call says whose a bucket is. These need the standard library alone, so that a command on the runner loads none of
# the container's packages.
SHARED = {
    f"automl_evaluation.{module}"
    for module in ("bucket_owner", "cautions", "layout", "metrics", "typed", "values")
}
# How rows are written as CSV, which a push and the evaluation do alike, with pyarrow.
WRITES_ROWS = "automl_evaluation.inputs"
# What calls the project's measures and gate, once the SDK has imported the container's packages.
TRIES = "automl_gitops.runs.dry_run"
# What trains and reports; the workflows Promote, Drift and Teardown install none of it (serving.lock).
TRAINING = {"numpy", "pyarrow", "sagemaker", "vl_convert"}
# The same thing in two places: what evaluation.json repeats of dataset.lock, and the blocks of a page of Markdown and
# of the report.
SAME_NOUN = {"Bullets", "Column", "GroupCounts", "Reference", "Rows", "Section", "SplitRule", "Table"}
SERVES = ("infrastructure", "serving", "workflow")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import, also those in functions."""
    return grimp.build_graph(
        "automl_evaluation", "automl_gitops", include_external_packages=True, cache_dir=None
    )


def test_a_room_imports_only_rooms_below_it() -> None:
    assert_contracts_hold(PACKAGE)


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert_no_circles(graph)


def test_the_runner_knows_what_the_evaluation_shares_alone(graph: grimp.ImportGraph) -> None:
    crossing = {
        imported
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.startswith("automl_evaluation.") and not module.startswith(("automl_evaluation", TRIES))
    }

    assert crossing == {*SHARED, WRITES_ROWS}


@pytest.mark.parametrize("module", sorted(SHARED))
def test_what_the_evaluation_shares_needs_the_standard_library_alone(
    graph: grimp.ImportGraph, module: str
) -> None:
    reached = {name.partition(".")[0] for name in graph.find_upstream_modules(module)}

    assert reached <= {"automl_evaluation", *sys.stdlib_module_names}


@pytest.mark.parametrize("commands", SERVES)
def test_commands_on_what_is_trained_reach_nothing_that_trains(
    graph: grimp.ImportGraph, commands: str
) -> None:
    reached = graph.find_upstream_modules(f"automl_gitops.commands.{commands}")

    assert graph.modules >= TRAINING
    assert reached & TRAINING == set()


def test_the_package_does_not_know_the_local_aws(graph: grimp.ImportGraph) -> None:
    assert "boto3" in graph.modules
    assert not graph.modules & {"automl_rehearsal", "local_sagemaker"}


def test_the_rehearsal_is_known_to_the_table_of_commands_alone() -> None:
    sources = (PACKAGE / "src").rglob("*.py")
    knowing = {path.name for path in sources if "automl_rehearsal" in path.read_text(encoding="utf-8")}

    assert knowing == {"main.py"}


def test_git_is_called_in_one_place() -> None:
    sources = (PACKAGE / "src").rglob("*.py")
    callers = {path.name for path in sources if '["git", ' in path.read_text(encoding="utf-8")}

    assert callers == {"git.py"}


def test_a_class_has_its_name_for_itself() -> None:
    rooms: dict[str, set[str]] = {}
    for path in chain((PACKAGE / "src").rglob("*.py"), (EVALUATION / "src").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                rooms.setdefault(node.name, set()).add(path.parent.name)

    assert {name for name, homes in rooms.items() if len(homes) > 1} == SAME_NOUN

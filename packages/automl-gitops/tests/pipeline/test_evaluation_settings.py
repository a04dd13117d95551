"""[gate] and [evaluation] of automl.toml, and that the evaluation reads what the pipeline writes."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from automl_evaluation import assess_classes, regression, slices
from automl_evaluation.metrics import METRICS, PROBLEM_TYPES
from automl_evaluation.settings import Settings
from automl_gitops.kernel.settings.model import RESOURCES, EvaluationSettings, Gate


def gate(text: str) -> Gate:
    return Gate.model_validate(tomllib.loads(f"minimum = 0.3\n{text}"))


def evaluation(text: str) -> EvaluationSettings:
    return EvaluationSettings.model_validate(tomllib.loads(text))


def test_the_gate_is_on_by_default() -> None:
    found = gate("")

    assert found.better_than_baseline
    assert found.not_worse_than_champion
    assert (found.confidence, found.champion_margin, found.champion_failure) == (0.95, "5%", "reject")
    assert found.minimum_rows > 0


@pytest.mark.parametrize(
    "text",
    [
        'champion_margin = "2.5%"',
        "champion_margin = 0.01",
        "champion_margin = 0",
        "minimums = { accuracy = 0.5, auc = 0.6 }",
        "maximums = { log_loss = 1 }",
        "worst_slice = 0.2",
        "maximum_calibration_error = 0.1",
        'champion_failure = "accept"',
        "not_worse_than_champion = false",
    ],
)
def test_what_the_gate_takes(text: str) -> None:
    ((key, value),) = tomllib.loads(text).items()

    assert gate(text).model_dump()[key] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('champion_margin = "5"', "champion_margin", id="no percent sign"),
        pytest.param("champion_margin = -0.1", "champion_margin", id="negative margin"),
        pytest.param("confidence = 1.0", "confidence", id="certainty"),
        pytest.param("minimums = { acuracy = 0.5 }", "which is no metric here", id="a typing error"),
        pytest.param(
            "minimums = { log_loss = 0.5 }", "of which less is better: move it to maximums", id="wrong side"
        ),
        pytest.param(
            "maximums = { auc = 0.5 }", "of which more is better: move it to minimums", id="wrong side too"
        ),
        pytest.param(
            "maximum = 0.5", "has minimum and maximum: keep minimum .* or maximum", id="both bounds"
        ),
        pytest.param("minimum_rows = 0", "minimum_rows", id="no rows"),
        pytest.param("margin = 0.1", "margin", id="unknown key"),
        pytest.param("worst_slice = nan", "worst_slice", id="not a number"),
    ],
)
def test_what_the_gate_refuses(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        gate(text)


def test_a_gate_without_a_bound_is_told_so() -> None:
    with pytest.raises(
        ValidationError, match=r"lacks a bound of the objective: add minimum .* or maximum \(MAE"
    ):
        Gate.model_validate({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "bands = { age = 4 }", 'bands names "age", which is not among slices', id="bands without slice"
        ),
        pytest.param('slices = ["age"]\nbands = { age = 1 }', "2 to 20", id="one band"),
        pytest.param(
            'slices = ["age"]\nbands = { age = [60, 30] }', "edges that do not rise", id="falling edges"
        ),
        pytest.param('slices = ["age"]\nbands = { age = [] }', "edges that do not rise", id="no edges"),
        pytest.param("minimum_slice_rows = 0", "minimum_slice_rows", id="no rows"),
    ],
)
def test_what_the_evaluation_refuses(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        evaluation(text)


def test_slices_that_the_data_set_does_not_have_are_named() -> None:
    found = evaluation('slices = ["age", "race_*", "sex", "town_*"]')

    assert found.unknown_slices(["age", "race_A", "race_B"]) == ["sex", "town_*"]


def test_the_evaluation_reads_what_the_pipeline_writes(tmp_path: Path) -> None:
    """As `automl_gitops.runs.bundle.settings` puts it together."""
    chosen = evaluation('slices = ["age"]\nbands = { age = [30, 60.5] }')
    written: dict[str, Any] = {
        "project": "shop",
        "description": "d",
        "dataset": {
            "target": "y",
            "columns": [{"name": "age", "type": "number"}, {"name": "y", "type": "text"}],
        },
        "gate": gate("worst_slice = 0.2").model_dump(mode="json", exclude_none=True),
        **chosen.model_dump(mode="json", exclude=RESOURCES),
        "network": {},
        "tags": {},
    }
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(written))

    read = Settings.load(path)

    assert read.bands == {"age": [30, 60.5]}
    assert read.gate["worst_slice"] == 0.2
    assert read.features == ["age"]
    assert read.classes is None


def test_the_table_knows_which_metrics_each_problem_has() -> None:
    """What the evaluation computes is what the table has, in its range."""
    random = np.random.default_rng(3)
    for problem, classes in zip(PROBLEM_TYPES, (2, 3, 0), strict=True):
        if classes:
            truth = random.integers(0, classes, 400)
            given = random.dirichlet(np.ones(classes), 400).T
            predicted = given.argmax(axis=0)
            positive = 1 if classes == 2 else None
            model = assess_classes.Model(
                predicted,
                assess_classes.figures(given, list(range(classes)), truth, predicted, positive, draw=False),
            )
            groups, _ = assess_classes.assess(truth, model, None, classes, positive)
        else:
            truth = random.normal(size=400)
            groups = regression.compared(truth, truth + random.normal(size=400), None)
        found = {name: one.value for name, one in groups["candidate"].items()}

        assert set(found) == {name for name, metric in METRICS.items() if problem in metric.problem_types}
        for name, value in found.items():
            assert METRICS[name].least is None or METRICS[name].least <= value, name
            assert METRICS[name].most is None or value <= METRICS[name].most, name


def test_both_sides_find_the_same_columns_of_a_slice() -> None:
    columns = ["a", "b_1", "b_2", "c*"]

    for entry in ("a", "b_*", "c*", "*"):
        assert evaluation(f'slices = ["{entry}"]').unknown_slices(columns) == []
        assert slices.columns_of(entry, columns)

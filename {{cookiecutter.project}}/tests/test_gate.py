"""The gate's conditions, each in both directions: a gate that accepts everything, or nothing, fails here."""

from __future__ import annotations

from typing import Any

import pytest
from automl_evaluation.conditions import Evidence, SliceValue, decision
from automl_evaluation.intervals import Estimate
from automl_evaluation.layout import Condition
from gate import judge

OFF: dict[str, Any] = {
    "confidence": 0.95,
    "minimum_rows": 1,
    "better_than_baseline": False,
    "not_worse_than_champion": False,
    "champion_margin": 0.0,
    "champion_failure": "reject",
}


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, lambda confidence: (low, high))


def judged(settings: dict[str, Any], threshold: float = 0.0, **evidence: Any) -> Condition:
    """The last condition, of a model whose F1 is 0.6."""
    given: dict[str, Any] = {
        "objective": "F1macro",
        "metric": "f1_macro",
        "rows": 1000,
        "metrics": {"f1_macro": estimate(0.6, 0.55, 0.65)},
        "baseline": {},
        "baseline_name": "always “no”",
        "baseline_value": 0.3,
    }
    return judge(OFF | settings, threshold, Evidence(**given | evidence))[-1]


@pytest.mark.parametrize(("minimum", "outcome"), [(0.59, "passed"), (0.6, "passed"), (0.61, "failed")])
def test_the_objective_has_a_bound(minimum, outcome):
    first = judge(
        OFF, minimum, Evidence("F1macro", "f1_macro", 9, {"f1_macro": Estimate(0.6)}, {}, "always “no”")
    )[0]

    assert first.outcome == outcome
    assert "F1 (macro) on the holdout is 0.6" in first.reason


@pytest.mark.parametrize(("rows", "outcome"), [(99, "failed"), (100, "passed")])
def test_the_holdout_has_enough_rows(rows, outcome):
    assert judged({"minimum_rows": 100}, rows=rows).outcome == outcome


@pytest.mark.parametrize(
    ("bounds", "outcome"),
    [
        ({"minimums": {"recall": 0.7}}, "passed"),
        ({"minimums": {"recall": 0.9}}, "failed"),
        ({"maximums": {"cost": 13}}, "passed"),
        ({"maximums": {"cost": 11}}, "failed"),
        ({"minimums": {"auc": 0.5}}, "failed"),  # it could not be computed
    ],
)
def test_other_metrics_have_bounds(bounds, outcome):
    metrics = {"f1_macro": Estimate(0.6), "recall": Estimate(0.8), "cost": Estimate(12.0)}

    assert judged(bounds, metrics=metrics).outcome == outcome


@pytest.mark.parametrize(
    ("difference", "outcome"),
    [((0.3, 0.1, 0.5), "passed"), ((0.3, -0.1, 0.7), "failed"), ((-0.3, -0.5, -0.1), "failed")],
)
def test_it_is_surely_better_than_the_baseline(difference, outcome):
    found = judged({"better_than_baseline": True}, baseline={"f1_macro": estimate(*difference)})

    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("difference", "margin", "outcome"),
    [
        ((0.02, 0.01, 0.03), 0.0, "passed"),
        ((0.02, -0.01, 0.05), 0.0, "failed"),
        ((0.0, -0.02, 0.02), "5%", "passed"),  # of 0.6: 0.03
        ((0.0, -0.04, 0.04), "5%", "failed"),
    ],
)
def test_it_is_not_worse_than_the_champion(difference, margin, outcome):
    found = judged(
        {"not_worse_than_champion": True, "champion_margin": margin},
        champion={"f1_macro": estimate(*difference)},
        champion_value=0.6,
        champion_status="compared",
    )

    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("status", "failure", "outcome"),
    [
        ("none", "reject", "skipped"),
        ("columns_changed", "reject", "skipped"),
        ("failed", "reject", "failed"),
        ("failed", "accept", "skipped"),
    ],
)
def test_a_champion_that_cannot_be_compared(status, failure, outcome):
    settings = {"not_worse_than_champion": True, "champion_failure": failure}

    assert judged(settings, champion_status=status, champion_reason="why").outcome == outcome


@pytest.mark.parametrize(
    ("slices", "outcome"),
    [
        ([SliceValue("age: 30-60", 500, False, 0.5)], "passed"),
        ([SliceValue("age: 30-60", 500, False, 0.3)], "failed"),
        ([SliceValue("age: 30-60", 500, False, 0.5), SliceValue("age: 80+", 9, True, 0.1)], "passed"),
        ([SliceValue("age: 80+", 9, True, 0.5)], "failed"),  # nothing to judge by
    ],
)
def test_the_worst_slice_has_a_bound(slices, outcome):
    assert judged({"worst_slice": 0.4}, slices=slices).outcome == outcome


@pytest.mark.parametrize(("bound", "outcome"), [(0.1, "passed"), (0.05, "failed")])
def test_probabilities_are_calibrated(bound, outcome):
    metrics = {"f1_macro": Estimate(0.6), "calibration_error": Estimate(0.08)}

    assert judged({"maximum_calibration_error": bound}, metrics=metrics).outcome == outcome


def test_one_failed_condition_rejects():
    conditions = [Condition("a", "passed", ""), Condition("b", "skipped", "")]

    assert decision(conditions) == "accept"
    assert decision([*conditions, Condition("c", "failed", "")]) == "reject"

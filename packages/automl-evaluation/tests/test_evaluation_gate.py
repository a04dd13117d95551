"""The gate: every condition in both directions. A gate that accepts everything, or nothing, fails here."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from gate import judge

from automl_evaluation.conditions import (
    Evidence,
    SliceValue,
    check_side,
    decision,
    in_one_line,
    reasons,
)
from automl_evaluation.errors import EvaluationError
from automl_evaluation.intervals import Estimate, Interval
from automl_evaluation.layout import Condition
from automl_evaluation.shares import share

SETTINGS: dict[str, Any] = {
    "confidence": 0.95,
    "minimum_rows": 30,
    "better_than_baseline": False,
    "not_worse_than_champion": False,
    "champion_margin": 0.0,
    "champion_failure": "reject",
}


def estimate(value: float, *ends: float) -> Estimate:
    interval: Interval | None = (ends[0], ends[1]) if ends else None
    return Estimate(value, lambda confidence: interval)


def evidence(metric: str = "f1_macro", value: float = 0.5, **others: Any) -> Evidence:
    given: dict[str, Any] = {
        "objective": metric,
        "metric": metric,
        "rows": 1000,
        "metrics": {metric: estimate(value, value - 0.02, value + 0.02)},
        "baseline": {},
        "baseline_name": "always “no”",
        "baseline_value": 0.3,
    }
    return Evidence(**given | others)


def outcome(
    settings: dict[str, Any], found: Evidence, threshold: float = -1e9, condition: int = -1
) -> tuple[str, str]:
    judged = judge(SETTINGS | settings, threshold, found)[condition]
    return judged.outcome, judged.reason


@pytest.mark.parametrize(
    ("metric", "value", "threshold", "expected"),
    [
        pytest.param("f1_macro", 0.5, 0.49, "passed", id="above the minimum"),
        pytest.param("f1_macro", 0.5, 0.5, "passed", id="at the minimum"),
        pytest.param("f1_macro", 0.5, 0.51, "failed", id="below the minimum"),
        pytest.param("rmse", 0.5, 0.51, "passed", id="below the maximum"),
        pytest.param("rmse", 0.5, 0.5, "passed", id="at the maximum"),
        pytest.param("rmse", 0.5, 0.49, "failed", id="above the maximum"),
    ],
)
def test_bound_of_the_objective(metric: str, value: float, threshold: float, expected: str) -> None:
    found, reason = outcome({}, evidence(metric, value), threshold, condition=0)

    assert found == expected
    assert (
        f"{'RMSE' if metric == 'rmse' else 'F1 (macro)'} on the holdout is 0.5 (95% interval 0.48 to 0.52)"
        in reason
    )
    side, limit = ("above", "maximum") if metric == "rmse" else ("below", "minimum")
    assert reason.endswith(f", {'not ' if expected == 'passed' else ''}{side} the {limit} of {threshold:g}")


def test_a_value_is_told_from_the_bound_that_it_misses_by_little() -> None:
    _, reason = outcome({}, evidence(metrics={"f1_macro": estimate(0.299999)}), 0.3, condition=0)

    assert "is 0.299999, below the minimum of 0.3" in reason


@pytest.mark.parametrize(("rows", "expected"), [(29, "failed"), (30, "passed")])
def test_minimal_rows(rows: int, expected: str) -> None:
    assert outcome({}, evidence(rows=rows))[0] == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"minimums": {"accuracy": 0.7}}, "passed", id="above a minimum"),
        pytest.param({"minimums": {"accuracy": 0.71}}, "failed", id="below a minimum"),
        pytest.param({"maximums": {"log_loss": 0.6}}, "passed", id="below a maximum"),
        pytest.param({"maximums": {"log_loss": 0.59}}, "failed", id="above a maximum"),
        pytest.param({"minimums": {"auc": 0.5}}, "failed", id="a metric that could not be computed"),
    ],
)
def test_bounds_of_other_metrics(settings: dict[str, Any], expected: str) -> None:
    found = evidence(
        metrics={"f1_macro": estimate(0.5), "accuracy": estimate(0.7), "log_loss": estimate(0.6)}
    )

    assert outcome(settings, found)[0] == expected


@pytest.mark.parametrize(
    ("metric", "difference", "expected"),
    [
        pytest.param("f1_macro", (0.1, 0.01, 0.2), "passed", id="surely more"),
        pytest.param("f1_macro", (0.1, -0.01, 0.2), "failed", id="perhaps more"),
        pytest.param("f1_macro", (-0.1, -0.2, -0.01), "failed", id="less"),
        pytest.param("f1_macro", (0.0, 0.0, 0.0), "failed", id="the same"),
        pytest.param("mae", (-0.1, -0.2, -0.01), "passed", id="surely a smaller error"),
        pytest.param("mae", (0.1, 0.01, 0.2), "failed", id="a greater error"),
    ],
)
def test_better_than_the_baseline(metric: str, difference: tuple[float, float, float], expected: str) -> None:
    found = evidence(metric, baseline={metric: estimate(*difference)})

    assert outcome({"better_than_baseline": True}, found)[0] == expected


def test_a_constant_answer_that_is_perfect_cannot_be_bettered_and_is_said() -> None:
    found = evidence(
        "recall",
        baseline={"recall": estimate(-0.2, -0.3, -0.1)},
        baseline_name="always “yes”",
        baseline_value=1.0,
    )

    result, reason = outcome({"better_than_baseline": True}, found)

    assert result == "skipped"
    assert "always “yes” scores 1 by" in reason
    assert "bound precision or f1 as well" in reason


def test_the_baseline_s_answer_and_its_value_are_in_the_reason() -> None:
    found = evidence("f1", baseline={"f1": estimate(0.3, 0.2, 0.4)})

    assert "the baseline (always “no” scores 0.3)" in outcome({"better_than_baseline": True}, found)[1]


def test_a_model_no_better_than_the_baseline_is_told_the_way_out() -> None:
    found = evidence("f1", baseline={"f1": estimate(0.0, -0.1, 0.1)}, way_out="name the other class")
    better = evidence("f1", baseline={"f1": estimate(0.3, 0.2, 0.4)}, way_out="name the other class")

    assert outcome({"better_than_baseline": True}, found)[1].endswith(
        "not surely better; name the other class"
    )
    assert "name the other class" not in outcome({"better_than_baseline": True}, better)[1]


@pytest.mark.parametrize(("metric", "bound"), [("rmse", 1e12), ("f1", -1e12)])
def test_a_bound_that_any_model_keeps_is_not_called_one(metric: str, bound: float) -> None:
    (objective, *_) = judge(SETTINGS, bound, evidence(metric, value=0.5))

    assert objective.outcome == "passed"
    assert objective.reason.endswith("; [gate] sets no real bound")


def test_a_baseline_that_could_not_be_computed_fails() -> None:
    assert outcome({"better_than_baseline": True}, evidence(baseline={}))[0] == "failed"


@pytest.mark.parametrize(
    ("metric", "difference", "margin", "expected"),
    [
        pytest.param("f1_macro", (0.02, 0.01, 0.03), 0.0, "passed", id="surely better, no margin"),
        pytest.param("f1_macro", (0.02, -0.01, 0.05), 0.0, "failed", id="perhaps better, no margin"),
        pytest.param("f1_macro", (0.0, 0.0, 0.0), 0.0, "failed", id="the same, no margin"),
        pytest.param("f1_macro", (0.0, 0.0, 0.0), 0.01, "passed", id="the same, some margin"),
        pytest.param("f1_macro", (-0.01, -0.019, 0.0), 0.02, "passed", id="worse within the margin"),
        pytest.param("f1_macro", (-0.01, -0.021, 0.0), 0.02, "failed", id="perhaps worse than the margin"),
        pytest.param("f1_macro", (-0.05, -0.06, -0.04), 0.02, "failed", id="surely worse than the margin"),
        pytest.param("f1_macro", (-0.01, -0.019, 0.0), "5%", "passed", id="within 5 % of the champion's 0.4"),
        pytest.param("f1_macro", (-0.01, -0.021, 0.0), "5%", "failed", id="beyond 5 % of the champion's 0.4"),
        pytest.param("rmse", (0.01, 0.0, 0.019), "5%", "passed", id="a greater error within the margin"),
        pytest.param("rmse", (0.01, 0.0, 0.021), "5%", "failed", id="a greater error beyond the margin"),
        pytest.param("rmse", (-0.01, -0.02, -0.001), 0.0, "passed", id="a smaller error"),
    ],
)
def test_not_worse_than_the_champion(
    metric: str, difference: tuple[float, float, float], margin: float | str, expected: str
) -> None:
    found = evidence(
        metric, champion={metric: estimate(*difference)}, champion_value=0.4, champion_status="compared"
    )

    assert outcome({"not_worse_than_champion": True, "champion_margin": margin}, found)[0] == expected


@pytest.mark.parametrize(
    ("ends", "margin", "expected", "said"),
    [
        ((0.0, 0.0), "30%", "passed", ": no more than 0 worse (30% of the champion's 0)"),
        ((-0.1, 0.1), "30%", "failed", ": perhaps more than 0 worse (30% of the champion's 0)"),
        ((-0.2, -0.1), "30%", "failed", ": surely more than 0 worse (30% of the champion's 0)"),
        ((0.0, 0.0), "0%", "failed", ": surely not better"),
        ((0.0, 0.0), 0.0, "failed", ": surely not better"),
    ],
)
def test_a_share_of_a_champions_0_asks_for_no_better_model(
    ends: Interval, margin: float | str, expected: str, said: str
) -> None:
    found = evidence(
        "f1", champion={"f1": estimate(0, *ends)}, champion_value=0.0, champion_status="compared"
    )

    passed, reason = outcome({"not_worse_than_champion": True, "champion_margin": margin}, found)

    assert (passed, reason.endswith(said)) == (expected, True), reason


@pytest.mark.parametrize(
    ("metric", "margin", "bound"), [("f1_macro", 0.02, -0.02), ("rmse", 0.02, 0.02), ("f1_macro", 0.0, 0.0)]
)
def test_the_bound_of_a_difference_has_the_differences_sign(metric: str, margin: float, bound: float) -> None:
    found = evidence(
        metric, champion={metric: estimate(0, -0.1, 0.1)}, champion_value=0.4, champion_status="compared"
    )

    judged = judge(SETTINGS | {"not_worse_than_champion": True, "champion_margin": margin}, 0.5, found)[-1]

    assert (judged.value, str(judged.bound)) == (0, str(bound))


def test_the_interval_is_asked_for_at_the_gates_confidence() -> None:
    asked = []

    def interval(confidence: float) -> Interval:
        asked.append(confidence)
        return 0.1, 0.2

    found = evidence(
        champion={"f1_macro": Estimate(0.15, interval)}, champion_value=0.4, champion_status="compared"
    )
    outcome({"not_worse_than_champion": True, "confidence": 0.8}, found)

    assert asked == [0.8]


@pytest.mark.parametrize(
    ("status", "settings", "expected"),
    [
        pytest.param("none", {}, "skipped", id="no champion yet"),
        pytest.param("columns_changed", {}, "skipped", id="other columns"),
        pytest.param("failed", {}, "failed", id="it failed"),
        pytest.param("failed", {"champion_failure": "accept"}, "skipped", id="it failed, which is allowed"),
        pytest.param("compared", {}, "failed", id="the objective is undefined for it"),
    ],
)
def test_a_champion_that_was_not_compared(status: str, settings: dict[str, Any], expected: str) -> None:
    found = evidence(champion_status=status, champion_reason="the reason")

    judged, reason = outcome({"not_worse_than_champion": True} | settings, found)

    assert judged == expected
    assert status in ("none", "compared") or "the reason" in reason


@pytest.mark.parametrize(
    ("slices", "metric", "bound", "expected"),
    [
        pytest.param(
            [("a", 500, False, 0.5), ("b", 500, False, 0.3)], "f1_macro", 0.3, "passed", id="all above"
        ),
        pytest.param(
            [("a", 500, False, 0.5), ("b", 500, False, 0.29)], "f1_macro", 0.3, "failed", id="one below"
        ),
        pytest.param(
            [("a", 500, False, 0.5), ("b", 9, True, 0.1)], "f1_macro", 0.3, "passed", id="a small one below"
        ),
        pytest.param([("a", 500, False, 2.0), ("b", 500, False, 3.1)], "rmse", 3.0, "failed", id="one above"),
        pytest.param(
            [("a", 500, False, 2.0), ("b", 500, False, 3.0)], "rmse", 3.0, "passed", id="none above"
        ),
        pytest.param([("b", 9, True, 0.9)], "f1_macro", 0.3, "failed", id="only small ones"),
        pytest.param([], "f1_macro", 0.3, "failed", id="none"),
        pytest.param([("a", 500, False, None)], "f1_macro", 0.3, "failed", id="undefined"),
    ],
)
def test_worst_slice(
    slices: list[tuple[str, int, bool, float]], metric: str, bound: float, expected: str
) -> None:
    found = evidence(metric, slices=[SliceValue(*given) for given in slices])

    assert outcome({"worst_slice": bound}, found)[0] == expected


@pytest.mark.parametrize(
    ("metric", "value", "ends", "bound", "expected"),
    [
        pytest.param("f1_macro", 0.25, (0.2, 0.29), 0.3, "failed", id="surely below"),
        pytest.param("f1_macro", 0.25, (0.2, 0.31), 0.3, "passed", id="perhaps below"),
        pytest.param("f1_macro", 0.35, (0.2, 0.4), 0.3, "passed", id="above"),
        pytest.param("rmse", 3.5, (3.1, 4.0), 3.0, "failed", id="an error surely above"),
        pytest.param("rmse", 3.5, (2.9, 4.0), 3.0, "passed", id="an error perhaps above"),
    ],
)
def test_a_slice_fails_where_its_whole_interval_is_beyond_the_bound(
    metric: str, value: float, ends: tuple[float, float], bound: float, expected: str
) -> None:
    side, limit = ("above", "maximum") if metric == "rmse" else ("below", "minimum")
    one = SliceValue("race: a", 1200, False, value, lambda confidence: ends, groups=300)

    judged, reason = outcome({"worst_slice": bound}, evidence(metric, slices=[one]))

    assert judged == expected
    assert (
        f"(race: a, 1,200 rows of 300 groups) is {value:g} (95% interval {ends[0]:g} to {ends[1]:g})"
        in reason
    )
    surely = "surely " if (value < bound) == (metric != "rmse") else ""
    assert reason.endswith(
        f", {'' if expected == 'failed' else 'not '}{surely}{side} the {limit} of {bound:g}"
    )


def test_the_worst_slice_s_interval_is_widened_for_the_number_of_slices_that_are_judged() -> None:
    asked: list[float] = []

    def interval(confidence: float) -> Interval:
        asked.append(confidence)
        return 0.2, 0.4

    slices = [SliceValue(str(number), 500, number >= 10, 0.3, interval) for number in range(14)]
    _, reason = outcome({"worst_slice": 0.35, "confidence": 0.9}, evidence(slices=slices))

    assert asked
    assert asked == pytest.approx([0.99] * len(asked))
    assert "(90% interval for all 10 slices together 0.2 to 0.4), not surely below" in reason


def test_of_the_slices_that_fail_the_worst_is_named() -> None:
    slices = [
        SliceValue("wide", 100, False, 0.1, lambda confidence: (0.0, 0.5)),
        SliceValue("narrow", 900, False, 0.2, lambda confidence: (0.1, 0.29)),
        SliceValue("good", 900, False, 0.6, lambda confidence: (0.5, 0.7)),
    ]

    assert "(narrow, 900 rows)" in outcome({"worst_slice": 0.3}, evidence(slices=slices))[1]
    assert "(wide, 100 rows)" in outcome({"worst_slice": 0.25}, evidence(slices=slices))[1]


@pytest.mark.parametrize("number", [1, 10, 50])
def test_chance_alone_seldom_fails_a_slice_however_many_there_are(number: int) -> None:
    generator = np.random.default_rng(number)
    times, by_value = 400, 0
    failed = 0
    for _ in range(times):
        shares = [share(float(right), 200.0) for right in generator.binomial(200, 0.7, number)]
        slices = [
            SliceValue(str(place), 200, False, one.value, one.interval) for place, one in enumerate(shares)
        ]
        failed += outcome({"worst_slice": 0.7}, evidence("accuracy", slices=slices))[0] == "failed"
        by_value += min(one.value for one in shares) < 0.7

    assert failed / times <= 0.05
    assert by_value / times > 0.4  # judged by their values alone


def test_the_holdouts_groups_are_named_beside_its_rows() -> None:
    assert (
        "has 1,000 rows (of 70 groups, which intervals are of), at least"
        in outcome({}, evidence(groups=70))[1]
    )


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        pytest.param({"calibration_error": estimate(0.1)}, "passed", id="at the bound"),
        pytest.param({"calibration_error": estimate(0.11)}, "failed", id="above it"),
        pytest.param({}, "failed", id="no probabilities"),
    ],
)
def test_maximal_calibration_error(metrics: dict[str, Estimate], expected: str) -> None:
    found = evidence(metrics={"f1_macro": estimate(0.5)} | metrics)

    assert outcome({"maximum_calibration_error": 0.1}, found)[0] == expected


@pytest.mark.parametrize(
    ("settings", "metric", "fits"),
    [
        ({"minimum": 0.3}, "f1_macro", True),
        ({"maximum": 0.3}, "mse", True),
        ({"minimum": 0.3}, "mse", False),
        ({"maximum": 0.3}, "f1_macro", False),
    ],
)
def test_a_bound_on_the_wrong_side_of_an_inferred_objective_is_an_error(
    settings: dict[str, Any], metric: str, fits: bool
) -> None:
    (given,) = settings
    wrong = pytest.raises(
        EvaluationError, match=rf"^\[gate\] {given} = 0.3 does not fit {metric}, .* use (min|max)imum$"
    )

    with nullcontext() if fits else wrong:
        check_side(settings, metric, metric)


def test_conditions_that_are_not_configured_are_not_judged() -> None:
    assert [condition.name for condition in judge(SETTINGS, 0.0, evidence())] == [
        "F1 (macro) on the holdout",
        "rows of the holdout",
    ]


def test_one_failed_condition_rejects_and_gives_its_reason_alone() -> None:
    conditions = judge(SETTINGS, 0.9, evidence())

    assert decision(conditions) == "reject"
    assert reasons(conditions) == [conditions[0].reason]


def test_no_failed_condition_accepts_and_tells_what_was_found() -> None:
    conditions = judge(SETTINGS | {"not_worse_than_champion": True}, 0.1, evidence())

    assert decision(conditions) == "accept"
    assert reasons(conditions) == [condition.reason for condition in conditions]
    assert conditions[-1].outcome == "skipped"


def test_reasons_fit_the_pipelines_message() -> None:
    assert len(in_one_line(["x" * 700] * 2)) == 1000
    assert in_one_line(["a", "b"]) == "a; b"


@pytest.mark.parametrize("outcome", ["fail", "bad", "Passed", None])
def test_an_outcome_that_is_misspelt_lets_no_model_pass(outcome: Any) -> None:
    with pytest.raises(
        EvaluationError, match=r'the outcome of "cost" is .*, not one of passed, failed, skipped'
    ):
        Condition("cost", outcome, "the cost is 900, above 450")

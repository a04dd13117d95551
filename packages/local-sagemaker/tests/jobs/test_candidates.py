"""What a training decides by itself: types, classes, models, and where the line between classes is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from local_sagemaker.sagemaker.autopilot import (
    data,
    decision,
    insights,
    metrics,
    objectives,
    portfolio,
    requests,
)

REQUEST = {
    "target": "target",
    "weight": None,
    "problem_type": None,
    "validation_fraction": 0.2,
    "least_rows": 20,
    "mode": "ENSEMBLING",
}


def frame(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype=str)


@pytest.mark.parametrize(
    ("values", "problem_type"),
    [
        (["yes", "no"], "BinaryClassification"),
        (["0", "1"], "BinaryClassification"),
        (["a", "b", "c"], "MulticlassClassification"),
        (["1", "2", "3"], "MulticlassClassification"),
        ([str(n) for n in range(30)], "Regression"),
        (["1.5", "2", "3"], "Regression"),
        (["1.5", "2", "three"], "MulticlassClassification"),
    ],
)
def test_problem_type_follows_from_the_values(values: list[str], problem_type: str) -> None:
    assert data.infer(pd.Series(values * 2)) == problem_type


def test_labels_are_ordered_as_numbers_where_they_are_some() -> None:
    raw = frame(feature=[str(n) for n in range(30)], target=["10", "9", "2"] * 10)

    prepared = data.prepare(raw, None, REQUEST, {})

    assert prepared.labels == ["2", "9", "10"]
    together = pd.concat([prepared.train, prepared.validation]).sort_index()
    assert together[data.TARGET].tolist() == [2, 1, 0] * 10


def test_column_is_a_number_where_every_value_is_one_or_missing() -> None:
    raw = frame(
        number=["1", "", "2.5", "NA"] * 10,
        text=["1", "", "2.5", "none of it"] * 10,
        truth=["True", "False"] * 20,
        empty=[""] * 40,
        target=["a", "b"] * 20,
    )

    prepared = data.prepare(raw, None, REQUEST, {})

    types = {column["name"]: column["type"] for column in prepared.columns}
    assert types == {"number": "number", "text": "text", "truth": "text", "empty": "text"}
    assert prepared.train["number"].isna().mean() == pytest.approx(0.5, abs=0.1)


def test_split_keeps_the_classes_shares_and_single_rows_are_trained_on() -> None:
    raw = frame(feature=[str(n) for n in range(101)], target=["common"] * 80 + ["rare"] * 20 + ["single"])

    prepared = data.prepare(raw, None, REQUEST, {})

    counts = prepared.validation[data.TARGET].value_counts().to_dict()
    assert len(prepared.train) + len(prepared.validation) == 101
    assert counts[0] in (16, 17)
    assert counts[1] in (4, 5)
    assert 2 not in counts
    assert (prepared.train[data.TARGET] == 2).sum() == 1


def test_validation_rows_with_unknown_labels_are_left_out_and_noted() -> None:
    train = frame(feature=["1", "2"] * 15, target=["a", "b"] * 15)
    validation = frame(feature=["1", "2", "3"] * 10, target=["a", "b", "c"] * 10)

    prepared = data.prepare(train, validation, REQUEST, {})

    assert len(prepared.validation) == 20
    assert "left out" in prepared.notes[0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"feature": ["1"] * 30, "target": ["a"] * 30}, "lacks 'other'"),
        (
            {"feature": ["1"] * 30, "other": ["1"] * 30, "extra": ["1"] * 30, "target": ["a"] * 30},
            "adds 'extra'",
        ),
        ({"other": ["1"] * 30, "feature": ["1"] * 30, "target": ["a"] * 30}, "in another order"),
        ({"feature": ["1"], "other": ["1"], "target": ["a"]}, "validation dataset has 1 rows"),
    ],
)
def test_validation_data_unlike_the_training_data_is_refused(
    columns: dict[str, list[str]], reason: str
) -> None:
    train = frame(feature=["1", "2"] * 15, other=["3"] * 30, target=["a", "b"] * 15)

    with pytest.raises(data.DataError, match=reason):
        data.prepare(train, frame(**columns), REQUEST, {})


def test_rows_without_a_valid_weight_are_left_out_and_noted() -> None:
    train = frame(
        feature=[str(n) for n in range(40)],
        w=["1", "0", "-1", "", "2.5", "nan", "inf", "x"] * 5,
        target=["a", "b"] * 20,
    )

    prepared = data.prepare(train, None, REQUEST | {"weight": "w", "least_rows": 10}, {})

    kept = pd.concat([prepared.train, prepared.validation])
    assert sorted(kept[data.WEIGHT].unique()) == [0.0, 1.0, 2.5]
    assert (len(kept), prepared.features) == (15, ["feature"])
    assert prepared.notes == ["25 rows without a valid weight in 'w' were left out."]


@pytest.mark.parametrize(
    ("specification", "reason"),
    [
        ({"FeatureAttributeNames": ["target"]}, "names 'target', no feature"),
        ({"FeatureAttributeNames": ["a", "a"]}, "names a column twice"),
        ({"FeatureAttributeNames": ["a"], "FeatureDataTypes": {"b": "text"}}, "'b', which is not among"),
        (
            {"FeatureDataTypes": {"b": "string"}},
            "'string' for 'b', none of numeric, categorical, text, datetime",
        ),
        ({"FeatureDataTypes": {"b": "sequence"}}, "'sequence' for 'b'"),
        ({"FeatureAttributeNames": []}, "no column beside the target"),
    ],
)
def test_specification_that_the_service_refuses(specification: dict[str, Any], reason: str) -> None:
    train = frame(a=["1", "2"] * 15, b=["3", "4"] * 15, target=["x", "y"] * 15)

    with pytest.raises(data.DataError, match=reason):
        data.prepare(train, None, REQUEST, specification)


@pytest.mark.parametrize("objective", ["F1", "F1macro", "RecallMacro"])
def test_metrics_and_line_of_weighted_rows_are_those_of_rows_that_often(objective: str) -> None:
    truth, given = probabilities([0.7, 0.3], 400)
    times = np.random.default_rng(3).integers(0, 4, len(truth))
    repeated, chosen = np.repeat(np.arange(len(truth)), times), given.argmax(axis=1)
    kind = objectives.BINARY if objective == "F1" else objectives.MULTICLASS

    weighted = metrics.classification(kind, truth, given, chosen, times.astype(float))
    often = metrics.classification(kind, truth[repeated], given[repeated], chosen[repeated])

    own = "BalancedAccuracy"  # has weights of its own
    assert {**weighted, own: 0} == pytest.approx({**often, own: 0})
    assert weighted[own] == pytest.approx(metrics.classification(kind, truth, given, chosen)[own])
    line = decision.greatest(objective, truth, given, times.astype(float))
    assert line == pytest.approx(decision.greatest(objective, truth[repeated], given[repeated], None))


def test_rows_without_a_target_are_not_counted() -> None:
    raw = frame(feature=["1"] * 500, target=["a", "b"] * 249 + ["", "a"])

    with pytest.raises(data.DataError, match=r"499 rows with a target\. At least 500 rows are required"):
        data.prepare(raw, None, REQUEST | {"least_rows": requests.LEAST_ROWS}, {})


def test_data_with_too_few_rows_or_one_class_is_refused() -> None:
    with pytest.raises(data.DataError, match="3 rows with a target"):
        data.prepare(frame(feature=["1"] * 4, target=["a", "b", "a", ""]), None, REQUEST, {})
    with pytest.raises(data.DataError, match="one value alone, 'a'"):
        data.prepare(frame(feature=["1"] * 30, target=["a"] * 30), None, REQUEST, {})


def probabilities(shares: list[float], rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True classes and the probabilities that a calibrated, none too good model has for them."""
    random = np.random.default_rng(seed)
    scores = np.log(shares) + random.normal(size=(rows, len(shares)))
    known = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.array([random.choice(len(shares), p=row) for row in known]), known


@pytest.mark.parametrize("objective", ["F1macro", "RecallMacro", "BalancedAccuracy"])
def test_weights_raise_the_objective_on_rows_not_chosen_by(objective: str) -> None:
    shares = [0.1, 0.3, 0.6]
    truth, known = probabilities(shares, 4000)
    new_truth, new = probabilities(shares, 4000, seed=1)

    def score(t: np.ndarray, chosen: np.ndarray) -> float:
        return (
            f1_score(t, chosen, average="macro")
            if objective == "F1macro"
            else balanced_accuracy_score(t, chosen)
        )

    weights = decision.choose(objective, truth, known)

    assert score(truth, (known * weights).argmax(axis=1)) > score(truth, known.argmax(axis=1)) + 0.02
    assert score(new_truth, (new * weights).argmax(axis=1)) > score(new_truth, new.argmax(axis=1)) + 0.02
    assert weights[0] > weights[2]  # the rare class is given the benefit of the doubt


def test_weights_of_two_classes_are_a_threshold_for_the_positive_one() -> None:
    truth, known = probabilities([0.85, 0.15], 4000)

    weights = decision.choose("F1", truth, known)

    assert f1_score(truth, (known * weights).argmax(axis=1)) > f1_score(truth, known.argmax(axis=1)) + 0.05


@pytest.mark.parametrize(
    ("counts", "worth"), [([300, 100], True), ([150, 40], False), ([300, 9], False), ([300, 100, 0], False)]
)
def test_few_rows_are_not_chosen_by(counts: list[int], worth: bool) -> None:
    truth = np.repeat(np.arange(len(counts)), counts)

    assert decision.worth_choosing(truth, len(counts)) is worth


def test_portfolio_has_one_of_each_kind_before_any_variant() -> None:
    algorithms = ["lightgbm", "randomforest", "extra-trees", "linear-learner"]

    few = portfolio.ensembling(algorithms, 3)
    many = portfolio.ensembling(algorithms, 40)

    assert sum(map(len, few.values())) == 3
    assert set(few) == {"GBM", "RF"}
    assert sum(map(len, many.values())) == 40
    assert set(many) == {"GBM", "RF", "XT", "LR"}
    assert many == portfolio.ensembling(algorithms, 40)  # the same job trains the same models


def test_linear_learner_alone_is_one_model() -> None:
    assert {key: len(models) for key, models in portfolio.ensembling(["linear-learner"], 5).items()} == {
        "LR": 1
    }


@pytest.mark.parametrize(("size", "mode"), [(1000, "ENSEMBLING"), (200 * 1024**2, "HYPERPARAMETER_TUNING")])
def test_automatic_mode_depends_on_the_size_of_the_data(size: int, mode: str) -> None:
    request = {"AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "y"}}}

    assert requests.settings(request, size).mode == mode


@pytest.mark.slow  # imports AutoGluon
def test_training_without_time_says_so(tmp_path: Path) -> None:
    from local_sagemaker.sagemaker.autopilot import training

    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", data.TARGET])
    column = {"name": "a", "type": "number"}
    prepared = data.Prepared("Regression", [column], [], numbers[:40], numbers[40:])
    target = objectives.objective("MSE")
    plan = training.Plan(target, portfolio.ensembling(["lightgbm"], 1), False, 0.001, None)
    candidates: list[training.Candidate] = []

    with pytest.raises(training.NothingTrainedError, match="Not enough time left"):
        training.fit(
            prepared, plan, training.Scorer(prepared, target), tmp_path / "predictor", candidates.append
        )

    assert candidates == []


def test_positive_class_is_the_second_of_two() -> None:
    truth = np.array([1, 1, 0, 0])
    known = np.array([[0.2, 0.8], [0.6, 0.4], [0.7, 0.3], [0.4, 0.6]])

    values = metrics.classification("BinaryClassification", truth, known, known.argmax(axis=1))

    assert values["Precision"] == 0.5
    assert values["Recall"] == 0.5
    assert values["AUC"] == 0.75


def test_attributions_of_a_sum_are_its_terms() -> None:
    # For a sum, each feature's Shapley value is its own term minus that of the baseline, whatever the order.
    random = np.random.default_rng(0)
    raw = pd.DataFrame(random.normal(size=(60, 3)), columns=["a", "b", "c"])
    raw[data.TARGET] = 0.0
    columns = [{"name": name, "type": "number"} for name in "abc"]
    prepared = data.Prepared("Regression", columns, [], raw[:40], raw[40:])

    found = insights.attributions(prepared, lambda x: (3 * x["a"] - x["b"]).to_numpy().reshape(-1, 1), 0.1)

    values = found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    means = raw[:40].mean()
    assert values["a"] == pytest.approx((3 * (raw["a"][40:] - means["a"])).abs().mean())
    assert values["b"] == pytest.approx((raw["b"][40:] - means["b"]).abs().mean())
    assert values["c"] == pytest.approx(0, abs=1e-12)

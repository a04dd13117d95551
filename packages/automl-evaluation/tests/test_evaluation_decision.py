"""The positive class and the threshold that automl.toml decides on, instead of Autopilot and its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_sagemaker import CHAMPION, FakeSageMaker, container
from runs import Run, classifier
from sklearn import metrics

from automl_evaluation.errors import EvaluationError, PredictionError
from automl_gitops.kernel.settings.model import DecisionSettings

CLASSES = {"no": 500, "yes": 500}


def two_classes(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of which the first is about the probability of yes."""
    generator = np.random.default_rng(4)
    inputs = generator.random((rows, 2)).round(3)
    return inputs, np.where(inputs[:, 0] + generator.normal(0, 0.3, rows) > 0.5, "yes", "no")


def first(row: list[float]) -> list[float]:
    return [1 - row[0], row[0]]


def second(row: list[float]) -> list[float]:
    return [1 - row[1], row[1]]


def judged(
    tmp_path: Path, s3: Any, decision: dict[str, Any], minimum: float = 0.0, **others: Any
) -> dict[str, Any]:
    inputs, labels = two_classes()
    sagemaker = FakeSageMaker(
        s3, "BinaryClassification", "F1", {"candidate": classifier(["no", "yes"], first)}, **others
    )
    sagemaker.models["champion"] = classifier(["no", "yes"], second)
    champion = CHAMPION if "champion" in others else "none"
    settings = {"decision": decision, "slices": ["b"], "bands": {"b": [0.5]}}
    run = Run(
        tmp_path,
        s3,
        inputs.tolist(),
        labels.tolist(),
        classes=CLASSES,
        champion=champion,
        threshold=minimum,
        settings=settings,
    )
    return run.evaluate(sagemaker)


def called(scores: np.ndarray, positive: str, threshold: float) -> np.ndarray:
    other = "no" if positive == "yes" else "yes"
    return np.where((scores if positive == "yes" else 1 - scores) >= threshold, positive, other)


@pytest.mark.parametrize(
    ("positive", "threshold"), [("yes", 0.2), ("yes", 0.81), ("no", 0.3), ("no", 0.5), ("no", None)]
)
def test_figures_are_scikit_learns_of_the_rows_that_the_threshold_calls(
    tmp_path: Path, s3: Any, positive: str, threshold: float | None
) -> None:
    package = {"InferenceSpecification": {"Containers": [container("champion")]}}
    decision = {"positive": positive, **({"threshold": threshold} if threshold else {})}

    found = judged(tmp_path, s3, decision, champion=package)

    inputs, labels = two_classes()
    ours = called(inputs[:, 0], positive, threshold or 0.5)
    theirs = np.where(
        inputs[:, 1] > 0.5, "yes", "no"
    )  # by its own label: no threshold of its own is recorded
    assert found["positive_class"] == positive
    assert found.get("threshold") == ({"value": threshold} if threshold else None)
    for predicted, given in ((ours, found["metrics"]), (theirs, found["champion"]["metrics"])):
        for name, metric in (
            ("f1", metrics.f1_score),
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
        ):
            assert given[name] == pytest.approx(metric(labels, predicted, pos_label=positive), abs=1e-12)
        assert given["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)
    score = inputs[:, 0] if positive == "yes" else 1 - inputs[:, 0]
    assert found["metrics"]["auc"] == pytest.approx(metrics.roc_auc_score(labels == positive, score))
    assert found["metrics"]["average_precision"] == pytest.approx(
        metrics.average_precision_score(labels == positive, score)
    )
    assert found["objective"]["value"] == found["metrics"]["f1"]
    assert found["confusion"]["rows"] == metrics.confusion_matrix(labels, ours).tolist()
    high = inputs[:, 1] >= 0.5
    by_name = {entry["name"]: entry for entry in found["slices"][0]["slices"]}
    assert sorted(entry["rows"] for entry in by_name.values()) == sorted(
        [int(high.sum()), int((~high).sum())]
    )
    assert sorted(entry["metrics"]["f1"] for entry in by_name.values()) == pytest.approx(
        sorted(metrics.f1_score(labels[rows], ours[rows], pos_label=positive) for rows in (high, ~high))
    )


def test_the_gate_judges_the_rows_that_the_threshold_calls(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    thresholds = (0.4, 0.9)
    f1 = [
        metrics.f1_score(labels, called(inputs[:, 0], "yes", threshold), pos_label="yes")
        for threshold in thresholds
    ]

    low, high = (
        judged(
            tmp_path / str(threshold), s3, {"positive": "yes", "threshold": threshold}, minimum=sum(f1) / 2
        )
        for threshold in thresholds
    )

    assert [found["gate"][0]["value"] for found in (low, high)] == pytest.approx(f1)
    assert [found["gate"][0]["outcome"] for found in (low, high)] == ["passed", "failed"]
    assert high["decision"] == "reject"
    assert high["reasons_text"].startswith(f"F1 on the holdout is {f1[1]:.4g}")


@pytest.mark.parametrize(("decision", "told"), [({}, True), ({"positive": "yes"}, False)])
def test_no_better_than_a_majority_that_nobody_named_says_how_to_name_the_other_class(
    tmp_path: Path, s3: Any, decision: dict[str, Any], told: bool
) -> None:
    inputs, _ = two_classes()
    labels = ["yes" if row % 10 else "no" for row in range(len(inputs))]
    sagemaker = FakeSageMaker(
        s3, "BinaryClassification", "F1", {"candidate": classifier(["no", "yes"], first)}
    )
    run = Run(
        tmp_path, s3, inputs.tolist(), labels, classes=CLASSES,
        gate={"better_than_baseline": True}, settings={"decision": decision},
    )  # fmt: skip

    found = run.evaluate(sagemaker)

    assert found["decision"] == "reject"
    said = (
        'automl.toml: [decision] names no positive class, so that F1 is of the second label, "yes" (90.0% of the '
        'rows): where "no" is the class to find, write positive = "no"'
    )
    assert (said in found["reasons_text"]) == told


def test_it_is_said_where_it_differs_from_autopilots_choice(tmp_path: Path, s3: Any) -> None:
    costs = {"false_positive": 1.0, "false_negative": 4.0}

    found = judged(tmp_path, s3, {"positive": "no", "threshold": 0.2, "costs": costs})

    assert found["threshold"] == {"value": 0.2, "costs": costs}
    other_class, threshold = found["notes"]
    assert other_class.startswith('Autopilot takes "yes" for the positive class')
    assert threshold.startswith('a row is called "no" from a probability of 0.2 on')
    assert "a false positive costs 1 and a false negative 4" in threshold


def test_a_threshold_that_follows_from_costs_is_about_the_cheapest(tmp_path: Path, s3: Any) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.random((20_000, 1))
    labels = np.where(generator.random(20_000) < inputs[:, 0], "yes", "no")  # calibrated by construction
    sagemaker = FakeSageMaker(
        s3, "BinaryClassification", "F1", {"candidate": classifier(["no", "yes"], first)}
    )
    wanted = DecisionSettings.model_validate(
        {"positive": "yes", "costs": {"false_positive": 1.0, "false_negative": 9.0}}
    )
    decision = wanted.model_dump(exclude_none=True) | {"threshold": wanted.from_probability}
    run = Run(
        tmp_path,
        s3,
        inputs.tolist(),
        labels.tolist(),
        ("a",),
        classes=CLASSES,
        settings={"decision": decision},
    )

    (_, false_positive), (false_negative, _) = run.evaluate(sagemaker)["confusion"]["rows"]

    tried = []
    for threshold in (0.02, 0.05, 0.2, 0.5):
        calls = inputs[:, 0] >= threshold
        tried.append(int((calls & (labels == "no")).sum()) + 9 * int((~calls & (labels == "yes")).sum()))
    assert false_positive + 9 * false_negative < min(tried)


def test_the_one_probability_of_tuning_mode_is_autopilots_positive_class(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    containers = [container("candidate", "predicted_label,probability") for _ in range(3)]
    sagemaker = FakeSageMaker(s3, "BinaryClassification", "F1", {}, containers=containers)
    sagemaker.models["candidate"] = lambda rows, environment: [
        f"{'yes' if float(row[0]) > 0.5 else 'no'},{row[0]}" for row in rows
    ]
    run = Run(
        tmp_path,
        s3,
        inputs.tolist(),
        labels.tolist(),
        classes=CLASSES,
        settings={"decision": {"positive": "no"}},
    )

    found = run.evaluate(sagemaker)

    assert found["metrics"]["auc"] == pytest.approx(metrics.roc_auc_score(labels == "no", 1 - inputs[:, 0]))


@pytest.mark.parametrize(
    ("decision", "problem_type", "supported", "error", "reason"),
    [
        (
            {"positive": "maybe"},
            "BinaryClassification",
            None,
            EvaluationError,
            r'"maybe" is none of .*\(no, yes\)',
        ),
        (
            {"positive": "yes"},
            "MulticlassClassification",
            None,
            EvaluationError,
            "took the problem for Multiclass",
        ),
        (
            {"positive": "yes", "threshold": 0.3},
            "BinaryClassification",
            "predicted_label",
            PredictionError,
            "does not answer with the probabilities",
        ),
        (
            {"positive": "yes", "threshold": 0.3},
            "BinaryClassification",
            "predicted_label,probability",
            PredictionError,
            "does not answer with the probabilities",
        ),
    ],
)
def test_what_cannot_be_decided_fails_with_the_reason(
    tmp_path: Path,
    s3: Any,
    decision: dict[str, Any],
    problem_type: str,
    supported: str | None,
    error: type[Exception],
    reason: str,
) -> None:
    inputs, labels = two_classes()
    objective = "F1" if problem_type == "BinaryClassification" else "Accuracy"
    sagemaker = FakeSageMaker(s3, problem_type, objective, {"candidate": classifier(["no", "yes"], first)})
    if supported:
        sagemaker.containers = [container("candidate", supported)]
    run = Run(
        tmp_path, s3, inputs.tolist(), labels.tolist(), classes=CLASSES, settings={"decision": decision}
    )

    with pytest.raises(error, match=reason):
        run.evaluate(sagemaker)


def test_a_champion_with_a_threshold_but_no_probabilities_cannot_be_compared(tmp_path: Path, s3: Any) -> None:
    package = {
        "InferenceSpecification": {"Containers": [container("champion", "predicted_label")]},
        "CustomerMetadataProperties": {"threshold": "0.3", "positive_class": "yes"},
    }

    found = judged(tmp_path, s3, {"positive": "yes", "threshold": 0.4}, champion=package)

    assert found["champion"]["status"] == "failed"
    assert "probabilities of two classes" in found["champion"]["reason"]

"""The threshold that validation rows choose: what it is the best of, and its way through an evaluation."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_sagemaker import BUCKET, CHAMPION, FakeSageMaker, container
from runs import Run, classifier, text
from sklearn import metrics

from automl_evaluation import threshold
from automl_evaluation.errors import EvaluationError
from automl_evaluation.layout import Costs
from automl_evaluation.threshold import choose

OF = {
    "f1": lambda truth, called: metrics.f1_score(truth, called, zero_division=0),
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
}
COSTS = Costs(1.0, 7.0)
CHOSEN = {"positive": "yes", "threshold": "validation"}
CLASSES = {"no": 500, "yes": 500}


def best_of_all(metric: str, scores: np.ndarray, truth: np.ndarray) -> float:
    """The greatest figure over all thresholds, by the metrics' definitions."""
    called = scores >= np.array(every_threshold(scores))[:, None]
    true, false = (called & truth).sum(axis=1), (called & ~truth).sum(axis=1)
    positives, negatives = truth.sum(), (~truth).sum()
    figures = {
        "f1": 2 * true / (positives + true + false),
        "accuracy": (true + negatives - false) / len(truth),
        "balanced_accuracy": (true / positives + (negatives - false) / negatives) / 2,
    }
    return float(figures[metric].max())


def every_threshold(scores: np.ndarray) -> list[float]:
    """One in each gap that there is, from all rows called positive to none."""
    known = np.unique(scores)
    return [0.0, *((low + high) / 2 for low, high in itertools.pairwise(known)), (known[-1] + 1) / 2]


@pytest.mark.parametrize("digits", [1, 2, 9])
@pytest.mark.parametrize("metric", sorted(OF))
def test_no_threshold_has_more_of_the_metric(metric: str, digits: int) -> None:
    for seed in range(10):
        generator = np.random.default_rng(seed)
        scores = generator.beta(1, 3, 120).round(digits) * 0.99
        truth = generator.random(120) < scores

        found = choose(scores, truth, metric)

        assert found.chosen is not None
        reached = OF[metric](truth, scores >= found.value)
        assert reached == pytest.approx(best_of_all(metric, scores, truth))
        assert (found.chosen.by, found.chosen.rows, found.chosen.positives) == (metric, 120, truth.sum())
        assert found.chosen.value == pytest.approx(reached)
        assert found.chosen.usual_value == pytest.approx(OF[metric](truth, scores >= 0.5))
        assert found.value not in scores or found.value == 0, "no row lies at the border"


def test_no_threshold_costs_less_however_wrong_the_probabilities_are() -> None:
    for seed in range(10):
        generator = np.random.default_rng(seed)
        chance = generator.random(200)
        truth, scores = generator.random(200) < chance, 0.9 * chance**3  # far too low

        found = choose(scores, truth, "auc", COSTS)

        def cost(at: float, truth: np.ndarray = truth, scores: np.ndarray = scores) -> float:
            called = scores >= at
            return float((1.0 * (called & ~truth).sum() + 7.0 * (~called & truth).sum()) / 200)

        assert found.chosen is not None
        assert found.costs == COSTS
        assert cost(found.value) == pytest.approx(min(map(cost, every_threshold(scores))))
        assert found.chosen.value == pytest.approx(cost(found.value))
        assert (found.chosen.by, found.chosen.usual) == ("cost", 1 / 8)
        assert found.chosen.value < found.chosen.usual_value


def test_chunks_of_thresholds_give_what_one_would(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    scores = generator.random(500)
    truth = generator.random(500) < scores
    whole = choose(scores, truth, "f1")

    monkeypatch.setattr(
        threshold, "spans", lambda rows: (slice(start, min(start + 7, rows)) for start in range(0, rows, 7))
    )

    assert choose(scores, truth, "f1") == whole


@pytest.mark.parametrize(
    ("scores", "truth", "metric", "costs", "value"),
    [
        pytest.param(
            [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], "f1", None, 0.5, id="amid the gap that parts the classes"
        ),
        pytest.param(
            [0.12, 0.31, 0.32, 0.9], [0, 0, 1, 1], "f1", None, 0.315, id="as few digits as the gap allows"
        ),
        pytest.param(
            [0.1, 0.3, 0.5, 0.7, 0.9],
            [0, 1, 0, 1, 1],
            "accuracy",
            None,
            0.6,
            id="of two as good, near one half",
        ),
        pytest.param(
            [0.1, 0.3, 0.5, 0.7, 0.9],
            [0, 1, 0, 1, 1],
            "accuracy",
            Costs(1.0, 1.0),
            0.6,
            id="the same of costs",
        ),
        pytest.param(
            [0.0, 0.0, 1.0], [1, 0, 0], "f1", None, 0.0, id="all rows, one of which has no probability"
        ),
        pytest.param(
            [0.4] * 5, [1, 0, 0, 0, 0], "f1", None, 0.2, id="one score: all rows have more F1 than none"
        ),
        pytest.param(
            [0.4] * 5, [1, 0, 0, 0, 0], "accuracy", None, 0.7, id="one score: none is right more often"
        ),
        pytest.param(
            [1.0] * 5, [1, 0, 0, 0, 0], "accuracy", None, 0.5, id="none cannot be said of certain rows"
        ),
        pytest.param(
            [0.4] * 5, [1, 0, 0, 0, 0], "accuracy", Costs(1.0, 9.0), 0.2, id="one score, dear misses"
        ),
    ],
)
def test_ties_and_edges(
    scores: list[float], truth: list[int], metric: str, costs: Costs | None, value: float
) -> None:
    found = choose(np.array(scores), np.array(truth, dtype=bool), metric, costs)

    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(("kind", "truth"), [("positive", [True] * 4), ("negative", [False] * 4)])
def test_rows_of_one_class_choose_nothing(kind: str, truth: list[bool]) -> None:
    with pytest.raises(EvaluationError, match=f"the 4 validation rows are all of the {kind} class"):
        choose(np.array([0.1, 0.2, 0.3, 0.4]), np.array(truth), "f1")


def rows(seed: int, number: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of which the first is a third of the probability of yes, and their labels."""
    generator = np.random.default_rng(seed)
    chance = generator.random(number)
    inputs = np.stack((chance / 3, generator.random(number)), axis=1).round(4)
    return inputs, np.where(generator.random(number) < chance, "yes", "no")


def model(row: list[float]) -> list[float]:
    return [1 - row[0], row[0]]


def fake(s3: Any, **others: Any) -> FakeSageMaker:
    models = {name: classifier(["no", "yes"], model) for name in ("candidate", "champion")}
    return FakeSageMaker(s3, "BinaryClassification", others.pop("objective", "F1"), models, **others)


def run_of(tmp_path: Path, s3: Any, decision: dict[str, Any], labels: Any = None, **others: Any) -> Run:
    """On 300 rows of the holdout, and 400 validation rows that have a weight and columns in another order."""
    inputs, truth = rows(1)
    seen, answers = rows(2, 400)
    validation = [["y", "weight", "b", "a"]] + [
        [label, 1.5, row[1], row[0]] for row, label in zip(seen, answers, strict=True)
    ]
    return Run(
        tmp_path,
        s3,
        inputs.tolist(),
        (truth if labels is None else labels).tolist(),
        classes=CLASSES,
        settings={"decision": decision},
        validation=others.pop("validation", text(validation)),
        **others,
    )


def test_an_evaluation_chooses_on_validation_rows_and_judges_on_the_holdout(tmp_path: Path, s3: Any) -> None:
    sagemaker = fake(s3)
    found = run_of(tmp_path, s3, CHOSEN).evaluate(sagemaker)

    seen, answers = rows(2, 400)
    wanted = choose(seen[:, 0], answers == "yes", "f1")
    assert wanted.chosen is not None
    assert found["threshold"] == {"value": wanted.value, "chosen": vars(wanted.chosen)}
    assert wanted.value < 1 / 3, "with one half no row would be called"
    inputs, labels = rows(1)
    called = np.where(inputs[:, 0] >= wanted.value, "yes", "no")
    assert found["objective"]["value"] == pytest.approx(metrics.f1_score(labels, called, pos_label="yes"))
    assert found["confusion"]["rows"] == metrics.confusion_matrix(labels, called).tolist()
    (said,) = found["notes"]
    assert said.startswith(f'a row is called "yes" from a probability of {wanted.value:.4g} on')
    assert (
        f"on the 400 validation rows, {(answers == 'yes').sum()} of that class, F1 is greatest there" in said
    )
    jobs = {name: job["request"] for name, job in sagemaker.jobs.items()}
    of_rows = jobs["shop-abcdefghijkl-candidate-validation-1"]
    assert of_rows["ModelName"] == jobs["shop-abcdefghijkl-candidate-1"]["ModelName"]
    assert sagemaker.calls.count("create_model") == 2, "the candidate's, and the one that explains it"
    assert not sagemaker.deployed
    prefix = of_rows["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].partition(f"{BUCKET}/")[2]
    sent = s3.get_object(Bucket=BUCKET, Key=f"{prefix}part-00000.csv")["Body"].read().decode()
    assert sent == text(seen.tolist())


def test_the_holdout_has_no_part_in_the_choice(tmp_path: Path, s3: Any) -> None:
    _, labels = rows(1)
    other = np.where(labels == "yes", "no", "yes")

    ours = run_of(tmp_path / "a", s3, CHOSEN).evaluate(fake(s3))
    theirs = run_of(tmp_path / "b", s3, CHOSEN, other).evaluate(fake(s3))

    assert ours["threshold"] == theirs["threshold"]
    assert ours["metrics"]["f1"] != theirs["metrics"]["f1"]


def test_many_rows_go_in_parts(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_of(tmp_path / "a", s3, CHOSEN).evaluate(fake(s3))
    monkeypatch.setattr(threshold, "PART_ROWS", 100)
    seen, answers = rows(2, 400)
    parts = run_of(tmp_path / "b", s3, CHOSEN)
    for number, span in enumerate((slice(150), slice(150, 400))):
        path = tmp_path / "b" / "validation" / f"{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        labelled = zip(seen[span], answers[span], strict=True)
        path.write_text(text([["a", "b", "y"], *([*row, label] for row, label in labelled)]))
    parts.validation = None

    found = parts.evaluate(sagemaker := fake(s3))

    assert found["threshold"] == whole["threshold"]
    uri = sagemaker.jobs["shop-abcdefghijkl-candidate-validation-1"]["request"]["TransformOutput"][
        "S3OutputPath"
    ]
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=uri.partition(f"{BUCKET}/")[2])["Contents"]
    assert [item["Key"].rpartition("/")[2] for item in listed] == ["part-00000.csv.out", "part-00001.csv.out"]


def test_costs_choose_for_an_objective_without_a_threshold(tmp_path: Path, s3: Any) -> None:
    costs = {"false_positive": 1.0, "false_negative": 7.0}

    found = run_of(tmp_path, s3, {**CHOSEN, "costs": costs}).evaluate(fake(s3, objective="AUC"))

    seen, answers = rows(2, 400)
    assert found["threshold"]["value"] == choose(seen[:, 0], answers == "yes", "auc", COSTS).value
    assert found["threshold"]["costs"] == costs
    assert "a false negative 7: on the 400 validation rows" in found["notes"][0]


@pytest.mark.parametrize(
    ("objective", "validation", "reason"),
    [
        ("AUC", None, "Area under ROC has no best threshold"),
        ("Precision", None, "Precision has no best threshold"),
        ("F1", "y,b\nno,1\n", "validation.csv: has no column a"),
        ("F1", "a,b,y\n", "no rows to choose a threshold on"),
        ("F1", "a,b,y\n0.1,1,no\n0.2,1,no\n", "the 2 validation rows are all of the negative class"),
        ("F1", 'a,b,y\n0.1,"1\n2",no\n', "holds a line break"),
        ("F1", "a,b,y\n0.1,1,no\n0.2,1\n", "2 fields where 3 were expected"),
    ],
)
def test_what_cannot_choose_fails_with_the_reason(
    tmp_path: Path, s3: Any, objective: str, validation: str | None, reason: str
) -> None:
    others = {"validation": validation} if validation else {}
    sagemaker = fake(s3, objective=objective)

    with pytest.raises(EvaluationError, match=reason):
        run_of(tmp_path, s3, CHOSEN, **others).evaluate(sagemaker)

    assert not sagemaker.deployed, "no model is left behind"
    if validation is None:
        assert not sagemaker.jobs, "nothing was paid"


@pytest.mark.parametrize("known", ["evaluation.json", "model package", "nothing", "no threshold"])
def test_the_champion_decides_as_it_does_in_production(tmp_path: Path, s3: Any, known: str) -> None:
    package: dict[str, Any] = {"InferenceSpecification": {"Containers": [container("champion")]}}
    if known == "model package":
        package["CustomerMetadataProperties"] = {"threshold": "0.1", "positive_class": "yes"}
    elif known != "nothing":
        uri = f"s3://{BUCKET}/evaluations/before/model_quality.json"
        package["ModelMetrics"] = {"ModelQuality": {"Statistics": {"S3Uri": uri}}}
        record = {"threshold": {"value": 0.1}} if known == "evaluation.json" else {}
        body = json.dumps({"positive_class": "yes", **record})
        s3.put_object(Bucket=BUCKET, Key="evaluations/before/evaluation.json", Body=body)
        # What the one says counts, whatever the other has.
        package["CustomerMetadataProperties"] = {"threshold": "0.9", "positive_class": "no"}
    sagemaker = fake(s3, champion=package)

    found = run_of(tmp_path, s3, CHOSEN, champion=CHAMPION).evaluate(sagemaker)

    has_record = known in ("evaluation.json", "model package")
    inputs, labels = rows(1)
    called = inputs[:, 0] >= (0.1 if has_record else 0.5)
    champion = found["champion"]
    assert champion["status"] == "compared"
    assert champion["metrics"]["accuracy"] == pytest.approx(np.mean(called == (labels == "yes")))
    assert champion["metrics"]["recall"] == pytest.approx(metrics.recall_score(labels == "yes", called))
    assert champion.get("threshold") == ({"value": 0.1} if has_record else None)
    how = (
        'calls a row "yes" from a probability of 0.1 on'
        if has_record
        else "answers with its model's own label"
    )
    assert found["notes"][-1] == f"the champion is judged as it decides in production: it {how}"

"""Measures of the project's own, against what is computed by hand."""

from pathlib import Path
from types import ModuleType
from typing import Any

import metrics as projects_metrics
import numpy as np
import pytest
from fake_sagemaker import CHAMPION, FakeSageMaker, container
from runs import Run, classifier

from automl_evaluation.assess_classes import Groups
from automl_evaluation.classification import compared
from automl_evaluation.counts import count
from automl_evaluation.errors import EvaluationError
from automl_evaluation.layout import ProjectMeasure
from automl_evaluation.measures import (
    Measure,
    declared,
    higher_is_better,
    lower_is_better,
    of_classes,
    of_numbers,
)
from automl_gitops.kernel.settings import model as kernel_measures
from automl_gitops.kernel.settings.model import Gate

LABELS = ["no", "yes"]


@lower_is_better
def cost(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Euros per patient.

    More about it.
    """
    return 50 * ((truth == "yes") & (predicted == "no")) + 2 * ((truth == "no") & (predicted == "yes"))


@higher_is_better
def hit(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Accuracy."""
    return truth == predicted


@lower_is_better
def stockout(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """A missing piece costs nine times as much as one too many."""
    return np.where(truth > predicted, 9 * (truth - predicted), predicted - truth)


def coded(*rows: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """(truth, candidate, champion, how often) as columns of codes."""
    repeated = np.repeat([row[:3] for row in rows], [row[3] for row in rows], axis=0)
    return tuple(repeated.T)


# 100 rows: the candidate misses 4 of 20 and alarms 10 of 80 in vain; the champion misses 8 and alarms 5.
COLUMNS = coded(
    (1, 1, 1, 12), (1, 1, 0, 4), (1, 0, 0, 4),
    (0, 1, 1, 5), (0, 1, 0, 5), (0, 0, 0, 70),
)  # fmt: skip


def of_columns(
    measures: list[Measure], columns: tuple[np.ndarray, ...] = COLUMNS
) -> tuple[Groups, dict[str, int]]:
    return of_classes(measures, count(columns, [2] * len(columns)), LABELS)


def test_the_mean_over_rows_with_its_differences() -> None:
    groups, best = of_columns([cost])

    values = {kind: found["cost"].value for kind, found in groups.items()}
    candidate, champion = (4 * 50 + 10 * 2) / 100, (8 * 50 + 5 * 2) / 100
    always_yes = 80 * 2 / 100  # always no costs 20 * 50 / 100
    assert best == {"cost": 1}
    assert values == pytest.approx(
        {
            "candidate": candidate,
            "baseline": always_yes,
            "candidate - baseline": candidate - always_yes,
            "champion": champion,
            "candidate - champion": candidate - champion,
        }
    )


def test_the_best_constant_answer_follows_the_direction() -> None:
    assert of_columns([hit])[1] == {"hit": 0}
    assert of_columns([higher_is_better(cost.of_rows)])[1] == {"cost": 0}


def test_the_interval_is_that_of_the_mean_of_rows() -> None:
    many = tuple(np.tile(column, 500) for column in COLUMNS)
    groups, _ = of_columns([cost], many)
    truth, candidate, champion = (np.array(LABELS)[codes] for codes in many)

    for kind, of_rows in (
        ("candidate", cost(truth, candidate)),
        ("candidate - champion", cost(truth, candidate) - cost(truth, champion)),
    ):
        low, high = groups[kind]["cost"].interval(0.95)
        error = of_rows.std(ddof=1) / np.sqrt(len(of_rows))
        assert (low, high) == pytest.approx(
            (of_rows.mean() - 1.96 * error, of_rows.mean() + 1.96 * error), abs=0.2 * error
        )


def test_a_measure_that_is_accuracy_has_accuracys_figures() -> None:
    table = count(COLUMNS, [2, 2, 2])

    own, known = of_classes([hit], table, LABELS)[0], compared(table, 2, 1)

    for kind in ("candidate", "baseline", "candidate - baseline", "champion", "candidate - champion"):
        assert own[kind]["hit"].value == pytest.approx(known[kind]["accuracy"].value)
    for kind in ("candidate - baseline", "candidate - champion"):
        assert own[kind]["hit"].interval(0.9) == pytest.approx(known[kind]["accuracy"].interval(0.9))


def test_numbers_are_measured_row_by_row() -> None:
    random = np.random.default_rng(1)
    truth = random.gamma(2, 10, 300_000)
    candidate, champion = truth + random.normal(2, 3, len(truth)), truth + random.normal(0, 5, len(truth))

    groups, best = of_numbers([stockout], truth, candidate, champion)

    of_rows = {"candidate": stockout(truth, candidate), "champion": stockout(truth, champion)}
    difference = of_rows["candidate"] - of_rows["champion"]
    for kind, rows in {**of_rows, "candidate - champion": difference}.items():
        low, high = groups[kind]["stockout"].interval(0.95)
        error = rows.std(ddof=1) / np.sqrt(len(rows))
        assert groups[kind]["stockout"].value == pytest.approx(rows.mean())
        assert (low, high) == pytest.approx(
            (rows.mean() - 1.96 * error, rows.mean() + 1.96 * error), abs=0.3 * error
        )
    # Nine times as dear below as above: the best constant is the 9 / (9 + 1) quantile.
    assert best["stockout"] == ("always the 90% quantile", pytest.approx(np.quantile(truth, 0.9)))
    assert groups["baseline"]["stockout"].value == pytest.approx(
        stockout(truth, np.full(len(truth), np.quantile(truth, 0.9))).mean()
    )


def _shape(truth: np.ndarray, predicted: np.ndarray) -> float:
    return 1.0


def _text(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return truth


def _undefined(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.where(predicted == "yes", np.nan, 0.0)


def _by_others(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return (truth != predicted) / len(truth) + 1.0


@pytest.mark.parametrize(
    ("of_rows", "message"),
    [
        (_shape, r"_shape gives float64 of shape \(\) for"),
        (_text, "_text gives <U"),
        (_undefined, "_undefined gives nan where the truth is (no|yes) and the prediction yes"),
        (_by_others, "_by_others gives a row another number when other rows are beside it"),
    ],
)
def test_what_is_no_number_of_each_row_is_refused(of_rows: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=rf"^evaluation/metrics\.py: {message}"):
        lower_is_better(of_rows)(np.array(["yes", "no", "yes"]), np.array(["no", "yes", "yes"]))


def test_the_projects_module_declares_its_measures() -> None:
    module = ModuleType("metrics")
    module.__dict__.update(cost=cost, hit=hit, np=np)

    assert declared(module) == [cost, hit]
    assert cost.declaration() == ProjectMeasure("cost", "minimize", "Euros per patient.")
    module.__dict__["f1"] = lower_is_better(type(cost.of_rows)(cost.of_rows.__code__, {}, "f1"))
    with pytest.raises(EvaluationError, match="f1 is the name of a metric that there is already"):
        declared(module)


def test_a_new_project_has_none_and_its_example_works(tmp_path: Path) -> None:
    source = Path("evaluation/metrics.py").read_text()
    lines = [
        line.removeprefix("# ").removeprefix("#") if line.startswith("#") else line
        for line in source.split("\n")
    ]
    file = tmp_path / "metrics.py"
    file.write_text("\n".join(lines))
    module = ModuleType("metrics")
    exec(file.read_text(), module.__dict__)

    assert declared(projects_metrics) == []
    assert [(one.name, one.less_is_better) for one in declared(module)] == [("cost", True)]
    (measure,) = declared(module)
    numbers = measure(np.array(["<30", "<30", "no", ">30"]), np.array(["no", "<30", "<30", "no"]))
    assert numbers.tolist() == [5000, 0, 200, 0]
    assert kernel_measures.own_measures(file) == {"cost": True}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@lower_is_better\ndef cost(truth, predicted): ...", {"cost": True}),
        ("def euros(truth, predicted): ...\ncost = lower_is_better(euros)", {"cost": True}),
        ("hit = measures.higher_is_better(lambda truth, predicted: truth == predicted)", {"hit": False}),
        ("hit: Measure = higher_is_better(partial(max, key=abs))", {"hit": False}),
        ("hit = match = higher_is_better(max)", {"hit": False, "match": False}),
        ("cost = max(1, 2)\ncost_of = {}\ncost_of['call'] = lower_is_better(max)", {}),
    ],
)
def test_the_gate_knows_the_measures_that_the_evaluation_knows(
    tmp_path: Path, source: str, expected: dict[str, bool]
) -> None:
    file = tmp_path / "metrics.py"
    file.write_text(
        "from functools import partial\n"
        "from automl_evaluation import measures\n"
        "from automl_evaluation.measures import Measure, higher_is_better, lower_is_better\n" + source
    )
    module = ModuleType("metrics")
    exec(file.read_text(), module.__dict__)

    assert {one.name: one.less_is_better for one in declared(module)} == expected
    assert kernel_measures.own_measures(file) == expected


def test_the_gate_takes_declared_names_on_their_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bounds = {"minimum": 0.1, "maximums": {"cost": 3.0}, "minimums": {"profit": 1.0}}
    with pytest.raises(ValueError, match='"cost", which is no metric here'):
        Gate(**bounds)
    Path("evaluation").mkdir()
    Path("evaluation/metrics.py").write_text(
        "from automl_evaluation import measures\n"
        "@measures.lower_is_better\ndef cost(truth, predicted): ...\n"
        "@measures.higher_is_better\ndef profit(truth, predicted): ...\n"
    )

    assert Gate(**bounds).maximums == {"cost": 3.0}
    with pytest.raises(ValueError, match='"cost", of which less is better: move it to maximums'):
        Gate(minimum=0.1, minimums={"cost": 3.0})


@pytest.fixture
def two_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects_metrics, "cost", cost, raising=False)
    monkeypatch.setattr(projects_metrics, "hit", hit, raising=False)


@pytest.mark.usefixtures("two_measures")
@pytest.mark.parametrize(("bound", "outcome"), [(4.0, "passed"), (3.0, "failed")])
def test_a_measure_has_its_place_in_the_evaluation(
    tmp_path: Path, s3: Any, bound: float, outcome: str
) -> None:
    """80 rows of two classes; the candidate says yes above 0.6 of the column, the champion above 0.9."""
    column = [(row + 0.5) / 80 for row in range(80)]
    labels = ["yes" if value > 0.7 or row % 10 == 0 else "no" for row, value in enumerate(column)]
    models = {
        "candidate": classifier(LABELS, lambda row: [0.2, 0.8] if row[0] > 0.6 else [0.8, 0.2]),
        "champion": classifier(LABELS, lambda row: [0.2, 0.8] if row[0] > 0.9 else [0.8, 0.2]),
    }
    package = {"InferenceSpecification": {"Containers": [container("champion")]}}
    run = Run(
        tmp_path,
        s3,
        [[value, 0] for value in column],
        labels,
        classes={"no": 400, "yes": 600},
        champion=CHAMPION,
        gate={"maximums": {"cost": bound}, "better_than_baseline": False},
        settings={"slices": ["b"], "minimum_slice_rows": 5},
    )

    found = run.evaluate(FakeSageMaker(s3, "BinaryClassification", "F1", models, champion=package))

    predicted = ["yes" if value > 0.6 else "no" for value in column]
    expected = cost(np.array(labels), np.array(predicted)).mean()
    champion = cost(np.array(labels), np.array(["yes" if value > 0.9 else "no" for value in column])).mean()
    assert found["metrics"]["cost"] == pytest.approx(expected)
    assert found["intervals"]["cost"]["low"] < expected < found["intervals"]["cost"]["high"]
    assert found["champion"]["metrics"]["cost"] == pytest.approx(champion)
    assert found["champion"]["differences"]["cost"]["value"] == pytest.approx(expected - champion)
    assert found["champion"]["differences"]["cost"]["verdict"] == "better"  # it costs less
    assert found["baseline"]["names"]["cost"] == "always “yes”"
    assert found["slices"][0]["slices"][0]["metrics"]["cost"] == pytest.approx(expected)
    assert [one["name"] for one in found["measures"]] == ["cost", "hit"]
    (condition,) = [one for one in found["gate"] if one["name"] == "cost on the holdout"]
    assert condition["outcome"] == outcome
    assert condition["value"] == pytest.approx(expected)

"""evaluation.json as its dataclasses say, and what goes to the registry in the registry's own shapes."""

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from card_schema import MODEL_CARD
from fake_sagemaker import CHAMPION, FakeSageMaker, container
from pydantic import TypeAdapter
from runs import Run, classifier

from automl_evaluation import layout
from automl_evaluation.layout import Evaluation, LayoutError
from automl_evaluation.model_card import model_card
from automl_gitops.data import lock

PROBLEMS = ["binary", "three classes", "many classes", "regression"]


@pytest.fixture(scope="module", params=PROBLEMS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, module_s3: Any) -> Path:
    """The documents of a run with champion, slices and importance."""
    where = tmp_path_factory.mktemp("run")
    generator = np.random.default_rng(0)
    inputs = generator.random((400, 3)).round(3)
    count = {"binary": 2, "three classes": 3, "many classes": 60}.get(request.param, 0)
    names = [f"class {number}, {'x' * 80}" for number in range(count)]

    def scores(row: list[float]) -> list[float]:
        raw = [1e-3 + (abs(row[0] - place / max(count, 1)) < 0.5 / max(count, 1)) for place in range(count)]
        return [value / sum(raw) for value in raw]

    if count:
        truth = np.minimum((inputs[:, 0] * count + generator.normal(0, 0.2, 400)).clip(0), count - 1).astype(
            int
        )
        labels: list[Any] = [names[code] for code in truth]
        classes = {name: max(labels.count(name), 1) for name in names}
        problem = "BinaryClassification" if count == 2 else "MulticlassClassification"
        predict = classifier(names, scores)
    else:
        labels, classes, problem = (
            (inputs[:, 0] + generator.normal(0, 0.1, 400)).round(6).tolist(),
            None,
            "Regression",
        )

        def predict(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
            return [row[0] for row in rows]

    package = {"InferenceSpecification": {"Containers": [container("candidate")]}}
    objective = {"Regression": "RMSE", "BinaryClassification": "AUC"}.get(problem, "F1macro")
    sagemaker = FakeSageMaker(module_s3, problem, objective, {"candidate": predict}, champion=package)
    run = Run(
        where, module_s3, inputs.tolist(), labels, ("a", "b", "c"), classes=classes, champion=CHAMPION,
        settings={"slices": ["b"], "minimum_slice_rows": 50}, threshold=1.0,
    )  # fmt: skip
    run.evaluate(sagemaker)
    return where / "output" / "evaluation"


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_everything_that_is_written_is_loaded_and_dumped_as_the_same_bytes(folder: Path) -> None:
    content = (folder / "evaluation.json").read_bytes()

    loaded = Evaluation.load(content, "evaluation.json")

    assert loaded.dump() == content
    TypeAdapter(Evaluation).validate_python(loaded, strict=True)
    document = json.loads(content)
    assert set(document["intervals"]) <= set(document["metrics"])
    assert document["objective"]["metric"] in document["metrics"]
    assert document["champion"]["status"] == "compared"


@pytest.mark.parametrize("folder", ["binary"], indirect=True)
def test_a_part_that_is_missing_or_malformed_is_named(folder: Path) -> None:
    document = read(folder, "evaluation.json")

    def said(**changes: Any) -> str:
        with pytest.raises(LayoutError) as caught:
            Evaluation.load(json.dumps(document | changes).encode(), "e.json")
        return str(caught.value)

    required = [
        one.name for one in fields(Evaluation) if one.default is MISSING and one.default_factory is MISSING
    ]
    for name in required:
        without = {key: value for key, value in document.items() if key != name}
        with pytest.raises(LayoutError, match=f"^e.json: lacks {name}$"):
            Evaluation.load(json.dumps(without).encode(), "e.json")
    assert said(rows=True) == "e.json: rows = True is not a number"
    assert said(metrics={"f1": "0.8"}) == "e.json: metrics.f1 = '0.8' is not a number"
    assert said(outputs="label") == "e.json: outputs = 'label' is not a list"
    assert said(gate=[{"name": "n", "outcome": "passed"}]) == "e.json: gate[0] lacks reason"
    assert said(confusion={"labels": [1]}) == "e.json: confusion.labels[0] = 1 is not a text"
    assert said(decision="maybe") == "e.json: decision = 'maybe' is not one of accept, reject"
    assert said(importance={"source": "guess"}).startswith("e.json: importance lacks metric")
    assert said(version=2).startswith("e.json: version = 2, but version 1")


@pytest.mark.parametrize("folder", ["binary"], indirect=True)
def test_what_a_newer_writer_adds_is_passed_over(folder: Path) -> None:
    content = (folder / "evaluation.json").read_bytes()
    newer = json.loads(content)
    newer["added"] = newer["objective"]["added"] = 1

    assert Evaluation.load(json.dumps(newer).encode(), "e.json").dump() == content


def test_the_data_set_is_what_the_lock_says_of_it() -> None:
    """In the order of settings.json, which the runner sorts."""

    def names(kind: Any) -> list[str]:
        return [one.name for one in fields(kind)]

    assert names(layout.Dataset) == sorted(
        set(lock.DatasetLock.model_fields) - {"contract", "findings", "uris"}
    )
    assert names(layout.Rows) == sorted(lock.Rows.model_fields)
    assert names(layout.Reference) == sorted(lock.Reference.model_fields)
    assert set(names(layout.Column)) <= set(lock.Column.model_fields)


def test_evaluation_json_is_small_enough_for_the_pipeline_and_the_report(folder: Path) -> None:
    assert (folder / "evaluation.json").stat().st_size < 2_000_000


def test_every_condition_says_why(folder: Path) -> None:
    document = read(folder, "evaluation.json")

    assert len(document["gate"]) == 4
    assert all(condition["reason"] for condition in document["gate"])
    assert document["reasons_text"]
    assert len(document["reasons_text"]) <= 1000


def test_the_model_card_fits_the_published_schema(folder: Path) -> None:
    card = read(folder, "model_card.json")

    jsonschema.validate(card, MODEL_CARD)
    assert len(json.dumps(card)) <= 100_000
    assert {detail["name"] for detail in card["evaluation_details"]} >= {
        "Holdout",
        "Baseline",
        "Champion",
        "Slices",
    }


def test_the_model_card_shortens_what_is_too_long(folder: Path) -> None:
    evaluation = Evaluation.load((folder / "evaluation.json").read_bytes(), "evaluation.json")
    evaluation.notes = ["n" * 5000]
    evaluation.dataset = replace(evaluation.dataset, name="d" * 5000, target="t" * 5000)

    card = model_card(evaluation, "p" * 5000, "s3://" + "b" * 5000)

    jsonschema.validate(card, MODEL_CARD)


def test_model_quality_has_the_registrys_shape(folder: Path) -> None:
    quality, document = read(folder, "model_quality.json"), read(folder, "evaluation.json")

    ((key, found),) = quality.items()
    expected = {
        "BinaryClassification": (
            "binary_classification_metrics",
            {"accuracy", "precision", "recall", "f1", "auc"},
        ),
        "MulticlassClassification": (
            "multiclass_classification_metrics",
            {"accuracy", "weighted_precision", "weighted_recall", "weighted_f1"},
        ),
        "Regression": ("regression_metrics", {"mae", "mse", "rmse", "r2"}),
    }[document["problem_type"]]
    assert key == expected[0]
    assert expected[1] <= set(found)
    for name in expected[1]:
        assert set(found[name]) == {"value", "standard_deviation"}
        assert isinstance(found[name]["value"], float)


def test_the_standard_deviation_is_the_intervals(folder: Path) -> None:
    ((_, found),) = read(folder, "model_quality.json").items()
    document = read(folder, "evaluation.json")
    name = "mae" if document["problem_type"] == "Regression" else "accuracy"

    width = document["intervals"][name]["high"] - document["intervals"][name]["low"]

    assert found[name]["standard_deviation"] == pytest.approx(width / 2 / 1.959964, rel=1e-6)


@pytest.mark.parametrize("folder", ["binary"], indirect=True)
def test_rates_and_curves_of_a_binary_problem(folder: Path) -> None:
    found = read(folder, "model_quality.json")["binary_classification_metrics"]

    matrix = list(found["confusion_matrix"].values())
    (true_negative, false_positive), (false_negative, true_positive) = (list(row.values()) for row in matrix)
    assert found["true_positive_rate"]["value"] == true_positive / (true_positive + false_negative)
    assert found["false_positive_rate"]["value"] == false_positive / (false_positive + true_negative)
    roc = found["receiver_operating_characteristic_curve"]
    assert (roc["false_positive_rates"][0], roc["true_positive_rates"][0]) == (0, 0)
    assert (roc["false_positive_rates"][-1], roc["true_positive_rates"][-1]) == (1, 1)
    assert np.trapezoid(roc["true_positive_rates"], roc["false_positive_rates"]) == pytest.approx(
        found["auc"]["value"], abs=0.01
    )


@pytest.mark.parametrize("folder", ["many classes"], indirect=True)
def test_many_classes_have_their_errors_in_place_of_a_matrix(folder: Path) -> None:
    document = read(folder, "evaluation.json")

    errors = [entry["rows"] for entry in document["confusion"]["errors"]]
    assert errors == sorted(errors, reverse=True)
    assert "confusion_matrix" not in read(folder, "model_quality.json")["multiclass_classification_metrics"]
    assert len(document["curves"]) == 10


def test_explainability_json_is_the_evaluations_importance(folder: Path) -> None:
    assert read(folder, "explainability.json") == read(folder, "evaluation.json")["importance"]

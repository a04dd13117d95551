"""Evaluations for the tests of what reads them."""

from __future__ import annotations

from typing import Any

from automl_evaluation import layout
from automl_evaluation.typed import load, plain

CHAMPION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/hospital/3"
JOB = "hospital-abcdefghijkl"
SCORES = {
    "accuracy": 0.81,
    "balanced_accuracy": 0.8,
    "f1_macro": 0.79,
    "f1_weighted": 0.8,
    "recall_macro": 0.8,
}
CURVE = [step / 20 for step in range(21)]


def document(**fields: Any) -> layout.Evaluation:
    """An evaluation with some fields, whose parts may be given as JSON's types.

    An unknown or missing one is a TypeError of the layout's.
    """
    metric, name = fields.pop("metric", "f1_macro"), fields.pop("objective_name", "F1macro")
    metrics = fields.pop("metrics", SCORES)
    value = metrics[metric]
    values: dict[str, Any] = {
        "decision": "accept",
        "reasons": [f"{name} on the holdout is {value}"],
        "reasons_text": f"{name} on the holdout is {value}",
        "problem_type": "MulticlassClassification",
        "objective": layout.Objective(name, metric, "maximize", value, value - 0.02, value + 0.02, 0.83),
        "rows": 400,
        "metrics": metrics,
        "intervals": {
            metric: {"low": value - 0.02, "high": value + 0.02} for metric, value in metrics.items()
        },
        "containers": [
            {"Image": "1.dkr.ecr/autogluon:1", "ModelDataUrl": "s3://b/m.tar.gz", "Environment": {}}
        ],
        "outputs": ["predicted_label"],
        "automl_job": {
            "name": JOB,
            "arn": f"arn:aws:sagemaker:eu-west-1:123456789012:automl-job/{JOB}",
            "best_candidate": "WeightedEnsemble_L2",
            "seconds": 61.5,
            "candidates": [
                {
                    "name": "WeightedEnsemble_L2",
                    "status": "Completed",
                    "value": 0.83,
                    "seconds": 2.5,
                    "metrics": {},
                },
                {"name": "LightGBM", "status": "Completed", "value": 0.81, "seconds": None, "metrics": {}},
                {"name": "XGBoost", "status": "Failed", "value": None, "seconds": 1.0, "metrics": {}},
            ],
        },
        "gate": [
            layout.Condition("F1macro on the holdout", "passed", f"F1macro is {value}", value, 0.3),
            layout.Condition("rows of the holdout", "passed", "the holdout has 400 rows", 400, 30),
            layout.Condition("not worse than the champion", "skipped", "there is no champion yet"),
        ],
        "confidence": 0.95,
        "baseline": baseline(metrics),
        "champion": None,
        "dataset": dataset(),
        "importance": {
            "source": "permutation",
            "metric": metric,
            "rows": 400,
            "features": [
                {"name": "age", "value": 0.2, "low": 0.1, "high": 0.3},
                {"name": "ward", "value": 0.0, "low": None, "high": None},
            ],
            "uri": None,
        },
        "seconds": {"labels": 0.2, "metrics": 1.5},
    }
    return load(layout.Evaluation, plain(layout.Evaluation(**{**values, **fields})))


def baseline(metrics: dict[str, float]) -> Any:
    differences = {
        metric: layout.Difference(value / 2, value / 2 - 0.1, value / 2 + 0.1, "better")
        for metric, value in metrics.items()
    }
    return layout.Baseline(
        "always “no”",
        "no",
        {metric: value / 2 for metric, value in metrics.items()},
        differences,
        {metric: "the same score for every row" if metric == "auc" else "always “no”" for metric in metrics},
    )


def dataset(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "patients",
        "synthetic": False,
        "sha256": "ab" * 32,
        "rows": {"total": 2000, "train_validation": 1600, "test": 400},
        "target": "readmitted",
        "columns": [
            {"name": "age", "type": "integer"},
            {"name": "ward", "type": "text"},
            {"name": "readmitted", "type": "text"},
        ],
        "classes": {"no": 1000, ">30": 700, "<30": 300},
    }
    return values | changes


def multiclass(**fields: Any) -> layout.Evaluation:
    """Three classes, with probabilities and slices."""
    labels = fields.pop("labels", ["<30", ">30", "no"])
    values: dict[str, Any] = {
        "classes": [class_of(label) for label in labels],
        "confusion": {"labels": labels, "rows": [[60, 20, 5], [20, 90, 30], [5, 40, 130]]},
        "curves": [curve(label) for label in labels],
        "calibration": calibration("the predicted class"),
        "slices": [slices()],
        "outputs": ["predicted_label", "probabilities", "labels"],
    }
    return document(**{**values, **fields})


def binary(**fields: Any) -> layout.Evaluation:
    """Two classes, with probabilities, a threshold curve and a champion."""
    metrics = SCORES | {"f1": 0.8, "precision": 0.82, "recall": 0.78, "auc": 0.9, "log_loss": 0.4}
    values: dict[str, Any] = {
        "problem_type": "BinaryClassification",
        "metric": "f1",
        "objective_name": "F1",
        "metrics": metrics,
        "positive_class": "yes",
        "classes": [class_of("no"), class_of("yes")],
        "confusion": {"labels": ["no", "yes"], "rows": [[170, 30], [40, 160]]},
        "curves": [curve("yes", threshold=True)],
        "calibration": calibration("the class yes"),
        "champion": champion(metrics, curves=[curve("yes", threshold=True)]),
    }
    return document(**{**values, **fields})


def regression(**fields: Any) -> layout.Evaluation:
    """A number, with residuals and a champion."""
    metrics = {"rmse": 4.2, "mse": 17.64, "mae": 3.1, "r2": 0.9, "mean_error": -0.1}
    values: dict[str, Any] = {
        "problem_type": "Regression",
        "metric": "rmse",
        "objective_name": "RMSE",
        "metrics": metrics,
        "dataset": dataset(classes=None),
        "champion": champion(metrics, dataset=dataset(classes=None)),
        "residuals": {
            "quantiles": {
                str(share): 10 * share - 5
                for share in (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)
            },
            "histogram": {"edges": [-5.0, -2.5, 0.0, 2.5, 5.0], "rows": [20, 180, 170, 30]},
            "bands": [
                {"rows": 20, "predicted": x, "actual": x + 1, "low": x - 3, "high": x + 4}
                for x in range(10, 60, 10)
            ],
        },
    }
    return document(**{**values, **fields})


def champion(metrics: dict[str, float], **changes: Any) -> Any:
    """A champion that was compared; a little worse than the candidate."""
    values: dict[str, Any] = {
        "model_package_arn": CHAMPION,
        "status": "compared",
        "reason": "",
        "metrics": {metric: 0.9 * value for metric, value in metrics.items()},
        "intervals": {
            metric: {"low": 0.85 * value, "high": 0.95 * value} for metric, value in metrics.items()
        },
        "differences": {
            metric: layout.Difference(0.1 * value, 0.05 * value, 0.15 * value, "better")
            for metric, value in metrics.items()
        },
        "dataset": dataset(),
        "same_dataset": True,
    }
    return layout.Champion(**{**values, **changes})


def class_of(label: str) -> dict[str, Any]:
    value = {"value": 0.8, "low": 0.75, "high": 0.85}
    return {"label": label, "support": 200, "predicted": 190} | dict.fromkeys(
        ("precision", "recall", "f1", "auc"), value
    )


def curve(label: str, *, threshold: bool = False) -> dict[str, Any]:
    low, high = [max(x - 0.1, 0) for x in CURVE], [min(x + 0.1, 1) for x in CURVE]
    found: dict[str, Any] = {
        "label": label,
        "auc": 0.9,
        "roc": {
            "threshold": [None, *CURVE[1:]],
            "false_positive_rate": CURVE,
            "true_positive_rate": CURVE,
            "low": low,
            "high": high,
        },
        "precision_recall": {
            "threshold": CURVE,
            "recall": CURVE,
            "precision": CURVE,
            "low": low,
            "high": high,
        },
    }
    if threshold:
        found["threshold"] = {"threshold": CURVE} | dict.fromkeys(
            ("precision", "recall", "f1", "called"), CURVE
        )
    return found


def calibration(of: str) -> dict[str, Any]:
    bins = [
        {
            "from": x,
            "to": x + 0.2,
            "rows": 80,
            "probability": x + 0.1,
            "share": x + 0.12,
            "low": x + 0.05,
            "high": x + 0.2,
        }
        for x in (0.0, 0.2, 0.4, 0.6, 0.8)
    ]
    return {"of": of, "error": 0.02, "bins": bins}


def slices(column: str = "age", name: str = "below 50") -> Any:
    """Two slices that were measured, one that is small, and an empty one."""
    ends = {"f1_macro": {"low": 0.7, "high": 0.85}}
    return layout.SliceSet(
        column,
        "bands",
        [
            layout.Slice(name, 200, False, {"f1_macro": 0.78}, ends),
            layout.Slice("50 and above", 190, False, {"f1_macro": 0.8}, ends),
            layout.Slice("(missing)", 10, True, {"f1_macro": 0.5}, {}),
            layout.Slice("nobody", 0, True),
        ],
    )

"""Reports to look at: one of each kind, and one as large as an evaluation makes it."""

import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl_evaluation.layout import Evaluation

TESTS = Path(__file__).parents[1] / "packages" / "automl-gitops" / "tests" / "pipeline"
CLASSES, CURVES, POINTS, SLICINGS, SLICES, FEATURES, CANDIDATES = (
    50,
    10,
    200,
    6,
    21,
    300,
    25,
)  # the evaluation's limits


def _tests_documents() -> Any:
    """The documents of the package's own tests."""
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    import evaluations

    return evaluations


def documents() -> dict[str, Evaluation]:
    """Evaluations by name."""
    made = _tests_documents()
    return {
        "binary": made.binary(),
        "rejected": made.binary(decision="reject", reasons=["F1 is below the minimum of 0.9"]),
        "multiclass": made.multiclass(),
        "regression": made.regression(),
        "labels-only": made.document(),
        "ten-classes": ten_classes(),
        "long-names": long_names(),
        "large-numbers": numbers(1e9),
        "small-numbers": numbers(1e-7),
        "largest": largest(),
    }


def ten_classes() -> Evaluation:
    """Classes whose labels are numbers, with more rows of some."""
    made = _tests_documents()
    labels = [str(number) for number in range(10)]
    classes = [
        made.class_of(label) | {"support": 100 + 37 * (number * 7 % 10)}
        for number, label in enumerate(labels)
    ]
    rows = [[180 if row == column else (row * column) % 7 for column in range(10)] for row in range(10)]
    return made.multiclass(
        labels=labels,
        classes=classes,
        confusion={"labels": labels, "rows": rows},
        curves=[
            made.curve(label) | {"auc": 1 - 0.001 * (number * 3 % 10)} for number, label in enumerate(labels)
        ],
        dataset=made.dataset(classes={label: 100 + 37 * (int(label) * 7 % 10) for label in labels}),
    )


def long_names() -> Evaluation:
    """Labels, columns and slices that are long, alike at their beginnings, of other scripts, or nearly nothing."""
    made = _tests_documents()
    labels = [
        "a diagnosis that nobody can say in one line, and that has a further part in brackets (of the left knee)",
        "a diagnosis that nobody can say in one line, and that has a further part in brackets (of the right knee)",
        "\N{CJK UNIFIED IDEOGRAPH-6F22}\N{CJK UNIFIED IDEOGRAPH-5B57}" * 20,
        "party \N{PARTY POPPER}\N{PARTY POPPER} popper",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        "i",
        "\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH}\N{ARABIC LETTER HAH}\N{ARABIC LETTER BEH}" * 6,
    ]
    ends = {"f1_macro": {"low": 0.7, "high": 0.85}}
    parts = [made.layout.Slice(label, 200, False, {"f1_macro": 0.78}, ends) for label in labels]
    features = [
        {"name": label, "value": 0.2 / place, "low": 0.1 / place, "high": 0.3 / place}
        for place, label in enumerate(labels, 1)
    ]
    size = len(labels)
    return made.multiclass(
        labels=labels,
        confusion={
            "labels": labels,
            "rows": [[9 if row == column else 1 for column in range(size)] for row in range(size)],
        },
        champion=made.champion(made.SCORES),
        slices=[made.layout.SliceSet("diagnosis", "values", parts)],
        importance={"source": "permutation", "metric": "f1_macro", "rows": 400, "features": features},
        dataset=made.dataset(classes=dict.fromkeys(labels, 300)),
    )


def numbers(scale: float) -> Evaluation:
    """A regression whose target is as large or small as ``scale``."""
    made = _tests_documents()
    metrics = {
        "rmse": 4.2 * scale,
        "mse": 17.64 * scale**2,
        "mae": 3.1 * scale,
        "r2": 0.9,
        "mean_error": -0.1 * scale,
    }
    shares = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)
    return made.regression(
        metrics=metrics,
        intervals={
            name: {"low": value - abs(value) / 20, "high": value + abs(value) / 20}
            for name, value in metrics.items()
        },
        champion=made.champion(metrics, dataset=made.dataset(classes=None)),
        residuals={
            "quantiles": {str(share): scale * (10 * share - 5) for share in shares},
            "histogram": {
                "edges": [scale * edge for edge in (-5.0, -2.5, 0.0, 2.5, 5.0)],
                "rows": [20, 180, 170, 30],
            },
            "bands": [
                {
                    "rows": 20,
                    "predicted": x * scale,
                    "actual": (x + 1) * scale,
                    "low": (x - 3) * scale,
                    "high": (x + 4) * scale,
                }
                for x in range(10, 60, 10)
            ],
        },
    )


def largest() -> Evaluation:
    """An evaluation whose every list is as long as the evaluation makes it."""
    made = _tests_documents()
    labels = [f"a class with a long name, number {number}" for number in range(CLASSES)]
    places = [step / (POINTS - 1) for step in range(POINTS)]
    curves = [made.curve(label) for label in labels[:CURVES]]
    for number, curve in enumerate(curves):
        rate = [round(place ** (0.2 + 0.05 * number), 5) for place in places]
        curve["roc"] |= {"false_positive_rate": places, "true_positive_rate": rate, "low": rate, "high": rate}
        falling = [round(1 - 0.5 * place**2, 5) for place in places]
        curve["precision_recall"] |= {"recall": places, "precision": falling, "low": falling, "high": falling}
    slicings = [made.slices(f"column {number}") for number in range(SLICINGS)]
    for slicing in slicings:
        slicing.slices[:] = [
            made.layout.Slice(
                f"value {number}", 500, False, {"f1_macro": 0.6 + number / 100}, slicing.slices[0].intervals
            )
            for number in range(SLICES)
        ]
    names = [f"column_with_a_long_name_{number}" for number in range(FEATURES)]
    evaluation = made.multiclass(
        labels=labels,
        confusion={
            "labels": labels,
            "rows": [
                [1000 if row == column else (row * column) % 97 for column in range(CLASSES)]
                for row in range(CLASSES)
            ],
        },
        curves=curves,
        slices=slicings,
        champion=made.champion(made.SCORES, curves=curves),
        importance={
            "source": "permutation",
            "metric": "f1_macro",
            "rows": 3000,
            "features": [
                {"name": name, "value": math.exp(-number / 20), "low": 0.0, "high": 1.0}
                for number, name in enumerate(names)
            ],
        },
        dataset=made.dataset(
            columns=[{"name": name, "type": "number"} for name in [*names, "readmitted"]],
            classes=dict.fromkeys(labels, 2000),
        ),
    )
    candidates = evaluation.automl_job.candidates
    candidates[:] = [replace(candidates[0], name=f"Candidate_{number}") for number in range(CANDIDATES)]
    return evaluation


def write(folder: Path, evaluations: Mapping[str, Evaluation] | None = None) -> dict[str, Path]:
    """The pages of evaluations, `documents` by default, as files in ``folder``."""
    found = documents() if evaluations is None else evaluations
    from automl_gitops.report import html

    folder.mkdir(parents=True, exist_ok=True)
    written = {name: folder / f"{name}.html" for name in found}
    for name, path in written.items():
        path.write_text(html(found[name]), encoding="utf-8")
    return written

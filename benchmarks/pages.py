"""Reports to look at: one of each kind, and one as large as an evaluation makes it."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1] / "{{cookiecutter.project}}"
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
    """The documents of the project's own tests."""
    for folder in (PROJECT, PROJECT / "tests" / "pipeline"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    import evaluations

    return evaluations


def documents() -> dict[str, dict[str, Any]]:
    """Evaluations by name."""
    made = _tests_documents()
    return {
        "binary": made.binary(),
        "rejected": made.binary(decision="reject", reasons=["F1 is below the minimum of 0.9"]),
        "multiclass": made.multiclass(),
        "regression": made.regression(),
        "labels-only": made.document(),
        "largest": largest(),
    }


def largest() -> dict[str, Any]:
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
    document = made.multiclass(
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
    candidate = document["automl_job"]["candidates"][0]
    document["automl_job"]["candidates"] = [
        candidate | {"name": f"Candidate_{number}"} for number in range(CANDIDATES)
    ]
    return document


def write(folder: Path, evaluations: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Path]:
    """The pages of evaluations, `documents` by default, as files in ``folder``."""
    found = documents() if evaluations is None else evaluations
    from pipeline.report import html

    folder.mkdir(parents=True, exist_ok=True)
    written = {name: folder / f"{name}.html" for name in found}
    for name, path in written.items():
        path.write_text(html(found[name]), encoding="utf-8")
    return written

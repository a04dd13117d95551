"""Configurations, locks and data for the tests; the project's automl.toml may say what its owner likes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit

from automl_gitops.data.lock import Column, DatasetLock, Reference, Rows, Uris
from automl_gitops.kernel.config import Config

ACCOUNT, REGION = "123456789012", "eu-west-1"
BUCKET = f"hospital-{ACCOUNT}-{REGION}"
CHAMPION = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/hospital/2"

_BASE: dict[str, Any] = {
    "project": {
        "name": "hospital",
        "description": "Predict readmission",
        "region": REGION,
        "repository": "clinic/hospital",
    },
    "dataset": {"target": "label"},
    "autopilot": {"problem_type": "MulticlassClassification", "objective": "F1macro"},
    "gate": {"minimum": 0.3},
}


def automl_toml(**changes: Any) -> str:
    """The text of an automl.toml; changes are merged into it, `None` takes a key or section out."""
    document = copy.deepcopy(_BASE)
    _merge(document, changes)
    return tomlkit.dumps(document)


def _merge(document: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, dict):
            _merge(document.setdefault(key, {}), value)
        else:
            document[key] = value


def lenient(config: Config) -> Config:
    """The configuration for tables of a size that a test can look through."""
    return config.model_copy(
        update={
            "autopilot": config.autopilot.model_copy(update={"least_rows": 20}),
            "gate": config.gate.model_copy(update={"minimum_rows": 1}),
        }
    )


def lock(**changes: Any) -> DatasetLock:
    """A dataset.lock of three columns and three classes."""
    sha256 = "ab" * 32
    base = f"s3://{BUCKET}/datasets/{sha256}"
    values: dict[str, Any] = {
        "name": "patients",
        "source": "patients.csv",
        "synthetic": False,
        "sha256": sha256,
        "target": "label",
        "holdout": 0.2,
        "seed": 42,
        "rows": Rows(total=1000, train_validation=800, test=200),
        "columns": [
            Column(name="age", type="integer"),
            Column(name="ward", type="text"),
            Column(name="label", type="text"),
        ],
        "classes": {"<30": 200, ">30": 300, "no": 500},
        "uris": Uris(
            train_validation=f"{base}/train_validation.csv",
            x_test=f"{base}/x_test/",
            y_test=f"{base}/y_test/",
        ),
    }
    return DatasetLock(**{**values, **changes})


def lock_by_reference(**changes: Any) -> DatasetLock:
    """A dataset.lock of data that stays in another bucket."""
    reference = Reference(objects=12, bytes=34_567_890, sha256="ef" * 32)
    uris = lock().uris.model_copy(update={"train_validation": "s3://lake/train/"})
    values: dict[str, Any] = {
        "source": "s3://lake/train/",
        "holdout": None,
        "seed": None,
        "rows": Rows(test=1000),
        "classes": None,
        "holdout_classes": {"<30": 100, ">30": 400, "no": 500},
        "uris": uris,
        "reference": reference,
    }
    return lock(**{**values, **changes})


def table(path: Path, rows: int = 800, labels: tuple[str, ...] = ("no", ">30", "<30")) -> Path:
    """A CSV file of two columns and a label; the labels take turns by the square, so that they are not
    equally many.
    """
    random = np.random.RandomState(7)
    lines = ["age,ward,label"]
    for row in range(rows):
        label = labels[int((row % 9) ** 0.5) % len(labels)]
        lines.append(f"{random.randint(20, 90)},ward {random.randint(4)},{label}")
    path.write_text("\n".join(lines) + "\n")
    return path

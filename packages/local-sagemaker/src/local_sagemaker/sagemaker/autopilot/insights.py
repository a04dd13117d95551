"""The reports of a job: the best candidate's quality, what its predictions rest on, and the data's profile.

Model quality has the schema of the model registry's statistics. The attributions have Clarify's schema, and
are what Clarify estimates too: Shapley values of the features against a baseline row, averaged over rows in
absolute value. Clarify regresses on sampled coalitions (Kernel SHAP); here feature orders are sampled
(Castro, Gomez, Tejada 2009, doi 10.1016/j.cor.2008.04.004), which needs no weights and can be ended at any
time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from local_sagemaker.sagemaker.autopilot.data import TARGET, Prepared
from local_sagemaker.sagemaker.autopilot.objectives import BINARY, REGRESSION

EXPLAINED_ROWS = 50


def model_quality(prepared: Prepared, values: dict[str, float], predicted: np.ndarray) -> dict[str, Any]:
    """The statistics of the validation rows.

    ``predicted`` has values, or rows x classes whose greatest is the class that was chosen.
    """
    truth = prepared.validation[TARGET].to_numpy()
    if prepared.problem_type == REGRESSION:
        return {"regression_metrics": {name.lower(): _scalar(value) for name, value in values.items()}}
    chosen = predicted.argmax(axis=1)
    matrix = sk.confusion_matrix(truth, chosen, labels=range(len(prepared.labels)))
    common = {
        "confusion_matrix": {
            label: dict(zip(prepared.labels, map(int, row), strict=True))
            for label, row in zip(prepared.labels, matrix, strict=True)
        },
        "accuracy": _scalar(values["Accuracy"]),
    }
    if prepared.problem_type == BINARY:
        single = {"Precision": "precision", "Recall": "recall", "F1": "f1", "AUC": "auc"}
        scores = {key: _scalar(values[name]) for name, key in single.items() if name in values}
        return {"binary_classification_metrics": common | scores}
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, chosen, average="weighted", zero_division=0
    )
    weighted = {"weighted_precision": precision, "weighted_recall": recall, "weighted_f1": f1}
    return {
        "multiclass_classification_metrics": common | {key: _scalar(value) for key, value in weighted.items()}
    }


def attributions(
    prepared: Prepared, predict: Callable[[pd.DataFrame], np.ndarray], seconds: float
) -> dict[str, Any]:
    """Clarify's ``analysis.json`` of a model; ``predict`` gives rows x outputs. Takes about ``seconds``."""
    rows = prepared.validation[prepared.features]
    rows = rows.sample(min(EXPLAINED_ROWS, len(rows)), random_state=0)
    baseline = _baseline(prepared.train[prepared.features])
    values, expected = _shapley(rows, baseline, predict, seconds)
    outputs = prepared.labels or ["label0"]
    return {
        "version": "1.0",
        "explanations": {
            "kernel_shap": {
                output: {
                    "global_shap_values": dict(
                        zip(prepared.features, values[:, number].tolist(), strict=True)
                    ),
                    "expected_value": float(expected[number]),
                }
                for number, output in enumerate(outputs)
            }
        },
    }


def _baseline(train: pd.DataFrame) -> pd.DataFrame:
    common = {
        name: column.mean() if column.dtype != object else next(iter(column.mode()), None)
        for name, column in train.items()
    }
    return pd.DataFrame([common]).astype(train.dtypes.to_dict())


def _shapley(
    rows: pd.DataFrame, baseline: pd.DataFrame, predict: Callable[[pd.DataFrame], np.ndarray], seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute Shapley values, features x outputs, and the baseline's outputs.

    For a random order the features of every row are set one after the other from the baseline's value to its
    own; what each changes is one sample of its value. Orders are drawn until the time is up, at least one,
    and at most as many as there are features times four.
    """
    random = np.random.default_rng(0)
    started = time.monotonic()
    names = list(rows.columns)
    expected = predict(baseline)[0]
    total = np.zeros((len(names), len(rows), len(expected)))
    orders = 0
    while orders < 4 * len(names):
        steps = [pd.concat([baseline] * len(rows), ignore_index=True)]
        order = random.permutation(len(names))
        for number in order:
            step = steps[-1].copy()
            step[names[number]] = rows[names[number]].to_numpy()
            steps.append(step)
        outputs = predict(pd.concat(steps, ignore_index=True)).reshape(len(steps), len(rows), -1)
        total[order] += np.diff(outputs, axis=0)
        orders += 1
        elapsed = time.monotonic() - started
        if elapsed * (orders + 1) / orders > seconds:
            break
    return np.abs(total / orders).mean(axis=1), expected


def exploration(prepared: Prepared, target: str) -> bytes:
    """The data exploration notebook: the columns and the target of the training rows, as Markdown tables."""
    train = prepared.train
    lines = [
        f"# Data exploration\n\n{len(train)} rows to train on, {len(prepared.validation)} to validate on, "
        f"problem type {prepared.problem_type}.\n",
        "| column | type | missing | distinct |\n| --- | --- | --- | --- |",
    ]
    for column in prepared.columns:
        values = train[column["name"]]
        name = column["name"].replace("|", "\\|")
        lines.append(f"| {name} | {column['type']} | {values.isna().mean():.1%} | {values.nunique()} |")
    lines.append(f"\n## Target `{target}`\n")
    if prepared.labels:
        counts = train[TARGET].value_counts()
        lines.append("| label | rows |\n| --- | --- |")
        lines += [f"| {label} | {counts.get(n, 0)} |" for n, label in enumerate(prepared.labels)]
    else:
        lines.append(f"mean {train[TARGET].mean():g}, standard deviation {train[TARGET].std():g}")
    cell = {"cell_type": "markdown", "id": "data", "metadata": {}, "source": "\n".join(lines)}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1).encode()


def _scalar(value: float) -> dict[str, float | str]:
    return {"value": float(value), "standard_deviation": "NaN"}

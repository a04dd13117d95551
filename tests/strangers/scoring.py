"""Metrics of a holdout, computed once more: by scikit-learn from the transform's output, and for a model by hand."""

import ast
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn import metrics as sk

MOST_CATEGORIES = 1000
MANY_COLUMNS = 100
ROUNDS = 200
SEED = 1


@dataclass(frozen=True)
class Stored:
    """What ``folder`` holds of a project's bucket: data set, transforms and evaluation of a training.

    Where it is of several trainings, ``execution`` and ``dataset`` name one: as the bucket's keys do.
    """

    folder: Path
    execution: str = "*"
    dataset: str = "*"

    @cached_property
    def evaluation(self) -> dict[str, Any]:
        """evaluation.json."""
        (path,) = self.folder.glob(f"evaluations/{self.execution}/evaluation.json")
        return json.loads(path.read_text())

    @cached_property
    def truth(self) -> pd.Series:
        """The holdout's labels, as text; the header is the target's name."""
        return _read(self.folder.glob(f"datasets/{self.dataset}/y_test/*.csv"), header=0).iloc[:, 0]

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """What the batch transform answered, as text, by the names of the outputs."""
        found = _read(self.folder.glob(f"transforms/{self.execution}/candidate/*.out"), header=None)
        return found.set_axis(self.evaluation["outputs"], axis="columns")

    @cached_property
    def train(self) -> pd.DataFrame:
        """The rows that Autopilot trained on, with the target."""
        (path,) = self.folder.glob(f"datasets/{self.dataset}/train_validation.csv")
        return pd.read_csv(path, dtype={self.target: str})

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """The holdout's rows without the target, typed as `train`."""
        names = [name for name in self.train if name != self.target]
        parts = [
            pd.read_csv(path, header=None, names=names)
            for path in sorted(self.folder.glob(f"datasets/{self.dataset}/x_test/*.csv"))
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def target(self) -> str:
        """The target's name."""
        return str(self.truth.name)


def _read(paths: Any, header: int | None) -> pd.DataFrame:
    parts = [pd.read_csv(path, header=header, dtype=str, keep_default_na=False) for path in sorted(paths)]
    return pd.concat(parts, ignore_index=True)


def recomputed(stored: Stored) -> dict[str, float]:
    """The metrics of evaluation.json that scikit-learn has, from the predictions and labels alone."""
    evaluation, given = stored.evaluation, stored.predictions
    if evaluation["problem_type"] == "Regression":
        return of_numbers(stored.truth.astype(float), given["prediction"].astype(float))
    labels = ast.literal_eval(given["labels"][0])
    assert (given["labels"] == given["labels"][0]).all()
    probabilities = np.asarray([json.loads(row) for row in given["probabilities"]])
    return of_classes(
        stored.truth, given["predicted_label"], probabilities, labels, evaluation["positive_class"]
    )


def of_numbers(truth: pd.Series, predicted: Any) -> dict[str, float]:
    """Metrics of a regression by their names in evaluation.json."""
    return {
        "r2": sk.r2_score(truth, predicted),
        "rmse": sk.root_mean_squared_error(truth, predicted),
        "mse": sk.mean_squared_error(truth, predicted),
        "mae": sk.mean_absolute_error(truth, predicted),
        "median_absolute_error": sk.median_absolute_error(truth, predicted),
        "max_error": sk.max_error(truth, predicted),
    }


def of_classes(
    truth: pd.Series,
    predicted: Any,
    probabilities: np.ndarray,
    labels: list[str],
    positive: str | None,
) -> dict[str, float]:
    """Metrics of a classification by their names in evaluation.json; ``probabilities`` (rows, labels)."""
    averaged: dict[str, Callable[..., float]] = {
        "f1": sk.f1_score,
        "precision": sk.precision_score,
        "recall": sk.recall_score,
    }
    found = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "matthews_correlation": sk.matthews_corrcoef(truth, predicted),
        "cohen_kappa": sk.cohen_kappa_score(truth, predicted),
        **{
            f"{name}_{average}": metric(truth, predicted, average=average, zero_division=0)
            for name, metric in averaged.items()
            for average in ("macro", "weighted")
        },
    }
    order = np.argsort(labels)
    probabilities, labels = probabilities[:, order], [labels[place] for place in order]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The y_prob values do not sum to one")  # of single precision
        found["log_loss"] = sk.log_loss(truth, probabilities, labels=labels)
    if positive is None:
        each = (truth.to_numpy()[:, None] == np.asarray(labels)).astype(int)
        found["auc"] = sk.roc_auc_score(each, probabilities, average="macro")
        found["average_precision"] = sk.average_precision_score(each, probabilities, average="macro")
        return found
    for name, metric in averaged.items():
        found[name] = metric(truth, predicted, pos_label=positive, zero_division=0)
    score = probabilities[:, labels.index(positive)]
    found["auc"] = sk.roc_auc_score(truth == positive, score)
    found["average_precision"] = sk.average_precision_score(truth == positive, score)
    # Of either class: the probabilities are of single precision, so that they do not quite add up to 1.
    found["brier"] = sum(
        sk.brier_score_loss(truth == label, probabilities[:, place]) / 2 for place, label in enumerate(labels)
    )
    return found


def by_hand(stored: Stored) -> dict[str, float]:
    """The same metrics of a LightGBM that somebody trains on the same rows without further thought."""
    train, inputs = _encoded(stored.train.drop(columns=stored.target), stored.inputs)
    # One thread: several wait for each other by spinning, for minutes where the cores are busy.
    settings = {"n_estimators": ROUNDS, "random_state": SEED, "verbosity": -1, "n_jobs": 1}
    if len(train.columns) > MANY_COLUMNS:
        settings["max_bin"] = (
            63  # as LightGBM's documentation has it for speed: of hundreds, a third of the time
        )
    if stored.evaluation["problem_type"] == "Regression":
        number = lightgbm.LGBMRegressor(**settings).fit(train, stored.train[stored.target].astype(float))
        return of_numbers(stored.truth.astype(float), number.predict(inputs))
    model = lightgbm.LGBMClassifier(**settings).fit(train, stored.train[stored.target])
    probabilities = np.asarray(model.predict_proba(inputs))
    labels = [str(label) for label in model.classes_]
    predicted = np.asarray(labels)[probabilities.argmax(axis=1)]
    return of_classes(stored.truth, predicted, probabilities, labels, stored.evaluation["positive_class"])


def _encoded(train: pd.DataFrame, inputs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers as they are, few different texts as categories, dates as days; free text is left out."""
    columns: dict[str, tuple[pd.Series, pd.Series]] = {}
    for place, name in enumerate(train):
        first, second = train[name], inputs[name]
        if not pd.api.types.is_numeric_dtype(first):
            days = pd.to_datetime(first, format="%Y-%m-%d", errors="coerce")
            if days.notna().sum() == first.notna().sum():
                first = days.astype("int64")
                second = pd.to_datetime(second, format="%Y-%m-%d", errors="coerce").astype("int64")
            elif first.nunique() > MOST_CATEGORIES:
                continue
            else:
                kind = pd.CategoricalDtype(sorted(first.dropna().unique()))
                first, second = first.astype(kind), second.astype(kind)
        columns[f"column_{place}"] = first, second  # LightGBM refuses names with quotes and commas
    return (
        pd.DataFrame({name: pair[0] for name, pair in columns.items()}),
        pd.DataFrame({name: pair[1] for name, pair in columns.items()}),
    )

"""The inference containers, one class each: bytes in, bytes out.

In ensembling mode one container does everything. In hyperparameter tuning mode the first makes features of
raw rows, the second predicts (classes by number), the third, for a classification, puts labels in the place
of numbers.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from local_sagemaker.serving import responses, tabular
from local_sagemaker.serving.archive import Description
from local_sagemaker.serving.errors import BadInput, UnreadableRowsError

BINARY = "BinaryClassification"
REGRESSION = "Regression"
MOST_BYTES = 20_971_520  # MAX_CONTENT_LENGTH of the tuning mode's algorithm container


class Container(Protocol):
    """A loaded container."""

    def __call__(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer a request: the body and its content type. Raises BadInput."""
        ...


def load(folder: Path, description: Description, environment: Mapping[str, str]) -> Container:
    """The container whose archive was unpacked into ``folder``."""
    mode = environment.get("AUTOML_TRANSFORM_MODE")
    if mode == "inverse-label-transform":
        return Labels(description, environment)
    kinds: dict[str, Callable[[Path, Description, Mapping[str, str]], Container]] = {
        "features": Features,
        "algorithm": Algorithm,
        "ensemble": Ensemble,
    }
    return kinds[description.kind](folder, description, environment)


def rows_of(body: bytes, content_type: str, columns: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows of a request of either type. Raises BadInput."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == responses.CSV:
        return tabular.from_csv(body, columns)
    if kind == responses.JSON:
        return tabular.from_json(body, columns)
    raise BadInput(f"Content type {content_type!r} is not supported, text/csv and application/json are")


class Ensemble:
    """Raw rows to labels, with an AutoGluon predictor."""

    def __init__(self, folder: Path, description: Description, environment: Mapping[str, str]) -> None:
        from autogluon.common.utils import utils
        from autogluon.tabular import TabularPredictor

        # Loading would read what all installed packages say of themselves, to compare nothing of it: 0.3 s.
        utils.get_package_versions = lambda **_: ({}, [])
        self._description = description
        self._environment = environment
        self._model = environment.get("MODEL_NAME", description.model)
        self._predictor = TabularPredictor.load(
            str(folder / "predictor"), require_version_match=False, require_py_version_match=False
        )
        self._predictor.persist([self._model], max_memory=None)

    def __call__(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """See :class:`Container`."""
        kind = responses.content_type(accept, self._environment)
        try:
            rows = rows_of(body, content_type, self._description.columns)
        except UnreadableRowsError as error:
            # AutoGluon's containers let such an error end the request: 500, where those of the tuning mode answer 400.
            # Source: "could not convert string to float", amazon-sagemaker-examples#3948.
            raise ValueError(str(error)) from error
        if self._description.problem_type == REGRESSION:
            values = self._predictor.predict(rows, model=self._model, as_pandas=False)
            return _scores(values, kind), kind
        frame = self._predictor.predict_proba(rows, model=self._model, as_multiclass=True)
        probabilities = frame.to_numpy(dtype="float64")
        chosen = decide(probabilities, self._description.decision_weights)
        labels = self._description.labels
        answer = answers(probabilities, chosen, chosen, responses.output_keys(self._environment), labels)
        for row in answer:
            if "predicted_label" in row:
                row["predicted_label"] = labels[row["predicted_label"]]
        return responses.encode(answer, kind), kind


class Features:
    """Raw rows to features."""

    def __init__(self, folder: Path, description: Description, environment: Mapping[str, str]) -> None:
        self._description = description
        with (folder / "features.pkl").open("rb") as file:
            self._generator = pickle.load(file)  # noqa: S301 - see local_sagemaker.serving.archive

    def __call__(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """See :class:`Container`."""
        rows = rows_of(body, content_type, self._description.columns)
        features = self._generator.transform(rows)
        return features.to_csv(header=False, index=False).encode(), responses.CSV


class Algorithm:
    """Features to numbers of classes, or to a number."""

    def __init__(self, folder: Path, description: Description, environment: Mapping[str, str]) -> None:
        from autogluon.common.loaders import load_pkl

        self._description = description
        self._environment = environment
        path = folder / "model"
        self._model = load_pkl.load(str(path / "model.pkl"))
        self._model.set_contexts(str(path))

    def __call__(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """See :class:`Container`."""
        if len(body) > MOST_BYTES:
            raise BadInput(f"413: the payload has {len(body)} bytes, the container takes {MOST_BYTES}")
        kind = responses.content_type(accept, self._environment)
        columns = [column | {"type": "number"} for column in self._description.features]
        features = tabular.from_csv(body, columns)
        for column in self._description.features:
            name, categories = column["name"], column.get("categories")
            if categories is not None:
                features[name] = pd.Categorical(features[name], categories=categories)
            else:
                features[name] = features[name].astype(column["dtype"])
        if self._description.problem_type == REGRESSION:
            return _scores(self._model.predict(features), kind), kind
        probabilities = np.asarray(self._model.predict_proba(features), dtype="float64")
        if probabilities.ndim == 1:
            probabilities = np.column_stack([1 - probabilities, probabilities])
        chosen = decide(probabilities, self._description.decision_weights)
        binary = self._description.problem_type == BINARY
        shown = np.ones_like(chosen) if binary else chosen  # of two classes, always the True class's
        keys = responses.output_keys(self._environment)
        return responses.encode(answers(probabilities, chosen, shown, keys, []), kind), kind


class Labels:
    """Numbers of classes to labels; passes on what else the algorithm container answered."""

    def __init__(self, description: Description, environment: Mapping[str, str]) -> None:
        self._labels = description.labels
        self._environment = environment

    def __call__(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """See :class:`Container`."""
        kind = responses.content_type(accept, self._environment)
        given = responses.decode(body, responses.input_keys(self._environment))
        keys = responses.output_keys(self._environment)
        return responses.encode([self._labelled(row, keys, kind) for row in given], kind), kind

    def _labelled(self, row: dict[str, str], keys: list[str], kind: str) -> dict[str, Any]:
        known: dict[str, Any] = dict(row) | {"labels": self._labels}
        if "predicted_label" in row:
            known["predicted_label"] = self._labels[int(row["predicted_label"])]
        if kind == responses.JSON and "probability" in row:
            known["probability"] = float(row["probability"])
        if kind == responses.JSON and "probabilities" in row:
            known["probabilities"] = [float(p) for p in row["probabilities"].strip("[]").split(",")]
        absent = [key for key in keys if key not in known]
        if absent:
            raise ValueError(f"SAGEMAKER_INFERENCE_INPUT does not bring {absent[0]}")
        return {key: known[key] for key in keys}


def decide(probabilities: np.ndarray, weights: list[float]) -> np.ndarray:
    """The number of each row's class: the greatest of probabilities (rows x classes) times weights."""
    return (probabilities * np.asarray(weights or 1.0)).argmax(axis=1)


def answers(
    probabilities: np.ndarray, chosen: np.ndarray, shown: np.ndarray, keys: list[str], labels: list[str]
) -> list[dict[str, Any]]:
    """One row each with ``keys``: labels as numbers, ``probability`` of the class number in ``shown``."""
    columns: dict[str, list[Any]] = {
        "predicted_label": chosen.tolist(),
        "probability": probabilities[np.arange(len(shown)), shown].tolist(),
        "probabilities": probabilities.tolist(),
        "labels": [labels] * len(chosen),
    }
    return [
        dict(zip(keys, values, strict=True)) for values in zip(*(columns[key] for key in keys), strict=True)
    ]


def _scores(values: Any, kind: str) -> bytes:
    return responses.encode([{"score": float(value)} for value in values], kind)

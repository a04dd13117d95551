"""Which of AutoGluon's models a job trains, by the algorithms' names in the API, the best first."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

ENSEMBLING = (
    "lightgbm",
    "randomforest",
    "extra-trees",
    "linear-learner",
    "xgboost",
    "catboost",
    "nn-torch",
    "fastai",
)
TUNING = ("xgboost", "linear-learner", "mlp")

# Name in the API: AutoGluon's key, and the package that it needs beside scikit-learn.
_MODELS = {
    "lightgbm": ("GBM", "lightgbm"),
    "randomforest": ("RF", None),
    "extra-trees": ("XT", None),
    "linear-learner": ("LR", None),
    "xgboost": ("XGB", "xgboost"),
    "catboost": ("CAT", "catboost"),
    "nn-torch": ("NN_TORCH", "torch"),
    "fastai": ("FASTAI", "fastai"),
    "mlp": ("NN_TORCH", "torch"),
}

# Forests whose archive stays small: a leaf of five rows costs no accuracy and saves four fifths of the nodes.
_FOREST = {"n_estimators": 100, "min_samples_leaf": 5}
_FIRST: list[tuple[str, dict[str, Any]]] = [
    ("lightgbm", {}),
    ("randomforest", _FOREST),
    ("lightgbm", {"extra_trees": True}),
    ("extra-trees", _FOREST),
    ("linear-learner", {}),
    ("xgboost", {}),
    ("catboost", {}),
    ("lightgbm", {"learning_rate": 0.03, "num_leaves": 63, "min_data_in_leaf": 40}),
    ("nn-torch", {}),
    ("fastai", {}),
]


def available(algorithm: str) -> bool:
    """Whether this machine has what ``algorithm`` needs."""
    package = _MODELS[algorithm][1]
    return package is None or importlib.util.find_spec(package) is not None


def ensembling(algorithms: list[str], count: int, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """``count`` models at most, as AutoGluon's ``hyperparameters``: one of each kind, then variants."""
    return _numbered(_ensembling(algorithms, _random(seed)), count)


def tuning(algorithms: list[str], count: int, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """``count`` configurations of a random search, as AutoGluon's ``hyperparameters``."""
    return _numbered(_tuning(algorithms, _random(seed)), count)


def _random(seed: int) -> np.random.Generator:
    import numpy as np  # only a training draws: the server, which asks what is available, need not wait for it

    return np.random.default_rng(seed)


def _ensembling(algorithms: list[str], random: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, parameters) for name, parameters in _FIRST if name in algorithms)
    varied = [name for name in algorithms if name in ("lightgbm", "xgboost", "randomforest", "extra-trees")]
    while varied:
        yield from ((name, _variant(name, random)) for name in varied)


def _tuning(algorithms: list[str], random: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, {}) for name in algorithms)
    while True:
        yield from ((name, _variant(name, random)) for name in algorithms)


def _variant(algorithm: str, random: np.random.Generator) -> dict[str, Any]:
    if algorithm in ("randomforest", "extra-trees"):
        return _FOREST | {
            "min_samples_leaf": int(random.integers(2, 30)),
            "max_features": float(random.uniform(0.3, 1.0)),
        }
    if algorithm == "lightgbm":
        return {
            "learning_rate": float(10 ** random.uniform(-2, -0.7)),
            "num_leaves": int(2 ** random.uniform(3, 7)),
            "min_data_in_leaf": int(random.integers(5, 100)),
            "feature_fraction": float(random.uniform(0.5, 1.0)),
            "lambda_l2": float(10 ** random.uniform(-3, 1)),
        }
    if algorithm == "xgboost":
        return {
            "learning_rate": float(10 ** random.uniform(-2, -0.7)),
            "max_depth": int(random.integers(3, 10)),
            "min_child_weight": float(10 ** random.uniform(-1, 1.5)),
            "colsample_bytree": float(random.uniform(0.5, 1.0)),
        }
    if algorithm == "linear-learner":
        return {"C": float(10 ** random.uniform(-3, 3))}
    return {
        "learning_rate": float(10 ** random.uniform(-4, -2)),
        "dropout_prob": float(random.uniform(0, 0.5)),
    }


def _numbered(models: Iterator[tuple[str, dict[str, Any]]], count: int) -> dict[str, list[dict[str, Any]]]:
    hyperparameters: dict[str, list[dict[str, Any]]] = {}
    for number, (algorithm, parameters) in enumerate(models, 1):
        if number > count:
            break
        # AutoGluon trains in the order of priorities, and would otherwise count names up by kind.
        named = {"ag_args": {"priority": 1000 - number, "name_suffix": f"_{number}"}}
        hyperparameters.setdefault(_MODELS[algorithm][0], []).append(dict(parameters) | named)
    return hyperparameters

"""The value of each metric of a problem type on the validation rows, by scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import metrics as sk

from local_sagemaker.sagemaker.autopilot.objectives import BINARY


def regression(
    truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, float]:
    """Every regression metric of the API; ``weights`` are the rows', where they have some."""
    mse = float(sk.mean_squared_error(truth, predicted, sample_weight=weights))
    return {
        "MAE": float(sk.mean_absolute_error(truth, predicted, sample_weight=weights)),
        "MSE": mse,
        "R2": float(sk.r2_score(truth, predicted, sample_weight=weights)) if len(truth) > 1 else float("nan"),
        "RMSE": mse**0.5,
    }


def classification(
    problem_type: str,
    truth: np.ndarray,
    probabilities: np.ndarray,
    chosen: np.ndarray,
    weights: np.ndarray | None = None,
) -> dict[str, float]:
    """Every classification metric of the problem type, and LogLoss.

    ``truth`` and ``chosen`` are numbers of classes, ``probabilities`` rows x classes; class 1 of two is the
    positive. ``weights`` are the rows', where they have some; balanced accuracy has its own. A metric that the rows
    do not allow (one class alone) is left out.
    """
    numbers = list(range(probabilities.shape[1]))
    values = {
        "Accuracy": sk.accuracy_score(truth, chosen, sample_weight=weights),
        "BalancedAccuracy": _balanced_accuracy(truth, chosen),
        "LogLoss": sk.log_loss(truth, probabilities, labels=numbers, sample_weight=weights),
    }
    if problem_type == BINARY:
        scores = sk.precision_recall_fscore_support(
            truth, chosen, average="binary", zero_division=0, sample_weight=weights
        )
        values |= {"Precision": scores[0], "Recall": scores[1], "F1": scores[2]}
        if len(np.unique(truth)) == 2:
            values["AUC"] = sk.roc_auc_score(truth, probabilities[:, 1], sample_weight=weights)
    else:
        scores = sk.precision_recall_fscore_support(
            truth, chosen, average="macro", zero_division=0, sample_weight=weights
        )
        values |= {"PrecisionMacro": scores[0], "RecallMacro": scores[1], "F1macro": scores[2]}
    return {name: float(value) for name, value in values.items()}


def _balanced_accuracy(truth: np.ndarray, chosen: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class that is predicted and never true
        return sk.balanced_accuracy_score(truth, chosen)

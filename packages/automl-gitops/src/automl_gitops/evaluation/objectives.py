"""Autopilot's objective metrics under the evaluation's names, and which way each metric is better."""

from automl_gitops.evaluation.errors import EvaluationError

# Amazon SageMaker API reference, AutoMLJobObjective; in lower case, without spaces and underscores.
METRICS = {
    "accuracy": "accuracy",
    "auc": "auc",
    "balancedaccuracy": "balanced_accuracy",
    "f1": "f1",
    "f1macro": "f1_macro",
    "precision": "precision",
    "precisionmacro": "precision_macro",
    "recall": "recall",
    "recallmacro": "recall_macro",
    "logloss": "log_loss",
    "mae": "mae",
    "mse": "mse",
    "rmse": "rmse",
    "r2": "r2",
}
LOWER_IS_BETTER = frozenset(
    {"mae", "mse", "rmse", "median_absolute_error", "max_error", "log_loss", "brier", "calibration_error"}
)
# A constant answer is perfect by these, so that no model can be better: every row called positive has all the recall.
CONSTANT_IS_PERFECT = frozenset({"recall"})
NO_DIRECTION = frozenset({"mean_error"})


def metric_of(objective: str) -> str:
    """The evaluation's name of an objective. Raises `EvaluationError` for one that is not known."""
    try:
        return METRICS[objective.lower().replace("_", "").replace(" ", "")]
    except KeyError:
        raise EvaluationError(
            f"the evaluation does not know the Autopilot job's objective {objective}"
        ) from None


def gain(metric: str, difference: float) -> float:
    """A difference with the sign that says better where it is positive."""
    return -difference if metric in LOWER_IS_BETTER else difference

"""The metrics that an AutoML job can be asked to optimise.

https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-metrics-validation.html
"""

from __future__ import annotations

from dataclasses import dataclass

BINARY = "BinaryClassification"
MULTICLASS = "MulticlassClassification"
REGRESSION = "Regression"


@dataclass(frozen=True)
class Objective:
    """A metric by its name in the API, the one that AutoGluon trains with, and whether more of it is better.

    ``decided``: it depends on where the line between the classes is drawn, and no choice of it is degenerate
    (the best precision would be to call one row positive), so that the line is worth choosing. What such an
    objective needs of the models is good probabilities.
    """

    name: str
    trained_with: str
    maximize: bool = True
    decided: bool = False


_OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("Accuracy", "accuracy"),
        Objective("AUC", "roc_auc"),
        Objective("BalancedAccuracy", "log_loss", decided=True),
        Objective("F1", "log_loss", decided=True),
        Objective("F1macro", "log_loss", decided=True),
        Objective("Precision", "precision"),
        Objective("PrecisionMacro", "precision_macro"),
        Objective("Recall", "recall"),
        Objective("RecallMacro", "log_loss", decided=True),
        Objective("MAE", "mean_absolute_error", maximize=False),
        Objective("MSE", "mean_squared_error", maximize=False),
        Objective("R2", "r2"),
        Objective("RMSE", "root_mean_squared_error", maximize=False),
    )
}

# The first of each problem type is its default.
OFFERED = {
    REGRESSION: ("MSE", "MAE", "R2", "RMSE"),
    BINARY: ("F1", "Accuracy", "AUC", "BalancedAccuracy", "Precision", "Recall"),
    MULTICLASS: ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"),
}


def objective(name: str) -> Objective:
    """The objective of that name in the API."""
    return _OBJECTIVES[name]


def default(problem_type: str) -> Objective:
    """What is optimised where the request names no objective."""
    return _OBJECTIVES[OFFERED[problem_type][0]]

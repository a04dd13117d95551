"""Metrics of a holdout by the evaluation's names: for which problem types they exist, which way they are better, and
the values that they can take. Autopilot's objectives are some of them.

The evaluation runs without this package and has its own lists; a test holds the two together.
"""

from dataclasses import dataclass

BINARY, MULTICLASS, REGRESSION = "BinaryClassification", "MulticlassClassification", "Regression"
PROBLEMS = (BINARY, MULTICLASS, REGRESSION)
_CLASSES = (BINARY, MULTICLASS)

# Objectives by problem type with the metric that each is, the service's default first (Amazon SageMaker API
# reference, AutoMLJobObjective).
OBJECTIVES: dict[str, dict[str, str]] = {
    BINARY: {
        "F1": "f1",
        "Accuracy": "accuracy",
        "AUC": "auc",
        "BalancedAccuracy": "balanced_accuracy",
        "Precision": "precision",
        "Recall": "recall",
    },
    MULTICLASS: {
        "Accuracy": "accuracy",
        "BalancedAccuracy": "balanced_accuracy",
        "F1macro": "f1_macro",
        "PrecisionMacro": "precision_macro",
        "RecallMacro": "recall_macro",
    },
    REGRESSION: {"MSE": "mse", "MAE": "mae", "R2": "r2", "RMSE": "rmse"},
}
# Above so many classes Autopilot's containers are asked for labels alone (evaluation/containers.py).
MOST_CLASSES_WITH_PROBABILITIES = 100


@dataclass(frozen=True)
class Metric:
    """A metric's problem types, its least and greatest value (`None`: without bound), its better side, and whether
    it is made from probabilities.
    """

    problems: tuple[str, ...]
    least: float | None = 0.0
    most: float | None = 1.0
    less_is_better: bool = False
    of_probabilities: bool = False


_ERROR = Metric((REGRESSION,), most=None, less_is_better=True)
METRICS: dict[str, Metric] = {
    **dict.fromkeys(
        (
            "accuracy",
            "balanced_accuracy",
            "f1_macro",
            "f1_weighted",
            "precision_macro",
            "precision_weighted",
            "recall_macro",
            "recall_weighted",
        ),
        Metric(_CLASSES),
    ),
    **dict.fromkeys(("matthews_correlation", "cohen_kappa"), Metric(_CLASSES, least=-1.0)),
    **dict.fromkeys(("f1", "precision", "recall"), Metric((BINARY,))),
    **dict.fromkeys(("auc", "average_precision"), Metric(_CLASSES, of_probabilities=True)),
    "log_loss": Metric(_CLASSES, most=None, less_is_better=True, of_probabilities=True),
    # Halved for two classes, as usual; the sum over classes goes up to 2.
    "brier": Metric(_CLASSES, most=2.0, less_is_better=True, of_probabilities=True),
    "calibration_error": Metric(_CLASSES, less_is_better=True, of_probabilities=True),
    "r2": Metric((REGRESSION,), least=None),
    **dict.fromkeys(("rmse", "mse", "mae", "median_absolute_error", "max_error"), _ERROR),
}
# What [gate] minimums and maximums may name; the calibration error has a key of its own.
MORE_IS_BETTER = tuple(sorted(name for name, metric in METRICS.items() if not metric.less_is_better))
LESS_IS_BETTER = tuple(
    sorted(name for name, metric in METRICS.items() if metric.less_is_better and name != "calibration_error")
)
_OF_OBJECTIVES = {
    objective: metric for offered in OBJECTIVES.values() for objective, metric in offered.items()
}


def metric_of(objective: str) -> str:
    """The metric that one of Autopilot's objectives is."""
    return _OF_OBJECTIVES[objective]


def less_is_better(objective: str) -> bool:
    """Whether less of one of Autopilot's objectives is better."""
    return METRICS[metric_of(objective)].less_is_better


def default_objective(problem_type: str) -> str:
    """What Autopilot optimises where a problem type has no objective."""
    return next(iter(OBJECTIVES[problem_type]))

"""The table of metrics: what each is called, for which problem types it exists, and how to read its values;
and what to say of a positive class that nobody named, where most rows have it.

The evaluation reads it in its container, the commands on the runner: it needs the standard library alone. The
template's cookiecutter.json repeats Autopilot's names, since its questions can import nothing; a test compares.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from automl_evaluation import values
from automl_evaluation.errors import EvaluationError

BINARY, MULTICLASS, REGRESSION = "BinaryClassification", "MulticlassClassification", "Regression"
PROBLEM_TYPES = (BINARY, MULTICLASS, REGRESSION)
# A row's answer names every class and its probability: with more classes than this a model is asked for labels alone.
MOST_CLASSES_WITH_PROBABILITIES = 100

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Metric:
    """A row of the table.

    - ``name``: in evaluation.json and in [gate] of automl.toml; ``label``: for people.
    - ``problem_types``: those that have it.
    - ``autopilot``: its name in Autopilot's API (AutoMLMetricEnum and AutoMLMetricExtendedEnum of the Amazon SageMaker
      API reference), "" where Autopilot does not know it; ``objective_of``: the problem types for which it can be the
      objective (AutoMLJobObjective, there).
    - ``direction``: the better side; `None` of a quantity that has none.
    - ``least``, ``most``: the ends of its range; `None` where it has no end.
    - ``of_probabilities``: labels alone do not give it.
    - ``in_units``: in the target's unit, or its square, and so of any size.
    - ``constant_is_perfect``: a constant answer can be perfect by it, so that no model is better: every row called
      positive has all the recall.
    """

    name: str
    label: str
    problem_types: tuple[str, ...] = ()
    autopilot: str = ""
    objective_of: tuple[str, ...] = ()
    direction: Direction | None = "maximize"
    least: float | None = 0.0
    most: float | None = 1.0
    of_probabilities: bool = False
    in_units: bool = False
    constant_is_perfect: bool = False

    @property
    def less_is_better(self) -> bool:
        """Whether less of it is better."""
        return self.direction == "minimize"


# fmt: off
_TWO, _MANY, _NUMBERS = (BINARY,), (MULTICLASS,), (REGRESSION,)
_CLASSES = _TWO + _MANY
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "Accuracy", _CLASSES, "Accuracy", _CLASSES),
        Metric("balanced_accuracy", "Balanced accuracy", _CLASSES, "BalancedAccuracy", _CLASSES),
        Metric("f1_macro", "F1 (macro)", _CLASSES, "F1macro", _MANY),
        Metric("f1_weighted", "F1 (weighted)", _CLASSES),
        Metric("precision_macro", "Precision (macro)", _CLASSES, "PrecisionMacro", _MANY),
        Metric("precision_weighted", "Precision (weighted)", _CLASSES),
        Metric("recall_macro", "Recall (macro)", _CLASSES, "RecallMacro", _MANY),
        Metric("recall_weighted", "Recall (weighted)", _CLASSES),
        Metric("matthews_correlation", "Matthews correlation", _CLASSES, least=-1.0),
        Metric("cohen_kappa", "Cohen's kappa", _CLASSES, least=-1.0),
        # Of the positive class.
        Metric("f1", "F1", _TWO, "F1", _TWO),
        Metric("precision", "Precision", _TWO, "Precision", _TWO),
        Metric("recall", "Recall", _TWO, "Recall", _TWO, constant_is_perfect=True),
        # Of more than two classes the means over classes, each against the rest.
        Metric("auc", "Area under ROC", _CLASSES, "AUC", _TWO, of_probabilities=True),
        Metric("average_precision", "Average precision", _CLASSES, of_probabilities=True),
        Metric(
            "log_loss", "Log loss", _CLASSES, "LogLoss", direction="minimize", most=None, of_probabilities=True
        ),
        # Halved for two classes, as usual; the sum over classes goes up to 2.
        Metric("brier", "Brier score", _CLASSES, direction="minimize", most=2.0, of_probabilities=True),
        Metric("calibration_error", "Calibration error", _CLASSES, direction="minimize", of_probabilities=True),
        Metric("r2", "R²", _NUMBERS, "R2", _NUMBERS, least=None),
        Metric("rmse", "RMSE", _NUMBERS, "RMSE", _NUMBERS, "minimize", most=None, in_units=True),
        Metric("mse", "MSE", _NUMBERS, "MSE", _NUMBERS, "minimize", most=None, in_units=True),
        Metric("mae", "MAE", _NUMBERS, "MAE", _NUMBERS, "minimize", most=None, in_units=True),
        Metric(
            "median_absolute_error", "Median absolute error", _NUMBERS,
            direction="minimize", most=None, in_units=True,
        ),
        Metric("max_error", "Largest error", _NUMBERS, direction="minimize", most=None, in_units=True),
        # Prediction minus truth: best in the middle.
        Metric("mean_error", "Mean error", _NUMBERS, direction=None, least=None, most=None, in_units=True),
    )
}
# fmt: on
LESS_IS_BETTER = frozenset(name for name, metric in METRICS.items() if metric.less_is_better)
NO_DIRECTION = frozenset(name for name, metric in METRICS.items() if metric.direction is None)
# Of two classes, of the positive one alone: with the other one as such they are other figures.
OF_A_CLASS = ("f1", "precision", "recall", "average_precision")
# By which a threshold can be chosen. AUC and log loss have none; precision is greatest where next to nothing is called
# positive, recall where everything is.
OF_A_THRESHOLD = ("accuracy", "balanced_accuracy", "f1")
# What Autopilot optimises where a problem type has no objective (AutoMLJobObjective, as above).
DEFAULT_OBJECTIVES = {BINARY: "F1", MULTICLASS: "Accuracy", REGRESSION: "MSE"}
_BY_AUTOPILOTS_NAME = {metric.autopilot.lower(): name for name, metric in METRICS.items() if metric.autopilot}


def objectives(problem_type: str) -> tuple[str, ...]:
    """The objectives that Autopilot offers for a problem type, by its own names."""
    return tuple(metric.autopilot for metric in METRICS.values() if problem_type in metric.objective_of)


def metric_of(objective: str) -> str:
    """The name of the metric that one of Autopilot's objectives is, in whichever of Autopilot's spellings.

    Raises `EvaluationError` for one that is not known.
    """
    try:
        return _BY_AUTOPILOTS_NAME[objective.lower().replace("_", "").replace(" ", "")]
    except KeyError:
        raise EvaluationError(
            f"the evaluation does not know the Autopilot job's objective {objective}"
        ) from None


def named(name: str) -> Metric:
    """The metric of that name; of a project's own measure the table knows no more than the name."""
    own = Metric(name, name.replace("_", " "), direction=None, least=None, most=None)
    return METRICS.get(name, own)


def gain(metric: str, difference: float) -> float:
    """A difference with the sign that says better where it is positive."""
    return -difference if metric in LESS_IS_BETTER else difference


def unnamed_positive(metric: str | None, rows: Mapping[str, int]) -> str | None:
    """What stands behind `automl.toml: [decision]`, where that names no positive class of the labels of ``rows``.

    `None` where ``metric`` is of no class, and where the second label, which is taken by default, is not the one of
    more than half of the rows.
    """
    labels = values.sorted_labels(rows)
    if metric not in OF_A_CLASS or len(labels) != 2:
        return None
    other, default = labels
    total = sum(rows.values())
    if 2 * rows[default] <= total:
        return None
    return (
        f'names no positive class, so that {METRICS[metric].label} is of the second label, "{default}" '
        f'({rows[default] / total:.1%} of the rows): where "{other}" is the class to find, write positive = '
        f"{json.dumps(other, ensure_ascii=False)}"
    )

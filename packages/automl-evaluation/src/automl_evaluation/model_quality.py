"""model_quality.json: the metrics in the form in which SageMaker's model registry shows them.

Amazon SageMaker Developer Guide, "Model quality metrics": one top key by problem type, each scalar with its
value and its standard deviation.
"""

from typing import Any

from scipy.special import ndtri

from automl_evaluation.layout import INTERVAL_CONFIDENCE, Confusion, Evaluation, Interval

# The registry's names by ours.
REGRESSION = {"mae": "mae", "mse": "mse", "rmse": "rmse", "r2": "r2"}
BINARY = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "auc": "auc"}
MULTICLASS = {
    "accuracy": "accuracy",
    "precision_weighted": "weighted_precision",
    "recall_weighted": "weighted_recall",
    "f1_weighted": "weighted_f1",
}


def model_quality(evaluation: Evaluation) -> dict[str, Any]:
    """The registry's document from evaluation.json's."""
    if evaluation.problem_type == "Regression":
        return {"regression_metrics": _scalars(evaluation, REGRESSION)}
    matrix = _matrix(evaluation.confusion)
    if evaluation.problem_type == "BinaryClassification":
        return {"binary_classification_metrics": matrix | _scalars(evaluation, BINARY) | _binary(evaluation)}
    return {"multiclass_classification_metrics": matrix | _scalars(evaluation, MULTICLASS)}


def _scalars(evaluation: Evaluation, names: dict[str, str]) -> dict[str, Any]:
    return {
        name: _scalar(evaluation.metrics[ours], evaluation.intervals.get(ours))
        for ours, name in names.items()
        if ours in evaluation.metrics
    }


def _scalar(value: float, interval: Interval | None) -> dict[str, Any]:
    """A value with the standard deviation that the width of its interval stands for."""
    deviation = (
        (interval.high - interval.low) / (2 * float(ndtri((1 + INTERVAL_CONFIDENCE) / 2)))
        if interval
        else "NaN"
    )
    return {"value": value, "standard_deviation": deviation}


def _matrix(confusion: Confusion | None) -> dict[str, Any]:
    """Rows by true class, then by predicted class; nothing where there are too many classes for a matrix."""
    if confusion is None or confusion.labels is None or confusion.rows is None:
        return {}
    labels = confusion.labels
    rows = [dict(zip(labels, row, strict=True)) for row in confusion.rows]
    return {"confusion_matrix": dict(zip(labels, rows, strict=True))}


def _binary(evaluation: Evaluation) -> dict[str, Any]:
    """Rates of the positive class, and the curves."""
    confusion, positive = evaluation.confusion, evaluation.positive_class
    if confusion is None or confusion.labels is None or confusion.rows is None or positive is None:
        return {}
    at = confusion.labels.index(positive)
    true_positive = confusion.rows[at][at]
    positives = sum(confusion.rows[at])
    called = sum(row[at] for row in confusion.rows)
    negatives = evaluation.rows - positives
    rates: dict[str, Any] = {}
    if positives:
        rate = true_positive / positives
        rates |= {"true_positive_rate": _scalar(rate, None), "false_negative_rate": _scalar(1 - rate, None)}
    if negatives:
        rate = (called - true_positive) / negatives
        rates |= {"false_positive_rate": _scalar(rate, None), "true_negative_rate": _scalar(1 - rate, None)}
    for curve in evaluation.curves:
        if curve.label == positive:
            rates["receiver_operating_characteristic_curve"] = {
                "false_positive_rates": curve.roc.false_positive_rate,
                "true_positive_rates": curve.roc.true_positive_rate,
            }
            rates["precision_recall_curve"] = {
                "precisions": curve.precision_recall.precision,
                "recalls": curve.precision_recall.recall,
            }
    return rates

"""Metrics' names, and numbers with as many digits as they deserve."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.report.blocks import Cell

NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "f1_macro": "F1 (macro)",
    "f1_weighted": "F1 (weighted)",
    "precision": "Precision",
    "precision_macro": "Precision (macro)",
    "precision_weighted": "Precision (weighted)",
    "recall": "Recall",
    "recall_macro": "Recall (macro)",
    "recall_weighted": "Recall (weighted)",
    "matthews_correlation": "Matthews correlation",
    "cohen_kappa": "Cohen's kappa",
    "auc": "Area under ROC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "r2": "R²",
    "rmse": "RMSE",
    "mse": "MSE",
    "mae": "MAE",
    "mean_error": "Mean error",
    "median_absolute_error": "Median absolute error",
    "max_error": "Largest error",
}
# As the evaluation's objectives.py has it; a test holds the two together.
LOWER_IS_BETTER = frozenset(
    {"mae", "mse", "rmse", "median_absolute_error", "max_error", "log_loss", "brier", "calibration_error"}
)
# Between 0 and 1 and better where greater: they can share an axis.
SCORES = (
    "accuracy", "balanced_accuracy", "f1", "f1_macro", "precision", "precision_macro", "recall", "recall_macro",
    "auc", "average_precision",
)  # fmt: skip
_SIGNIFICANT = 4
_NOTHING = 1e-12  # what is left of a subtraction of equal numbers
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def metric(name: str) -> str:
    """A metric's name as people write it."""
    return NAMES.get(name, name.replace("_", " "))


def decimals(value: float, low: float | None = None, high: float | None = None) -> int:
    """Decimals worth showing: two digits of the interval's width or, without one, four digits of the value.

    Three at least of what lies between -1 and 1, so that scores line up.
    """
    least = 3 if max(abs(end) for end in (value, low or 0.0, high or 0.0)) <= 1 else 0
    if low is not None and high is not None and high > low:
        wanted = 1 - math.floor(math.log10(high - low))
    elif abs(value) >= _NOTHING:
        wanted = _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))
        wanted = least if 0.1 <= abs(value) <= 1 else wanted
    else:
        wanted = least
    return min(max(wanted, least), 8)


def number(value: float | None, places: int | None = None, *, signed: bool = False) -> str:
    """A number with a real minus sign and commas between thousands; very great and small ones in powers of 10."""
    if value is None:
        return ""
    if isinstance(value, float) and abs(value) < _NOTHING:
        value = 0.0
    if isinstance(value, int) and places is None:
        text = f"{value:,}"
    elif value and not 1e-6 < abs(value) < 1e12:
        text = f"{value:.3e}"
    else:
        text = f"{value:,.{decimals(value) if places is None else places}f}"
    if signed and value > 0:
        text = f"+{text}"
    if not signed and not float(text.replace(",", "")):
        text = text.lstrip("-")  # what is rounded to 0 has no side
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{100 * share:.1f}%"


def between(low: float | None, high: float | None, places: int, *, signed: bool = False) -> str:
    """An interval; empty where there is none."""
    if low is None or high is None:
        return ""
    ends = number(low, places, signed=signed), number(high, places, signed=signed)
    return f"{ends[0]} to {ends[1]}" if MINUS in ends[0] or signed else f"{ends[0]}{DASH}{ends[1]}"


def confidence(share: float) -> str:
    """A confidence as per cent, such as `95%` or `99.5%`."""
    return f"{100 * share:.6g}%"


def estimate(value: float | None, interval: Mapping[str, Any] | None = None, *, signed: bool = False) -> Cell:
    """A value with its interval below it."""
    if value is None:
        return Cell("", numeric=True)
    ends = (interval or {}).get("low"), (interval or {}).get("high")
    places = decimals(value, *ends)
    return Cell(
        number(float(value), places, signed=signed), between(*ends, places, signed=signed), numeric=True
    )


def count(value: int) -> Cell:
    """A number of rows."""
    return Cell(number(value), numeric=True)


def opening(sentence: str) -> str:
    """With a capital."""
    return sentence[:1].upper() + sentence[1:]


def seconds(value: float | None) -> str:
    """A duration."""
    if value is None:
        return ""
    if value < 120:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

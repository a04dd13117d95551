"""Puts figures into the form of evaluation.json."""

import math
from collections.abc import Collection
from typing import Literal

from automl_evaluation.intervals import Estimate
from automl_evaluation.layout import INTERVAL_CONFIDENCE, Difference, Estimated, Interval, Objective
from automl_evaluation.metrics import LESS_IS_BETTER, NO_DIRECTION, Direction


def values(metrics: dict[str, Estimate]) -> dict[str, float]:
    """Metrics as plain numbers."""
    return {name: estimate.value for name, estimate in metrics.items()}


def intervals(metrics: dict[str, Estimate]) -> dict[str, Interval]:
    """The intervals of those metrics that have one."""
    return {name: interval for name, estimate in metrics.items() if (interval := interval_of(estimate))}


def interval_of(estimate: Estimate) -> Interval | None:
    """One interval."""
    ends = estimate.interval(INTERVAL_CONFIDENCE)
    return Interval(float(ends[0]), float(ends[1])) if ends and all(map(math.isfinite, ends)) else None


def estimated(estimate: Estimate) -> Estimated:
    """A value with its interval."""
    interval = interval_of(estimate)
    ends = (interval.low, interval.high) if interval else (None, None)
    return Estimated(estimate.value, *ends)


def differences(
    compared: dict[str, Estimate], confidence: float, less_is_better: Collection[str] = LESS_IS_BETTER
) -> dict[str, Difference]:
    """Differences with their verdicts, of every metric that has a better side."""
    return {
        name: _difference(estimate, confidence, -1 if name in less_is_better else 1)
        for name, estimate in compared.items()
        if name not in NO_DIRECTION
    }


def _difference(estimate: Estimate, confidence: float, sign: int) -> Difference:
    ends = estimate.interval(confidence)
    if ends is None:
        return Difference(estimate.value, None, None, "undecided")
    worst, best = sorted(sign * end for end in ends)
    verdict: Literal["better", "worse", "undecided"] = (
        "better" if worst > 0 else "worse" if best < 0 else "undecided"
    )
    return Difference(estimate.value, float(ends[0]), float(ends[1]), verdict)


def objective(name: str, metric: str, estimate: Estimate, validation_value: float | None) -> Objective:
    """The objective's entry."""
    figure = estimated(estimate)
    direction: Direction = "minimize" if metric in LESS_IS_BETTER else "maximize"
    return Objective(
        name,
        metric,
        direction,
        figure.value,
        figure.low,
        figure.high,
        validation_value,
    )

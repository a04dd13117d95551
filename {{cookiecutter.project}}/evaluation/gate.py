"""The gate: what a candidate has to reach on the holdout before it is registered.

Every condition of [gate] in automl.toml is judged by itself, with an outcome and a reason. One that is
configured and cannot be judged fails; only where there is nothing to compare with (no champion yet, a
baseline that no model can beat) is it skipped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from errors import EvaluationError
from intervals import Estimate
from layout import INTERVAL_CONFIDENCE, REASONS_LENGTH, Condition
from objectives import CONSTANT_IS_PERFECT, LOWER_IS_BETTER, gain

NO_BOUND = 1e12  # what [gate] minimum = -1e12 or maximum = 1e12 means, with which a rehearsal takes any model


@dataclass
class SliceValue:
    """The objective on one slice; ``value`` is none where it is undefined."""

    name: str
    rows: int
    small: bool
    value: float | None


@dataclass
class Facts:
    """What the gate judges.

    ``objective`` is Autopilot's name of the metric ``metric``; ``metrics`` are the candidate's, ``baseline``
    and ``champion`` its differences to these, each with its interval. ``champion_status`` is `none`,
    `compared`, `columns_changed` or `failed`; ``champion_value`` its objective, ``champion_reason`` why it
    was not compared. ``baseline_value`` is the baseline's objective.
    """

    objective: str
    metric: str
    rows: int
    metrics: dict[str, Estimate]
    baseline: dict[str, Estimate]
    baseline_name: str
    baseline_value: float | None = None
    champion: dict[str, Estimate] = field(default_factory=dict)
    champion_value: float | None = None
    champion_status: str = "none"
    champion_reason: str = ""
    slices: Sequence[SliceValue] = ()


Judge = Callable[[dict[str, Any], Facts], list[Condition]]


def judge(settings: dict[str, Any], threshold: float, facts: Facts) -> list[Condition]:
    """The outcome of every condition that is configured; ``threshold`` is the objective's bound."""
    found = [
        _bound(f"{facts.objective} on the holdout", facts.metrics.get(facts.metric), facts.metric, threshold)
    ]
    for condition in (_rows, _other_metrics, _baseline, _champion, _slices, _calibration):
        found += condition(settings, facts)
    return found


def check_side(settings: dict[str, Any], objective: str, metric: str) -> None:
    """Raise `EvaluationError` where the bound is on the wrong side of an objective that Autopilot inferred."""
    given, wanted = ("minimum", "maximum") if metric in LOWER_IS_BETTER else ("maximum", "minimum")
    if given in settings:
        better = "less" if wanted == "maximum" else "more"
        raise EvaluationError(
            f"[gate] {given} = {settings[given]:g} does not fit {objective}, which Autopilot chose and of which "
            f"{better} is better: use {wanted}"
        )


def decision(conditions: Sequence[Condition]) -> str:
    """`accept` where no condition failed, otherwise `reject`."""
    return "reject" if any(condition.outcome == "failed" for condition in conditions) else "accept"


def reasons(conditions: Sequence[Condition]) -> list[str]:
    """Why it was rejected, or everything that was found in order."""
    failed = [condition.reason for condition in conditions if condition.outcome == "failed"]
    return failed or [condition.reason for condition in conditions]


def in_one_line(sentences: Sequence[str]) -> str:
    """Reasons as one text of at most `REASONS_LENGTH` characters."""
    text = "; ".join(sentences)
    return text if len(text) <= REASONS_LENGTH else text[: REASONS_LENGTH - 3] + "..."


def number(value: float) -> str:
    """A figure in a sentence."""
    return f"{value:.4g}"


def _bound(what: str, estimate: Estimate | None, metric: str, bound: float) -> Condition:
    """A metric against its least or greatest value, whichever its direction asks for."""
    least = metric not in LOWER_IS_BETTER
    limit = f"{'minimum' if least else 'maximum'} of {number(bound)}"
    if estimate is None:
        return Condition(
            what, "failed", f"{what} could not be computed, so that the {limit} is not met", None, bound
        )
    good = estimate.value >= bound if least else estimate.value <= bound
    said = f"{what} is {_apart(estimate.value, bound)}{_between(estimate, INTERVAL_CONFIDENCE)}"
    side = "below" if least else "above"
    if abs(bound) >= NO_BOUND:
        return Condition(
            what, "passed" if good else "failed", f"{said}; no bound is set", estimate.value, bound
        )
    if good:
        return Condition(what, "passed", f"{said}, not {side} the {limit}", estimate.value, bound)
    return Condition(what, "failed", f"{said}, {side} the {limit}", estimate.value, bound)


def _apart(value: float, bound: float) -> str:
    """A figure with as many digits as tell it from its bound."""
    return next(
        (text for digits in range(4, 17) if float(text := f"{value:.{digits}g}") != bound or value == bound),
        repr(value),
    )


def _between(estimate: Estimate, confidence: float) -> str:
    interval = estimate.interval(confidence)
    return f" ({confidence:.0%} interval {number(interval[0])} to {number(interval[1])})" if interval else ""


def _rows(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    least = settings["minimum_rows"]
    enough = facts.rows >= least
    said = "at least" if enough else "fewer than"
    reason = f"the holdout has {facts.rows:,} rows, {said} the {least:,} that are asked for"
    return [Condition("rows of the holdout", "passed" if enough else "failed", reason, facts.rows, least)]


def _other_metrics(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    bounds = {**settings.get("minimums", {}), **settings.get("maximums", {})}
    return [
        _bound(f"{metric} on the holdout", facts.metrics.get(metric), metric, bound)
        for metric, bound in bounds.items()
    ]


def _baseline(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    if not settings["better_than_baseline"]:
        return []
    name = f"better than the baseline ({facts.baseline_name})"
    found, value = facts.baseline.get(facts.metric), facts.baseline_value
    if found is None or value is None:
        return [Condition(name, "failed", f"{facts.objective} of the baseline could not be computed")]
    scores = f"{facts.baseline_name} scores {number(value)}"
    if facts.metric in CONSTANT_IS_PERFECT and value == 1:
        reason = f"{scores} by {facts.objective}, which no model can better: bound precision or f1 as well"
        return [Condition(name, "skipped", reason)]
    return [_at_least(name, f"the baseline ({scores})", found, facts, 0.0, settings["confidence"])]


def _champion(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    if not settings["not_worse_than_champion"]:
        return []
    name = "not worse than the champion"
    if facts.champion_status == "none":
        return [Condition(name, "skipped", "there is no champion yet")]
    if facts.champion_status == "columns_changed":
        return [Condition(name, "skipped", f"the champion cannot be compared: {facts.champion_reason}")]
    found = facts.champion.get(facts.metric)
    if facts.champion_status == "failed" or found is None or facts.champion_value is None:
        reason = facts.champion_reason or f"{facts.objective} of the champion could not be computed"
        outcome = "skipped" if settings["champion_failure"] == "accept" else "failed"
        return [Condition(name, outcome, f"the champion could not be compared: {reason}")]
    allowed = _margin(settings["champion_margin"], facts.champion_value)
    return [_at_least(name, "the champion", found, facts, allowed, settings["confidence"])]


def _margin(margin: float | str, champion: float) -> float:
    """How much worse than the champion is allowed, from a number or a share of its value such as `5%`."""
    if isinstance(margin, str):
        return float(margin.rstrip("%")) / 100 * abs(champion)
    return margin


def _at_least(
    name: str, other: str, found: Estimate, facts: Facts, allowed: float, confidence: float
) -> Condition:
    """Whether the whole interval of a difference is better than minus what is allowed.

    Strictly better: with no margin an equal candidate does not pass. The interval's two sides together leave
    out 1 - confidence, the side that matters half of it.
    """
    interval = found.interval(confidence)
    if interval is None:
        return Condition(
            name, "failed", f"the difference to {other} in {facts.objective} has no interval: too few rows"
        )
    low, high = sorted(gain(facts.metric, end) for end in interval)
    bound = gain(facts.metric, -allowed) + 0.0  # as the difference is: positive for an error that may grow
    said = (
        f"{facts.objective} minus that of {other} is {number(found.value)} "
        f"({confidence:.0%} interval {number(interval[0])} to {number(interval[1])})"
    )
    wanted = f"no more than {number(allowed)} worse" if allowed else "better"
    if low > -allowed:
        return Condition(name, "passed", f"{said}: {wanted}", found.value, bound)
    doubt = "surely not" if high <= -allowed else "not surely"
    return Condition(name, "failed", f"{said}: {doubt} {wanted}", found.value, bound)


def _slices(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    bound = settings.get("worst_slice")
    if bound is None:
        return []
    name = f"{facts.objective} on the worst slice"
    judged = [found for found in facts.slices if not found.small]
    if not judged:
        return [Condition(name, "failed", f"{name}: no slice has enough rows to be judged by", None, bound)]
    undefined = [found for found in judged if found.value is None]
    if undefined:
        return [
            Condition(
                name,
                "failed",
                f"{facts.objective} is undefined on the slice {undefined[0].name}",
                None,
                bound,
            )
        ]
    worst = min(judged, key=lambda found: gain(facts.metric, found.value))
    return [_bound(f"{name} ({worst.name}, {worst.rows} rows)", Estimate(worst.value), facts.metric, bound)]


def _calibration(settings: dict[str, Any], facts: Facts) -> list[Condition]:
    bound = settings.get("maximum_calibration_error")
    if bound is None:
        return []
    return [_bound("calibration error", facts.metrics.get("calibration_error"), "calibration_error", bound)]

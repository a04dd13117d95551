"""What the gate judges, and how a condition judges it.

The conditions themselves are the project's, in its `evaluation/gate.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from automl_evaluation.errors import EvaluationError
from automl_evaluation.intervals import Estimate, Interval
from automl_evaluation.layout import INTERVAL_CONFIDENCE, REASONS_LENGTH, Condition, simultaneous
from automl_evaluation.metrics import METRICS, gain, named

NO_BOUND = 1e12  # what [gate] minimum = -1e12 or maximum = 1e12 means, with which a rehearsal takes any model


@dataclass
class SliceValue:
    """The objective on one slice; ``value`` is none where it is undefined, ``interval`` gives none where it has none.

    ``groups`` are those of its rows, where rows come in groups.
    """

    name: str
    rows: int
    small: bool
    value: float | None
    interval: Callable[[float], Interval | None] = field(default=lambda confidence: None)
    groups: int | None = None

    @property
    def size(self) -> str:
        """How many rows, and groups, in words."""
        return f"{self.rows:,} rows" + (f" of {self.groups:,} groups" if self.groups is not None else "")


@dataclass
class Evidence:
    """What the gate judges.

    ``objective`` is Autopilot's name of the metric ``metric``; ``metrics`` are the candidate's, ``baseline``
    and ``champion`` its differences to these, each with its interval. ``champion_status`` is `none`,
    `compared`, `columns_changed` or `failed`; ``champion_value`` its objective, ``champion_reason`` why it
    was not compared. ``baseline_value`` is the baseline's objective. ``groups`` are those of the holdout's rows,
    where rows come in groups. ``way_out`` is what may mend a figure no better than the baseline's, as a sentence.
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
    groups: int | None = None
    way_out: str = ""

    @property
    def label(self) -> str:
        """The objective as the report calls it."""
        return named(self.metric).label


def check_side(settings: dict[str, Any], objective: str, metric: str) -> None:
    """Raise `EvaluationError` where the bound is on the wrong side of an objective that Autopilot inferred."""
    given, wanted = ("minimum", "maximum") if METRICS[metric].less_is_better else ("maximum", "minimum")
    if given in settings:
        better = "less" if wanted == "maximum" else "more"
        raise EvaluationError(
            f"[gate] {given} = {settings[given]:g} does not fit {objective}, which Autopilot chose and of which "
            f"{better} is better: use {wanted}"
        )


def decision(conditions: Sequence[Condition]) -> Literal["accept", "reject"]:
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


def bounded(what: str, estimate: Estimate | None, metric: str, bound: float) -> Condition:
    """A metric of the evaluation's own against its least or greatest value, whichever its direction asks for."""
    return (at_most if METRICS[metric].less_is_better else at_least)(what, estimate, bound)


def at_least(what: str, estimate: Estimate | None, bound: float) -> Condition:
    """A figure against its minimum; ``what`` is its name in a sentence."""
    return _bounded(what, estimate, bound, least=True)


def at_most(what: str, estimate: Estimate | None, bound: float) -> Condition:
    """A figure against its maximum."""
    return _bounded(what, estimate, bound, least=False)


def _bounded(what: str, estimate: Estimate | None, bound: float, *, least: bool) -> Condition:
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
            what,
            "passed" if good else "failed",
            f"{said}; [gate] sets no real bound",
            estimate.value,
            bound,
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


def allowed_margin(margin: float | str, champion: float) -> float:
    """How much worse than the champion is allowed, from a number or a share of its value such as `5%`."""
    if isinstance(margin, str):
        return float(margin.rstrip("%")) / 100 * abs(champion)
    return margin


def surely_at_least(
    name: str,
    other: str,
    difference: Estimate,
    evidence: Evidence,
    allowed: float,
    confidence: float,
    way_out: str = "",
    margin: float | str = 0.0,
) -> Condition:
    """Whether the whole interval of a difference is better than minus what is allowed.

    Strictly better: with no margin an equal candidate does not pass. ``margin`` is the setting of which
    `allowed_margin` made ``allowed``: where it is a share of a champion's 0, an equal candidate passes. The
    interval's two sides together leave out 1 - confidence, the side that matters half of it. ``way_out`` follows the
    reason of a failure.
    """
    share = margin if isinstance(margin, str) and float(margin.rstrip("%")) > 0 else ""
    interval = difference.interval(confidence)
    if interval is None:
        return Condition(
            name,
            "failed",
            f"the difference to {other} in {evidence.label} has no interval: too few rows tell of it",
        )
    low, high = sorted(gain(evidence.metric, end) for end in interval)
    bound = gain(evidence.metric, -allowed) + 0.0  # as the difference is: positive for an error that may grow
    said = (
        f"{evidence.label} minus that of {other} is {number(difference.value)} "
        f"({confidence:.0%} interval {number(interval[0])} to {number(interval[1])})"
    )
    worse = f"more than {number(allowed)} worse" if allowed or share else ""
    if share:
        worse += f" ({share} of {other}'s {number(evidence.champion_value or 0.0)})"
    if low > -allowed or (share and low == -allowed):
        wanted = f"no {worse}" if worse else "better"
        return Condition(name, "passed", f"{said}: {wanted}", difference.value, bound)
    sure = high < -allowed or (high == -allowed and not share)
    if worse:
        doubt = f"{'surely' if sure else 'perhaps'} {worse}"
    else:
        doubt = "surely not better" if sure else "not surely better"
    told = f"{said}: {doubt}" + (f"; {way_out}" if way_out else "")
    return Condition(name, "failed", told, difference.value, bound)


def no_slice_surely_beyond(
    name: str, slices: Sequence[SliceValue], metric: str, bound: float, confidence: float
) -> Condition:
    """Whether no slice's interval lies wholly on the wrong side of the objective's least or greatest value.

    The intervals hold all together with ``confidence`` (`layout.simultaneous`), so that chance alone fails a model
    whose slices are all on the right side in at most 1 - ``confidence`` of cases, however many slices there are. A
    slice whose figure has no interval is judged by the figure.
    """
    each = simultaneous(confidence, len(slices))

    def best_end(one: SliceValue, value: float) -> float:
        return max(gain(metric, end) for end in one.interval(each) or (value, value))

    judged = [(one, one.value, best_end(one, one.value)) for one in slices if one.value is not None]
    limit = gain(metric, bound)
    beyond = [entry for entry in judged if entry[2] < limit]
    worst, value, _ = min(beyond or judged, key=lambda entry: gain(metric, entry[1]))
    less = METRICS[metric].less_is_better
    side, what = ("above", "maximum") if less else ("below", "minimum")
    ends = worst.interval(each)
    together = f" for all {len(slices)} slices together" if len(slices) > 1 else ""
    said = f"{name} ({worst.name}, {worst.size}) is {_apart(value, bound)}" + (
        f" ({confidence:.0%} interval{together} {number(ends[0])} to {number(ends[1])})" if ends else ""
    )
    if abs(bound) >= NO_BOUND:
        return Condition(
            name, "failed" if beyond else "passed", f"{said}; [gate] sets no real bound", value, bound
        )
    sure = "surely " if ends and (beyond or gain(metric, value) < limit) else ""
    verb = f", {'' if beyond else 'not '}{sure}{side} the {what} of {number(bound)}"
    return Condition(name, "failed" if beyond else "passed", said + verb, value, bound)

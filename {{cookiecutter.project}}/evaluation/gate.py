"""The gate: what a candidate has to reach on the holdout before it is registered.

Every condition of [gate] in automl.toml is judged by itself, with an outcome and a reason. One that is
configured and cannot be judged fails; it is skipped only where there is nothing to compare with (no champion
yet, a baseline that no model can beat). A condition of your own is one more function in `CONDITIONS`;
docs/change.md shows one.
"""

from typing import Any

from automl_evaluation.conditions import (
    Evidence,
    allowed_margin,
    at_least,
    at_most,
    bounded,
    no_slice_surely_beyond,
    number,
    surely_at_least,
)
from automl_evaluation.layout import Condition
from automl_evaluation.metrics import METRICS, named


def judge(settings: dict[str, Any], threshold: float, evidence: Evidence) -> list[Condition]:
    """The outcome of every condition that is configured; ``threshold`` is the objective's bound."""
    objective = evidence.metrics.get(evidence.metric)
    judged = [bounded(f"{evidence.label} on the holdout", objective, evidence.metric, threshold)]
    for condition in CONDITIONS:
        judged += condition(settings, evidence)
    return judged


def _rows(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    least = settings["minimum_rows"]
    enough = evidence.rows >= least
    said = "at least" if enough else "fewer than"
    groups = (
        f" (of {evidence.groups:,} groups, which intervals are of)" if evidence.groups is not None else ""
    )
    reason = f"the holdout has {evidence.rows:,} rows{groups}, {said} the {least:,} that are asked for"
    return [Condition("rows of the holdout", "passed" if enough else "failed", reason, evidence.rows, least)]


def _other_metrics(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    return [
        holds(f"{named(metric).label} on the holdout", evidence.metrics.get(metric), bound)
        for key, holds in (("minimums", at_least), ("maximums", at_most))
        for metric, bound in settings.get(key, {}).items()
    ]


def _baseline(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    if not settings["better_than_baseline"]:
        return []
    name = f"better than the baseline ({evidence.baseline_name})"
    found, value = evidence.baseline.get(evidence.metric), evidence.baseline_value
    if found is None or value is None:
        return [Condition(name, "failed", f"{evidence.label} of the baseline could not be computed")]
    scores = f"{evidence.baseline_name} scores {number(value)}"
    if METRICS[evidence.metric].constant_is_perfect and value == 1:
        reason = f"{scores} by {evidence.label}, which no model can better: bound precision or f1 as well"
        return [Condition(name, "skipped", reason)]
    other, confidence = f"the baseline ({scores})", settings["confidence"]
    return [surely_at_least(name, other, found, evidence, 0.0, confidence, evidence.way_out)]


def _champion(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    if not settings["not_worse_than_champion"]:
        return []
    name = "not worse than the champion"
    if evidence.champion_status == "none":
        return [Condition(name, "skipped", "there is no champion yet")]
    if evidence.champion_status == "columns_changed":
        return [Condition(name, "skipped", f"the champion cannot be compared: {evidence.champion_reason}")]
    found = evidence.champion.get(evidence.metric)
    if evidence.champion_status == "failed" or found is None or evidence.champion_value is None:
        reason = evidence.champion_reason or f"{evidence.label} of the champion could not be computed"
        said = f"the champion could not be compared: {reason}"
        return [Condition(name, "skipped" if settings["champion_failure"] == "accept" else "failed", said)]
    margin, confidence = settings["champion_margin"], settings["confidence"]
    allowed = allowed_margin(margin, evidence.champion_value)
    return [surely_at_least(name, "the champion", found, evidence, allowed, confidence, margin=margin)]


def _slices(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    bound = settings.get("worst_slice")
    if bound is None:
        return []
    name = f"{evidence.label} on the worst slice"
    judged = [found for found in evidence.slices if not found.small]
    if not judged:
        return [Condition(name, "failed", f"{name}: no slice has enough rows to be judged by", None, bound)]
    undefined = [found for found in judged if found.value is None]
    if undefined:
        return [
            Condition(
                name,
                "failed",
                f"{evidence.label} is undefined on the slice {undefined[0].name}",
                None,
                bound,
            )
        ]
    return [no_slice_surely_beyond(name, judged, evidence.metric, bound, settings["confidence"])]


def _calibration(settings: dict[str, Any], evidence: Evidence) -> list[Condition]:
    bound = settings.get("maximum_calibration_error")
    if bound is None:
        return []
    return [at_most(named("calibration_error").label, evidence.metrics.get("calibration_error"), bound)]


# In the order in which the report shows them.
CONDITIONS = (_rows, _other_metrics, _baseline, _champion, _slices, _calibration)

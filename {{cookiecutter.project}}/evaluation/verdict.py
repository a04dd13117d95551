"""From what the holdout says to evaluation.json: metrics, differences, slices, and the gate's decision."""

from collections.abc import Iterator, Sequence
from typing import Any

import gate
from assess_classes import Groups
from automl import Candidate
from document import differences, intervals, objective, values
from errors import EvaluationError
from holdout_classes import ClassHoldout
from holdout_numbers import NumberHoldout
from layout import Baseline, Champion, Evaluation, Slice, SliceSet
from objectives import metric_of
from settings import Settings

Holdout = ClassHoldout | NumberHoldout


def verdict(
    found: Candidate,
    holdout: Holdout,
    champion: Champion | None,
    containers: list[dict[str, Any]],
    outputs: list[str],
    settings: Settings,
    threshold: float,
) -> Evaluation:
    """Judge a holdout that has the candidate's predictions and, if ``champion`` says compared, the
    champion's.

    Raises `EvaluationError` where the objective metric is undefined.
    """
    metric, confidence = metric_of(found.objective), settings.gate["confidence"]
    groups = holdout.groups()
    candidate = groups["candidate"]
    if metric not in candidate:
        why = "; ".join(holdout.notes) or f"the model answers {', '.join(outputs)} alone"
        raise EvaluationError(f"the objective {found.objective} is undefined on this holdout: {why}")
    if champion and champion.status == "compared":
        champion.metrics, champion.intervals = values(groups["champion"]), intervals(groups["champion"])
        champion.differences = differences(groups["candidate - champion"], confidence)
        champion.curves = holdout.champion_curves()
    name, prediction = holdout.baseline(metric)
    baseline = values(groups["baseline"])
    slices = list(_slices(holdout, settings))
    facts = _facts(found.objective, holdout, groups, name, champion, slices)
    conditions = gate.judge(settings.gate, threshold, facts)
    reasons = gate.reasons(conditions)
    return Evaluation(
        decision=gate.decision(conditions),
        reasons=reasons,
        reasons_text=gate.in_one_line(reasons),
        problem_type=found.problem_type,
        objective=objective(found.objective, metric, candidate[metric], found.validation_value),
        rows=holdout.rows,
        metrics=values(candidate),
        intervals=intervals(candidate),
        containers=containers,
        outputs=outputs,
        automl_job=found.document(),
        gate=conditions,
        confidence=confidence,
        baseline=Baseline(
            name,
            prediction,
            baseline,
            differences(groups["candidate - baseline"], confidence),
            {one: holdout.baseline(one)[0] for one in baseline},
        ),
        champion=champion,
        dataset=settings.dataset,
        notes=holdout.notes,
        slices=slices,
        **holdout.description(),
    )


def _slices(holdout: Holdout, settings: Settings) -> Iterator[SliceSet]:
    """The metrics of each slice."""
    sets: dict[int, SliceSet] = {}
    for slicing, code, groups in holdout.slice_groups():
        found = sets.setdefault(id(slicing), SliceSet(slicing.column, slicing.kind, []))
        rows = int(slicing.mask(code).sum())
        entry = Slice(slicing.names[code], rows, rows < settings.minimum_slice_rows)
        if groups:
            entry.metrics, entry.intervals = values(groups["candidate"]), intervals(groups["candidate"])
            entry.champion = values(groups.get("champion", {}))
            entry.differences = differences(
                groups.get("candidate - champion", {}), settings.gate["confidence"]
            )
        found.slices.append(entry)
    yield from sets.values()


def _facts(
    objective_name: str,
    holdout: Holdout,
    groups: Groups,
    baseline: str,
    champion: Champion | None,
    slices: Sequence[SliceSet],
) -> gate.Facts:
    metric = metric_of(objective_name)
    return gate.Facts(
        objective=objective_name,
        metric=metric,
        rows=holdout.rows,
        metrics=groups["candidate"],
        baseline=groups["candidate - baseline"],
        baseline_name=baseline,
        baseline_value=groups["baseline"][metric].value if metric in groups["baseline"] else None,
        champion=groups.get("candidate - champion", {}),
        champion_value=champion.metrics.get(metric) if champion else None,
        champion_status=champion.status if champion else "none",
        champion_reason=champion.reason if champion else "",
        slices=[
            gate.SliceValue(f"{entry.column}: {item.name}", item.rows, item.small, item.metrics.get(metric))
            for entry in slices
            for item in entry.slices
        ],
    )

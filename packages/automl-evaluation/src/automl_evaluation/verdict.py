"""From what the holdout says to evaluation.json: metrics, differences, slices, and what the gate made of them."""

from collections.abc import Sequence
from typing import Any

from automl_evaluation.assess_classes import Groups
from automl_evaluation.automl import Candidate
from automl_evaluation.conditions import Evidence, SliceValue, decision, in_one_line
from automl_evaluation.conditions import reasons as reasons_of
from automl_evaluation.document import differences, intervals, objective, values
from automl_evaluation.errors import EvaluationError
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.holdout_numbers import NumberHoldout
from automl_evaluation.intervals import Estimate
from automl_evaluation.layout import (
    FEWEST_GROUPS,
    Baseline,
    Champion,
    Condition,
    Dataset,
    Evaluation,
    Grouping,
    Slice,
    SliceSet,
    simultaneous,
)
from automl_evaluation.metrics import LESS_IS_BETTER, metric_of, unnamed_positive
from automl_evaluation.settings import Settings
from automl_evaluation.typed import load

Holdout = ClassHoldout | NumberHoldout


def measured(
    best: Candidate,
    holdout: Holdout,
    champion: Champion | None,
    containers: list[dict[str, Any]],
    outputs: list[str],
    settings: Settings,
) -> tuple[Evaluation, Evidence]:
    """Measure a holdout that has the candidate's predictions and, if ``champion`` says compared, the champion's.

    The evaluation rejects the model until `decide` has been told what the gate says of the evidence. Raises
    `EvaluationError` where the objective metric is undefined.
    """
    metric, confidence = metric_of(best.objective), settings.gate["confidence"]
    less = _less_is_better(holdout)
    groups = holdout.groups()
    candidate = groups["candidate"]
    if metric not in candidate:
        why = "; ".join(holdout.notes) or f"the model answers {', '.join(outputs)} alone"
        raise EvaluationError(f"the objective {best.objective} is undefined on this holdout: {why}")
    if champion and champion.status == "compared":
        champion.metrics, champion.intervals = values(groups["champion"]), intervals(groups["champion"])
        champion.differences = differences(groups["candidate - champion"], confidence, less)
        champion.curves = holdout.champion_curves()
    name, prediction = holdout.baseline(metric)
    baseline = values(groups["baseline"])
    slices, judged = _slices(holdout, settings, metric)
    evidence = _evidence(best.objective, holdout, groups, name, champion, judged)
    evaluation = Evaluation(
        decision="reject",
        reasons=[],
        reasons_text="",
        problem_type=best.problem_type,
        objective=objective(best.objective, metric, candidate[metric], best.validation_value),
        rows=holdout.rows,
        metrics=values(candidate),
        intervals=intervals(candidate),
        containers=containers,
        outputs=outputs,
        automl_job=best.automl_job(),
        gate=[],
        confidence=confidence,
        baseline=Baseline(
            name,
            prediction,
            baseline,
            differences(groups["candidate - baseline"], confidence, less),
            {one: holdout.baseline(one)[0] for one in baseline},
        ),
        champion=champion,
        dataset=load(Dataset, settings.dataset, "dataset"),
        notes=holdout.notes,
        slices=slices,
        measures=[measure.declaration() for measure in holdout.measures],
        grouping=Grouping(holdout.clusters.number, settings.group) if holdout.clusters else None,
        **holdout.description(),
    )
    if evaluation.positive_class is not None and not settings.decision:
        way_out = unnamed_positive(metric, {one.label: one.support for one in evaluation.classes})
        evidence.way_out = f"automl.toml: [decision] {way_out}" if way_out else ""
    return evaluation, evidence


def decide(evaluation: Evaluation, conditions: list[Condition]) -> None:
    """Enter the gate's conditions, and what follows from them."""
    evaluation.gate, evaluation.decision = conditions, decision(conditions)
    evaluation.reasons = reasons_of(conditions)
    evaluation.reasons_text = in_one_line(evaluation.reasons)


def _less_is_better(holdout: Holdout) -> frozenset[str]:
    return LESS_IS_BETTER.union(measure.name for measure in holdout.measures if measure.less_is_better)


def _slices(holdout: Holdout, settings: Settings, metric: str) -> tuple[list[SliceSet], list[SliceValue]]:
    """The metrics of each slice, and the objective ``metric`` for the gate.

    Differences have intervals that hold for all slices that are judged together.
    """
    sets: dict[int, SliceSet] = {}
    of_objective: list[SliceValue] = []
    to_compare: list[tuple[Slice, dict[str, Estimate]]] = []
    for slicing, code, groups in holdout.slice_groups():
        of_column = sets.setdefault(id(slicing), SliceSet(slicing.column, slicing.kind, []))
        mask = slicing.mask(code)
        entry = Slice(slicing.names[code], int(mask.sum()), small=False)
        entry.small = entry.rows < settings.minimum_slice_rows
        if holdout.clusters:
            entry.groups = holdout.clusters.of(mask).number
            entry.small = entry.small or entry.groups < FEWEST_GROUPS
        figures = groups["candidate"] if groups else {}
        if groups:
            entry.metrics, entry.intervals = values(figures), intervals(figures)
            entry.champion = values(groups.get("champion", {}))
            to_compare.append((entry, groups.get("candidate - champion", {})))
        of_column.slices.append(entry)
        name = f"{slicing.column}: {entry.name}"
        value = SliceValue(name, entry.rows, entry.small, entry.metrics.get(metric), groups=entry.groups)
        if metric in figures:
            value.interval = figures[metric].interval
        of_objective.append(value)
    confidence = simultaneous(settings.gate["confidence"], sum(not value.small for value in of_objective))
    less = _less_is_better(holdout)
    for entry, difference in to_compare:
        entry.differences = differences(difference, confidence, less)
    return list(sets.values()), of_objective


def _evidence(
    objective_name: str,
    holdout: Holdout,
    groups: Groups,
    baseline: str,
    champion: Champion | None,
    slices: Sequence[SliceValue],
) -> Evidence:
    metric = metric_of(objective_name)
    return Evidence(
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
        slices=slices,
        groups=holdout.clusters.number if holdout.clusters else None,
    )

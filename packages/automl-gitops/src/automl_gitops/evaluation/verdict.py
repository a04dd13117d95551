"""From what the holdout says to evaluation.json: metrics, differences, slices, and what the gate made of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from automl_gitops.evaluation.assess_classes import Groups
from automl_gitops.evaluation.automl import Candidate
from automl_gitops.evaluation.conditions import Evidence, SliceValue, decision, in_one_line
from automl_gitops.evaluation.conditions import reasons as reasons_of
from automl_gitops.evaluation.document import differences, intervals, objective, values
from automl_gitops.evaluation.errors import EvaluationError
from automl_gitops.evaluation.holdout_classes import ClassHoldout
from automl_gitops.evaluation.holdout_numbers import NumberHoldout
from automl_gitops.evaluation.layout import (
    Baseline,
    Champion,
    Condition,
    Dataset,
    Evaluation,
    Slice,
    SliceSet,
)
from automl_gitops.evaluation.metrics import LESS_IS_BETTER, metric_of
from automl_gitops.evaluation.settings import Settings
from automl_gitops.evaluation.typed import load

Holdout = ClassHoldout | NumberHoldout


def measured(
    found: Candidate,
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
    metric, confidence = metric_of(found.objective), settings.gate["confidence"]
    less = _less_is_better(holdout)
    groups = holdout.groups()
    candidate = groups["candidate"]
    if metric not in candidate:
        why = "; ".join(holdout.notes) or f"the model answers {', '.join(outputs)} alone"
        raise EvaluationError(f"the objective {found.objective} is undefined on this holdout: {why}")
    if champion and champion.status == "compared":
        champion.metrics, champion.intervals = values(groups["champion"]), intervals(groups["champion"])
        champion.differences = differences(groups["candidate - champion"], confidence, less)
        champion.curves = holdout.champion_curves()
    name, prediction = holdout.baseline(metric)
    baseline = values(groups["baseline"])
    slices = list(_slices(holdout, settings))
    evidence = _evidence(found.objective, holdout, groups, name, champion, slices)
    evaluation = Evaluation(
        decision="reject",
        reasons=[],
        reasons_text="",
        problem_type=found.problem_type,
        objective=objective(found.objective, metric, candidate[metric], found.validation_value),
        rows=holdout.rows,
        metrics=values(candidate),
        intervals=intervals(candidate),
        containers=containers,
        outputs=outputs,
        automl_job=found.automl_job(),
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
        **holdout.description(),
    )
    return evaluation, evidence


def decide(evaluation: Evaluation, conditions: list[Condition]) -> None:
    """Enter the gate's conditions, and what follows from them."""
    evaluation.gate, evaluation.decision = conditions, decision(conditions)
    evaluation.reasons = reasons_of(conditions)
    evaluation.reasons_text = in_one_line(evaluation.reasons)


def _less_is_better(holdout: Holdout) -> frozenset[str]:
    return LESS_IS_BETTER.union(measure.name for measure in holdout.measures if measure.less_is_better)


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
                groups.get("candidate - champion", {}), settings.gate["confidence"], _less_is_better(holdout)
            )
        found.slices.append(entry)
    yield from sets.values()


def _evidence(
    objective_name: str,
    holdout: Holdout,
    groups: Groups,
    baseline: str,
    champion: Champion | None,
    slices: Sequence[SliceSet],
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
        slices=[
            SliceValue(f"{entry.column}: {item.name}", item.rows, item.small, item.metrics.get(metric))
            for entry in slices
            for item in entry.slices
        ],
    )

"""model_card.json: the content of the model package's card in the registry.

The shape is the "Model package model card schema" of the Amazon SageMaker Developer Guide; texts have its
lengths, and the whole stays below the 100,000 characters that CreateModelPackage takes.
"""

from typing import Any

from automl_evaluation.layout import (
    INTERVAL_CONFIDENCE,
    Confusion,
    Evaluation,
    Importance,
    Interval,
    Objective,
)

TEXT, LONG_TEXT, OBSERVATION, NAME, VALUE = 1024, 2048, 2096, 255, 63
MOST_MATRIX, MOST_METRICS, MOST_SLICES, MOST_FEATURES = 20, 50, 40, 30


def model_card(evaluation: Evaluation, description: str, inputs_uri: str) -> dict[str, Any]:
    """The card from evaluation.json, the project's description and where the holdout's inputs lie."""
    dataset, job = evaluation.dataset, evaluation.automl_job
    return {
        "model_overview": {
            "model_creator": "Amazon SageMaker Autopilot",
            "model_artifact": [
                container["ModelDataUrl"][:TEXT]
                for container in evaluation.containers
                if "ModelDataUrl" in container
            ],
        },
        "intended_uses": {
            "purpose_of_model": description[:LONG_TEXT],
            "intended_uses": f"Predicts {dataset.target} from {len(dataset.columns) - 1} columns."[
                :LONG_TEXT
            ],
            "risk_rating": "Unknown",
        },
        "business_details": {"business_problem": description[:LONG_TEXT]},
        "training_details": {
            "objective_function": _objective(evaluation.objective),
            "training_observations": f"Candidate {job.best_candidate} of Autopilot job {job.name}."[:TEXT],
            "training_job_details": _training(evaluation),
        },
        "evaluation_details": [_holdout(evaluation, inputs_uri), *_others(evaluation)],
        "additional_information": {
            "caveats_and_recommendations": _caveats(evaluation)[:LONG_TEXT],
            "custom_details": {
                "data set": f"{dataset.name}{' (synthetic)' if dataset.synthetic else ''}"[:TEXT],
                "data set sha256": dataset.sha256,
                "decision": evaluation.decision,
            },
        },
    }


def _objective(objective: Objective) -> dict[str, Any]:
    direction = "Maximize" if objective.direction == "maximize" else "Minimize"
    return {
        "function": {"function": direction, "facet": objective.name[:VALUE]},
        "notes": "Autopilot's objective metric",
    }


def _training(evaluation: Evaluation) -> dict[str, Any]:
    objective, job = evaluation.objective, evaluation.automl_job
    details: dict[str, Any] = {
        "training_arn": job.arn,
        "training_environment": {
            "container_image": [container["Image"] for container in evaluation.containers]
        },
    }
    if objective.validation_value is not None:
        value = {"name": f"{objective.name} (validation)", "value": objective.validation_value}
        details["training_metrics"] = [value]
    return details


def _holdout(evaluation: Evaluation, inputs_uri: str) -> dict[str, Any]:
    """The evaluation on all rows."""
    groups = [{"name": "Metrics", "metric_data": _numbers(evaluation.metrics, evaluation.intervals)}]
    confusion = evaluation.confusion or Confusion()
    if 0 < len(confusion.labels or []) <= MOST_MATRIX:
        labels = [label[:VALUE] for label in confusion.labels or []]
        matrix = {"name": "Rows by truth and prediction", "type": "matrix", "value": confusion.rows}
        groups.append(
            {
                "name": "Confusion matrix",
                "metric_data": [matrix | {"x_axis_name": labels, "y_axis_name": labels}],
            }
        )
    for curve in evaluation.curves[:MOST_MATRIX]:
        points = [
            list(point)
            for point in zip(curve.roc.false_positive_rate, curve.roc.true_positive_rate, strict=True)
        ]
        graph = {
            "name": f"ROC curve of {curve.label}"[:NAME],
            "type": "linear_graph",
            "value": points[::4] + points[-1:],
        }
        groups.append(
            {
                "name": f"ROC curve of {curve.label}"[:VALUE],
                "metric_data": [
                    graph | {"x_axis_name": "false positive rate", "y_axis_name": "true positive rate"}
                ],
            }
        )
    return {
        "name": "Holdout",
        "evaluation_observation": evaluation.reasons_text[:OBSERVATION],
        "datasets": [inputs_uri[:TEXT]],
        "metadata": {"rows": str(evaluation.rows), "problem_type": evaluation.problem_type},
        "metric_groups": groups,
    }


def _others(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Baseline, champion, slices and importance, as far as there are any."""
    others = [_detail("Baseline", evaluation.baseline.name, _numbers(evaluation.baseline.metrics, {}))]
    champion = evaluation.champion
    if champion:
        metrics = _numbers(champion.metrics, champion.intervals)
        others.append(
            _detail(
                "Champion",
                f"{champion.model_package_arn}: {champion.status}. {champion.reason}",
                metrics,
            )
        )
    metric = evaluation.objective.metric
    slices = [
        {
            "name": f"{entry.column}: {item.name}"[:NAME],
            "type": "number",
            "value": item.metrics[metric],
            "notes": f"{item.rows} rows",
        }
        for entry in evaluation.slices
        for item in entry.slices
        if metric in item.metrics and not item.small
    ]
    if slices:
        others.append(_detail("Slices", f"{evaluation.objective.name} by slice", slices[:MOST_SLICES]))
    importance = evaluation.importance
    features = [
        {"name": feature.name[:NAME], "type": "number", "value": feature.value}
        for feature in (importance.features[:MOST_FEATURES] if importance else [])
    ]
    if isinstance(importance, Importance) and features:
        others.append(
            _detail("Importance of columns", f"{importance.metric} ({importance.source})", features)
        )
    return others


def _detail(name: str, observation: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    detail: dict[str, Any] = {"name": name, "evaluation_observation": observation[:OBSERVATION]}
    return detail | ({"metric_groups": [{"name": name, "metric_data": metrics}]} if metrics else {})


def _numbers(metrics: dict[str, float], intervals: dict[str, Interval]) -> list[dict[str, Any]]:
    entries = []
    for name, value in list(metrics.items())[:MOST_METRICS]:
        entry: dict[str, Any] = {"name": name, "type": "number", "value": value}
        if name in intervals:
            entry["notes"] = (
                f"{INTERVAL_CONFIDENCE:.0%} interval {intervals[name].low:.6g} to {intervals[name].high:.6g}"
            )
        entries.append(entry)
    return entries


def _caveats(evaluation: Evaluation) -> str:
    small = [
        f"{entry.column}: {item.name}" for entry in evaluation.slices for item in entry.slices if item.small
    ]
    said = [*evaluation.notes, *([evaluation.grouping.said.rstrip(".")] if evaluation.grouping else [])]
    if evaluation.dataset.synthetic:
        said.append("the data set is synthetic: the figures say nothing about real data")
    if small:
        said.append(f"too few rows to judge by: {', '.join(small)}")
    return "; ".join(said) or "None noted."

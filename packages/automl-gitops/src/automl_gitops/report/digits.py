"""How many decimals the figures of an evaluation have: one number for what stands in one column or row together."""

from collections.abc import Iterator, Mapping
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.report import words

Figure = tuple[float, Mapping[str, Any]]


def by_metric(evaluation: Mapping[str, Any]) -> dict[str, int]:
    """Decimals by metric: the same for all scores, its own for each that has the target's unit."""
    metrics = [*evaluation["metrics"]]
    scores = [metric for metric in metrics if not named(metric).in_units]
    shared = words.places(figure for metric in scores for figure in _figures(evaluation, metric))
    return {
        metric: words.places(_figures(evaluation, metric)) if named(metric).in_units else shared
        for metric in metrics
    }


def _figures(evaluation: Mapping[str, Any], metric: str) -> Iterator[Figure]:
    """A metric's values and differences, each with its interval."""
    for model in (evaluation, evaluation["champion"] or {}, evaluation["baseline"]):
        if metric in model.get("metrics", {}):
            yield model["metrics"][metric], model.get("intervals", {}).get(metric, {})
        found = model.get("differences", {}).get(metric)
        if found:
            yield found["value"], found


def of_slices(found: Mapping[str, Any], metric: str) -> int:
    """Of a metric on the slices of one entry."""
    figures: list[Figure] = []
    for part in found["slices"]:
        if metric in part["metrics"]:
            figures.append((part["metrics"][metric], part["intervals"].get(metric, {})))
        if metric in part["differences"]:
            figures.append((part["differences"][metric]["value"], part["differences"][metric]))
    return words.places(figures)

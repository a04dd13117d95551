"""Which columns the predictions rest on."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Section, Table, Text

_MOST_BARS, _MOST_ROWS = 15, 100


def section(evaluation: Mapping[str, Any]) -> Section:
    """The chart of the most important columns with the table of more, or the reason why there is none."""
    importance = evaluation["importance"] or {}
    features = importance.get("features") or []
    if not features:
        reason = importance.get("reason") or "it was not computed"
        return Section("importance", "Importance", [Text(f"There is no importance of columns: {reason}.")])
    blocks: list[Block] = [Text(_explained(importance))]
    names = [feature["name"] for feature in features[:3]]
    blocks.append(
        Chart(
            "Most important columns",
            f"Most important of {len(features)} columns: {', '.join(names)}.",
            charts.bars(
                [feature | {"label": feature["name"]} for feature in features[:_MOST_BARS]], _axis(importance)
            ),
            _table(features),
        )
    )
    return Section("importance", "Importance", blocks, closed=True)


def _axis(importance: Mapping[str, Any]) -> str:
    if importance["source"] == "autopilot":
        return str(importance["metric"])
    return f"loss of {named(importance['metric']).label}"


def _explained(importance: Mapping[str, Any]) -> str:
    if importance["source"] == "autopilot":
        return "Autopilot's own report: mean absolute Shapley values."
    return (
        f"How much of {named(importance['metric']).label} is lost when a column's values are exchanged between "
        f"{words.number(importance['rows'])} rows of the holdout, with 95% intervals."
    )


def _table(features: list[dict[str, Any]]) -> Table:
    greatest = max((feature["value"] for feature in features), default=0) or 1
    places = words.places((feature["value"], feature) for feature in features)
    rows = [[Cell(feature["name"]), _value(feature, greatest, places)] for feature in features[:_MOST_ROWS]]
    return Table("Importance of columns", ["Column", "Importance"], rows, frozenset({"Importance"}))


def _value(feature: Mapping[str, Any], greatest: float, places: int) -> Cell:
    cell = words.estimate(feature["value"], feature, places)
    return Cell(
        cell.text, cell.more, numeric=True, bar=max(feature["value"] / greatest, 0.0) if greatest > 0 else 0.0
    )

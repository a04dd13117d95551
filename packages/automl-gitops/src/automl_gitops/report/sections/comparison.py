"""Candidate against champion and baseline, metric by metric, on the same rows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl_gitops.evaluation.metrics import METRICS, named
from automl_gitops.report import charts, digits, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Section, Table, Text
from automl_gitops.report.sections.decision import difference, of_differences

_MOST_NAMES = 10
# Between 0 and 1 and better where greater, so that they can share an axis; means weighted by class hide rare classes.
_SCORES = frozenset(
    name
    for name, metric in METRICS.items()
    if metric.direction == "maximize"
    and (metric.least, metric.most) == (0, 1)
    and not name.endswith("_weighted")
)


def section(evaluation: Mapping[str, Any]) -> Section:
    """All metrics with their intervals, and a chart of those that share an axis."""
    champion = evaluation["champion"]
    compared = bool(champion) and champion["status"] == "compared"
    blocks: list[Block] = [_introduction(evaluation)]
    if compared and champion["same_dataset"] is False:
        blocks.append(
            Text(
                "The champion was trained on another data set, perhaps on some rows of today's holdout: it may look "
                "better here than it is.",
                notice=True,
            )
        )
    table = _table(evaluation, champion if compared else None)
    chart = _chart(evaluation, champion if compared else None)
    title = "Candidate against champion" if champion else "Candidate against baseline"
    return Section("comparison", title, [*blocks, Group([chart, table]) if chart else table])


def _introduction(evaluation: Mapping[str, Any]) -> Text:
    champion, against = evaluation["champion"], _baseline(evaluation)
    rows = words.number(evaluation["rows"])
    if not champion:
        return Text(f"Nothing is in production yet. {against}")
    name = f"the champion (version {champion['model_package_arn'].rpartition('/')[2]})"
    if champion["status"] != "compared":
        return Text(
            f"{name[0].upper()}{name[1:]} could not be compared: {champion['reason']}. {against}", notice=True
        )
    return Text(
        f"Candidate and {name} predicted the same {rows} rows. A difference is called better or worse where "
        f"its whole {words.confidence(evaluation['confidence'])} interval is on that side of 0."
        f"{_unknown(champion)} {against}"
    )


def _baseline(evaluation: Mapping[str, Any]) -> str:
    """What the baseline is."""
    baseline, metric = evaluation["baseline"], evaluation["objective"]["metric"]
    prediction, value = baseline["prediction"], baseline["metrics"].get(metric)
    said = baseline["name"]
    if isinstance(prediction, float):
        said += f", {words.number(prediction)}"
    if not baseline.get("names"):  # of an evaluation that had one baseline for every metric
        constant = said if isinstance(prediction, float) else words.quoted(prediction)
        return f"The baseline predicts {constant} for every row."
    scores = (
        f", which scores {words.number(value, digits.by_metric(evaluation)[metric])}"
        if value is not None
        else ""
    )
    return (
        f"The baseline is the best constant answer by each metric: for {named(metric).label}, the objective, "
        f"{said}{scores}."
    )


def _unknown(champion: Mapping[str, Any]) -> str:
    """Today's columns that the champion does not read."""
    names = champion["columns"].get("added") or []
    shown = [
        *names[:_MOST_NAMES],
        *([f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []),
    ]
    return f" The champion does not read the columns added since: {', '.join(shown)}." if names else ""


def _table(evaluation: Mapping[str, Any], champion: Mapping[str, Any] | None) -> Table:
    other = champion or evaluation["baseline"]
    names = ["Candidate", *(["Champion"] if champion else []), "Difference", "Baseline"]
    if not champion:
        names = ["Candidate", "Difference", "Baseline"]
    rows, decimals = [], digits.by_metric(evaluation)
    for metric in _order(evaluation):
        value, places = evaluation["metrics"][metric], decimals[metric]
        row = [_name(metric, evaluation)]
        row.append(words.estimate(value, evaluation["intervals"].get(metric), places))
        if champion:
            ends = champion["intervals"].get(metric)
            row.append(words.estimate(champion["metrics"].get(metric), ends, places))
        row.append(difference(other["differences"].get(metric), places))
        row.append(_constant(evaluation["baseline"], metric, evaluation["objective"]["metric"], places))
        rows.append(row)
    caption = f"Metrics on the holdout, with 95% intervals{of_differences(evaluation)}"
    return Table(caption, ["Metric", *names], rows, frozenset(names))


def _constant(baseline: Mapping[str, Any], metric: str, objective: str, places: int) -> Cell:
    """The baseline's value, with what it answers where that is not the objective's best answer."""
    cell, names = words.estimate(baseline["metrics"].get(metric), places=places), baseline.get("names", {})
    said = names.get(metric, "") if names.get(metric) != names.get(objective) else ""
    return replace(cell, more=said)


def _order(evaluation: Mapping[str, Any]) -> list[str]:
    """The metrics, the objective first."""
    objective = evaluation["objective"]["metric"]
    return sorted(evaluation["metrics"], key=lambda metric: metric != objective)


def _charted(evaluation: Mapping[str, Any]) -> list[str]:
    """The scores of the chart; of two classes those of the positive one stand for the means over classes."""
    binary = "f1" in evaluation["metrics"]
    objective = evaluation["objective"]["metric"]
    return [
        metric
        for metric in _order(evaluation)
        if metric in _SCORES and metric in evaluation["intervals"]
        if not (binary and metric.endswith("_macro") and metric != objective)
    ]


def _name(metric: str, evaluation: Mapping[str, Any]) -> Cell:
    own = {one["name"]: one["direction"] == "minimize" for one in evaluation.get("measures", [])}
    said = [
        *(["the objective"] if metric == evaluation["objective"]["metric"] else []),
        *(["lower is better"] if own.get(metric, named(metric).less_is_better) else []),
    ]
    return Cell(named(metric).label, ", ".join(said))


def _chart(evaluation: Mapping[str, Any], champion: Mapping[str, Any] | None) -> Chart | None:
    models = {
        "Candidate": evaluation,
        **({"Champion": champion} if champion else {"Baseline": evaluation["baseline"]}),
    }
    rows = [
        {"label": named(metric).label, "model": name, "value": model["metrics"][metric]}
        | model.get("intervals", {}).get(metric, {})
        for metric in _charted(evaluation)
        for name, model in models.items()
        if metric in model["metrics"]
    ]
    if rows:
        return Chart(
            "Scores with 95% intervals",
            _said(evaluation, champion),
            charts.intervals(rows, list(models), "greater is better"),
        )
    if not champion:
        return None
    relative = [_relative(metric, found, champion) for metric, found in champion["differences"].items()]
    rows = [row for row in relative if row]
    return Chart(
        "Errors of the candidate relative to the champion's",
        _said(evaluation, champion),
        charts.intervals(rows, ["Candidate"], "per cent of the champion's, less than 0 is better", at=0),
    )


def _relative(metric: str, found: Mapping[str, Any], champion: Mapping[str, Any]) -> dict[str, Any] | None:
    scale = champion["metrics"].get(metric)
    if not named(metric).in_units or not scale:
        return None
    ends = {end: 100 * found[end] / scale for end in ("low", "high") if found[end] is not None}
    return {
        "label": named(metric).label,
        "model": "Candidate",
        "value": 100 * found["value"] / scale,
        **ends,
    }


def _said(evaluation: Mapping[str, Any], champion: Mapping[str, Any] | None) -> str:
    metric = evaluation["objective"]["metric"]
    places = digits.by_metric(evaluation)[metric]
    text = f"{named(metric).label}, the objective: candidate {words.number(evaluation['metrics'][metric], places)}"
    if champion and metric in champion["metrics"]:
        text += f", champion {words.number(champion['metrics'][metric], places)}"
    if metric in evaluation["baseline"]["metrics"]:
        text += f", baseline {words.number(evaluation['baseline']['metrics'][metric], places)}"
    return f"{text}. All values are in the table."

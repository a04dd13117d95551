"""The objective on each slice of the holdout."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.report import charts, digits, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Section, Table
from automl_gitops.report.sections.decision import difference, of_differences


def section(evaluation: Mapping[str, Any]) -> Section | None:
    """A chart and a table for each entry of [evaluation] slices."""
    blocks: list[Block] = []
    for found in evaluation["slices"]:
        table, chart = _table(evaluation, found), _chart(evaluation, found)
        blocks.append(Group([chart, table]) if chart else table)
    return Section("slices", "Slices", blocks, closed=True) if blocks else None


def _table(evaluation: Mapping[str, Any], found: Mapping[str, Any]) -> Table:
    metric = evaluation["objective"]["metric"]
    compared = any(metric in part["champion"] for part in found["slices"])
    numeric = ["Rows", named(metric).label, *(["Champion", "Difference"] if compared else [])]
    rows, places = [], digits.of_slices(found, metric)
    for part in found["slices"]:
        row = [Cell(part["name"], "few rows: not judged" if part["small"] else ""), words.count(part["rows"])]
        row.append(words.estimate(part["metrics"].get(metric), part["intervals"].get(metric), places))
        if compared:
            row.append(words.estimate(part["champion"].get(metric), places=places))
            row.append(difference(part["differences"].get(metric), places))
        rows.append(row)
    kind = {"bands": "bands of", "one-hot": "groups of"}.get(found["kind"], "values of")
    said = f"with 95% intervals{of_differences(evaluation) if compared else ''}"
    caption = f"{named(metric).label} by {kind} {found['column']}, {said}"
    return Table(caption, ["Slice", *numeric], rows, frozenset(numeric))


def _chart(evaluation: Mapping[str, Any], found: Mapping[str, Any]) -> Chart | None:
    metric = evaluation["objective"]["metric"]
    measured = named(metric)
    judged = [part for part in found["slices"] if metric in part["metrics"]]
    if not judged:
        return None
    compared = any(metric in part["champion"] for part in judged)
    rows = []
    for part in judged:
        label = part["name"] + (" (few rows)" if part["small"] else "")
        ends = part["intervals"].get(metric, {})
        rows.append({"label": label, "model": "Candidate", "value": part["metrics"][metric], **ends})
        if metric in part["champion"]:
            rows.append({"label": label, "model": "Champion", "value": part["champion"][metric]})
    places = digits.of_slices(found, metric)
    worst = (max if measured.less_is_better else min)(judged, key=lambda part: part["metrics"][metric])
    return Chart(
        f"{measured.label} by {found['column']}",
        f"{measured.label} is worst, {words.number(worst['metrics'][metric], places)}, for "
        f"{words.quoted(worst['name'])} ({words.number(worst['rows'])} rows); on the whole holdout it is "
        f"{words.number(evaluation['objective']['value'], places)} (dashed line).",
        charts.intervals(
            rows,
            ["Candidate", "Champion"] if compared else ["Candidate"],
            measured.label,
            at=evaluation["objective"]["value"],
        ),
    )

"""Where the candidate errs: the confusion matrix and the classes, or the residuals."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Matrix, Section, Table, Text

_MOST_ROWS = 50
_MOST_SIDE_BY_SIDE = 5


def section(evaluation: Mapping[str, Any]) -> Section:
    """Of a classification or a regression."""
    if evaluation["residuals"]:
        return Section("errors", "Residuals", _residuals(evaluation["residuals"]))
    tables = [*_confusion(evaluation["confusion"] or {}), _classes(evaluation)]
    side_by_side = len(evaluation["classes"]) <= _MOST_SIDE_BY_SIDE
    return Section("errors", "Where it errs", [Group(tables)] if side_by_side else tables)


def _confusion(confusion: Mapping[str, Any]) -> list[Block]:
    if confusion.get("rows"):
        return [Matrix("Confusion matrix: rows of the holdout", confusion["labels"], confusion["rows"])]
    if not confusion.get("errors"):
        return []
    rows = [
        [Cell(error["truth"]), Cell(error["prediction"]), words.count(error["rows"])]
        for error in confusion["errors"][:_MOST_ROWS]
    ]
    return [Table("Most frequent errors", ["Truth", "Prediction", "Rows"], rows, frozenset({"Rows"}))]


def _classes(evaluation: Mapping[str, Any]) -> Table:
    names = ["Rows", "Predicted", "Precision", "Recall", "F1"]
    with_area = any("auc" in entry for entry in evaluation["classes"])
    names += ["Area under ROC"] if with_area else []
    entries = sorted(evaluation["classes"], key=lambda entry: -entry["support"])
    by_label = {entry["label"]: entry for entry in entries[:_MOST_ROWS]}
    scores = ("precision", "recall", "f1", "auc")
    places = words.places(
        (entry[name]["value"], entry[name]) for entry in by_label.values() for name in scores if name in entry
    )
    rows = []
    for label in words.natural(by_label):
        entry = by_label[label]
        positive = "positive class" if entry["label"] == evaluation["positive_class"] else ""
        row = [Cell(entry["label"], positive), words.count(entry["support"]), words.count(entry["predicted"])]
        row += [
            words.estimate(entry[name]["value"], entry[name], places)
            for name in ("precision", "recall", "f1")
        ]
        if with_area:
            area = entry.get("auc")
            row.append(words.estimate(area["value"], area, places) if area else Cell(""))
        rows.append(row)
    more = len(entries) - len(rows)
    caption = f"Classes, with 95% intervals{f'; {more} rarer ones are left out' if more > 0 else ''}"
    return Table(caption, ["Class", *names], rows, frozenset(names))


def _residuals(residuals: Mapping[str, Any]) -> list[Block]:
    quantiles = {float(share): value for share, value in residuals["quantiles"].items()}
    places = words.decimals(quantiles[0.5], quantiles[0.05], quantiles[0.95], digits=3)
    shown = {share: words.number(value, places) for share, value in quantiles.items()}
    table = Table(
        "Quantiles of the error (prediction minus truth)",
        ["Share of the rows below", "Error"],
        [[Cell(words.percent(share)), Cell(value, numeric=True)] for share, value in shown.items()],
        frozenset({"Error"}),
    )
    return [
        Text(
            f"Half of the errors lie between {shown[0.25]} and {shown[0.75]}, "
            f"nine of ten between {shown[0.05]} and {shown[0.95]}."
        ),
        Group([_bands(residuals["bands"]), _histogram(residuals["histogram"])]),
        table,
    ]


def _bands(bands: list[dict[str, Any]]) -> Chart:
    rows = [
        {"x": band["predicted"], "y": band["actual"], "low": band["low"], "high": band["high"]}
        for band in bands
    ]
    every = [value for row in rows for value in row.values()]
    room = 0.05 * (max(every) - min(every))
    names = ["Rows", "Truth, mean", "Truth, lower 10%", "Truth, upper 10%"]
    places = words.places((value, {}) for value in every)
    data = [
        [Cell(words.number(float(band["predicted"]), places)), words.count(band["rows"])]
        + [Cell(words.number(float(band[name]), places), numeric=True) for name in ("actual", "low", "high")]
        for band in bands
    ]
    return Chart(
        "Truth against prediction",
        f"Mean truth in {len(bands)} bands of predictions, each with the middle 80% of its rows; "
        "a perfect model is on the diagonal.",
        charts.reliability(rows, ("predicted", "true"), (min(every) - room, max(every) + room)),
        Table("Truth by band of predictions", ["Predicted, mean", *names], data, frozenset(names)),
    )


def _histogram(histogram: Mapping[str, Any]) -> Chart:
    edges, heights = histogram["edges"], histogram["rows"]
    rows = [
        {"from": low, "to": high, "rows": height}
        for low, high, height in zip(edges, edges[1:], heights, strict=False)
    ]
    places = words.decimals(edges[0], edges[0], edges[-1], digits=3)
    low, high = words.number(float(edges[0]), places), words.number(float(edges[-1]), places)
    data = [
        [
            Cell(f"{words.number(float(row['from']), places)} to {words.number(float(row['to']), places)}"),
            words.count(row["rows"]),
        ]
        for row in rows
    ]
    return Chart(
        "Errors",
        f"How many rows have which error, from {low} to {high}; "
        "the outermost bars also hold what lies beyond.",
        charts.histogram(rows, ("prediction minus truth", "rows")),
        Table("Rows by error", ["Error", "Rows"], data, frozenset({"Rows"})),
    )

"""Where the candidate errs, and the curves of its probabilities: ROC, precision and recall, calibration, threshold."""

from collections.abc import Mapping, Sequence

from automl_evaluation.cautions import cost
from automl_evaluation.layout import (
    Band,
    Calibration,
    Confusion,
    Curves,
    Evaluation,
    Histogram,
    Residuals,
    ThresholdCurve,
)
from automl_evaluation.values import sorted_labels
from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Matrix, Section, Table, Text

_MOST_ROWS = 50
_MOST_SIDE_BY_SIDE = 5


def errors_section(evaluation: Evaluation) -> Section:
    """Of a classification or a regression."""
    if evaluation.residuals:
        return Section("errors", "Residuals", _residuals(evaluation.residuals))
    tables = [*_confusion(evaluation.confusion or Confusion()), _classes(evaluation)]
    side_by_side = len(evaluation.classes) <= _MOST_SIDE_BY_SIDE
    said = [Text(said)] if (said := cost(evaluation)) else []
    return Section("errors", "Where it errs", [*said, *([Group(tables)] if side_by_side else tables)])


def _confusion(confusion: Confusion) -> list[Block]:
    if confusion.labels and confusion.rows:
        return [Matrix("Confusion matrix: rows of the holdout", confusion.labels, confusion.rows)]
    if not confusion.errors:
        return []
    rows = [
        [Cell(error.truth), Cell(error.prediction), words.count(error.rows)]
        for error in confusion.errors[:_MOST_ROWS]
    ]
    return [Table("Most frequent errors", ["Truth", "Prediction", "Rows"], rows, frozenset({"Rows"}))]


def _classes(evaluation: Evaluation) -> Table:
    names = ["Rows", "Predicted", "Precision", "Recall", "F1"]
    with_area = any(entry.auc for entry in evaluation.classes)
    names += ["Area under ROC"] if with_area else []
    entries = sorted(evaluation.classes, key=lambda entry: -entry.support)
    by_label = {entry.label: entry for entry in entries[:_MOST_ROWS]}
    places = words.places(
        (score.value, score)
        for entry in by_label.values()
        for score in (entry.precision, entry.recall, entry.f1, entry.auc)
        if score
    )
    rows = []
    for label in sorted_labels(by_label):
        entry = by_label[label]
        positive = "positive class" if entry.label == evaluation.positive_class else ""
        row = [Cell(entry.label, positive), words.count(entry.support), words.count(entry.predicted)]
        row += [
            words.estimate(score.value, score, places) for score in (entry.precision, entry.recall, entry.f1)
        ]
        if with_area:
            area = entry.auc
            row.append(words.estimate(area.value, area, places) if area else Cell(""))
        rows.append(row)
    more = len(entries) - len(rows)
    caption = f"Classes, with 95% intervals{f'; {more} rarer ones are left out' if more > 0 else ''}"
    return Table(caption, ["Class", *names], rows, frozenset(names))


def _residuals(residuals: Residuals) -> list[Block]:
    quantiles = {float(share): value for share, value in residuals.quantiles.items()}
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
        Group([_bands(residuals.bands), _histogram(residuals.histogram)]),
        table,
    ]


def _bands(bands: list[Band]) -> Chart:
    rows = [{"x": band.predicted, "y": band.actual, "low": band.low, "high": band.high} for band in bands]
    every = [value for row in rows for value in row.values()]
    room = 0.05 * (max(every) - min(every))
    names = ["Rows", "Truth, mean", "Truth, lower 10%", "Truth, upper 10%"]
    places = words.places((value, None) for value in every)
    data = [
        [Cell(words.number(float(band.predicted), places)), words.count(band.rows)]
        + [
            Cell(words.number(float(value), places), numeric=True)
            for value in (band.actual, band.low, band.high)
        ]
        for band in bands
    ]
    return Chart(
        "Truth against prediction",
        f"Mean truth in {len(bands)} bands of predictions, each with the middle 80% of its rows; "
        "a perfect model is on the diagonal.",
        charts.reliability(rows, ("predicted", "true"), (min(every) - room, max(every) + room)),
        Table("Truth by band of predictions", ["Predicted, mean", *names], data, frozenset(names)),
    )


def _histogram(histogram: Histogram) -> Chart:
    edges, heights = histogram.edges, histogram.rows
    bins = list(zip(edges, edges[1:], heights, strict=False))
    rows = [{"from": low, "to": high, "rows": height} for low, high, height in bins]
    places = words.decimals(edges[0], edges[0], edges[-1], digits=3)
    low, high = words.number(float(edges[0]), places), words.number(float(edges[-1]), places)
    data = [
        [
            Cell(f"{words.number(float(start), places)} to {words.number(float(end), places)}"),
            words.count(height),
        ]
        for start, end, height in bins
    ]
    return Chart(
        "Errors",
        f"How many rows have which error, from {low} to {high}; "
        "the outermost bars also hold what lies beyond.",
        charts.histogram(rows, ("prediction minus truth", "rows")),
        Table("Rows by error", ["Error", "Rows"], data, frozenset({"Rows"})),
    )


_MOST_CLASSES = len(charts.COLOURS)
_POINTS_IN_TABLE = 15
_THRESHOLD = ("precision", "recall", "f1", "called")


def curves_section(evaluation: Evaluation) -> Section | None:
    """The curves that there are, or nothing where the model gave labels alone."""
    charts: list[Block] = []
    curves = _named(evaluation)
    if curves:
        said = "; ".join(f"{name} {words.number(curve.auc, 3)}" for name, curve in curves.items())
        charts += [
            _curve(
                {name: vars(curve.roc) for name, curve in curves.items()},
                ("false_positive_rate", "true_positive_rate"),
                "ROC curve",
                f"Area under the curve: {said}.",
                diagonal=True,
            ),
            _curve(
                {name: vars(curve.precision_recall) for name, curve in curves.items()},
                ("recall", "precision"),
                "Precision and recall",
                f"Precision by recall of: {', '.join(curves)}.",
            ),
        ]
    if evaluation.calibration:
        charts.append(_calibration(evaluation.calibration))
    if len(evaluation.curves) == 1 and (threshold := evaluation.curves[0].threshold):
        charts.append(_threshold(evaluation.curves[0].label, threshold))
    blocks: list[Block] = [Text(said) for said in [_left_out(evaluation, len(curves))] if said]
    return Section("curves", "Curves", [*blocks, Group(charts)]) if charts else None


def _named(evaluation: Evaluation) -> dict[str, Curves]:
    """Two classes: candidate and champion. More: classes of the candidate, each against the rest.

    Of more classes than can be told apart, those with the smallest areas, where the model is weakest.
    """
    curves = evaluation.curves
    if len(curves) != 1:
        weakest = sorted(curves, key=lambda curve: curve.auc)[:_MOST_CLASSES]
        by_label = {curve.label: curve for curve in weakest}
        return {f"class {words.quoted(label)}": by_label[label] for label in sorted_labels(by_label)}
    mine, champion = curves[0], evaluation.champion.curves if evaluation.champion else []
    theirs = next((curve for curve in champion if curve.label == mine.label), None)
    return {"Candidate": mine, **({"Champion": theirs} if theirs else {})}


def _left_out(evaluation: Evaluation, drawn: int) -> str:
    """Which curves are not drawn, and why; empty where all are."""
    curves, classes = len(evaluation.curves), len(evaluation.classes)
    if drawn == classes or curves < 2:
        return ""
    those = f"the {drawn} with the smallest area under the ROC curve" if drawn < curves else ""
    frequent = f"the {curves} classes with the most rows" if curves < classes else ""
    chosen = f"{those} of {frequent}" if those and frequent else those or frequent
    return (
        f"Curves are drawn of {drawn} of the {words.number(classes)} classes, {chosen}: more lines could not be told "
        "apart. The areas of all are in the table of classes."
    )


def _curve(
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    axes: tuple[str, str],
    title: str,
    summary: str,
    *,
    diagonal: bool = False,
) -> Chart:
    banded = "Candidate" in curves
    rows = [
        {"series": name, "order": place, "x": x, "y": y}
        | ({"low": low, "high": high} if name == "Candidate" else {})
        for name, curve in curves.items()
        for place, (x, y, low, high) in enumerate(
            zip(*(curve[column] for column in (*axes, "low", "high")), strict=True)
        )
    ]
    shown = [axis.replace("_", " ") for axis in axes]
    spec = charts.lines(rows, list(curves), (shown[0], shown[1]), band=banded, diagonal=diagonal)
    data = [
        [Cell(name), *(Cell(words.number(curve[axis][place], 3), numeric=True) for axis in axes)]
        for name, curve in curves.items()
        for place in _places(len(curve[axes[0]]))
    ]
    headings = ["Curve", *(axis.capitalize() for axis in shown)]
    return Chart(title, summary, spec, Table(f"Points of: {title}", headings, data, frozenset(headings[1:])))


def _places(length: int) -> Sequence[int]:
    """Evenly spread places in a list."""
    steps = min(length, _POINTS_IN_TABLE)
    return [round(step * (length - 1) / max(steps - 1, 1)) for step in range(steps)]


def _calibration(calibration: Calibration) -> Chart:
    bins = calibration.bins
    rows = [
        {"x": entry.probability, "y": entry.share, "low": entry.low, "high": entry.high} for entry in bins
    ]
    data = [
        [
            Cell(words.number(entry.probability, 3)),
            words.estimate(entry.share, entry),
            words.count(entry.rows),
        ]
        for entry in bins
    ]
    return Chart(
        "Calibration",
        f"How often {calibration.of} came true, by the probability that it was given; "
        f"the calibration error is {words.number(calibration.error, 3)}.",
        charts.reliability(rows, ("probability given", "share that came true"), (0, 1)),
        Table(
            "Calibration by bins of the probability",
            ["Probability", "Came true", "Rows"],
            data,
            frozenset({"Came true", "Rows"}),
        ),
    )


def _threshold(label: str, values: ThresholdCurve) -> Chart:
    columns: dict[str, list[float]] = vars(values)
    names = dict(zip(_THRESHOLD, ("precision", "recall", "F1", "share called"), strict=True))
    rows = [
        {"series": names[name], "order": place, "x": at, "y": y}
        for name in names
        for place, (at, y, called) in enumerate(
            zip(values.threshold, columns[name], values.called, strict=True)
        )
        if called or name != "precision"  # of no rows there is no precision
    ]
    best = max(range(len(values.f1)), key=values.f1.__getitem__)
    data = [
        [Cell(words.number(values.threshold[place], 2))]
        + [Cell(words.number(columns[name][place], 3), numeric=True) for name in names]
        for place in range(0, len(values.threshold), 5)
    ]
    headings = [name[0].upper() + name[1:] for name in names.values()]
    return Chart(
        "Threshold",
        f"What calling {words.quoted(label)} from a probability on would give: F1 is greatest, "
        f"{words.number(values.f1[best], 3)}, from {words.number(values.threshold[best], 2)} on. Never choose a "
        "threshold by this: the holdout's figures would then be better than the model is.",
        charts.lines(rows, list(names.values()), ("threshold", "value")),
        Table("Values by threshold", ["Threshold", *headings], data, frozenset(headings)),
    )

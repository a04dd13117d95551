"""Curves of the probabilities: ROC, precision and recall, calibration, threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Section, Table, Text

_MOST_CLASSES = len(charts.COLOURS)
_POINTS_IN_TABLE = 15
_THRESHOLD = ("precision", "recall", "f1", "called")


def section(evaluation: Mapping[str, Any]) -> Section | None:
    """The curves that there are, or nothing where the model gave labels alone."""
    found: list[Block] = []
    curves = _named(evaluation)
    if curves:
        said = "; ".join(f"{name} {words.number(curve['auc'], 3)}" for name, curve in curves.items())
        found += [
            _curve(
                curves, "roc", ("false_positive_rate", "true_positive_rate"), "ROC curve",
                f"Area under the curve: {said}.", diagonal=True,
            ),
            _curve(
                curves, "precision_recall", ("recall", "precision"), "Precision and recall",
                f"Precision by recall of: {', '.join(curves)}.",
            ),
        ]  # fmt: skip
    if evaluation["calibration"]:
        found.append(_calibration(evaluation["calibration"]))
    if evaluation["curves"] and "threshold" in evaluation["curves"][0] and len(evaluation["curves"]) == 1:
        found.append(_threshold(evaluation["curves"][0]))
    blocks: list[Block] = [Text(said) for said in [_left_out(evaluation, len(curves))] if said]
    return Section("curves", "Curves", [*blocks, Group(found)]) if found else None


def _named(evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Two classes: candidate and champion. More: classes of the candidate, each against the rest.

    Of more classes than can be told apart, those with the smallest areas, where the model is weakest.
    """
    curves = evaluation["curves"]
    if len(curves) != 1:
        weakest = sorted(curves, key=lambda curve: curve["auc"])[:_MOST_CLASSES]
        by_label = {curve["label"]: curve for curve in weakest}
        return {f"class {words.quoted(label)}": by_label[label] for label in words.natural(by_label)}
    mine, champion = curves[0], (evaluation["champion"] or {}).get("curves") or []
    theirs = next((curve for curve in champion if curve["label"] == mine["label"]), None)
    return {"Candidate": mine, **({"Champion": theirs} if theirs else {})}


def _left_out(evaluation: Mapping[str, Any], drawn: int) -> str:
    """Which curves are not drawn, and why; empty where all are."""
    curves, classes = len(evaluation["curves"]), len(evaluation["classes"])
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
    curves: Mapping[str, Mapping[str, Any]],
    kind: str,
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
            zip(*(curve[kind][column] for column in (*axes, "low", "high")), strict=True)
        )
    ]
    shown = [axis.replace("_", " ") for axis in axes]
    spec = charts.lines(rows, list(curves), (shown[0], shown[1]), band=banded, diagonal=diagonal)
    data = [
        [Cell(name), *(Cell(words.number(curve[kind][axis][place], 3), numeric=True) for axis in axes)]
        for name, curve in curves.items()
        for place in _places(len(curve[kind][axes[0]]))
    ]
    headings = ["Curve", *(axis.capitalize() for axis in shown)]
    return Chart(title, summary, spec, Table(f"Points of: {title}", headings, data, frozenset(headings[1:])))


def _places(length: int) -> Sequence[int]:
    """Evenly spread places in a list."""
    steps = min(length, _POINTS_IN_TABLE)
    return [round(step * (length - 1) / max(steps - 1, 1)) for step in range(steps)]


def _calibration(calibration: Mapping[str, Any]) -> Chart:
    bins = calibration["bins"]
    rows = [
        {"x": found["probability"], "y": found["share"], "low": found["low"], "high": found["high"]}
        for found in bins
    ]
    data = [
        [
            Cell(words.number(found["probability"], 3)),
            words.estimate(found["share"], found),
            words.count(found["rows"]),
        ]
        for found in bins
    ]
    return Chart(
        "Calibration",
        f"How often {calibration['of']} came true, by the probability that it was given; "
        f"the calibration error is {words.number(calibration['error'], 3)}.",
        charts.reliability(rows, ("probability given", "share that came true"), (0, 1)),
        Table(
            "Calibration by bins of the probability",
            ["Probability", "Came true", "Rows"],
            data,
            frozenset({"Came true", "Rows"}),
        ),
    )


def _threshold(curve: Mapping[str, Any]) -> Chart:
    values = curve["threshold"]
    names = dict(zip(_THRESHOLD, ("precision", "recall", "F1", "share called"), strict=True))
    rows = [
        {"series": names[name], "order": place, "x": at, "y": y}
        for name in names
        for place, (at, y, called) in enumerate(
            zip(values["threshold"], values[name], values["called"], strict=True)
        )
        if called or name != "precision"  # of no rows there is no precision
    ]
    best = max(range(len(values["f1"])), key=values["f1"].__getitem__)
    data = [
        [Cell(words.number(values["threshold"][place], 2))]
        + [Cell(words.number(values[name][place], 3), numeric=True) for name in names]
        for place in range(0, len(values["threshold"]), 5)
    ]
    headings = [name[0].upper() + name[1:] for name in names.values()]
    return Chart(
        "Threshold",
        f"What calling {words.quoted(curve['label'])} from a probability on would give: F1 is greatest, "
        f"{words.number(values['f1'][best], 3)}, from {words.number(values['threshold'][best], 2)} on.",
        charts.lines(rows, list(names.values()), ("threshold", "value")),
        Table("Values by threshold", ["Threshold", *headings], data, frozenset(headings)),
    )

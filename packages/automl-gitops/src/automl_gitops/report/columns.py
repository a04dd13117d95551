"""What the report says about columns: the objective on slices of the holdout, and which columns predictions rest on."""

from dataclasses import asdict

from automl_evaluation.layout import Evaluation, Feature, Importance, NoImportance, SliceSet
from automl_evaluation.metrics import named
from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Group, Section, Table, Text
from automl_gitops.report.decision import decimals_of_slices, difference, of_differences


def slices_section(evaluation: Evaluation) -> Section | None:
    """A chart and a table for each entry of [evaluation] slices."""
    blocks: list[Block] = []
    for entry in evaluation.slices:
        table, chart = _slices_table(evaluation, entry), _slices_chart(evaluation, entry)
        blocks.append(Group([chart, table]) if chart else table)
    together = _together(evaluation)
    if blocks and together:
        blocks.insert(0, Text(together))
    return Section("slices", "Slices", blocks, closed=True) if blocks else None


def _together(evaluation: Evaluation) -> str:
    """How the number of the slices is taken into account."""
    judged = sum(not part.small for entry in evaluation.slices for part in entry.slices)
    if judged < 2:
        return ""
    level, each = (words.confidence(of) for of in (evaluation.confidence, evaluation.slice_confidence))
    return (
        f"Of many slices some look bad by chance alone. So {judged} slices are judged together: the intervals that "
        f"[gate] worst_slice decides by, and those of the differences, are of {each} confidence each, which makes "
        f"{level} for all of them at once (Bonferroni)."
    )


def _slices_table(evaluation: Evaluation, entry: SliceSet) -> Table:
    metric = evaluation.objective.metric
    compared = any(metric in part.champion for part in entry.slices)
    numeric = ["Rows", named(metric).label, *(["Champion", "Difference"] if compared else [])]
    rows, places = [], decimals_of_slices(entry, metric)
    for part in entry.slices:
        row = [Cell(part.name, "few rows: not judged" if part.small else ""), words.count(part.rows)]
        row.append(words.estimate(part.metrics.get(metric), part.intervals.get(metric), places))
        if compared:
            row.append(words.estimate(part.champion.get(metric), places=places))
            row.append(difference(part.differences.get(metric), places))
        rows.append(row)
    kind = {"bands": "bands of", "one-hot": "groups of"}.get(entry.kind, "values of")
    said = f"with 95% intervals{of_differences(evaluation.slice_confidence) if compared else ''}"
    caption = f"{named(metric).label} by {kind} {entry.column}, {said}"
    return Table(caption, ["Slice", *numeric], rows, frozenset(numeric))


def _slices_chart(evaluation: Evaluation, entry: SliceSet) -> Chart | None:
    metric = evaluation.objective.metric
    measured = named(metric)
    judged = [part for part in entry.slices if metric in part.metrics]
    if not judged:
        return None
    compared = any(metric in part.champion for part in judged)
    rows = []
    for part in judged:
        label = part.name + (" (few rows)" if part.small else "")
        ends = words.ends(part.intervals.get(metric))
        rows.append({"label": label, "model": "Candidate", "value": part.metrics[metric], **ends})
        if metric in part.champion:
            rows.append({"label": label, "model": "Champion", "value": part.champion[metric]})
    places = decimals_of_slices(entry, metric)
    many = [part for part in judged if not part.small] or judged
    worst = (max if measured.less_is_better else min)(many, key=lambda part: part.metrics[metric])
    # It is measured against how much the target varies within the slice.
    lower = " R² is lower where the target varies less, though errors are as small." if metric == "r2" else ""
    return Chart(
        f"{measured.label} by {entry.column}",
        f"{measured.label} is worst, {words.number(worst.metrics[metric], places)}, for "
        f"{words.quoted(worst.name)} ({words.number(worst.rows)} rows); on the whole holdout it is "
        f"{words.number(evaluation.objective.value, places)} (dashed line).{lower}",
        charts.intervals(
            rows,
            ["Candidate", "Champion"] if compared else ["Candidate"],
            measured.label,
            at=evaluation.objective.value,
        ),
    )


_MOST_BARS, _MOST_ROWS = 15, 100


def importance_section(evaluation: Evaluation) -> Section:
    """The chart of the most important columns with the table of more, or the reason why there is none."""
    importance = evaluation.importance
    if not isinstance(importance, Importance) or not importance.features:
        reason = importance.reason if isinstance(importance, NoImportance) else "it was not computed"
        return Section("importance", "Importance", [Text(f"There is no importance of columns: {reason}.")])
    features = importance.features
    blocks: list[Block] = [Text(_explained(importance))]
    names = [feature.name for feature in features[:3]]
    blocks.append(
        Chart(
            "Most important columns",
            f"Most important of {len(features)} columns: {', '.join(names)}.",
            charts.bars(
                [asdict(feature) | {"label": feature.name} for feature in features[:_MOST_BARS]],
                _axis(importance),
            ),
            _importance_table(features),
        )
    )
    return Section("importance", "Importance", blocks, closed=True)


def _axis(importance: Importance) -> str:
    if importance.source == "autopilot":
        return str(importance.metric)
    return f"loss of {named(importance.metric).label}"


def _explained(importance: Importance) -> str:
    if importance.source == "autopilot":
        return "Autopilot's own report: mean absolute Shapley values."
    return (
        f"How much of {named(importance.metric).label} is lost when a column's values are exchanged between "
        f"{words.number(importance.rows)} rows of the holdout, with 95% intervals."
    )


def _importance_table(features: list[Feature]) -> Table:
    greatest = max((feature.value for feature in features), default=0) or 1
    places = words.places((feature.value, feature) for feature in features)
    rows = [[Cell(feature.name), _value(feature, greatest, places)] for feature in features[:_MOST_ROWS]]
    return Table("Importance of columns", ["Column", "Importance"], rows, frozenset({"Importance"}))


def _value(feature: Feature, greatest: float, places: int) -> Cell:
    cell = words.estimate(feature.value, feature, places)
    return Cell(
        cell.text, cell.more, numeric=True, bar=max(feature.value / greatest, 0.0) if greatest > 0 else 0.0
    )

"""How the gate decided, and how the candidate compares with champion and baseline."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from automl_evaluation.cautions import independence
from automl_evaluation.layout import (
    Baseline,
    Champion,
    Dataset,
    Difference,
    Evaluation,
    Interval,
    SliceSet,
)
from automl_evaluation.metrics import METRICS, named
from automl_gitops.report import charts, words
from automl_gitops.report.blocks import Block, Cell, Chart, Figure, Group, Section, Table, Text, Tone

_Estimate = tuple[float, words.Ends | None]


def decimals_by_metric(evaluation: Evaluation) -> dict[str, int]:
    """Decimals by metric: the same for all scores, its own for each that has the target's unit."""
    metrics = [*evaluation.metrics]
    scores = [metric for metric in metrics if not named(metric).in_units]
    shared = words.places(figure for metric in scores for figure in _figures(evaluation, metric))
    return {
        metric: words.places(_figures(evaluation, metric)) if named(metric).in_units else shared
        for metric in metrics
    }


def _figures(evaluation: Evaluation, metric: str) -> Iterator[_Estimate]:
    """A metric's values and differences, each with its interval."""
    champion, baseline = evaluation.champion, evaluation.baseline
    models = [(evaluation.metrics, evaluation.intervals), (baseline.metrics, {})]
    differences = [baseline.differences]
    if champion:
        models.append((champion.metrics, champion.intervals))
        differences.append(champion.differences)
    for metrics, intervals in models:
        if metric in metrics:
            yield metrics[metric], intervals.get(metric)
    for difference in differences:
        if metric in difference:
            yield difference[metric].value, difference[metric]


def decimals_of_slices(entry: SliceSet, metric: str) -> int:
    """Of a metric on the slices of one entry."""
    figures: list[_Estimate] = []
    for part in entry.slices:
        if metric in part.metrics:
            figures.append((part.metrics[metric], part.intervals.get(metric)))
        if metric in part.differences:
            figures.append((part.differences[metric].value, part.differences[metric]))
    return words.places(figures)


_OUTCOMES: dict[str, tuple[str, Tone]] = {
    "passed": ("✓", "good"),
    "failed": ("✗", "bad"),
    "skipped": (words.DASH, "quiet"),
}
_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "undecided": "quiet"}


def verdict(evaluation: Evaluation) -> str:
    """One sentence."""
    outcomes = [condition.outcome for condition in evaluation.gate]
    failed, skipped, total = outcomes.count("failed"), outcomes.count("skipped"), len(outcomes)
    if failed:
        return f"{failed} of the gate's {total} conditions failed"
    rest = f"; {skipped} had nothing to judge" if skipped else ""
    return f"{total - skipped} of the gate's {total} conditions passed{rest}"


def figures(evaluation: Evaluation) -> Iterator[Figure]:
    """The objective, and its distance to the champion and to the baseline."""
    objective = evaluation.objective
    metric = objective.metric
    places = decimals_by_metric(evaluation)[metric]
    here = words.estimate(objective.value, objective, places)
    yield Figure(f"{named(metric).label} on the holdout", here.text, _interval(here.more))
    champion = evaluation.champion
    level = words.confidence(evaluation.confidence)
    if champion and metric in champion.differences:
        yield _distance("Against the champion", champion.differences[metric], places, level)
    elif champion:
        yield Figure("Against the champion", "not compared", champion.status.replace("_", " "))
    else:
        yield Figure("Against the champion", "none yet", "nothing is in production")
    baseline = evaluation.baseline
    if metric in baseline.differences:
        yield _distance(f"Against {_article(baseline.name)}", baseline.differences[metric], places, level)
    grouping = evaluation.grouping
    groups = f"of {words.number(grouping.groups)} groups, " if grouping else ""
    yield Figure("Rows of the holdout", words.number(evaluation.rows), f"{groups}never seen in training")


def _article(baseline: str) -> str:
    """The baseline's name in a sentence."""
    return baseline if baseline.startswith(("always ", "the ")) else f"the {baseline}"


def _distance(name: str, difference: Difference, places: int, confidence: str) -> Figure:
    cell = words.estimate(difference.value, difference, places, signed=True)
    said = difference.verdict
    between = _interval(cell.more, confidence)
    return Figure(name, cell.text, f"{said}: {between}" if between else said, _TONES[said])


def _interval(ends: str, confidence: str = "95%") -> str:
    return f"{ends} ({confidence} interval)" if ends else ""


def of_differences(confidence: float) -> str:
    """What a table with differences has to say about their intervals, where it speaks of 95% intervals."""
    said = words.confidence(confidence)
    return "" if said == "95%" else f", differences with {said} intervals"


def difference(compared: Difference | None, places: int) -> Cell:
    """A difference with its interval, and the word for the side of 0 that it surely is on, if any.

    A word, since of an error less is better: an arrow beside a minus sign would contradict it.
    """
    if not compared:
        return Cell("", numeric=True)
    cell = words.estimate(compared.value, compared, places, signed=True)
    said = f"{compared.verdict}: {cell.more}" if compared.verdict != "undecided" else cell.more
    return Cell(cell.text, said, tone=_TONES[compared.verdict], numeric=True)


def gate_section(evaluation: Evaluation) -> Section:
    """The gate, condition by condition."""
    rows = []
    for condition in evaluation.gate:
        mark, tone = _OUTCOMES[condition.outcome]
        rows.append(
            [
                Cell(words.opening(condition.name)),
                Cell(condition.outcome, mark=mark, tone=tone),
                Cell(words.opening(condition.reason)),
            ]
        )
    table = Table("Conditions of the gate", ["Condition", "Outcome", "Reason"], rows)
    return Section("gate", "Gate", [table])


_MOST_NAMES = 10
# Between 0 and 1 and better where greater, so that they can share an axis; means weighted by class hide rare classes.
_SCORES = frozenset(
    name
    for name, metric in METRICS.items()
    if metric.direction == "maximize"
    and (metric.least, metric.most) == (0, 1)
    and not name.endswith("_weighted")
)


def comparison_section(evaluation: Evaluation) -> Section:
    """All metrics with their intervals, and a chart of those that share an axis."""
    champion = evaluation.champion
    compared = champion if champion and champion.status == "compared" else None
    blocks: list[Block] = [_introduction(evaluation)]
    if said := independence(evaluation):
        blocks.append(Text(said))
    if (
        compared
        and compared.same_dataset is False
        and not _keeps_groups(evaluation.dataset, compared.dataset)
    ):
        blocks.append(_seen(evaluation.dataset, compared.dataset))
    table = _table(evaluation, compared)
    chart = _chart(evaluation, compared)
    title = "Candidate against champion" if champion else "Candidate against baseline"
    return Section("comparison", title, [*blocks, Group([chart, table]) if chart else table])


def _seen(now: Dataset, before: Dataset | None) -> Text:
    """What a champion of another data set may have seen of the holdout."""
    champion = "The champion was trained on another data set"
    if before and now.split and before.split and now.split.time and now.split.time == before.split.time:
        return Text(
            f"{champion}, split by time as today's is: it has seen rows of today's holdout only if it was trained on "
            "later rows than this one begins with."
        )
    return Text(
        f"{champion}, perhaps on some rows of today's holdout: it may look better here than it is.",
        notice=True,
    )


def _keeps_groups(now: Dataset, before: Dataset | None) -> bool:
    """Whether a group that is held out now was held out before, whatever rows have been added."""
    if before is None or not now.split or not before.split or now.split.time or before.split.time:
        return False
    if now.holdout is None:  # by reference somebody chose the rows
        return False
    kept = (now.split.group, now.seed, now.holdout)
    return kept == (before.split.group, before.seed, before.holdout) and now.split.group is not None


def _introduction(evaluation: Evaluation) -> Text:
    champion, against = evaluation.champion, _baseline(evaluation)
    rows = words.number(evaluation.rows)
    if not champion:
        return Text(f"Nothing is in production yet. {against}")
    name = f"the champion (version {champion.model_package_arn.rpartition('/')[2]})"
    if champion.status != "compared":
        return Text(
            f"{name[0].upper()}{name[1:]} could not be compared: {champion.reason}. {against}", notice=True
        )
    return Text(
        f"Candidate and {name} predicted the same {rows} rows. A difference is called better or worse where "
        f"its whole {words.confidence(evaluation.confidence)} interval is on that side of 0."
        f"{_unknown(champion)} {against}"
    )


def _baseline(evaluation: Evaluation) -> str:
    """What the baseline is."""
    baseline, metric = evaluation.baseline, evaluation.objective.metric
    prediction, value = baseline.prediction, baseline.metrics.get(metric)
    said = baseline.name
    if isinstance(prediction, float):
        said += f", {words.number(prediction)}"
    if not baseline.names:  # of an evaluation that had one baseline for every metric
        constant = said if isinstance(prediction, float) else words.quoted(str(prediction))
        return f"The baseline predicts {constant} for every row."
    scores = (
        f", which scores {words.number(value, decimals_by_metric(evaluation)[metric])}"
        if value is not None
        else ""
    )
    return (
        f"The baseline is the best constant answer by each metric: for {named(metric).label}, the objective, "
        f"{said}{scores}."
    )


def _unknown(champion: Champion) -> str:
    """Today's columns that the champion does not read."""
    names = champion.columns.get("added") or []
    shown = [
        *names[:_MOST_NAMES],
        *([f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []),
    ]
    return f" The champion does not read the columns added since: {', '.join(shown)}." if names else ""


def _table(evaluation: Evaluation, champion: Champion | None) -> Table:
    other = champion or evaluation.baseline
    names = ["Candidate", *(["Champion"] if champion else []), "Difference", "Baseline"]
    if not champion:
        names = ["Candidate", "Difference", "Baseline"]
    rows, decimals = [], decimals_by_metric(evaluation)
    for metric in _order(evaluation):
        value, places = evaluation.metrics[metric], decimals[metric]
        row = [_name(metric, evaluation)]
        row.append(words.estimate(value, evaluation.intervals.get(metric), places))
        if champion:
            ends = champion.intervals.get(metric)
            row.append(words.estimate(champion.metrics.get(metric), ends, places))
        row.append(difference(other.differences.get(metric), places))
        row.append(_constant(evaluation.baseline, metric, evaluation.objective.metric, places))
        rows.append(row)
    caption = f"Metrics on the holdout, with 95% intervals{of_differences(evaluation.confidence)}"
    return Table(caption, ["Metric", *names], rows, frozenset(names))


def _constant(baseline: Baseline, metric: str, objective: str, places: int) -> Cell:
    """The baseline's value, with what it answers where that is not the objective's best answer."""
    cell, names = words.estimate(baseline.metrics.get(metric), places=places), baseline.names
    said = names.get(metric, "") if names.get(metric) != names.get(objective) else ""
    return replace(cell, more=said)


def _order(evaluation: Evaluation) -> list[str]:
    """The metrics, the objective first."""
    objective = evaluation.objective.metric
    return sorted(evaluation.metrics, key=lambda metric: metric != objective)


def _charted(evaluation: Evaluation) -> list[str]:
    """The scores of the chart; of two classes those of the positive one stand for the means over classes."""
    binary = "f1" in evaluation.metrics
    objective = evaluation.objective.metric
    return [
        metric
        for metric in _order(evaluation)
        if metric in _SCORES and metric in evaluation.intervals
        if not (binary and metric.endswith("_macro") and metric != objective)
    ]


def _name(metric: str, evaluation: Evaluation) -> Cell:
    own = {one.name: one.direction == "minimize" for one in evaluation.measures}
    said = [
        *(["the objective"] if metric == evaluation.objective.metric else []),
        *(["lower is better"] if own.get(metric, named(metric).less_is_better) else []),
    ]
    return Cell(named(metric).label, ", ".join(said))


def _chart(evaluation: Evaluation, champion: Champion | None) -> Chart | None:
    other = ("Champion", champion.metrics, champion.intervals) if champion else None
    models: list[tuple[str, dict[str, float], dict[str, Interval]]] = [
        ("Candidate", evaluation.metrics, evaluation.intervals),
        other or ("Baseline", evaluation.baseline.metrics, {}),
    ]
    rows = [
        {"label": named(metric).label, "model": name, "value": metrics[metric]}
        | words.ends(intervals.get(metric))
        for metric in _charted(evaluation)
        for name, metrics, intervals in models
        if metric in metrics
    ]
    if rows:
        return Chart(
            "Scores with 95% intervals",
            _said(evaluation, champion),
            charts.intervals(rows, [name for name, *_ in models], "greater is better"),
        )
    if not champion:
        return None
    relative = [_relative(metric, compared, champion) for metric, compared in champion.differences.items()]
    rows = [row for row in relative if row]
    return Chart(
        "Errors of the candidate relative to the champion's",
        _said(evaluation, champion),
        charts.intervals(rows, ["Candidate"], "per cent of the champion's, less than 0 is better", at=0),
    )


def _relative(metric: str, compared: Difference, champion: Champion) -> dict[str, Any] | None:
    scale = champion.metrics.get(metric)
    if not named(metric).in_units or not scale:
        return None
    ends = {end: 100 * value / scale for end, value in words.ends(compared).items()}
    return {
        "label": named(metric).label,
        "model": "Candidate",
        "value": 100 * compared.value / scale,
        **ends,
    }


def _said(evaluation: Evaluation, champion: Champion | None) -> str:
    metric = evaluation.objective.metric
    places = decimals_by_metric(evaluation)[metric]
    text = (
        f"{named(metric).label}, the objective: candidate {words.number(evaluation.metrics[metric], places)}"
    )
    if champion and metric in champion.metrics:
        text += f", champion {words.number(champion.metrics[metric], places)}"
    if metric in evaluation.baseline.metrics:
        text += f", baseline {words.number(evaluation.baseline.metrics[metric], places)}"
    return f"{text}. All values are in the table."

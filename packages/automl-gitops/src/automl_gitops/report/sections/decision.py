"""The decision: the sentence on top, the few numbers beside it, and the gate's conditions."""

from collections.abc import Iterator, Mapping
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.report import digits, words
from automl_gitops.report.blocks import Cell, Figure, Section, Table, Tone

_OUTCOMES: dict[str, tuple[str, Tone]] = {
    "passed": ("✓", "good"),
    "failed": ("✗", "bad"),
    "skipped": (words.DASH, "quiet"),
}
_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "undecided": "quiet"}


def verdict(evaluation: Mapping[str, Any]) -> str:
    """One sentence."""
    outcomes = [condition["outcome"] for condition in evaluation["gate"]]
    failed, skipped, total = outcomes.count("failed"), outcomes.count("skipped"), len(outcomes)
    if failed:
        return f"{failed} of the gate's {total} conditions failed"
    rest = f"; {skipped} had nothing to judge" if skipped else ""
    return f"{total - skipped} of the gate's {total} conditions passed{rest}"


def figures(evaluation: Mapping[str, Any]) -> Iterator[Figure]:
    """The objective, and its distance to the champion and to the baseline."""
    objective = evaluation["objective"]
    metric = objective["metric"]
    places = digits.by_metric(evaluation)[metric]
    here = words.estimate(objective["value"], objective, places)
    yield Figure(f"{named(metric).label} on the holdout", here.text, _interval(here.more))
    champion = evaluation["champion"]
    level = words.confidence(evaluation["confidence"])
    if champion and metric in champion["differences"]:
        yield _distance("Against the champion", champion["differences"][metric], places, level)
    elif champion:
        yield Figure("Against the champion", "not compared", champion["status"].replace("_", " "))
    else:
        yield Figure("Against the champion", "none yet", "nothing is in production")
    baseline = evaluation["baseline"]
    if metric in baseline["differences"]:
        yield _distance(
            f"Against {_article(baseline['name'])}", baseline["differences"][metric], places, level
        )
    yield Figure("Rows of the holdout", words.number(evaluation["rows"]), "never seen in training")


def _article(baseline: str) -> str:
    """The baseline's name in a sentence."""
    return baseline if baseline.startswith(("always ", "the ")) else f"the {baseline}"


def _distance(name: str, difference: Mapping[str, Any], places: int, confidence: str) -> Figure:
    cell = words.estimate(difference["value"], difference, places, signed=True)
    said = difference["verdict"]
    between = _interval(cell.more, confidence)
    return Figure(name, cell.text, f"{said}: {between}" if between else said, _TONES[said])


def _interval(ends: str, confidence: str = "95%") -> str:
    return f"{ends} ({confidence} interval)" if ends else ""


def of_differences(evaluation: Mapping[str, Any]) -> str:
    """What a table with differences has to say about their intervals, where it speaks of 95% intervals."""
    said = words.confidence(evaluation["confidence"])
    return "" if said == "95%" else f", differences with {said} intervals"


def difference(found: Mapping[str, Any] | None, places: int) -> Cell:
    """A difference with its interval, and the word for the side of 0 that it surely is on, if any.

    A word, since of an error less is better: an arrow beside a minus sign would contradict it.
    """
    if not found:
        return Cell("", numeric=True)
    cell = words.estimate(found["value"], found, places, signed=True)
    said = f"{found['verdict']}: {cell.more}" if found["verdict"] != "undecided" else cell.more
    return Cell(cell.text, said, tone=_TONES[found["verdict"]], numeric=True)


def section(evaluation: Mapping[str, Any]) -> Section:
    """The gate, condition by condition."""
    rows = []
    for condition in evaluation["gate"]:
        mark, tone = _OUTCOMES[condition["outcome"]]
        rows.append(
            [
                Cell(words.opening(condition["name"])),
                Cell(condition["outcome"], mark=mark, tone=tone),
                Cell(words.opening(condition["reason"])),
            ]
        )
    table = Table("Conditions of the gate", ["Condition", "Outcome", "Reason"], rows)
    return Section("gate", "Gate", [table])

"""What an endpoint must do before people depend on it: each check asks it something and judges the answer.

Two predictions of a row are the same as far as the arithmetic of the same model allows, and no further. A neural net
computes in float32, and the order of its sums follows from the size of the batch and the processor: the evaluation's
transform, with batches of megabytes on one instance type, and an endpoint that gets one row on another do not give the
same bits (PyTorch, "Numerical accuracy"; Autopilot's ensembling trains nn-torch and fastai).
"""

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from automl_gitops.kernel.csv_text import write_row
from automl_gitops.verification.client import Answer, Client
from automl_gitops.verification.holdout import HoldoutSample
from automl_gitops.verification.payload import LABEL, Decider, batches, parse_csv, parse_json

# A warning is about what the project does not depend on, or what the service may do either way.
Outcome = Literal["passed", "warning", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """The outcome of one check, and what was seen in words."""

    name: str
    outcome: Outcome
    detail: str

    def document(self) -> dict[str, str]:
        """As it stands in JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Subject:
    """What is checked: a client of the endpoint, its holdout, the names of the answer's values, the
    labels that training saw (`None` for regression), and how an answer is read where a threshold decides.
    """

    client: Client
    holdout: HoldoutSample
    keys: Sequence[str]
    classes: frozenset[str] | None
    decider: Decider | None = None


def check_csv(subject: Subject) -> tuple[list[Check], list[dict[str, str]]]:
    """Predict the holdout as CSV; then labels, finiteness and agreement can be judged. Also gives the
    predictions.
    """
    predictions: list[dict[str, str]] = []
    for body in batches(subject.holdout.rows):
        answer = subject.client.send(body)
        if not answer.ok:
            return [Check("answers csv", "failed", _words(answer))], []
        try:
            predictions += parse_csv(answer.body, subject.keys)
        except ValueError as error:
            return [Check("answers csv", "failed", str(error))], []
    rows = len(subject.holdout.rows)
    if len(predictions) != rows:
        return [Check("answers csv", "failed", f"{len(predictions)} predictions for {rows} rows")], []
    checks = [
        Check("answers csv", "passed", f"{rows} rows"),
        check_values(predictions, subject.classes),
        check_agreement(predictions, subject.holdout.expected),
    ]
    if subject.decider:
        checks.append(check_decisions(subject.decider, predictions, subject.holdout.expected))
    return checks, predictions


def check_json(subject: Subject, predictions: Sequence[dict[str, str]]) -> Check:
    """JSON, where the container writes it, says the same as CSV. The project speaks CSV: it is advice."""
    name = "answers json"
    some = subject.holdout.rows[:20]
    answer = subject.client.send(next(batches(some)), accept="application/json")
    if answer.status in (406, 415) or (answer.ok and "json" not in answer.content_type):
        return Check(name, "not applicable", "the container answers csv alone")
    if not answer.ok:
        return Check(name, "warning", _words(answer))
    try:
        predictions_of_json = parse_json(answer.body, subject.keys)
    except ValueError as error:
        return Check(name, "warning", f"no JSON that can be read: {error}")
    if len(predictions_of_json) != len(some):
        return Check(name, "warning", f"{len(predictions_of_json)} predictions for {len(some)} rows")
    same = check_agreement(predictions_of_json, predictions[: len(some)])
    outcome: Outcome = "warning" if same.outcome == "failed" else same.outcome
    return Check(name, outcome, f"compared with csv: {same.detail}")


def check_values(predictions: Sequence[dict[str, str]], classes: frozenset[str] | None) -> Check:
    """Labels are ones that training saw; numbers are finite."""
    name = "labels are known" if classes is not None else "numbers are finite"
    for number, prediction in enumerate(predictions, start=1):
        label = prediction.get(LABEL)
        if classes is not None and label is not None and label not in classes:
            return Check(name, "failed", f"row {number}: training knew no class {label!r}")
        for key, text in prediction.items():
            if key not in (LABEL, LABELS) and not _finite(text):
                return Check(name, "failed", f"row {number}: {key} {text[:60]!r} is not finite")
    return Check(name, "passed", f"{len(predictions)} rows")


def check_agreement(answered: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]) -> Check:
    """Predictions are those of the evaluation, up to what float32 leaves open."""
    name = "agrees with the evaluation"
    tolerance = Tolerance.of(expected)
    outcomes = [compare(one, other, tolerance) for one, other in zip(answered, expected, strict=True)]
    wrong = [number for number, outcome in enumerate(outcomes) if outcome != "same"]
    border = outcomes.count("border")
    detail = f"{1 - len(wrong) / len(answered):.2%} of {len(answered)} rows agree"
    if not wrong:
        return Check(name, "passed", detail)
    good = "different" not in outcomes and border <= most_at_border(len(answered))
    first = wrong[0] if good else outcomes.index("different" if "different" in outcomes else "border")
    if border:
        detail += f", {border} differ in the label alone (at most {most_at_border(len(answered))})"
    detail += f"; row {first + 1}: {answered[first]} instead of {expected[first]}"
    return Check(name, "passed" if good else "failed", detail)


def check_decisions(
    decider: Decider, answered: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]
) -> Check:
    """By the threshold, rows get the label that the evaluation gave them; few may lie at the border."""
    name = "decides as the evaluation"
    try:
        labels = [[decider.decide(prediction) for prediction in each] for each in (answered, expected)]
    except ValueError as error:
        return Check(name, "failed", str(error))
    ours, theirs = labels
    wrong = [number for number, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    detail = (
        f'{len(ours) - len(wrong)} of {len(ours)} rows are called as there, by a probability of "{decider.positive}" '
        f"from {decider.threshold:g} on"
    )
    if wrong:
        detail += f" (at most {most_at_border(len(ours))} may differ); row {wrong[0] + 1}: {ours[wrong[0]]}"
    return Check(name, "passed" if len(wrong) <= most_at_border(len(ours)) else "failed", detail)


def check_malformed(subject: Subject) -> Check:
    """Rows that cannot be read get no prediction that looks right.

    A 4xx is the answer to wish for. Autopilot's containers answer some of these rows with a 5xx, or with something
    that is no prediction: a client is not misled by that, so it is a warning.
    """
    row = subject.holdout.rows[0]
    cases: dict[str, Callable[[], Answer]] = {
        "a value too few": lambda: subject.client.send(write_row(row[:-1])),
        "a value too many": lambda: subject.client.send(write_row([*row, "1"])),
        "an unknown content type": lambda: subject.client.send(b"\x89PNG", content_type="image/png"),
    }
    misled, odd = [], []
    for case, send in cases.items():
        answer = send()
        if answer.ok and _predicts(answer, subject.keys):
            misled.append(f"{case}: answered {answer.body.strip()[:60]!r}")
        elif not 400 <= answer.status < 500:
            odd.append(f"{case} ({answer.status or 'no answer'})")
    name = "predicts nothing for malformed rows"
    if misled:
        return Check(name, "failed", "; ".join(misled))
    if odd:
        told = f"no prediction for {', '.join(odd)}; only a 4xx would tell clients that the row is at fault"
        return Check(name, "warning", told)
    return Check(name, "passed", ", ".join(cases))


def _predicts(answer: Answer, keys: Sequence[str]) -> bool:
    try:
        return bool(parse_csv(answer.body, keys))
    except ValueError:
        return False


def _words(answer: Answer) -> str:
    return f"answered {answer.status or 'nothing'}: {' '.join(answer.body.split())[:200]}"


def _finite(text: str) -> bool:
    try:
        values = numbers(text)
    except ValueError:
        return False
    return bool(values) and all(math.isfinite(number) for number in values)


LABELS = (
    "labels"  # lists the classes; it is not predicted, and each content type writes a list in its own way
)
# A float32 has 7 digits, of which the sums of a deep net lose 3 or 4: a thousandth is wide enough for those, and far
# below what separates two models.
PROBABILITY_TOLERANCE = 1e-3  # absolute, of a probability or score
# A regression's prediction may be off by this share of the predictions' standard deviation: it changes R2 by 1e-6.
SPREAD_TOLERANCE = 1e-3
RELATIVE_TOLERANCE = 1e-5  # of large numbers, and where all predictions are the same
BORDER_SHARE = 0.01  # of the rows, whose label may differ since they lie at the border between two classes
Agreement = Literal["same", "border", "different"]


@dataclass(frozen=True)
class Tolerance:
    """By how much two numbers of the same prediction may differ: absolute, or as a share of the larger."""

    absolute: float = PROBABILITY_TOLERANCE
    relative: float = RELATIVE_TOLERANCE

    @classmethod
    def of(cls, expected: Sequence[Mapping[str, str]]) -> "Tolerance":
        """The tolerance for predictions like ``expected``: a classifier's, or a regression's by their spread."""
        if not expected or LABEL in expected[0]:
            return cls()
        values = [
            number
            for prediction in expected
            for text in prediction.values()
            for number in _finite_numbers(text)
        ]
        return cls(SPREAD_TOLERANCE * statistics.pstdev(values) if values else 0.0)

    def covers(self, one: str, other: str) -> bool:
        """Whether two values, each a number or a list of numbers, are the same within the tolerance."""
        try:
            ours, theirs = numbers(one), numbers(other)
        except ValueError:
            return False
        return len(ours) == len(theirs) and all(
            math.isclose(a, b, rel_tol=self.relative, abs_tol=self.absolute)
            for a, b in zip(ours, theirs, strict=True)
        )


def compare(one: Mapping[str, str], other: Mapping[str, str], tolerance: Tolerance) -> Agreement:
    """Compare two predictions of a row.

    They are at the `border` where nothing but the label differs, and their numbers, if they have any, are the same:
    the model is, and the row lies within the tolerance of where one class becomes the other.
    """
    for key, text in one.items():
        theirs = other.get(key, "")
        if key not in (LABEL, LABELS) and text != theirs and not tolerance.covers(text, theirs):
            return "different"
    return "same" if one.get(LABEL) == other.get(LABEL) else "border"


def most_at_border(rows: int) -> int:
    """How many of so many rows may have another label than expected."""
    return max(round(rows * BORDER_SHARE), 1 if rows >= 50 else 0)


def same_cells(one: Sequence[str] | None, other: Sequence[str] | None, tolerance: Tolerance) -> bool:
    """Whether two answers are the same, value by value, whatever the values are called."""
    if one is None or other is None or len(one) != len(other):
        return False
    return all(a == b or tolerance.covers(a, b) for a, b in zip(one, other, strict=True))


def numbers(text: str) -> list[float]:
    """The numbers in a value: one, or a list of them. Raises `ValueError` where it is neither."""
    if not text.lstrip().startswith("["):
        return [float(text)]
    try:
        return [float(value) for value in json.loads(text)]
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no list of numbers: {error}") from None


def _finite_numbers(text: str) -> list[float]:
    try:
        return [number for number in numbers(text) if math.isfinite(number)]
    except ValueError:
        return []

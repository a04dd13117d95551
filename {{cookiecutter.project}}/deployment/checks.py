"""What an endpoint must do before people depend on it: each check asks it something and judges the answer."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from deployment.holdout import Holdout
from deployment.invocation import Answer, Client
from deployment.predictions import LABEL, parse_csv, parse_json
from deployment.rows import batches, csv_line

LABELS_THAT_AGREE = 0.999  # at least, as a share of rows
RELATIVE = 1e-6  # at most, between two numbers that should be the same
Outcome = Literal["passed", "failed", "not applicable"]


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
    """What is checked: a client of the endpoint, its holdout, the names of the answer's values, and the
    labels that training saw (`None` for regression).
    """

    client: Client
    holdout: Holdout
    keys: Sequence[str]
    classes: frozenset[str] | None


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
    return checks, predictions


def check_json(subject: Subject, predictions: Sequence[dict[str, str]]) -> Check:
    """JSON, where the container writes it, says the same as CSV."""
    name = "answers json"
    some = subject.holdout.rows[:20]
    answer = subject.client.send(next(batches(some)), accept="application/json")
    if answer.status in (406, 415) or (answer.ok and "json" not in answer.content_type):
        return Check(name, "not applicable", "the container answers csv alone")
    if not answer.ok:
        return Check(name, "failed", _words(answer))
    try:
        found = parse_json(answer.body, subject.keys)
    except ValueError as error:
        return Check(name, "failed", f"no JSON that can be read: {error}")
    if len(found) != len(some):
        return Check(name, "failed", f"{len(found)} predictions for {len(some)} rows")
    same = check_agreement(found, predictions[: len(some)])
    return Check(name, same.outcome, f"compared with csv: {same.detail}")


def check_values(predictions: Sequence[dict[str, str]], classes: frozenset[str] | None) -> Check:
    """Labels are ones that training saw; numbers are finite."""
    name = "labels are known" if classes is not None else "numbers are finite"
    for number, prediction in enumerate(predictions, start=1):
        label = prediction.get(LABEL)
        if classes is not None and label is not None and label not in classes:
            return Check(name, "failed", f"row {number}: training knew no class {label!r}")
        for key, text in prediction.items():
            if key not in (LABEL, "labels") and not _finite(text):
                return Check(name, "failed", f"row {number}: {key} {text[:60]!r} is not finite")
    return Check(name, "passed", f"{len(predictions)} rows")


def check_agreement(found: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]) -> Check:
    """Predictions are those of the evaluation: 99.9 % of a classifier's, all of a regression's, to 1e-6
    (relative).
    """
    name = "agrees with the evaluation"
    wrong = [
        number
        for number, (one, other) in enumerate(zip(found, expected, strict=True), start=1)
        if not agrees(one, other)
    ]
    share = 1 - len(wrong) / len(found)
    detail = f"{share:.2%} of {len(found)} rows agree"
    if not wrong:
        return Check(name, "passed", detail)
    first = wrong[0]
    detail += f"; row {first}: {found[first - 1]} instead of {expected[first - 1]}"
    enough = LABEL in found[0] and share >= LABELS_THAT_AGREE
    return Check(name, "passed" if enough else "failed", detail)


def agrees(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two predictions of a row are the same."""
    for key, text in one.items():
        theirs = other.get(key, "")
        # `labels` is not predicted: it lists the classes, and each content type writes a list in its own way.
        if key == "labels" or text == theirs:
            continue
        if key == LABEL or not _close(text, theirs):
            return False
    return True


def same_cells(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    """Whether two answers are the same, value by value, whatever the values are called."""
    if one is None or other is None or len(one) != len(other):
        return False
    return all(a == b or _close(a, b) for a, b in zip(one, other, strict=True))


def check_malformed(subject: Subject) -> Check:
    """Rows that cannot be right are refused with a 4xx, and not answered with a guess."""
    row = subject.holdout.rows[0]
    cases: dict[str, Callable[[], Answer]] = {
        "a value too few": lambda: subject.client.send(csv_line(row[:-1])),
        "a value too many": lambda: subject.client.send(csv_line([*row, "1"])),
        "an unknown content type": lambda: subject.client.send(b"\x89PNG", content_type="image/png"),
    }
    wrong = []
    for case, send in cases.items():
        answer = send()
        if not 400 <= answer.status < 500:
            said = f"answered {answer.body.strip()[:60]!r}" if answer.ok else _words(answer)
            wrong.append(f"{case}: {said}")
    if wrong:
        return Check("refuses malformed rows", "failed", "; ".join(wrong))
    return Check("refuses malformed rows", "passed", ", ".join(cases))


def _words(answer: Answer) -> str:
    return f"answered {answer.status or 'nothing'}: {' '.join(answer.body.split())[:200]}"


def _numbers(text: str) -> list[float]:
    """The numbers in a value: one, or a list of them. Raises `ValueError` where it is neither."""
    if text.lstrip().startswith("["):
        return [float(value) for value in json.loads(text)]
    return [float(text)]


def _finite(text: str) -> bool:
    try:
        numbers = _numbers(text)
    except ValueError:
        return False
    return bool(numbers) and all(math.isfinite(number) for number in numbers)


def _close(one: str, other: str) -> bool:
    try:
        ours, theirs = _numbers(one), _numbers(other)
    except ValueError:
        return False
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=RELATIVE, abs_tol=1e-9) for a, b in zip(ours, theirs, strict=True)
    )

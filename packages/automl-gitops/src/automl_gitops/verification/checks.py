"""What an endpoint must do before people depend on it: each check asks it something and judges the answer."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from automl_gitops.kernel.csv_text import write_row
from automl_gitops.verification.agreement import LABELS, Tolerance, compare, most_at_border, numbers
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
    """Predictions are those of the evaluation, up to what float32 leaves open, see `verification.agreement`."""
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

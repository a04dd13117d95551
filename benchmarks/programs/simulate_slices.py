"""simulate_slices.py NUMBER START COUNT: how often the gate rejects a model for its worst slice.

``COUNT`` data sets of ``NUMBER`` slices of `ROWS` rows each, with the seeds from ``START`` on. In each slice the
objective's true value is the bound of [gate] worst_slice exactly. Printed are the data sets whose worst slice is on the
wrong side of the bound, those that the gate rejects, and those that it rejects where one more slice is really bad.
"""

import json
import sys

import numpy as np
from gate import judge
from simulate import MANY, SHARES

from automl_evaluation import regression
from automl_evaluation.assess_classes import Model, assess
from automl_evaluation.conditions import Evidence, SliceValue
from automl_evaluation.intervals import Estimate
from automl_evaluation.metrics import gain

ROWS = 200
RIGHT, RIGHT_WHERE_BAD = 0.6, 0.3  # the share of rows whose class the model knows; it guesses the others
GATE = {
    "confidence": 0.95,
    "minimum_rows": 1,
    "better_than_baseline": False,
    "not_worse_than_champion": False,
}
OBJECTIVES = {"accuracy": "Accuracy", "f1_macro": "F1macro", "rmse": "RMSE"}


def assessed(generator: np.random.Generator, rows: int, *, bad: bool = False) -> dict[str, Estimate]:
    """The metrics of a classifier and of a regression on a slice."""
    truth = generator.choice(3, rows, p=SHARES)
    known = generator.random(rows) < (RIGHT_WHERE_BAD if bad else RIGHT)
    predicted = np.where(known, truth, generator.choice(3, rows, p=SHARES))
    found = assess(truth, Model(predicted), None, 3, None)[0]["candidate"]
    numbers = generator.normal(0, 2, rows)
    error = (1.5 if bad else 1) * (generator.gamma(2, 0.5, rows) - 1)
    return found | regression.compared(numbers, numbers + error, None)["candidate"]


def rejects(metric: str, slices: list[Estimate], bound: float) -> bool:
    """Whether the project's gate rejects the model for its worst slice."""
    values = [
        SliceValue(str(number), ROWS, False, one.value, one.interval) for number, one in enumerate(slices)
    ]
    evidence = Evidence(OBJECTIVES[metric], metric, ROWS, {}, {}, "", slices=values)
    return judge({**GATE, "worst_slice": bound}, bound, evidence)[-1].outcome == "failed"


def main(number: int, start: int, count: int) -> None:
    """Simulate, print the counts by metric."""
    true = assessed(np.random.default_rng(10**9), MANY)
    counts = {way: dict.fromkeys(OBJECTIVES, 0) for way in ("by value", "rejected", "bad one rejected")}
    for seed in range(start, start + count):
        generator = np.random.default_rng(seed)
        slices = [assessed(generator, ROWS) for _ in range(number)]
        bad = assessed(generator, ROWS, bad=True)
        for metric in OBJECTIVES:
            bound, figures = true[metric].value, [one[metric] for one in slices]
            worst = min(gain(metric, figure.value) for figure in figures)
            counts["by value"][metric] += worst < gain(metric, bound)
            counts["rejected"][metric] += rejects(metric, figures, bound)
            counts["bad one rejected"][metric] += rejects(metric, [*figures, bad[metric]], bound)
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""simulate.py KIND START COUNT ROWS: how often intervals hold the truth, and how often an equal model seems better.

``COUNT`` data sets of ``ROWS`` rows, with the seeds from ``START`` on. In each, two models of the same quality predict
the same rows. True values are those of a data set of four million rows.
"""

import json
import sys
from collections.abc import Callable

import numpy as np

from automl_evaluation import regression
from automl_evaluation.assess_classes import Groups, Model, assess, figures
from automl_evaluation.intervals import Estimate, Interval
from automl_evaluation.metrics import gain

SHARES = np.array([0.11, 0.35, 0.54])
MANY = 4_000_000
WITHOUT_INTERVAL = ("calibration_error", "median_absolute_error", "max_error")


def classified(generator: np.random.Generator, truth: np.ndarray) -> Model:
    """A model whose three classes' scores know the truth up to noise."""
    scores = generator.normal(size=(3, len(truth))) + np.log(SHARES)[:, None]
    scores[truth, np.arange(len(truth))] += 0.8
    given = np.exp(scores)
    given /= given.sum(axis=0)
    predicted = given.argmax(axis=0)
    return Model(predicted, figures(given, [0, 1, 2], truth, predicted, None, draw=False))


def classification(generator: np.random.Generator, rows: int) -> Groups:
    """Three classes with the hospital data's shares."""
    truth = generator.choice(3, rows, p=SHARES)
    models = [classified(generator, truth) for _ in range(2)]
    return assess(truth, models[0], models[1], 3, None)[0]


def ends(estimate: Estimate) -> Interval:
    """The ends of the 95 % interval, which each metric has that is simulated."""
    found = estimate.interval(0.95)
    assert found is not None  # noqa: S101
    return found


def regressed(generator: np.random.Generator, rows: int) -> Groups:
    """A target of which both models know the same part, up to skewed errors of their own."""
    signal = generator.normal(0, 2, rows)
    truth = signal + generator.normal(0, 1, rows)
    models = [signal + generator.gamma(2, 0.5, rows) - 1 for _ in range(2)]
    return regression.compared(truth, models[0], models[1])


def main(draw: Callable[[np.random.Generator, int], Groups], start: int, count: int, rows: int) -> None:
    """Simulate, print the counts by metric."""
    true = draw(np.random.default_rng(10**9), MANY)["candidate"]
    names = [name for name in true if name not in WITHOUT_INTERVAL]
    held = dict.fromkeys(names, 0)
    better = dict.fromkeys([name for name in names if name != "mean_error"], 0)
    for seed in range(start, start + count):
        groups = draw(np.random.default_rng(seed), rows)
        for name in names:
            low, high = ends(groups["candidate"][name])
            held[name] += bool(low <= true[name].value <= high)
        for name in better:
            differences = ends(groups["candidate - champion"][name])
            better[name] += bool(min(gain(name, end) for end in differences) > 0)
    print(json.dumps({"held": held, "better": better}))


if __name__ == "__main__":
    kinds = {"classification": classification, "regression": regressed}
    main(kinds[sys.argv[1]], *map(int, sys.argv[2:]))

"""Where the line between the classes is drawn: the weights by which probabilities are compared.

A model trained on the likelihood knows the probabilities, but the most probable class maximises accuracy, not
F1. For two classes the weights are a decision threshold; the search is the same for more.
"""

from __future__ import annotations

import numpy as np

# Below these there is too little to choose by, and the choice would not carry over to other rows.
MINIMAL_ROWS = 200
MINIMAL_ROWS_OF_A_CLASS = 10
MAXIMAL_CLASSES = 30
MAXIMAL_ROWS = 20_000
STEPS = np.geomspace(0.25, 4, 33)
ROUNDS = 3


def worth_choosing(truth: np.ndarray, classes: int) -> bool:
    """Whether the validation rows (numbers of classes) are enough to choose by."""
    counts = np.bincount(truth, minlength=classes)
    return bool(
        len(truth) >= MINIMAL_ROWS and classes <= MAXIMAL_CLASSES and counts.min() >= MINIMAL_ROWS_OF_A_CLASS
    )


def choose(
    objective: str, truth: np.ndarray, probabilities: np.ndarray, rows: np.ndarray | None = None
) -> list[float]:
    """The weights with the greatest ``objective`` (F1, F1macro, BalancedAccuracy, RecallMacro) on these rows.

    Coordinate ascent from equal weights: one class after the other over a grid of factors. ``probabilities``
    is rows x classes; the weights' largest is 1. ``rows`` are the rows' own weights, where they have some.
    """
    if len(truth) > MAXIMAL_ROWS:
        kept = np.random.default_rng(0).choice(len(truth), MAXIMAL_ROWS, replace=False)
        truth, probabilities, rows = truth[kept], probabilities[kept], None if rows is None else rows[kept]
    weights = np.ones(probabilities.shape[1])
    best = _score(objective, truth, probabilities, weights, rows)
    for _ in range(ROUNDS):
        before = best
        for number in range(len(weights)):
            tried = [weights * np.where(np.arange(len(weights)) == number, step, 1.0) for step in STEPS]
            scores = [_score(objective, truth, probabilities, candidate, rows) for candidate in tried]
            if max(scores) > best:
                best = max(scores)
                weights = tried[int(np.argmax(scores))]
        if best <= before:
            break
    return (weights / weights.max()).tolist()


def _score(
    objective: str, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, rows: np.ndarray | None
) -> float:
    classes = len(weights)
    chosen = (probabilities * weights).argmax(axis=1)
    # Balanced accuracy has weights of its own, and takes no others.
    counted = None if objective == "BalancedAccuracy" else rows
    cells = np.bincount(truth * classes + chosen, counted, minlength=classes**2)
    matrix = cells.reshape(classes, classes)
    hits, actual, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    if objective in ("F1", "F1macro"):
        f1 = _share(2 * hits, actual + predicted)
        return float(f1[1] if objective == "F1" else f1.mean())
    return float(_share(hits, actual).mean())


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)

"""Where the line between the classes is drawn: the weights by which probabilities are compared.

A model trained on the likelihood knows the probabilities, but the most probable class maximises accuracy, not
F1. For two classes the weights are a decision threshold; the search is the same for more. Where classes are about as
frequent as each other there is little to gain, and weights that fit the validation rows lose on others: so they are
kept only where weights of one half of the rows gain on the other half beyond chance.
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
REPLICATES = 200  # of the bootstrap that says how much of a gain is chance


def worth_choosing(truth: np.ndarray, classes: int) -> bool:
    """Whether the validation rows (numbers of classes) are enough to choose by."""
    counts = np.bincount(truth, minlength=classes)
    return bool(
        len(truth) >= MINIMAL_ROWS and classes <= MAXIMAL_CLASSES and counts.min() >= MINIMAL_ROWS_OF_A_CLASS
    )


def choose(
    objective: str, truth: np.ndarray, probabilities: np.ndarray, rows: np.ndarray | None = None
) -> list[float]:
    """The weights with the greatest ``objective`` (F1, F1macro, BalancedAccuracy, RecallMacro) on these rows, or equal
    ones where that gains nothing on rows that they were not chosen by.

    ``probabilities`` is rows x classes; the weights' largest is 1. ``rows`` are the rows' own weights, where they
    have some.
    """
    random = np.random.default_rng(0)
    if len(truth) > MAXIMAL_ROWS:
        kept = random.choice(len(truth), MAXIMAL_ROWS, replace=False)
        truth, probabilities, rows = truth[kept], probabilities[kept], None if rows is None else rows[kept]
    chosen = _by_other_half(objective, truth, probabilities, rows, random)
    if not _gains(objective, truth, chosen, probabilities.argmax(axis=1), rows, random):
        return [1.0] * probabilities.shape[1]
    weights: list[float] = greatest(objective, truth, probabilities, rows).tolist()
    return weights


def _by_other_half(
    objective: str,
    truth: np.ndarray,
    probabilities: np.ndarray,
    rows: np.ndarray | None,
    random: np.random.Generator,
) -> np.ndarray:
    """Each row's class by weights of the half that it is not in; each half has half of each class."""
    order = random.permutation(len(truth))
    half = np.empty(len(truth), dtype=int)
    half[order[np.argsort(truth[order], kind="stable")]] = np.arange(len(truth)) % 2
    chosen = np.empty(len(truth), dtype=int)
    for number in (0, 1):
        others, own = half != number, half == number
        weights = greatest(
            objective, truth[others], probabilities[others], None if rows is None else rows[others]
        )
        chosen[own] = (probabilities[own] * weights).argmax(axis=1)
    return chosen


def _gains(
    objective: str,
    truth: np.ndarray,
    chosen: np.ndarray,
    plain: np.ndarray,
    rows: np.ndarray | None,
    random: np.random.Generator,
) -> bool:
    """Whether ``chosen`` scores higher than ``plain`` by more than a standard error of the difference."""
    classes = int(max(truth.max(), chosen.max(), plain.max())) + 1

    def gain(drawn: np.ndarray | slice) -> float:
        counted = None if rows is None else rows[drawn]
        one, other = (
            _score(objective, truth[drawn], decided[drawn], classes, counted) for decided in (chosen, plain)
        )
        return one - other

    difference = gain(slice(None))
    if difference <= 0:
        return False
    replicates = [gain(random.integers(len(truth), size=len(truth))) for _ in range(REPLICATES)]
    return bool(difference > np.std(replicates))


def greatest(
    objective: str, truth: np.ndarray, probabilities: np.ndarray, rows: np.ndarray | None
) -> np.ndarray:
    """The weights with the greatest ``objective`` on these rows, arguments as those of :func:`choose`.

    Coordinate ascent from equal weights: one class after the other over a grid of factors.
    """

    def score(weights: np.ndarray) -> float:
        return _score(objective, truth, (probabilities * weights).argmax(axis=1), len(weights), rows)

    weights = np.ones(probabilities.shape[1])
    best = score(weights)
    for _ in range(ROUNDS):
        before = best
        for number in range(len(weights)):
            tried = [weights * np.where(np.arange(len(weights)) == number, step, 1.0) for step in STEPS]
            scores = [score(candidate) for candidate in tried]
            if max(scores) > best:
                best = max(scores)
                weights = tried[int(np.argmax(scores))]
        if best <= before:
            break
    scaled: np.ndarray = weights / weights.max()
    return scaled


def _score(
    objective: str, truth: np.ndarray, chosen: np.ndarray, classes: int, rows: np.ndarray | None
) -> float:
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

"""Classes of few rows in a mean over classes: what draws of the rows show too little of.

All draws of a class of which one row is held out, and is right, have it right: the mean would be as certain as if the
class were known. It gets the distance to the end of such a class's own interval in place of the spread that the class
has in the draws, put together as independent errors are (MOVER: G. Y. Zou and A. Donner, Statistics in Medicine 27
(2008) 1693-1702), and a difference that of either model's: too wide rather than too narrow where both err on the same
rows. Nothing is added of a class of `FEW` rows of which some are right and some are not, nor where its draws scatter as
far as its own interval reaches. Of classes without any row to judge them by nothing is known: theirs add up.

An area under a curve is a mean over the rows of the class (for the ROC curve also over the others) of numbers from 0 to
1, which scatter at most as shares do: that is what few rows may hide, whatever they show themselves.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtri

from automl_evaluation.intervals import ROUNDING, Beyond, Interval
from automl_evaluation.shares import effective, influences, wilson

FEW = 10  # rows
FEW_RANKED, ENOUGH_RANKED = 5, 20  # up to the one their areas get all of it, from the other on nothing


def beyond_shares(
    successes: np.ndarray,
    trials: np.ndarray,
    counts: np.ndarray,
    of: Callable[[np.ndarray], np.ndarray] = np.asarray,
    settled: np.ndarray | None = None,
) -> Beyond | None:
    """What classes of few rows add to the mean of ``of`` the classes' shares over those in ``counts`` (classes,).

    ``successes`` and ``trials`` are (classes,) or, of rows in groups, (groups, classes); the rows of a class are then
    the groups that have such ones. Of classes that are ``settled`` (classes,) nothing is added. None where no class has
    few.
    """
    grouped = successes.ndim > 1
    right, wrong = successes, trials - successes
    if grouped:
        right, wrong = (right > 0).sum(axis=0), (wrong > 0).sum(axis=0)
    few = ((np.minimum(right, wrong) == 0) | (right + wrong < FEW)) & (counts > 0)
    if settled is not None:
        few &= ~settled
    if not few.any():
        return None
    weights = counts[few] / counts.sum()
    worth = None
    if grouped:
        rows, degrees = effective(successes, trials)
        worth = rows[few], degrees[few]
        errors = (influences(successes, trials)[:, few] ** 2).sum(axis=0)
        successes, trials = successes.sum(axis=0)[few], trials.sum(axis=0)[few]
        variance = errors / np.maximum(trials, 1) ** 2
        shares = successes / np.maximum(trials, 1)
    else:
        successes, trials = successes[few], trials[few]
        shares = successes / np.maximum(trials, 1)
        variance = shares * (1 - shares) / np.maximum(trials, 1)
    seen = of(shares)

    def beyond(confidence: float) -> Interval:
        drawn = -ndtri((1 - confidence) / 2) * np.sqrt(variance)
        low, high = (of(ends) for ends in wilson(successes, trials, confidence, worth))
        below, above = of(np.maximum(shares - drawn, 0)), of(np.minimum(shares + drawn, 1))
        down = np.maximum((seen - low) ** 2 - (seen - below) ** 2, 0)
        up = np.maximum((high - seen) ** 2 - (above - seen) ** 2, 0)
        unknown = trials == 0
        return tuple(  # type: ignore[return-value]
            float((squares * weights**2)[~unknown].sum() + (np.sqrt(squares) * weights)[unknown].sum() ** 2)
            for squares in (down, up)
        )

    return beyond


def beyond_area(value: float, rows: int, deviation: float) -> Beyond | None:
    """What an area's own spread, the standard error ``deviation``, hides; ``rows`` are those of the rarer kind."""
    at_end = min(value, 1 - value) <= ROUNDING
    part = 1.0 if at_end else min((ENOUGH_RANKED - rows) / (ENOUGH_RANKED - FEW_RANKED), 1.0)
    if part <= 0:
        return None

    def beyond(confidence: float) -> Interval:
        (low,), (high,) = wilson(np.array([value * rows]), np.array([rows]), confidence)
        own = (ndtri((1 - confidence) / 2) * deviation) ** 2 if np.isfinite(deviation) else 0.0
        return max((value - low) ** 2 - own, 0.0) * part, max((high - value) ** 2 - own, 0.0) * part

    return beyond


def mean_of(each: Sequence[Beyond | None]) -> Beyond | None:
    """What adds to the mean of so many figures, whose errors are independent."""
    known = [beyond for beyond in each if beyond]
    if not known:
        return None

    def beyond(confidence: float) -> Interval:
        squares = np.array([one(confidence) for one in known]).sum(axis=0) / len(each) ** 2
        return float(squares[0]), float(squares[1])

    return beyond

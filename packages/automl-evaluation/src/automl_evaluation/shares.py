"""Shares of rows, and means of shares over classes: Wilson's interval, which is more accurate for few rows.

Of rows in groups it has as many rows as independent ones would tell as much (`effective`). A mean over classes has the
distances of each class's ends, put together as their errors go together (G. Y. Zou and A. Donner, Statistics in
Medicine 27 (2008) 1693-1702; with correlations G. Y. Zou, Psychological Methods 12 (2007) 399-413). So it leans to the
side to which a rare class can be wrong, and counts a class without an error, in which a jackknife sees no spread.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri, stdtrit

from automl_evaluation.intervals import Estimate, Interval

Worth = tuple[np.ndarray, np.ndarray]


def wilson(
    successes: np.ndarray, trials: np.ndarray, confidence: float, worth: Worth | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of shares (E. B. Wilson, 1927), 0-1 where there was no trial.

    ``worth`` is what `effective` says of trials in groups; Student's quantile is then in the normal one's place.
    """
    tail = (1 - confidence) / 2
    z = -ndtri(tail)
    trials = np.asarray(trials, dtype=np.float64)
    known = trials > 0
    share = np.divide(successes, trials, out=np.full_like(trials, 0.5), where=known)
    if worth:
        trials, degrees = worth
        known, z = known & (degrees > 0), -stdtrit(np.maximum(degrees, 1), tail)
    spread = z * np.sqrt(share * (1 - share) * trials + z * z / 4)
    low = (share * trials + z * z / 2 - spread) / (trials + z * z)
    high = (share * trials + z * z / 2 + spread) / (trials + z * z)
    return np.where(known, low, 0.0), np.where(known, high, 1.0)


def effective(successes: np.ndarray, trials: np.ndarray) -> Worth:
    """How many independent trials would tell as much as trials in groups do, and the degrees of freedom.

    Both are (groups, shares), the results (shares,). The number is that of the trials divided by the design effect
    1 + (m - 1) r of groups of m trials with the intraclass correlation r (L. Kish, Survey Sampling (1965), section
    8.2); for Wilson's interval with it see C. Franco and others, Journal of Survey
    Statistics and Methodology 7 (2019) 334-364. A share that few groups decide shows hardly any spread just when it is
    far off: r is therefore that of all the shares together, or its own if that is greater. It is 1 where no share shows
    any. Each group's error is that of the trials without it, as of a jackknife.

    The degrees of freedom are the harmonic mean of those of the share's groups, by their sizes (Satterthwaite, as in
    `intervals.degrees`), and of all shares' groups, from which r is.
    """
    total, squares = trials.sum(axis=0), (trials**2).sum(axis=0)
    share = successes.sum(axis=0) / np.maximum(total, 1)
    error = influences(successes, trials)
    seen, groups = trials > 0, (trials > 0).sum(axis=0)
    error -= np.where(seen, error.sum(axis=0) / np.maximum(groups, 1), error)
    single = share * (1 - share)  # the variance of a trial
    known = (single > 0) & (squares > total)
    spread = (error**2).sum(axis=0) * (groups - 1) / np.maximum(groups, 1)
    beyond = np.divide(spread, single, out=np.zeros_like(single), where=known) - total
    pairs = np.where(known, squares - total, 0)
    of_all = beyond[known].sum() / pairs.sum() if known.any() else 1.0
    own = np.divide(beyond, pairs, out=np.zeros_like(single), where=known)
    alike = np.clip(np.maximum(own, of_all), 0, 1)
    rows = total**2 / np.maximum(total + alike * (squares - total), 1)
    mine, all_of_them = _degrees(trials), _degrees(trials.sum(axis=1, keepdims=True))
    return rows, np.divide(2 * mine * all_of_them, mine + all_of_them, out=mine * 0, where=mine > 0)


def _degrees(sizes: np.ndarray) -> np.ndarray:
    """Of sums of groups of such sizes (groups, ...): (...)."""
    shares = sizes / np.maximum(sizes.max(axis=0), 1)
    squares, fourths = (shares**2).sum(axis=0), (shares**4).sum(axis=0)
    return np.divide(squares**2, fourths, out=np.ones_like(squares), where=fourths > 0) - 1


def influences(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """What each group adds to a share, times all trials: (groups, shares)."""
    total = trials.sum(axis=0)
    share = successes.sum(axis=0) / np.maximum(total, 1)
    left = 1 - trials / np.maximum(total, 1)
    return np.divide(successes - share * trials, left, out=np.zeros(trials.shape), where=left > 0)


def share(successes: float, trials: float, worth: Worth | None = None) -> Estimate:
    """A share with Wilson's interval, which has a width also where all trials ended alike.

    ``worth`` is `effective`'s, of one share, where the trials come in groups.
    """

    def interval(confidence: float) -> Interval | None:
        low, high = wilson(np.array([successes]), np.array([trials]), confidence, worth)
        return (float(low[0]), float(high[0])) if trials else None

    return Estimate(successes / trials if trials else 0.0, interval)


def f1(correct: float, true: float, predicted: float, worth: Worth | None = None) -> Estimate:
    """F1 of a class, whose interval follows from that of a share; ``worth`` is of that share.

    It is 2 s / (1 + s), where s is the share of the rows that are right among those that are of the class or
    were predicted as it.
    """
    inner = share(correct, true + predicted - correct, worth)

    def interval(confidence: float) -> Interval | None:
        ends = inner.interval(confidence)
        return (2 * ends[0] / (1 + ends[0]), 2 * ends[1] / (1 + ends[1])) if ends else None

    return Estimate(2 * correct / (true + predicted) if true + predicted else 0.0, interval)


def dice(shares: np.ndarray) -> np.ndarray:
    """The F1 of such shares as `f1`'s."""
    return 2 * shares / (1 + shares)


def mean_of_rows(
    successes: np.ndarray,
    trials: np.ndarray,
    counts: np.ndarray,
    of: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Estimate:
    """`mean_of_shares` of rows that come in no groups (classes,): the classes' errors are independent."""
    seen = of(np.divide(successes, trials, out=np.zeros(len(trials)), where=trials > 0))
    weights = counts / max(counts.sum(), 1)
    value = float(seen @ weights)

    def interval(confidence: float) -> Interval | None:
        low, high = (of(ends) for ends in wilson(successes, trials, confidence))
        down, up = (float(np.linalg.norm(distance * weights)) for distance in (seen - low, high - seen))
        return max(value - down, 0.0), min(value + up, 1.0)

    return Estimate(value, interval)


def mean_of_shares(
    successes: np.ndarray,
    trials: np.ndarray,
    counts: np.ndarray,
    of: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Estimate:
    """The mean over the classes in ``counts`` (classes,) of shares of rows in groups: both (groups, classes).

    ``of`` makes of shares what the mean is of, such as `dice`; the greater, the greater.
    """
    every, all_trials = successes.sum(axis=0), trials.sum(axis=0)
    seen = of(np.divide(every, all_trials, out=np.zeros(len(every)), where=all_trials > 0))
    weights = counts / max(counts.sum(), 1)
    value = float(seen @ weights)
    worth = effective(successes, trials)
    errors = influences(successes, trials)
    size = np.sqrt((errors**2).sum(axis=0))
    errors = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)
    alike = errors.T @ errors if len(size) <= len(errors) else None  # the smaller one is kept

    def reach(distances: np.ndarray) -> float:
        each = np.abs(distances) * weights
        together = each @ alike @ each if alike is not None else ((errors @ each) ** 2).sum()
        return float(np.sqrt(max(together, 0) + (each[size == 0] ** 2).sum()))

    def interval(confidence: float) -> Interval | None:
        low, high = (of(ends) for ends in wilson(every, all_trials, confidence, worth))
        return max(value - reach(seen - low), 0.0), min(value + reach(high - seen), 1.0)

    return Estimate(value, interval if len(successes) > 1 else lambda confidence: None)

"""Confidence intervals: the bootstrap over rows, done on counts, and the normal interval of a linear
estimate.

Drawing n rows anew from n rows gives each *kind* of row a multinomial count. A metric that depends on counts
alone has therefore the same bootstrap distribution whether rows or counts are drawn; the latter costs nothing
in rows. The same code serves sums over rows: these are gathered in groups of rows, and groups are drawn (a
group is one row as long as the rows are fewer than the groups).

Intervals are bias-corrected and accelerated (Efron and Tibshirani, An Introduction to the Bootstrap (1993),
ch. 14), and widened for few rows as Student's are (Hesterberg, The American Statistician 69 (2015) 371-386,
"expanded percentile interval"). A share of rows has Wilson's interval, which is more accurate for few rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

REPLICATES = 2000
LEAST_REPLICATES = 200
DIFFERENCE = " - "
SEED = 20_260_701  # any number: the same evaluation gives the same intervals again
BLOCK_CELLS = 1 << 21  # how many counts of a table are held at once
MOST_DRAWS = 200_000_000  # a table of very many cells is drawn less often
MOST_JACKKNIFE_CELLS = 5000

Statistic = Callable[[np.ndarray], np.ndarray]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval at a confidence such as 0.95 (``None`` where it has none)."""

    value: float
    interval: Callable[[float], Interval | None] = field(default=lambda confidence: None)


def estimates(statistic: Statistic, rows: np.ndarray, names: list[str]) -> dict[str, Estimate]:
    """Bootstrap a statistic of counts.

    ``statistic`` maps counts (replicates, cells) to figures (replicates, names), NaN where one is undefined;
    ``rows`` (cells,) are the counts seen. Undefined figures are left out. A figure that is the same in every
    draw has no interval (rows without one error do not tell how rare errors are), unless its name, such as
    `a - b`, says that it is a difference.
    """
    cells = len(rows)
    seen = statistic(rows[None, :].astype(np.float64))[0]
    replicates = int(np.clip(MOST_DRAWS // max(cells, 1), LEAST_REPLICATES, REPLICATES))
    generator = np.random.default_rng(SEED)
    block = max(1, BLOCK_CELLS // max(cells, 1))
    drawn = np.concatenate(
        [
            statistic(_drawn(generator, rows, min(block, replicates - start)))
            for start in range(0, replicates, block)
        ]
    )
    total = int(rows.sum())
    acceleration = _acceleration(statistic, rows.astype(np.float64), seen, block)
    return {
        name: Estimate(
            float(seen[i]),
            _bca(
                float(seen[i]),
                np.sort(drawn[:, i]),
                float(acceleration[i]),
                total,
                constant=DIFFERENCE in name,
            ),
        )
        for i, name in enumerate(names)
        if np.isfinite(seen[i])
    }


def _drawn(generator: np.random.Generator, rows: np.ndarray, size: int) -> np.ndarray:
    """Counts of as many rows, drawn anew ``size`` times (size, cells)."""
    total, cells = int(rows.sum()), len(rows)
    if total > 4 * cells:  # then a binomial for each cell costs less than a number for each row
        return generator.multinomial(total, rows / total, size=size).astype(np.float64)
    cell_of_row = np.repeat(np.arange(cells), rows)
    chosen = cell_of_row[generator.integers(0, total, size=(size, total))]
    chosen += np.arange(size)[:, None] * cells
    return np.bincount(chosen.ravel(), minlength=size * cells).reshape(size, cells).astype(np.float64)


def _acceleration(statistic: Statistic, rows: np.ndarray, seen: np.ndarray, block: int) -> np.ndarray:
    """The skewness of the figures' influence, by leaving out one row of each cell (names,)."""
    cells = len(rows)
    if cells > MOST_JACKKNIFE_CELLS or rows.sum() < 2:
        return np.zeros(len(seen))
    left = np.concatenate(
        [
            statistic(rows - np.eye(min(block, cells - start), cells, start))
            for start in range(0, cells, block)
        ]
    )
    weights = rows[:, None]
    difference = np.nansum(weights * left, axis=0) / rows.sum() - left
    difference[~np.isfinite(difference)] = 0
    cubes, squares = (weights * difference**3).sum(axis=0), (weights * difference**2).sum(axis=0)
    found: np.ndarray = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    return found


def _bca(
    seen: float, drawn: np.ndarray, acceleration: float, rows: int, constant: bool
) -> Callable[[float], Interval | None]:
    """The interval of a figure of so many rows from its sorted replicates, NaN last.

    ``constant`` allows it to be a point.
    """
    defined = drawn[np.isfinite(drawn)]

    def interval(confidence: float) -> Interval | None:
        if len(defined) < len(drawn) / 2:
            return None
        if defined[0] == defined[-1]:
            return (seen, seen) if constant else None
        below = (
            (np.searchsorted(defined, seen, "left") + np.searchsorted(defined, seen, "right"))
            / 2
            / len(defined)
        )
        bias = ndtri(np.clip(below, 1 / len(defined), 1 - 1 / len(defined)))
        reach = -stdtrit(rows - 1, (1 - confidence) / 2) * np.sqrt(rows / (rows - 1))
        shifted = bias + np.array([-reach, reach])
        levels = ndtr(bias + shifted / np.maximum(1 - acceleration * shifted, 0.1))  # stays in order
        low, high = np.quantile(defined, levels)
        return float(low), float(high)

    return interval


@dataclass(frozen=True)
class Linear:
    """An estimate whose error is, to first order, a sum over rows.

    ``groups`` (groups,) holds the sums of the rows' influences (their gradient) by group. DeLong's variance
    of an AUC is of this form, and the difference of two models on the same rows is the difference of the two
    sums.
    """

    value: float
    groups: np.ndarray

    @property
    def deviation(self) -> float:
        """The standard error."""
        count = len(self.groups)
        return float(np.sqrt(self.groups.var(ddof=1) * count)) if count > 1 else float("nan")

    def __sub__(self, other: "Linear") -> "Linear":
        """The difference on the same rows."""
        return Linear(self.value - other.value, self.groups - other.groups)

    def estimate(self) -> Estimate:
        """With the normal interval, which suits a difference."""

        def interval(confidence: float) -> Interval | None:
            reach = -ndtri((1 - confidence) / 2) * self.deviation
            return (self.value - reach, self.value + reach) if np.isfinite(reach) else None

        return Estimate(self.value, interval)

    def share(self) -> Estimate:
        """With an interval within 0-1: normal on the logit scale, as is usual for areas under curves."""
        if not 0 < self.value < 1:
            return Estimate(self.value)

        def interval(confidence: float) -> Interval | None:
            slope = self.value * (1 - self.value)
            reach = -ndtri((1 - confidence) / 2) * self.deviation / slope
            if not np.isfinite(reach):
                return None
            centre = logit(self.value)
            return float(expit(centre - reach)), float(expit(centre + reach))

        return Estimate(self.value, interval)


def wilson(successes: np.ndarray, trials: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of shares (E. B. Wilson, 1927), 0-1 where there was no trial."""
    z = -ndtri((1 - confidence) / 2)
    trials = np.asarray(trials, dtype=np.float64)
    share = np.divide(successes, trials, out=np.full_like(trials, 0.5), where=trials > 0)
    spread = z * np.sqrt(share * (1 - share) * trials + z * z / 4)
    low = (share * trials + z * z / 2 - spread) / (trials + z * z)
    high = (share * trials + z * z / 2 + spread) / (trials + z * z)
    return np.where(trials > 0, low, 0.0), np.where(trials > 0, high, 1.0)


def share(successes: float, trials: float) -> Estimate:
    """A share with Wilson's interval, which has a width also where all trials ended alike."""

    def interval(confidence: float) -> Interval | None:
        low, high = wilson(np.array([successes]), np.array([trials]), confidence)
        return (float(low[0]), float(high[0])) if trials else None

    return Estimate(successes / trials if trials else 0.0, interval)


def f1(correct: float, true: float, predicted: float) -> Estimate:
    """F1 of a class, whose interval follows from that of a share.

    It is 2 s / (1 + s), where s is the share of the rows that are right among those that are of the class or
    were predicted as it.
    """
    inner = share(correct, true + predicted - correct)

    def interval(confidence: float) -> Interval | None:
        ends = inner.interval(confidence)
        return (2 * ends[0] / (1 + ends[0]), 2 * ends[1] / (1 + ends[1])) if ends else None

    return Estimate(2 * correct / (true + predicted) if true + predicted else 0.0, interval)


GROUPS = 4096


class GroupSums:
    """Sums over rows of several quantities, by group; row ``i`` belongs to group ``i`` modulo `GROUPS`."""

    def __init__(self, quantities: int) -> None:
        """Of so many quantities."""
        self._sums = np.zeros((GROUPS, quantities))
        self._rows = 0

    def add(self, start: int, values: np.ndarray) -> None:
        """Add the quantities of the rows from ``start`` on: (rows, quantities). Chunks come in order."""
        whole = len(values) // GROUPS * GROUPS
        offset = start % GROUPS
        if offset:
            raise ValueError(f"a chunk starts at row {start}, which is no multiple of {GROUPS}")
        self._sums += values[:whole].reshape(-1, GROUPS, values.shape[1]).sum(axis=0)
        self._sums[: len(values) - whole] += values[whole:]
        self._rows = max(self._rows, start + len(values))

    @property
    def sums(self) -> np.ndarray:
        """The groups that have rows (groups, quantities)."""
        return self._sums[: min(self._rows, GROUPS)]

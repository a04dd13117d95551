"""Confidence intervals: the bootstrap over rows, done on counts, and the normal interval of a linear
estimate. Of rows that come in groups see jackknife.py.

Drawing n rows anew from n rows gives each *kind* of row a multinomial count. A metric that depends on counts
alone has therefore the same bootstrap distribution whether rows or counts are drawn; the latter costs nothing
in rows. The same code serves sums over rows: these are gathered in buckets of rows, and buckets are drawn (a
bucket is one row as long as there are no more rows than buckets).

Intervals are bias-corrected and accelerated (Efron and Tibshirani, An Introduction to the Bootstrap (1993),
ch. 14), and widened for few rows as Student's are (Hesterberg, The American Statistician 69 (2015) 371-386,
"expanded percentile interval"). Shares of rows are in shares.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

REPLICATES = 2000
LEAST_REPLICATES = 200
DIFFERENCE = " - "
SEED = 20_260_701  # any number: the same evaluation gives the same intervals again
BLOCK_CELLS = 1 << 21  # how many counts of a table are held at once
MOST_DRAWS = 200_000_000  # a table of very many cells is drawn less often
MOST_JACKKNIFE_CELLS = 5000
ROUNDING = 1e-12  # a figure that differs by no more than this share of itself is the same
RESOLVED = 5  # replicates beyond a quantile that is taken from the replicates themselves

Statistic = Callable[[np.ndarray], np.ndarray]
Interval = tuple[float, float]
Beyond = Callable[[float], Interval]  # by confidence: squares of how much farther the ends are, see few.py


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval at a confidence such as 0.95 (``None`` where it has none).

    ``constant`` says that it was the same in every draw.
    """

    value: float
    interval: Callable[[float], Interval | None] = field(default=lambda confidence: None)
    constant: bool = False


def estimates(statistic: Statistic, rows: np.ndarray, names: list[str]) -> dict[str, Estimate]:
    """Bootstrap a statistic of counts.

    ``statistic`` maps counts (replicates, cells) to figures (replicates, names), NaN where one is undefined;
    ``rows`` (cells,) are the counts seen. Undefined figures are left out.
    A figure that is the same in every draw has no interval (rows without one error do not tell how rare errors are),
    unless its name, such as `a - b`, says that it is a difference: see apart.py where its parts are not alike.
    """
    cells = max(len(rows), 1)
    seen = statistic(rows[None, :].astype(np.float64))[0]
    replicates = int(np.clip(MOST_DRAWS // cells, LEAST_REPLICATES, REPLICATES))
    generator = np.random.default_rng(SEED)
    block = max(1, BLOCK_CELLS // cells)
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
            _is_constant(drawn[:, i]),
        )
        for i, name in enumerate(names)
        if np.isfinite(seen[i])
    }


def together(one: Beyond | None, other: Beyond | None = None) -> Beyond | None:
    """Of ``one`` minus ``other``, whose errors are independent: it may be too low where ``other`` is too high."""
    if one is None and other is None:
        return None

    def beyond(confidence: float) -> Interval:
        down, up = one(confidence) if one else (0.0, 0.0)
        above, below = other(confidence)[::-1] if other else (0.0, 0.0)
        return down + above, up + below

    return beyond


def widened(estimate: Estimate, beyond: Beyond | None, least: float = 0.0, most: float = 1.0) -> Estimate:
    """A figure from ``least`` to ``most`` whose interval shows too little; without any spread it was a point."""
    if beyond is None:
        return estimate

    def interval(confidence: float) -> Interval | None:
        ends = estimate.interval(confidence)
        if ends is None and not estimate.constant:
            return None
        low, high = ends or (estimate.value, estimate.value)
        down, up = beyond(confidence)
        return (
            max(estimate.value - sqrt((estimate.value - low) ** 2 + down), least) if down else low,
            min(estimate.value + sqrt((high - estimate.value) ** 2 + up), most) if up else high,
        )

    return replace(estimate, interval=interval)


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
    return np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)


def _is_constant(drawn: np.ndarray) -> bool:
    """Whether replicates differ by rounding alone."""
    defined = drawn[np.isfinite(drawn)]
    return len(defined) > 0 and bool(np.ptp(defined) <= ROUNDING * np.abs(defined[0]))


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
        resolved = RESOLVED / len(defined)
        if (1 - confidence) / 2 < resolved:
            low, high = (
                _beyond(defined, level, resolved, end) for level, end in zip(levels, (low, high), strict=True)
            )
        return float(low), float(high)

    return interval


def _beyond(drawn: np.ndarray, level: float, resolved: float, quantile: float) -> float:
    """A quantile of sorted replicates; farther out than they tell, their tail goes on as a normal one does."""
    last = min(max(level, resolved), 1 - resolved)
    if last == level:
        return quantile
    centre, end = np.quantile(drawn, (0.5, last))
    return float(centre + (end - centre) * ndtri(np.clip(level, 1e-12, 1 - 1e-12)) / ndtri(last))


def degrees(influences: np.ndarray) -> np.ndarray:
    """Student's degrees of freedom for a standard error from groups: (groups, ...) of influences around 0 to (...).

    Those that give a variance the spread that the sum of squares has (F. E. Satterthwaite, Biometrics Bulletin 2 (1946)
    110-114): 2 / (2 / (n - 1) + excess / n), by the influences' excess kurtosis, and never more than n - 1. Where large
    groups, or a few of any size, decide, they are few.
    """
    groups, greatest = len(influences), np.abs(influences).max(axis=0)
    squares = np.divide(influences, greatest, out=np.zeros_like(influences), where=greatest > 0) ** 2
    mean = squares.mean(axis=0)
    excess = np.divide((squares**2).mean(axis=0), mean**2, out=np.full_like(mean, 3.0), where=mean > 0) - 3
    return 2 / (2 / max(groups - 1, 1) + np.maximum(excess, 0) / groups)


def student(confidence: float, freedom: np.ndarray | float) -> np.ndarray:
    """How many standard errors an interval of Student's reaches to either side."""
    return -stdtrit(freedom, (1 - confidence) / 2)


@dataclass(frozen=True)
class Linear:
    """An estimate whose error is, to first order, a sum over rows.

    ``sums`` (buckets,) holds the sums of the rows' influences (their gradient) by bucket. DeLong's variance
    of an AUC is of this form, with groups Obuchowski's (Biometrics 53 (1997) 567-578); the difference of two models
    on the same rows is the difference of the two sums. ``clustered`` ones are of groups, and have Student's interval
    in the normal one's place (`degrees`). ``beyond`` is what few rows hide of the error.
    """

    value: float
    sums: np.ndarray
    clustered: bool = False
    beyond: Beyond | None = None

    @property
    def deviation(self) -> float:
        """The standard error."""
        count = len(self.sums)
        return float(np.sqrt(self.sums.var(ddof=1) * count)) if count > 1 else float("nan")

    def __sub__(self, other: "Linear") -> "Linear":
        """The difference on the same rows; of models that order them alike it is certain."""
        sums = self.sums - other.sums
        alike = self.value == other.value and not sums.any()
        beyond = None if alike else together(self.beyond, other.beyond)
        return Linear(self.value - other.value, sums, self.clustered, beyond)

    def _reach(self, confidence: float) -> float:
        """How far an end of the interval is from the value."""
        if not self.clustered:
            return float(-ndtri((1 - confidence) / 2) * self.deviation)
        return float(student(confidence, degrees(self.sums - self.sums.mean())) * self.deviation)

    def estimate(self) -> Estimate:
        """With the normal interval, which suits a difference of shares: from -1 to 1."""

        def interval(confidence: float) -> Interval | None:
            reach = self._reach(confidence)
            return (
                (max(self.value - reach, -1.0), min(self.value + reach, 1.0)) if np.isfinite(reach) else None
            )

        return widened(Estimate(self.value, interval), self.beyond, least=-1.0)

    def share(self) -> Estimate:
        """With an interval within 0-1: normal on the logit scale, as is usual for areas under curves."""
        if not 0 < self.value < 1:
            return widened(Estimate(self.value, constant=True), self.beyond)

        def interval(confidence: float) -> Interval | None:
            reach = self._reach(confidence) / (self.value * (1 - self.value))
            if not np.isfinite(reach):
                return None
            centre = logit(self.value)
            return float(expit(centre - reach)), float(expit(centre + reach))

        return widened(Estimate(self.value, interval), self.beyond)

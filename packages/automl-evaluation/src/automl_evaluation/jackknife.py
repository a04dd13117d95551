"""Intervals of figures whose rows come in groups: each group is left out once.

The spread of the figures without one group gives the standard error, which errs on the wide side where a figure is far
from linear (B. Efron and C. Stein, Annals of Statistics 9 (1981) 586-596), as an average over classes is of which one
is in few groups. The interval is Student's, on a scale on which the figure has no end (R. G. Miller, The Jackknife - A
Review, Biometrika 61 (1974) 1-15), so that it stays in the metric's range and leans to the side to which the figure
scatters. Its degrees of freedom are those that the groups' influences show (`intervals.degrees`). A bootstrap repeats
the few groups that decide, and what it corrects by a skewness estimated from them scatters the more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf

import numpy as np

from automl_evaluation.clusters import Clusters
from automl_evaluation.counts import Counts
from automl_evaluation.intervals import (
    BLOCK_CELLS,
    DIFFERENCE,
    ROUNDING,
    Estimate,
    Interval,
    Statistic,
    degrees,
    estimates,
    student,
)
from automl_evaluation.metrics import METRICS

FARTHEST = 300.0  # on a logarithmic scale: its exponential is a number still


@dataclass(frozen=True)
class Scale:
    """Numbers from ``least`` to ``most``, where these are ends: the logarithm of the distance to it, or of the odds."""

    least: float | None = None
    most: float | None = None

    @classmethod
    def of(cls, name: str) -> "Scale":
        """Of a figure that is called `kind/metric`; a metric of the project's own has any size."""
        metric = METRICS.get(name.rpartition("/")[2])
        if metric is None:
            return cls()
        least, most = metric.least, metric.most
        if DIFFERENCE not in name:
            return cls(least, most)
        return cls(least - most, most - least) if least is not None and most is not None else cls()

    def reached(self, value: float, reach: float) -> Interval | None:
        """The ends as far as ``reach`` to both sides of a value, as the scale is at the value.

        None where the value is an end.
        """
        if self.least is None:
            if self.most is None:
                return value - reach, value + reach
            mirrored = Scale(-self.most).reached(-value, reach)
            return (-mirrored[1], -mirrored[0]) if mirrored else None
        below = value - self.least
        above = self.most - value if self.most is not None else inf
        if below <= 0 or above <= 0:
            return None
        times = exp(min(reach / below + reach / above, FARTHEST))
        low, high = below / times, below * times
        if self.most is None:
            return self.least + low, self.least + high
        wide = self.most - self.least
        return self.least + wide * low / (low + above), self.least + wide * high / (high + above)


def estimates_of(statistic: Statistic, table: Counts, names: list[str]) -> dict[str, Estimate]:
    """A statistic of the cells of a table: by drawing rows, or by leaving out groups where rows come in these."""
    by_cluster = table.by_cluster
    if by_cluster is None:
        return estimates(statistic, table.rows, names)

    clusters, cells = by_cluster.shape
    mostly_zero = by_cluster.nnz < clusters * cells / 8
    rows = by_cluster if mostly_zero else by_cluster.toarray()
    return jackknifed(lambda weights: statistic(weights @ rows), clusters, names, cells)


def estimates_of_sums(
    statistic: Statistic, sums: np.ndarray, names: list[str], clusters: Clusters | None
) -> dict[str, Estimate]:
    """The same of sums by bucket (buckets, quantities), which are of groups where there are ``clusters``."""
    if clusters is None:
        return estimates(lambda rows: statistic(rows @ sums), np.ones(len(sums), dtype=np.int64), names)
    return jackknifed(lambda weights: statistic(weights @ sums), len(sums), names)


def jackknifed(statistic: Statistic, groups: int, names: list[str], width: int = 0) -> dict[str, Estimate]:
    """Figures of a statistic of the groups' weights, each 1.

    ``statistic`` is as in `intervals.estimates`, what is left out and what has no interval too; it may hold ``width``
    numbers for each row of weights. Where a figure is undefined without a group, that group counts for no difference.
    """
    value = statistic(np.ones((1, groups)))[0]
    block = max(1, BLOCK_CELLS // max(groups, width))
    without = (
        np.concatenate(
            [
                statistic(1 - np.eye(min(block, groups - start), groups, start))
                for start in range(0, groups, block)
            ]
        )
        if groups > 1
        else value[None]
    )
    influences = np.where(np.isfinite(without), value - without, 0.0)
    influences -= influences.mean(axis=0)
    deviations = np.sqrt((influences**2).sum(axis=0) * (groups - 1) / groups)
    freedom = degrees(influences)
    return {
        name: Estimate(
            float(value[i]),
            _interval(name, float(value[i]), float(deviations[i]), float(freedom[i]), groups),
            groups > 1 and bool(deviations[i] <= ROUNDING * abs(value[i])),
        )
        for i, name in enumerate(names)
        if np.isfinite(value[i])
    }


def _interval(
    name: str, value: float, deviation: float, freedom: float, groups: int
) -> Callable[[float], Interval | None]:
    """Of a figure with a standard error and its degrees of freedom."""

    def interval(confidence: float) -> Interval | None:
        if groups < 2:
            return None
        if deviation <= ROUNDING * abs(value):
            return (value, value) if DIFFERENCE in name else None
        return Scale.of(name).reached(value, float(student(confidence, freedom)) * deviation)

    return interval

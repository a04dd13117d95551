"""Differences of two models of which one shows no spread: from the intervals that the two figures have themselves.

A model that finds none of 16 rows finds none in every draw of them, so that neither a bootstrap nor a jackknife sees
how far off that is. The ends of the two figures' own intervals do; put together they make the difference's (MOVER:
G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008) 1693-1702; of two shares R. G. Newcombe, Statistics in
Medicine 17 (1998) 873-890, method 10). That is too wide rather than too narrow where two models err on the same rows.
"""

from collections.abc import Callable
from dataclasses import replace
from math import hypot

from automl_evaluation.intervals import ROUNDING, Estimate, Interval, Linear
from automl_evaluation.shares import share


def certain(estimate: Estimate) -> Estimate:
    """A figure that cannot be another one, such as the recall of a constant answer."""
    return Estimate(estimate.value, lambda confidence: (estimate.value, estimate.value))


def mover(one: Estimate, other: Estimate) -> Estimate:
    """``one`` minus ``other``, which are from 0 to 1; with no interval where one of the two has none."""
    value = one.value - other.value

    def interval(confidence: float) -> Interval | None:
        ends, ends_of_other = one.interval(confidence), other.interval(confidence)
        if ends is None or ends_of_other is None:
            return None
        return (
            float(max(value - hypot(one.value - ends[0], ends_of_other[1] - other.value), -1.0)),
            float(min(value + hypot(ends[1] - one.value, other.value - ends_of_other[0]), 1.0)),
        )

    return Estimate(value, interval)


def of_areas(one: Linear, other: Linear, trials: Callable[[], int]) -> Estimate:
    """The difference of two areas under curves, of which one may be 0 or 1, where no row has any influence.

    Such an area has the interval of a share of ``trials``, the rows (or groups) of the rarer side: it is a mean over
    these, of figures from 0 to 1. Two areas at the same end order all rows alike.
    """
    at_end = [min(area.value, 1 - area.value) <= ROUNDING for area in (one, other)]
    if abs(one.value - other.value) <= ROUNDING or not any(at_end):
        return (one - other).estimate()
    count = trials()
    figures = (
        replace(share(round(area.value) * count, count), value=area.value) if ended else area.share()
        for area, ended in zip((one, other), at_end, strict=True)
    )
    return mover(*figures)

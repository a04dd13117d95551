"""Metric data by dimensions, as CloudWatch keeps it: what was measured, how often, and when."""

from __future__ import annotations

import bisect
import math
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# Seconds; finer than any period, which alarms shorten (see local_sagemaker.clock).
RESOLUTION = 0.1


@dataclass(frozen=True)
class Metric:
    """One metric; its dimensions are part of its identity."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(
        cls, account: str, region: str, namespace: str, name: str, dimensions: Iterable[Mapping[str, str]]
    ) -> Metric:
        """The metric with ``dimensions`` as requests give them: Name and Value each."""
        return cls(account, region, namespace, name, frozenset((d["Name"], d["Value"]) for d in dimensions))


@dataclass
class Data:
    """What was measured in a stretch of time.

    ``values`` counts single values; ``sets`` are statistic sets: count, sum, minimum and maximum each.
    """

    values: Counter[float] = field(default_factory=Counter)
    sets: list[tuple[float, float, float, float]] = field(default_factory=list)
    unit: str | None = None

    def add(self, other: Data) -> None:
        """Add what was measured in another stretch."""
        self.values.update(other.values)
        self.sets.extend(other.sets)
        self.unit = other.unit or self.unit

    def statistic(self, name: str) -> float:
        """Sum, SampleCount, Average, Minimum, Maximum, or a percentile such as p99 (of the single values).

        Raises ValueError for another name.
        """
        count = self.values.total() + sum(s[0] for s in self.sets)
        total = sum(value * times for value, times in self.values.items()) + sum(s[1] for s in self.sets)
        if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
            return self._percentile(float(name[1:]))
        known: dict[str, Callable[[], float]] = {
            "Sum": lambda: total,
            "SampleCount": lambda: count,
            "Average": lambda: total / count,
            "Minimum": lambda: min([*self.values, *(s[2] for s in self.sets)]),
            "Maximum": lambda: max([*self.values, *(s[3] for s in self.sets)]),
        }
        if name not in known:
            raise ValueError(f"The value {name} for parameter Statistic is not supported.")
        return float(known[name]())

    def _percentile(self, share: float) -> float:
        rank = max(1, math.ceil(share / 100 * self.values.total()))
        for value in sorted(self.values):
            rank -= self.values[value]
            if rank <= 0:
                return value
        return math.nan


class _Series:
    """The data of one metric by slots of time."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.data: dict[int, Data] = {}

    def at(self, slot: int) -> Data:
        """What was measured in ``slot``, to be added to."""
        data = self.data.get(slot)
        if data is None:
            data = self.data[slot] = Data()
            bisect.insort(self.times, slot)
        return data


class Store:
    """All metric data; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: defaultdict[Metric, _Series] = defaultdict(_Series)

    def put(self, metric: Metric, data: Data, at: float) -> None:
        """Add what was measured at ``at`` (seconds since the epoch)."""
        with self._lock:
            self._series[metric].at(math.floor(at / RESOLUTION)).add(data)

    def put_values(self, values: Iterable[tuple[Metric, float, str]], at: float) -> None:
        """Add single values of several metrics, each with its unit, at once: a request to an endpoint has many."""
        slot = math.floor(at / RESOLUTION)
        with self._lock:
            for metric, value, unit in values:
                data = self._series[metric].at(slot)
                data.values[value] += 1
                data.unit = unit

    def window(self, metric: Metric, start: float, end: float) -> Data | None:
        """What was measured from ``start`` to before ``end``; None if nothing."""
        with self._lock:
            series = self._series.get(metric)
            times = series.times if series else []
            first = bisect.bisect_left(times, math.floor(start / RESOLUTION))
            last = bisect.bisect_left(times, math.floor(end / RESOLUTION))
            if series is None or first == last:
                return None
            measured = Data()
            for slot in times[first:last]:
                measured.add(series.data[slot])
            return measured

    def periods(self, metric: Metric, start: float, end: float, period: float) -> dict[float, Data]:
        """What was measured by period, by the period's beginning; periods without data are left out."""
        first = math.floor(start / period)
        beginnings = (number * period for number in range(first, math.ceil(end / period)))
        windows = ((at, self.window(metric, at, min(at + period, end))) for at in beginnings)
        return {at: data for at, data in windows if data is not None}

    def known(self, account: str, region: str) -> list[Metric]:
        """The metrics of an account and region, sorted."""
        with self._lock:
            here = [m for m in self._series if (m.account, m.region) == (account, region)]
        return sorted(here, key=lambda m: (m.namespace, m.name, sorted(m.dimensions)))


STORE = Store()

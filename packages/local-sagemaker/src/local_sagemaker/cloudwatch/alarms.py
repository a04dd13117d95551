"""Alarms are evaluated: over windows of (shortened) periods that end now, several times a period.

The real service looks at whole periods of real time, once a minute: an alarm here fires sooner, never later.
Composite alarms are not evaluated: they stay as they are set.
"""

from __future__ import annotations

import functools
import logging
import operator
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends

from local_sagemaker import clock, runtime
from local_sagemaker.bridge import AWSError
from local_sagemaker.cloudwatch.expressions import evaluate
from local_sagemaker.cloudwatch.metrics import STORE, Data, Metric

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
LOOKS_PER_PERIOD = 10
SHORTEST_PAUSE = 0.05
# Called with account, region and alarm at each look at one in ALARM that has actions.
ACTIONS: list[Callable[[str, str, Alarm], None]] = []

log = logging.getLogger("local_sagemaker.alarms")
_starting = threading.Lock()
_watched: runtime.Runtime | None = None
_put = CloudWatchBackend.put_metric_alarm


@functools.wraps(_put)
def _put_metric_alarm(self: CloudWatchBackend, name: str, **parameters: Any) -> Alarm:
    """Moto calls every new alarm OK; the real one has no data at first, and a changed one keeps its state."""
    before = self.alarms.get(name)
    alarm = _put(self, name=name, **parameters)
    if before is not None:
        alarm.state_value, alarm.history = before.state_value, before.history
    elif alarm.rule is None:
        alarm.state_value = "INSUFFICIENT_DATA"
    if alarm.rule is None:
        try:
            _check(alarm)
        except ValueError as error:
            if before is None:
                del self.alarms[name]
            else:
                self.alarms[name] = before
            raise AWSError("ValidationError", str(error)) from None
    watch()
    return alarm


CloudWatchBackend.put_metric_alarm = _put_metric_alarm  # type: ignore[assignment]  # its parameters are passed on


def states(account: str, region: str, names: list[str]) -> dict[str, str]:
    """The state of each named alarm that exists."""
    known = cloudwatch_backends[account][region].alarms
    return {name: known[name].state_value for name in names if name in known}


def watch() -> None:
    """Evaluate alarms from now on, as long as the local AWS runs."""
    global _watched
    with _starting:
        current = runtime.current()
        if _watched is not current:
            current.thread("alarms", _evaluate_for_ever, current)
            _watched = current


def _evaluate_for_ever(current: runtime.Runtime) -> None:
    due: dict[int, float] = {}
    while not current.stopping.wait(SHORTEST_PAUSE):
        now = time.time()
        for account, region, alarm in _all():
            if due.get(id(alarm), 0) <= now:
                due[id(alarm)] = now + clock.shortened(_period(alarm)) / LOOKS_PER_PERIOD
                try:
                    _look(account, region, alarm, now)
                except Exception:  # of one alarm: the others must go on
                    log.exception("alarm %s could not be evaluated", alarm.name)


def _look(account: str, region: str, alarm: Alarm, now: float) -> None:
    evaluate_alarm(account, region, alarm, now)
    if alarm.state_value == "ALARM" and alarm.actions_enabled and alarm.alarm_actions:
        for action in ACTIONS:
            action(account, region, alarm)


def _all() -> Iterator[tuple[str, str, Alarm]]:
    for account, regions in list(cloudwatch_backends.items()):
        for region, backend in list(regions.items()):
            for alarm in list(backend.alarms.values()):
                if alarm.rule is None:
                    yield account, region, alarm


def evaluate_alarm(account: str, region: str, alarm: Alarm, now: float) -> None:
    """Set the alarm's state from the metric data before ``now`` (seconds since the epoch)."""
    period = clock.shortened(_period(alarm))
    points = [
        (now - age * period, _datapoint(account, region, alarm, now - (age + 1) * period, now - age * period))
        for age in range(alarm.evaluation_periods)
    ]
    treatment = alarm.treat_missing_data or "missing"
    compare, words = COMPARISONS[alarm.comparison_operator]
    needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
    known = [(at, value) for at, value in points if value is not None]
    crossing = [(at, value) for at, value in known if compare(value, alarm.threshold)]
    missing = len(points) - len(known)
    if len(crossing) + (missing if treatment == "breaching" else 0) >= needed:
        state, was = "ALARM", f"were {words}"
    elif known or treatment in ("notBreaching", "breaching"):
        state, was = "OK", f"were not {words}"
    elif treatment == "ignore":
        return
    else:
        state, was = "INSUFFICIENT_DATA", "had no data to compare with"
    if state != alarm.state_value:
        shown = ", ".join(f"{value} ({_clock_time(at)})" for at, value in (crossing or known))
        reason = (
            f"Threshold Crossed: {len(crossing)} out of the last {len(points)} datapoints [{shown}] {was} "
            f"the threshold ({alarm.threshold})."
        )
        alarm.update_state(reason, "{}", state)


def _clock_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")


def _period(alarm: Alarm) -> float:
    if alarm.metric_data_queries:
        periods = (q.metric_stat.period if q.metric_stat else q.period for q in alarm.metric_data_queries)
        return float(max(int(period) for period in periods if period))
    return float(alarm.period)


def _datapoint(account: str, region: str, alarm: Alarm, start: float, end: float) -> float | None:
    def measured(metric: Any, statistic: str) -> float | None:
        dimensions = frozenset((d.name, d.value) for d in metric.dimensions)
        key = Metric(account, region, metric.namespace, metric.metric_name, dimensions)
        data = STORE.window(key, start, end)
        return None if data is None else data.statistic(statistic)

    if not alarm.metric_data_queries:
        return measured(alarm, alarm.statistic or alarm.extended_statistic or "")
    values = {
        query.id: measured(query.metric_stat.metric, query.metric_stat.stat)
        for query in alarm.metric_data_queries
        if query.metric_stat
    }
    for query in alarm.metric_data_queries:
        if query.expression:
            values[query.id] = evaluate(query.expression, values)
    return values[_returned(alarm)]


def _returned(alarm: Alarm) -> str:
    # Moto calls it a text; it is True, False or, where nothing is said, None.
    queries = [q for q in alarm.metric_data_queries if q.return_data is not False]  # type: ignore[comparison-overlap]
    if len(queries) != 1:
        raise ValueError("Exactly one element of the metrics list should return data.")
    return queries[0].id


def _check(alarm: Alarm) -> None:
    """Raise ValueError for an alarm that could never be evaluated."""
    if alarm.comparison_operator not in COMPARISONS:
        raise ValueError(f"The comparison operator {alarm.comparison_operator} is not supported.")
    if not alarm.metric_data_queries and not (alarm.statistic or alarm.extended_statistic):
        raise ValueError("The parameter Statistic or ExtendedStatistic is required.")
    _period(alarm)
    _datapoint("", "", alarm, 0, 0)
    queried = [q.metric_stat.stat for q in alarm.metric_data_queries if q.metric_stat]
    for statistic in queried or [alarm.statistic or alarm.extended_statistic or ""]:
        Data(Counter({0.0: 1})).statistic(statistic)

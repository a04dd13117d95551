"""The operations on metric data."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from local_sagemaker.bridge import AWSError, Caller, operation
from local_sagemaker.cloudwatch.expressions import evaluate
from local_sagemaker.cloudwatch.metrics import STORE, Data, Metric
from local_sagemaker.constraints import check


@operation("cloudwatch", "PutMetricData")
def put_metric_data(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises InvalidParameterValue and the like for what CloudWatch does not take."""
    check("cloudwatch", "PutMetricData", parameters)
    given = parameters.get("MetricData", [])
    rules = cloudwatch_backends[caller.account][caller.region]
    for number, datum in enumerate(given, 1):
        rules._validate_parameters_put_metric_data(datum, number)
    for datum in given:
        metric = _metric(caller, parameters["Namespace"], datum)
        STORE.put(metric, _data(datum), _seconds(datum.get("Timestamp", datetime.now(UTC))))


def _data(datum: dict[str, Any]) -> Data:
    data = Data(unit=datum.get("Unit"))
    if "StatisticValues" in datum:
        s = datum["StatisticValues"]
        data.sets.append((s["SampleCount"], s["Sum"], s["Minimum"], s["Maximum"]))
    elif datum.get("Values"):
        counts = datum.get("Counts") or [1] * len(datum["Values"])
        data.values.update({value: int(count) for value, count in zip(datum["Values"], counts, strict=True)})
    else:
        data.values = Counter({datum.get("Value", 0.0): 1})
    return data


def _metric(caller: Caller, namespace: str, given: dict[str, Any]) -> Metric:
    return Metric.of(
        caller.account, caller.region, namespace, given["MetricName"], given.get("Dimensions", [])
    )


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The metric with exactly the given dimensions, by periods of real time."""
    statistics = parameters.get("Statistics", [])
    extended = parameters.get("ExtendedStatistics", [])
    if not statistics and not extended:
        raise AWSError("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
    start, end = _seconds(parameters["StartTime"]), _seconds(parameters["EndTime"])
    if start >= end:
        raise AWSError(
            "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."
        )
    metric = _metric(caller, parameters["Namespace"], parameters)
    points = []
    for at, data in STORE.periods(metric, start, end, parameters["Period"]).items():
        point: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": data.unit or "None"}
        point |= {name: _statistic(data, name) for name in statistics}
        if extended:
            point["ExtendedStatistics"] = {name: _statistic(data, name) for name in extended}
        points.append(point)
    return {"Label": parameters["MetricName"], "Datapoints": points}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Metrics and metric math over them, by periods of real time."""
    check("cloudwatch", "GetMetricData", parameters)
    start, end = _seconds(parameters["StartTime"]), _seconds(parameters["EndTime"])
    if start >= end:
        raise AWSError("ValidationError", "The parameter EndTime must be greater than StartTime.")
    queries = parameters["MetricDataQueries"]
    series: dict[str, dict[float, float]] = {}
    for query in (q for q in queries if "MetricStat" in q):
        stat = query["MetricStat"]
        metric = _metric(caller, stat["Metric"]["Namespace"], stat["Metric"])
        periods = STORE.periods(metric, start, end, stat["Period"])
        series[query["Id"]] = {at: _statistic(data, stat["Stat"]) for at, data in periods.items()}
    for query in (q for q in queries if "MetricStat" not in q):
        if "Expression" not in query:
            raise AWSError(
                "ValidationError", "The parameter MetricDataQueries.member.1.MetricStat is required.\n"
            )
        series[query["Id"]] = _computed(query["Expression"], series)
    newest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = []
    for query in (q for q in queries if q.get("ReturnData", True)):
        points = sorted(series[query["Id"]].items(), reverse=newest_first)
        label = query.get("Label") or query.get("MetricStat", {}).get("Metric", {}).get(
            "MetricName", query["Id"]
        )
        results.append(
            {
                "Id": query["Id"],
                "Label": label,
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in points],
                "Values": [value for _, value in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results}


def _computed(expression: str, series: dict[str, dict[float, float]]) -> dict[float, float]:
    moments = sorted({at for points in series.values() for at in points})
    try:
        results = {at: evaluate(expression, {i: p.get(at) for i, p in series.items()}) for at in moments}
    except ValueError as error:
        raise AWSError("ValidationError", str(error)) from None
    return {at: value for at, value in results.items() if value is not None}


def _statistic(data: Data, name: str) -> float:
    try:
        value = data.statistic(name)
    except ValueError as error:
        raise AWSError("InvalidParameterValue", str(error)) from None
    return 0.0 if math.isnan(value) else value


@operation("cloudwatch", "ListMetrics")
def list_metrics(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those that have data and the given namespace, name and, among others, dimensions."""
    wanted = [(d["Name"], d.get("Value")) for d in parameters.get("Dimensions", [])]
    metrics = [
        metric
        for metric in STORE.known(caller.account, caller.region)
        if parameters.get("Namespace") in (None, metric.namespace)
        and parameters.get("MetricName") in (None, metric.name)
        and all(
            any(name == known and value in (None, held) for known, held in metric.dimensions)
            for name, value in wanted
        )
    ]
    start = int(parameters.get("NextToken", 0))
    page = metrics[start : start + 500]
    result: dict[str, Any] = {
        "Metrics": [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in sorted(metric.dimensions)],
            }
            for metric in page
        ]
    }
    if start + len(page) < len(metrics):
        result["NextToken"] = str(start + len(page))
    return result


def _seconds(moment: datetime) -> float:
    """Moto's times are in UTC and do not say so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

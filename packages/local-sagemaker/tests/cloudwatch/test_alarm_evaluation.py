"""Alarms over real metric data, with periods of a minute that take a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import clock
from support.unique import unique
from support.waiting import wait_until

# A period of as many seconds takes a sixtieth: long enough for data to be looked at on a busy machine.
LONG = 900


@pytest.fixture(autouse=True)
def _minutes_are_seconds(monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "60")


@pytest.fixture
def cloudwatch(local_aws):
    return local_aws.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return unique("AlarmTests")


def put(
    cloudwatch, namespace: str, name: str = "latency", values: tuple[float, ...] = (1.0,), **more
) -> None:
    datum = {"MetricName": name, "Values": list(values)} | more
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def alarm(cloudwatch, namespace: str, **parameters) -> str:
    name = f"alarm-of-{namespace}"
    defaults = {
        "AlarmName": name,
        "Namespace": namespace,
        "MetricName": "latency",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    if "Metrics" in parameters:
        for member in ("Namespace", "MetricName", "Statistic", "Period"):
            del defaults[member]
    if "ExtendedStatistic" in parameters:
        del defaults["Statistic"]
    cloudwatch.put_metric_alarm(**defaults | parameters)
    return name


def described(cloudwatch, name: str) -> dict:
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def becomes(cloudwatch, name: str, state: str, meanwhile: Callable[[], None] = lambda: None) -> dict:
    """The alarm, once it has that state; ``meanwhile`` is done again and again until it has."""

    def look() -> dict:
        found = described(cloudwatch, name)
        if found["StateValue"] != state:
            meanwhile()
        return found

    return wait_until(look, lambda found: found["StateValue"] == state)


def test_an_alarm_follows_its_metric_into_alarm_and_out(cloudwatch, namespace):
    name = alarm(cloudwatch, namespace)
    initial = described(cloudwatch, name)["StateValue"]

    firing = becomes(cloudwatch, name, "ALARM", lambda: put(cloudwatch, namespace, values=(5.0, 11.0)))
    becomes(cloudwatch, name, "OK", lambda: put(cloudwatch, namespace, values=(5.0,)))
    becomes(cloudwatch, name, "INSUFFICIENT_DATA")  # a second without data later

    assert initial == "INSUFFICIENT_DATA"
    assert "[11.0 (" in firing["StateReason"]
    assert "greater than the threshold (10.0)" in firing["StateReason"]


@pytest.mark.parametrize(
    ("treatment", "state"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA")],
)
def test_missing_data_is_treated_as_the_alarm_says(cloudwatch, namespace, treatment, state):
    name = alarm(cloudwatch, namespace, TreatMissingData=treatment)

    becomes(cloudwatch, name, state)


def test_an_alarm_on_a_share_is_metric_math(cloudwatch, namespace):
    def query(identifier: str) -> dict:
        metric = {"Namespace": namespace, "MetricName": identifier}
        stat = {"Metric": metric, "Period": LONG, "Stat": "Sum"}
        return {"Id": identifier, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "share", "Expression": "100 * errors / requests", "ReturnData": True}
    name = alarm(
        cloudwatch,
        namespace,
        Metrics=[query("errors"), query("requests"), share],
        Threshold=5,
    )

    put(cloudwatch, namespace, "requests", (1.0,), Counts=[100])
    put(cloudwatch, namespace, "errors", (1.0,), Counts=[4])
    becomes(cloudwatch, name, "OK")  # which takes data
    put(cloudwatch, namespace, "errors", (1.0,), Counts=[4])
    put(cloudwatch, namespace, "requests", (1.0,))

    becomes(cloudwatch, name, "ALARM")


def test_two_of_three_datapoints_must_cross(cloudwatch, namespace):
    name = alarm(cloudwatch, namespace, Period=LONG, EvaluationPeriods=3, DatapointsToAlarm=2)
    now = datetime.now(UTC)

    put(cloudwatch, namespace, values=(99.0,), Timestamp=now)
    becomes(cloudwatch, name, "OK")  # which takes data
    put(cloudwatch, namespace, values=(99.0,), Timestamp=now - timedelta(seconds=1.2 * LONG / 60))

    becomes(cloudwatch, name, "ALARM")


def test_a_percentile_is_an_alarm_s_statistic(cloudwatch, namespace):
    name = alarm(cloudwatch, namespace, ExtendedStatistic="p90", Period=LONG)

    put(cloudwatch, namespace, values=(1.0, 99.0), Counts=[95, 5])
    becomes(cloudwatch, name, "OK")  # which takes data
    put(cloudwatch, namespace, values=(99.0,), Counts=[15])

    assert "[99.0 (" in becomes(cloudwatch, name, "ALARM")["StateReason"]


def test_a_changed_alarm_keeps_its_state_until_it_is_evaluated(cloudwatch, namespace):
    name = alarm(cloudwatch, namespace, TreatMissingData="breaching", Period=3600)
    becomes(cloudwatch, name, "ALARM")

    alarm(cloudwatch, namespace, TreatMissingData="ignore", Period=3600)

    assert described(cloudwatch, name)["StateValue"] == "ALARM"


def test_dimensions_are_part_of_a_metric_s_identity(cloudwatch, namespace):
    dimensions = [{"Name": "Variant", "Value": "a"}, {"Name": "Config", "Value": "b"}]
    put(cloudwatch, namespace, values=(7.0,), Dimensions=dimensions)

    def total(given: list[dict]) -> float:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName="latency",
            Dimensions=given,
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in points["Datapoints"])

    assert total(dimensions[::-1]) == 7
    assert total(dimensions[:1]) == 0
    assert total([]) == 0
    listed = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Variant"}])["Metrics"]
    assert [m["MetricName"] for m in listed] == ["latency"]


def test_metric_math_and_percentiles_are_read_as_data(cloudwatch, namespace):
    put(cloudwatch, namespace, values=tuple(float(n) for n in range(1, 101)))
    now = datetime.now(UTC)

    def query(identifier: str, statistic: str) -> dict:
        metric = {"Namespace": namespace, "MetricName": "latency"}
        return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 86400, "Stat": statistic}}

    found = cloudwatch.get_metric_data(
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(days=1),
        MetricDataQueries=[
            query("tail", "p95"),
            query("mean", "Average"),
            {"Id": "ratio", "Expression": "tail / mean"},
        ],
    )["MetricDataResults"]

    assert {r["Id"]: r["Values"] for r in found} == {"tail": [95], "mean": [50.5], "ratio": [95 / 50.5]}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Metrics": [{"Id": "e", "Expression": "1 +", "ReturnData": True, "Period": 60}]}, "Syntax error"),
        ({"Metrics": [{"Id": "e", "Expression": "x", "ReturnData": True, "Period": 60}]}, "'x'"),
        (
            {
                "Metrics": [
                    {"Id": "a", "Expression": "1", "Period": 60},
                    {"Id": "b", "Expression": "2", "Period": 60},
                ]
            },
            "Exactly one element",
        ),
        ({"ExtendedStatistic": "ptail"}, "ptail"),
    ],
    ids=["no expression", "an unknown metric", "two results", "no statistic"],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(cloudwatch, namespace, parameters, words):
    with pytest.raises(ClientError, match=words):
        alarm(cloudwatch, namespace, **parameters)

    assert cloudwatch.describe_alarms(AlarmNames=[f"alarm-of-{namespace}"])["MetricAlarms"] == []

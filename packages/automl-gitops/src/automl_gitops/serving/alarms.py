"""CloudWatch alarms on the production endpoint: they roll a bad update back, and tell people later on."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.environments import Environment
from automl_gitops.serving.release import VARIANT

# The service's metrics are in microseconds.
# Source: Amazon SageMaker AI developer guide, "SageMaker AI endpoint invocation metrics".
_MICROSECONDS = 1000
WRONG_ANSWERS = "WrongAnswers"
# Not compared: CloudWatch does not give them back with an alarm.
_UNCOMPARED = {"Tags"}


def alarm_requests(environment: Environment) -> list[dict[str, Any]]:
    """PutMetricAlarm's requests: share of 5xx and of 4xx, the model's latency, and answers that are wrong.

    The average of the service's error metrics is the share of requests, since each request counts as 0 or 1.
    Wrong answers are counted by whoever deploys, see `promotion.rollout`; without a deployment there are none.
    """
    limits = environment.config.production.alarms
    endpoint = {"Name": "EndpointName", "Value": environment.endpoint}
    variant = {"Name": "VariantName", "Value": VARIANT}
    service = {"Namespace": "AWS/SageMaker", "Dimensions": [endpoint, variant]}
    specific: dict[str, dict[str, Any]] = {
        "5xx": service
        | {"MetricName": "Invocation5XXErrors", "Statistic": "Average", "Threshold": limits.max_5xx_share},
        "4xx": service
        | {"MetricName": "Invocation4XXErrors", "Statistic": "Average", "Threshold": limits.max_4xx_share},
        "latency": service
        | {
            "MetricName": "ModelLatency",
            "ExtendedStatistic": "p95",
            "Threshold": limits.max_latency_p95_ms * _MICROSECONDS,
        },
        "wrong-answers": {
            "Namespace": environment.config.project.name,
            "Dimensions": [endpoint],
            "MetricName": WRONG_ANSWERS,
            "Statistic": "Sum",
            "Threshold": 0.0,
        },
    }
    descriptions = {
        "5xx": f"More than {limits.max_5xx_share:.2%} of the requests fail",
        "4xx": f"More than {limits.max_4xx_share:.2%} of the requests are refused by the model",
        "latency": f"The model takes more than {limits.max_latency_p95_ms:g} ms for 5 of 100 requests",
        "wrong-answers": "During a rollout, predictions of several rows were neither the old nor the new version's",
    }
    project = environment.config.project
    tags = [{"Key": key, "Value": value} for key, value in project.every_tag.items()]
    return [
        {
            "AlarmName": f"{environment.endpoint}-{name}",
            "AlarmDescription": descriptions[name],
            **settings,
            "Period": limits.period_seconds,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "Tags": tags,
        }
        for name, settings in specific.items()
    ]


class EndpointAlarms:
    """The alarms of an environment's endpoint, in the endpoint's account."""

    def __init__(self, aws: Aws, requests: Sequence[Mapping[str, Any]]) -> None:
        self._cloudwatch = aws.client("cloudwatch")
        self._requests = requests

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [request["AlarmName"] for request in self._requests]

    def look(self) -> dict[str, dict[str, Any]]:
        """What DescribeAlarms says of those that exist, by name."""
        answer = self._cloudwatch.describe_alarms(AlarmNames=self.names, AlarmTypes=["MetricAlarm"])
        return {alarm["AlarmName"]: alarm for alarm in answer.get("MetricAlarms", [])}

    def missing(self) -> list[Mapping[str, Any]]:
        """The requests of those that do not exist, or not as they should."""
        there = self.look()
        return [
            request for request in self._requests if not _is_like(there.get(request["AlarmName"]), request)
        ]

    def put(self, names: Collection[str]) -> None:
        """Create or change those with these names."""
        for request in self._requests:
            if request["AlarmName"] in names:
                self._cloudwatch.put_metric_alarm(**request)

    def remove(self, name: str) -> None:
        """Delete one of them."""
        self._cloudwatch.delete_alarms(AlarmNames=[name])

    def firing(self) -> dict[str, str]:
        """Alarms in state ALARM, by name, with CloudWatch's reason."""
        return {
            name: alarm.get("StateReason", "no reason given")
            for name, alarm in self.look().items()
            if alarm.get("StateValue") == "ALARM"
        }


def _is_like(alarm: Mapping[str, Any] | None, request: Mapping[str, Any]) -> bool:
    if alarm is None:
        return False
    for key, value in request.items():
        if key in _UNCOMPARED:
            continue
        theirs = alarm.get(key)
        if key == "Dimensions":
            value, theirs = _sorted(value), _sorted(theirs or [])
        if theirs != value:
            return False
    return True


def _sorted(dimensions: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return sorted((entry["Name"], entry["Value"]) for entry in dimensions)

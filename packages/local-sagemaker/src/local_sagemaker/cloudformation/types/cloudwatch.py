"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work


class _Alarm(ResourceType):
    """Ref is the name."""

    name = "AWS::CloudWatch::Alarm"
    properties = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        }
    )
    required = frozenset({"ComparisonOperator", "EvaluationPeriods"})
    fixed = frozenset({"AlarmName"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("AlarmName") or work.name(255)
        self._put(work, name, new)
        work.made = name
        work.attributes = {"Arn": work.arn("cloudwatch", f"alarm:{name}")}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._put(work, work.made, new)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("cloudwatch", "delete_alarms", AlarmNames=[work.made])

    def _put(self, work: Work, name: str, new: Properties) -> None:
        tags = work.tag_list(new.get("Tags"))
        work.call("cloudwatch", "put_metric_alarm", **new | {"AlarmName": name, "Tags": tags or None})

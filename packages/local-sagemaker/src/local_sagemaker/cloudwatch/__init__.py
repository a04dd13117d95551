"""Amazon CloudWatch: metric data with exact dimensions, metric math, and alarms that are evaluated."""

from local_sagemaker.cloudwatch import alarms, requests

__all__ = ["alarms", "requests"]

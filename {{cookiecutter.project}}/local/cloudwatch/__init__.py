"""Amazon CloudWatch: metric data with exact dimensions, metric math, and alarms that are evaluated."""

from local.cloudwatch import alarms, requests

__all__ = ["alarms", "requests"]

"""Amazon CloudWatch: metric data with exact dimensions, metric math, and alarms that are evaluated."""

from moto.cloudwatch.models import cloudwatch_backends

from local_sagemaker.cloudwatch import alarms, requests

__all__ = ["alarms", "requests", "start"]


def start() -> None:
    """Evaluate the alarms that there are already; called by :mod:`local_sagemaker.server`."""
    if any(backend.alarms for regions in list(cloudwatch_backends.values()) for backend in regions.values()):
        alarms.watch()

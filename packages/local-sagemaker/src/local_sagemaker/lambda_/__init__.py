"""AWS Lambda: functions run their deployed zip in processes of their own, and queues are delivered to them.

Moto keeps functions and event source mappings; this package runs them.
"""

from local_sagemaker import runtime
from local_sagemaker.lambda_ import logs, mappings, operations

__all__ = ["mappings", "operations", "start"]


def start() -> None:
    """Deliver logs and messages from now on; called by :mod:`local_sagemaker.server`."""
    runtime.current().thread("lambda-logs", logs.serve)
    runtime.current().thread("event-source-mappings", mappings.serve)

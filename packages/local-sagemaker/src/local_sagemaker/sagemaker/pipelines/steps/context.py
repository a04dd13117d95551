"""What a running step is given, and how it ends other than well."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import runtime
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.pipelines import expressions, scope
from local_sagemaker.sagemaker.pipelines.definition import Step
from local_sagemaker.sagemaker.pipelines.state import Execution, StepRun


class StepFailed(Exception):  # noqa: N818 - an outcome of a step
    """The step failed; ``reason`` (may be empty) becomes its FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StepStopped(StepFailed):
    """The step ended because somebody stops the execution."""


class Context:
    """One run of one step."""

    def __init__(self, execution: Execution, step: Step, run: StepRun) -> None:
        self.execution = execution
        self.step = step
        self.run = run

    def evaluate(self, value: Any, **variables: str) -> Any:
        """``value`` without functions; ``variables`` are execution variables of this step alone."""
        try:
            return expressions.evaluate(value, scope.ExecutionScope(self.execution, variables))
        except expressions.ExpressionError as error:
            raise StepFailed(f"ClientError: {error}") from error

    def scope(self) -> scope.ExecutionScope:
        """Where functions of this step find their values."""
        return scope.ExecutionScope(self.execution)

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the pipeline's role."""
        return scope.client(self.execution, service)

    def progress(self, status: str, **metadata: dict[str, Any]) -> None:
        """Go over to ``status``, with more metadata."""
        with self.execution.changed:
            self.run.status = status
            self.run.metadata |= metadata
            self.execution.modified = resources.now()
            self.execution.changed.notify_all()

    def wake(self) -> None:
        """Have :meth:`wait_until` look again."""
        with self.execution.changed:
            self.execution.changed.notify_all()

    def wait_until(self, reached: Callable[[], bool], seconds: float = math.inf) -> bool:
        """Wait for ``reached()``, for at most ``seconds``; returns what it is then.

        ``reached`` is looked at whenever the execution changes. Raises :class:`StepStopped` if the local AWS
        ends.
        """
        deadline = time.monotonic() + seconds
        with self.execution.changed:
            while not reached():
                if runtime.current().stopping.is_set():
                    raise StepStopped("The local AWS ended")
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.execution.changed.wait(min(left, 0.5))
        return True


def api_failure(call: str, error: ClientError | BotoCoreError) -> str:
    """The failure reason of a step whose API call (``sagemaker:CreateProcessingJob``) was refused."""
    details = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
    return f"ClientError: Failed to invoke {call}. Error Details: {details}"

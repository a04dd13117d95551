"""Retry policies of a step, as the developer guide describes them ("Retry policy for pipeline steps")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from local_sagemaker import clock
from local_sagemaker.sagemaker.pipelines.schema import RetryPolicy

MAX_ATTEMPTS = 5  # where a policy does not say
# The service retries these by itself; a policy of the step takes the place of this one.
DEFAULT_POLICY = RetryPolicy.model_validate({"ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"]})


def error_type(error: ClientError | BotoCoreError) -> str | None:
    """The exception type of an API call's error; None where no policy can apply."""
    if isinstance(error, BotoCoreError):
        return None if isinstance(error, ParamValidationError) else "Step.SERVICE_FAULT"
    code = error.response["Error"]["Code"]
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if "Throttl" in code or code == "TooManyRequestsException":
        return "Step.THROTTLING"
    return "Step.SERVICE_FAULT" if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 else None


def failure_type(reason: str) -> str | None:
    """The exception type of a failed job, from its failure reason."""
    if reason.startswith("InternalServerError"):
        return "SageMaker.JOB_INTERNAL_ERROR"
    if reason.startswith(("CapacityError", "InsufficientCapacity")):
        return "SageMaker.CAPACITY_ERROR"
    return None


@dataclass
class Retries:
    """The retries of one run of a step; ``elapsed`` gives the seconds since it began."""

    policies: list[RetryPolicy]
    elapsed: Callable[[], float]
    used: Counter[int] = field(default_factory=Counter)

    def wait_before_next(self, kind: str | None) -> float | None:
        """Seconds to wait before the next attempt after an exception of type ``kind``; None to give up."""
        names = {kind, "SageMaker.JOB_CAPACITY_ERROR" if kind == "SageMaker.CAPACITY_ERROR" else kind}
        for number, policy in enumerate([*self.policies, DEFAULT_POLICY]):
            if names & set(policy.exception_type):
                return self._wait(number, policy)
        return None

    def _wait(self, number: int, policy: RetryPolicy) -> float | None:
        retry = self.used[number]
        if policy.expire_after_min is None:
            spent = retry >= (MAX_ATTEMPTS if policy.max_attempts is None else policy.max_attempts)
        else:
            spent = self.elapsed() >= clock.shortened(policy.expire_after_min * 60)
        self.used[number] += 1
        wait = policy.interval_seconds * policy.backoff_rate**retry
        return None if spent else clock.shortened(wait)

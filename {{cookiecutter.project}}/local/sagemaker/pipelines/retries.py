"""Retry policies of a step, as the developer guide describes them ("Retry policy for pipeline steps")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import clock
from local.sagemaker.pipelines.expressions import ExpressionError

EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.JOB_CAPACITY_ERROR",  # the developer guide's name of the one above, which is the SDK's
    "SageMaker.RESOURCE_LIMIT",
)
# The service retries these by itself; a policy of the step takes the place of this one.
DEFAULT_POLICY = {"ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"]}
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}


def check(policy: Any) -> None:
    """Raise :class:`ExpressionError` unless ``policy`` is within the service's bounds."""
    if not isinstance(policy, dict):
        raise ExpressionError("Expecting start of Json Object")
    for name in sorted(set(policy) - _MEMBERS):
        raise ExpressionError(f"Cannot parse object, unknown property '{name}'")
    types = policy.get("ExceptionType") or []
    for kind in types:
        if kind not in EXCEPTION_TYPES:
            raise ExpressionError(f"Unknown exception type '{kind}' in a retry policy")
    if not types:
        raise ExpressionError("A retry policy has at least one ExceptionType")
    if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
        raise ExpressionError("Only one of MaxAttempts and ExpireAfterMin can be given in a retry policy")
    for name, most in (("IntervalSeconds", 43200), ("MaxAttempts", 20), ("ExpireAfterMin", 14400)):
        if not 0 <= policy.get(name, 0) <= most:
            raise ExpressionError(f"{name} of a retry policy must be from 0 to {most}")


def error_type(error: ClientError | BotoCoreError) -> str | None:
    """The exception type of an API call's error; None where no policy can apply."""
    if isinstance(error, BotoCoreError):
        return "Step.SERVICE_FAULT"
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
    return (
        "SageMaker.CAPACITY_ERROR" if reason.startswith(("CapacityError", "InsufficientCapacity")) else None
    )


@dataclass
class Retries:
    """The retries of one run of a step; ``elapsed`` gives the seconds since it began."""

    policies: list[dict[str, Any]]
    elapsed: Callable[[], float]
    used: dict[int, int] = field(default_factory=dict)

    def wait_before_next(self, kind: str | None) -> float | None:
        """Seconds to wait before the next attempt after an exception of type ``kind``; None to give up."""
        policy = self._policy(kind)
        if policy is None:
            return None
        attempt = self.used.get(id(policy), 0)
        if "ExpireAfterMin" in policy:
            if self.elapsed() >= clock.shortened(policy["ExpireAfterMin"] * 60):
                return None
        elif attempt >= policy.get("MaxAttempts", 5):
            return None
        self.used[id(policy)] = attempt + 1
        return clock.shortened(policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** attempt)

    def _policy(self, kind: str | None) -> dict[str, Any] | None:
        names = {kind, "SageMaker.JOB_CAPACITY_ERROR"} if kind == "SageMaker.CAPACITY_ERROR" else {kind}
        candidates = [*self.policies, DEFAULT_POLICY]
        return next((policy for policy in candidates if names & set(policy["ExceptionType"])), None)

"""Deployment policies: in which steps traffic moves to the new fleet, and how long each is watched."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from local_sagemaker.sagemaker.resources import invalid

# MaximumExecutionTimeoutInSeconds allows 28,800 at most; that is taken where nothing is said.
LONGEST_SECONDS = 28_800


@dataclass(frozen=True)
class Shift:
    """Send ``share`` (0 to 1) of the traffic to the new fleet, then watch it for ``wait`` seconds."""

    share: float
    wait: float
    reason: str = "TerminationWaitInSeconds"


@dataclass(frozen=True)
class Plan:
    """The shifts of a deployment in their order, and the seconds that it may take in all."""

    shifts: tuple[Shift, ...] = (Shift(1.0, 0.0),)
    limit: float = LONGEST_SECONDS


def plan(deployment: dict[str, Any], instances: int) -> Plan:
    """The plan of a DeploymentConfig for a new fleet of ``instances``.

    Raises ValidationException for one that the real service refuses.
    """
    if "BlueGreenUpdatePolicy" in deployment and "RollingUpdatePolicy" in deployment:
        raise invalid("Specify either BlueGreenUpdatePolicy or RollingUpdatePolicy, and not both.")
    if "RollingUpdatePolicy" in deployment:
        return _rolling(deployment["RollingUpdatePolicy"], instances)
    if "BlueGreenUpdatePolicy" in deployment:
        return _blue_green(deployment["BlueGreenUpdatePolicy"], instances)
    return Plan()


def _blue_green(policy: dict[str, Any], instances: int) -> Plan:
    routing = policy["TrafficRoutingConfiguration"]
    wait = routing["WaitIntervalInSeconds"]
    last = Shift(1.0, policy.get("TerminationWaitInSeconds", 0))
    first: tuple[Shift, ...] = ()
    if routing["Type"] == "CANARY":
        size = _share(routing, "CanarySize", instances, low=0.0)
        first = (Shift(size, wait, "WaitIntervalInSeconds"),)
    elif routing["Type"] == "LINEAR":
        step = _share(routing, "LinearStepSize", instances, low=0.1)
        first = _steps(step, wait)
    for member, kind in (("CanarySize", "CANARY"), ("LinearStepSize", "LINEAR")):
        if member in routing and routing["Type"] != kind:
            raise invalid(f"{member} can only be specified for the traffic routing type {kind}.")
    limit = policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_SECONDS)
    planned = sum(shift.wait for shift in (*first, last))
    if planned > limit:
        raise invalid(
            f"MaximumExecutionTimeoutInSeconds {limit} is less than the {planned} seconds that the "
            "deployment waits."
        )
    return Plan((*first, last), limit)


def _rolling(policy: dict[str, Any], instances: int) -> Plan:
    step = _share(policy, "MaximumBatchSize", instances, low=0.05)
    wait = policy["WaitIntervalInSeconds"]
    last = Shift(1.0, wait, "WaitIntervalInSeconds")
    return Plan((*_steps(step, wait), last), policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_SECONDS))


def _steps(step: float, wait: float) -> tuple[Shift, ...]:
    """The shifts before the last one."""
    return tuple(
        Shift(number * step, wait, "WaitIntervalInSeconds") for number in range(1, math.ceil(1 / step - 1e-9))
    )


def _share(policy: dict[str, Any], member: str, instances: int, low: float) -> float:
    size = policy.get(member)
    if size is None:
        raise invalid(f"{member} is required.")
    percent = size["Type"] == "CAPACITY_PERCENT"
    share = size["Value"] / (100 if percent else instances)
    if not low <= share <= 0.5:
        raise invalid(
            f"{member} must be between {low:.0%} and 50% of the new fleet's capacity of {instances} "
            f"instance(s), and {size['Value']}{'%' if percent else ' instance(s)'} is not."
        )
    return share

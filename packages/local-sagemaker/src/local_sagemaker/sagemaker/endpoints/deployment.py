"""Bringing an endpoint to a config: a new fleet starts, traffic moves, alarms watch; it goes on or back."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker import clients, clock, runtime
from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.cloudwatch import alarms
from local_sagemaker.sagemaker import roles
from local_sagemaker.sagemaker.endpoints import configs
from local_sagemaker.sagemaker.endpoints.capture import Capture
from local_sagemaker.sagemaker.endpoints.configs import EndpointConfig
from local_sagemaker.sagemaker.endpoints.endpoint import Endpoint, Pending
from local_sagemaker.sagemaker.endpoints.fleet import DeploymentError, Fleet
from local_sagemaker.sagemaker.endpoints.policies import Plan, Shift

LOOK_SECONDS = 0.05
# Before an update that cannot start its fleet goes back: minutes on AWS, where instances are launched first. Here
# it would be over before anybody has looked at the endpoint.
LEAST_LAUNCH_SECONDS = 2.0
log = logging.getLogger("local_sagemaker.endpoints")


class _EndError(Exception):
    """The local AWS ends."""


def fleets(caller: Caller, config: EndpointConfig, capture: Capture) -> list[Fleet]:
    """New fleets for the variants of ``config``; raises ValidationException where a model is gone."""
    return [Fleet(config.name, v, configs.model(caller, v), capture) for v in config.variants]


def create(endpoint: Endpoint, new: list[Fleet]) -> None:
    """Run in a thread: from Creating to InService or Failed."""
    try:
        _start(endpoint, new)
    except Exception as error:
        _unless_expected(error)
        _close(new)
        with endpoint.lock:
            endpoint.failure_reason = str(error)
            endpoint.enter("Failed")
        return
    with endpoint.lock:
        endpoint.fleets = new
        endpoint.traffic.route((fleet, fleet.weight) for fleet in new)
        endpoint.enter("InService")


def remove(endpoint: Endpoint, forget: Any) -> None:
    """Run in a thread: let the requests inside finish, end the fleets, then call ``forget``."""
    endpoint.traffic.route([])
    _close(endpoint.fleets)
    endpoint.capture.flush()
    forget()


class Update:
    """One UpdateEndpoint: ``new``, the fleets of ``config``, shall take the place of the endpoint's."""

    def __init__(
        self,
        endpoint: Endpoint,
        config: EndpointConfig,
        new: list[Fleet],
        plan: Plan,
        deployment: dict[str, Any],
    ) -> None:
        self._endpoint = endpoint
        self._old = endpoint.fleets
        self._plan = plan
        self._deployment = deployment
        configured = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        self._alarms = [alarm["AlarmName"] for alarm in configured]
        self._spent = 0.0
        self._pending = Pending(config, new)
        endpoint.pending = self._pending

    def run(self) -> None:
        """Run in a thread: from Updating to InService, with the new config or else the old one and why."""
        try:
            self._start()
            for shift in self._plan.shifts:
                self._shift(shift)
        except _EndError:
            return
        except Exception as error:
            _unless_expected(error)
            self._roll_back(str(error))
        else:
            self._finish()

    def _start(self) -> None:
        instances = sum(fleet.instances or 0 for fleet in self._pending.fleets)
        self._pending.enter("Creating", f"Launching {instances} instance(s).")
        self._check_alarms()
        begun = time.monotonic()
        try:
            _start(self._endpoint, self._pending.fleets)
        except Exception:
            left = begun + LEAST_LAUNCH_SECONDS - time.monotonic()
            if runtime.current().stopping.wait(max(0.0, left)):
                raise _EndError from None
            raise
        # A model starts here in real time: only waits are shortened, and only they count multiplied.
        self._spent += time.monotonic() - begun

    def _check_alarms(self) -> None:
        """The model's execution role looks at the alarms, so it needs the right to."""
        if not self._alarms:
            return
        role, region = self._pending.fleets[0].model.role_arn, self._endpoint.caller.region
        try:
            cloudwatch = clients.client("cloudwatch", roles.credentials(role, region))
            cloudwatch.describe_alarms(AlarmNames=self._alarms)
        except (AWSError, ClientError) as error:
            raise DeploymentError(
                f"Unable to describe the configured alarms {self._alarms} with the role {role}. Please "
                f"ensure that the role has cloudwatch:DescribeAlarms permission. ({error})"
            ) from error
        self._look()

    def _shift(self, shift: Shift) -> None:
        self._look()
        new = {fleet.variant: fleet for fleet in self._pending.fleets}
        capacity = math.ceil(shift.share * sum(fleet.instances or 0 for fleet in new.values()))
        reached = f"on {'canary' if shift.share < 1 else 'full'} capacity of {capacity} instance(s)"
        self._pending.enter("ActivatingTraffic", f"Activating traffic {reached}.")
        shares = [(fleet, fleet.weight * shift.share) for fleet in new.values()]
        if shift.share < 1:
            shares += [(fleet, fleet.weight * (1 - shift.share)) for fleet in self._old]
        self._endpoint.traffic.route(shares)
        self._pending.share = shift.share
        baking = f"Baking for {shift.wait:g} seconds ({shift.reason}) with traffic enabled {reached}."
        self._pending.enter("Baking", baking)
        self._bake(shift.wait)

    def _bake(self, seconds: float) -> None:
        allowed = min(seconds, self._plan.limit - self._spent)
        begun = time.monotonic()
        # Shortened anew with each look: whoever lets time pass faster need not wait for what has begun.
        while (left := begun + clock.shortened(max(0.0, allowed)) - time.monotonic()) > 0:
            if runtime.current().stopping.wait(min(LOOK_SECONDS, left)):
                raise _EndError
            self._look()
        self._look()
        self._spent += allowed
        if allowed < seconds:
            raise DeploymentError(
                f"The deployment exceeded its maximum execution timeout of {self._plan.limit:g} seconds."
            )

    def _look(self) -> None:
        caller = self._endpoint.caller
        found = alarms.states(caller.account, caller.region, self._alarms)
        firing = sorted(name for name, state in found.items() if state == "ALARM")
        if firing:
            raise DeploymentError(
                "One or more configured alarms went into ALARM state during the deployment: "
                f"{', '.join(firing)}."
            )

    def _roll_back(self, reason: str) -> None:
        endpoint = self._endpoint
        endpoint.enter("RollingBack")
        endpoint.traffic.route((fleet, fleet.weight) for fleet in self._old)
        self._pending.share = 0.0
        self._pending.enter("Deleting", "Terminating the new fleet.")
        _close(self._pending.fleets)
        with endpoint.lock:
            endpoint.pending = None
            endpoint.failure_reason = reason
            endpoint.last_deployment = self._deployment or None
            endpoint.enter("InService")

    def _finish(self) -> None:
        endpoint = self._endpoint
        self._pending.enter("Deleting", "Terminating the old fleet.")
        with endpoint.lock:
            endpoint.fleets = self._pending.fleets
        _close(self._old)
        endpoint.capture.flush()
        with endpoint.lock:
            endpoint.config = self._pending.config
            endpoint.capture = self._pending.fleets[0].capture
            endpoint.pending = None
            endpoint.failure_reason = None
            endpoint.last_deployment = self._deployment or None
            endpoint.enter("InService")


def _unless_expected(error: Exception) -> None:
    """An error of this module's own must not leave an endpoint in between; the log has it."""
    if not isinstance(error, DeploymentError):
        log.exception("an endpoint's deployment failed")


def _start(endpoint: Endpoint, new: list[Fleet]) -> None:
    for fleet in new:
        log.info("%s: starting variant %s of %s", endpoint.name, fleet.variant, fleet.config)
        fleet.start(endpoint.name, endpoint.caller.region)


def _close(old: list[Fleet]) -> None:
    for fleet in old:
        fleet.close()

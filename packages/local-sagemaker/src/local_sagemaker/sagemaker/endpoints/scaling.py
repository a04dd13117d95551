"""Variants as scalable targets of Application Auto Scaling: registered, watched by alarms, and scaled.

Target tracking makes the alarms that the real service makes (three minutes above the target, a quarter of an
hour below nine tenths of it) and scales in proportion; step scaling is kept, but nothing follows from it.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from local_sagemaker import clock
from local_sagemaker.authorization.arns import resolver
from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.cloudwatch import alarms
from local_sagemaker.cloudwatch.metrics import STORE, Metric
from local_sagemaker.sagemaker.endpoints.endpoint import Endpoint
from local_sagemaker.sagemaker.endpoints.fleet import Fleet
from local_sagemaker.sagemaker.resources import backend

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SERVICE_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
PERIOD_SECONDS = 60
COOLDOWN_SECONDS = 300

_answer_register = ApplicationAutoScalingResponse.register_scalable_target
_register = ApplicationAutoscalingBackend.register_scalable_target
_deregister = ApplicationAutoscalingBackend.deregister_scalable_target
_put_policy = ApplicationAutoscalingBackend.put_scaling_policy
_create_alarms = FakeApplicationAutoscalingPolicy.create_alarms
_scaled: dict[tuple[str, str, str], float] = {}


def registered(caller: Caller, endpoint: str) -> list[str]:
    """The names of an endpoint's variants that are scalable targets."""
    return [resource.split("/")[3] for resource in _resources(caller, endpoint)]


def forget(caller: Caller, endpoint: str) -> None:
    """Deregister the variants of an endpoint, with their policies."""
    for resource in _resources(caller, endpoint):
        store = applicationautoscaling_backends[caller.account][caller.region]
        store.deregister_scalable_target("sagemaker", resource, DIMENSION)


def _resources(caller: Caller, endpoint: str) -> list[str]:
    targets = applicationautoscaling_backends[caller.account][caller.region].targets.get(DIMENSION, {})
    return [resource for resource in targets if resource.split("/")[1] == endpoint]


def _find(account: str, region: str, resource: str) -> tuple[Endpoint, Fleet] | None:
    """The endpoint and the fleet of ``endpoint/NAME/variant/NAME``, if it has instances."""
    _, name, _, variant = (resource.split("/") + [""] * 4)[:4]
    endpoint = backend(account, region).endpoints.get(name)
    fleets = endpoint.fleets if endpoint else []
    found = next((f for f in fleets if f.variant == variant and f.serverless is None), None)
    return (endpoint, found) if found else None


@resolver("application-autoscaling", "RegisterScalableTarget")
@resolver("application-autoscaling", "DeregisterScalableTarget")
@resolver("application-autoscaling", "PutScalingPolicy")
@resolver("application-autoscaling", "DeleteScalingPolicy")
def _target_arn(account: str, region: str, parameters: Mapping[str, Any]) -> str:
    """The scalable target that a request names; its id is not known before it is there."""
    targets = applicationautoscaling_backends[account][region].targets
    found = targets.get(parameters.get("ScalableDimension", ""), {}).get(parameters.get("ResourceId", ""))
    beginning = f"arn:{get_partition(region)}:application-autoscaling:{region}:{account}"
    return str(found.arn) if found else f"{beginning}:scalable-target/*"


@functools.wraps(_answer_register)
def _register_with_tags(self: ApplicationAutoScalingResponse) -> str:
    answer = _answer_register(self)
    targets = self.applicationautoscaling_backend.targets[self._get_param("ScalableDimension")]
    target: Any = targets[self._get_param("ResourceId")]
    target.tags = {**getattr(target, "tags", {}), **(self._get_param("Tags") or {})}
    return answer


@functools.wraps(_register)
def _register_scalable_target(
    self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str, **parameters: Any
) -> FakeScalableTarget:
    if dimension != DIMENSION:
        return _register(self, namespace, r_id, dimension, **parameters)
    found = _find(self.account_id, self.region_name, r_id)
    if found is None:
        raise AWSValidationException(f"Could not find the production variant {r_id}.")
    parameters["role_arn"] = SERVICE_ROLE.format(account=self.account_id)
    target = _register(self, namespace, r_id, dimension, **parameters)
    _resize(*found, within(target, found[1].instances or 1))
    return target


@functools.wraps(_deregister)
def _deregister_scalable_target(
    self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str
) -> None:
    """The policies go with their target."""
    _deregister(self, namespace, r_id, dimension)
    for policy in [p for p in self.policies.values() if p.resource_id == r_id]:
        self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)


@functools.wraps(_put_policy)
def _put_scaling_policy(
    self: ApplicationAutoscalingBackend,
    policy_name: str,
    service_namespace: str,
    resource_id: str,
    scalable_dimension: str,
    **parameters: Any,
) -> FakeApplicationAutoscalingPolicy:
    if scalable_dimension == DIMENSION:
        if resource_id not in self.targets.get(DIMENSION, {}):
            raise AWSError(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: {service_namespace}, resource ID: "
                f"{resource_id}, scalable dimension: {scalable_dimension}",
            )
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name
        )
        if key in self.policies:
            self.policies[key].delete_alarms(self.account_id, self.region_name)
    return _put_policy(self, policy_name, service_namespace, resource_id, scalable_dimension, **parameters)


def _create_policy_alarms(self: FakeApplicationAutoscalingPolicy) -> None:
    _create_alarms(self)
    tracking = self.target_tracking_scaling_policy_configuration
    if self.scalable_dimension != DIMENSION or tracking is None:
        return
    target = tracking["TargetValue"]
    self.alarms.append(_alarm(self, "High", "GreaterThanThreshold", target, periods=3))
    if not tracking.get("DisableScaleIn"):
        self.alarms.append(_alarm(self, "Low", "LessThanThreshold", 0.9 * target, periods=15))


def _alarm(
    policy: FakeApplicationAutoscalingPolicy, kind: str, comparison: str, threshold: float, periods: int
) -> Alarm:
    metric = _metric(policy)
    tracking = policy.target_tracking_scaling_policy_configuration or {}
    statistic = tracking.get("CustomizedMetricSpecification", {})
    return cloudwatch_backends[policy.account_id][policy.region_name].put_metric_alarm(
        name=f"TargetTracking-{policy.resource_id}-Alarm{kind}-{mock_random.uuid4()}",
        namespace=metric.namespace,
        metric_name=metric.name,
        comparison_operator=comparison,
        evaluation_periods=periods,
        period=PERIOD_SECONDS,
        threshold=threshold,
        statistic=statistic.get("Statistic", "Sum"),
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.policy_arn}.",
        dimensions=[{"Name": n, "Value": v} for n, v in sorted(metric.dimensions)],
        alarm_actions=[policy.policy_arn],
    )


def _metric(policy: FakeApplicationAutoscalingPolicy) -> Metric:
    """The metric whose target the policy tracks; raises ValidationException for one that variants lack."""
    tracking = policy.target_tracking_scaling_policy_configuration or {}
    own = tracking.get("CustomizedMetricSpecification")
    if own:
        where = (policy.account_id, policy.region_name, own["Namespace"], own["MetricName"])
        return Metric.of(*where, own.get("Dimensions", []))
    kind = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if kind != INVOCATIONS:
        raise AWSValidationException(f"The predefined metric type {kind} is not supported for {DIMENSION}.")
    _, endpoint, _, variant = policy.resource_id.split("/")
    dimensions = frozenset({("EndpointName", endpoint), ("VariantName", variant)})
    return Metric(
        policy.account_id, policy.region_name, "AWS/SageMaker", "InvocationsPerInstance", dimensions
    )


def _follow(account: str, region: str, alarm: Alarm) -> None:
    """An alarm fires: if a policy made it, scale by that policy."""
    store = applicationautoscaling_backends[account][region]
    policy = next((p for p in store.policies.values() if p.policy_arn in alarm.alarm_actions), None)
    if policy is None or policy.scalable_dimension != DIMENSION:
        return
    found = _find(account, region, policy.resource_id)
    tracking = policy.target_tracking_scaling_policy_configuration
    if found is None or tracking is None:
        return
    endpoint, fleet = found
    out = alarm.comparison_operator == "GreaterThanThreshold"
    cooldown = tracking.get("ScaleOutCooldown" if out else "ScaleInCooldown", COOLDOWN_SECONDS)
    now, key = time.time(), (account, region, policy.resource_id)
    if now - _scaled.get(key, 0) < clock.shortened(cooldown):
        return
    data = STORE.window(_metric(policy), now - clock.shortened(PERIOD_SECONDS), now)
    measured = data.statistic(alarm.statistic) if data else 0.0
    proportional = math.ceil((fleet.instances or 1) * measured / tracking["TargetValue"])
    wanted = within(store.targets[DIMENSION][policy.resource_id], proportional)
    if (wanted > (fleet.instances or 1)) == out and _resize(endpoint, fleet, wanted):
        _scaled[key] = now


def within(target: FakeScalableTarget, instances: int) -> int:
    """``instances``, or the nearest number that the target allows."""
    return max(target.min_capacity or 0, min(instances, target.max_capacity or instances), 1)


def _resize(endpoint: Endpoint, fleet: Fleet, instances: int) -> bool:
    """Give the fleet that many instances, unless it has them or the endpoint is being changed."""
    with endpoint.lock:
        if fleet.instances == instances:
            return False
        try:
            endpoint.begin("Updating")
        except AWSError:
            return False
        fleet.instances = instances
        endpoint.enter("InService")
    return True


ApplicationAutoScalingResponse.register_scalable_target = _register_with_tags
ApplicationAutoscalingBackend.register_scalable_target = _register_scalable_target  # type: ignore[assignment]  # its parameters are passed on
ApplicationAutoscalingBackend.deregister_scalable_target = _deregister_scalable_target
ApplicationAutoscalingBackend.put_scaling_policy = _put_scaling_policy  # type: ignore[assignment]  # its parameters are passed on
FakeApplicationAutoscalingPolicy.create_alarms = _create_policy_alarms
alarms.ACTIONS.append(_follow)

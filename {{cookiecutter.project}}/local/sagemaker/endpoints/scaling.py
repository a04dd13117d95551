"""Variants as scalable targets of Application Auto Scaling."""

from __future__ import annotations

import functools
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeScalableTarget,
    applicationautoscaling_backends,
)

from local.bridge import Caller
from local.sagemaker.resources import backend

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SERVICE_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_register = ApplicationAutoscalingBackend.register_scalable_target


@functools.wraps(_register)
def _register_scalable_target(
    self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str, **parameters: Any
) -> FakeScalableTarget:
    if namespace == "sagemaker" and dimension == DIMENSION:
        _, endpoint_name, _, variant = (r_id.split("/") + [""] * 4)[:4]
        endpoint = backend(self.account_id, self.region_name).endpoints.get(endpoint_name)
        fleets = {fleet.variant: fleet for fleet in endpoint.fleets} if endpoint else {}
        if variant not in fleets or fleets[variant].serverless is not None:
            raise AWSValidationException(f"Could not find the production variant {r_id}.")
        parameters["role_arn"] = SERVICE_ROLE.format(account=self.account_id)
    return _register(self, namespace, r_id, dimension, **parameters)


ApplicationAutoscalingBackend.register_scalable_target = _register_scalable_target  # type: ignore[method-assign]


def registered(caller: Caller, endpoint: str) -> list[str]:
    """The names of an endpoint's variants that are scalable targets."""
    return [resource.split("/")[3] for resource in _targets(caller, endpoint)]


def forget(caller: Caller, endpoint: str) -> None:
    """Deregister the variants of an endpoint, with their policies."""
    store = applicationautoscaling_backends[caller.account][caller.region]
    for resource in _targets(caller, endpoint):
        for policy in [p for p in store.policies.values() if p.resource_id == resource]:
            store.delete_scaling_policy(policy.policy_name, "sagemaker", resource, policy.scalable_dimension)
        store.deregister_scalable_target("sagemaker", resource, DIMENSION)


def _targets(caller: Caller, endpoint: str) -> list[str]:
    targets = applicationautoscaling_backends[caller.account][caller.region].targets.get(DIMENSION, {})
    return [resource for resource in targets if resource.split("/")[1] == endpoint]

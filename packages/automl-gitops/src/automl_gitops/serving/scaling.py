"""Autoscaling of the production endpoint: a scalable target with one target-tracking policy, or none."""

from typing import Any

from automl_gitops.kernel.environments import Environment
from automl_gitops.serving.release import VARIANT

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


class Scaling:
    """The endpoint's scaling as automl.toml's [production.autoscaling] wants it."""

    def __init__(self, environment: Environment) -> None:
        self._client = environment.aws.client("application-autoscaling")
        self._settings = environment.config.production.autoscaling
        self._target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{environment.endpoint}/variant/{VARIANT}",
            "ScalableDimension": DIMENSION,
        }
        self._policy_name = f"{environment.endpoint}-requests"
        self._tags = environment.config.project.every_tag

    @property
    def wanted(self) -> bool:
        """Whether there is to be any."""
        return self._settings is not None

    def is_right(self) -> bool:
        """Whether everything is as wanted."""
        target = self._find_target()
        if self._settings is None:
            return target is None
        return self._target_is_right(target) and self._policy_is_right()

    def exists(self) -> bool:
        """Whether there is a scalable target."""
        return self._find_target() is not None

    def put(self) -> None:
        """Create, change or remove target and policy; the endpoint has to be InService."""
        if self._settings is None:
            self.remove()
            return
        target = self._find_target()
        if not self._target_is_right(target):
            # The service takes tags for a new target alone.
            tags = {} if target else {"Tags": self._tags}
            self._client.register_scalable_target(**self._target, **self._bounds(), **tags)
        if not self._policy_is_right():
            self._client.put_scaling_policy(
                **self._target,
                PolicyName=self._policy_name,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=self._tracking(),
            )

    def remove(self) -> None:
        """Deregister the target where there is one; its policies and their alarms go with it."""
        if self.exists():
            self._client.deregister_scalable_target(**self._target)

    def _bounds(self) -> dict[str, int]:
        assert self._settings is not None  # noqa: S101 - callers asked
        return {"MinCapacity": self._settings.min_instances, "MaxCapacity": self._settings.max_instances}

    def _tracking(self) -> dict[str, Any]:
        assert self._settings is not None  # noqa: S101 - callers asked
        return {
            "TargetValue": float(self._settings.requests_per_instance),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleInCooldown": self._settings.scale_in_seconds,
            "ScaleOutCooldown": self._settings.scale_out_seconds,
        }

    def _find_target(self) -> dict[str, Any] | None:
        targets = self._client.describe_scalable_targets(
            ServiceNamespace="sagemaker",
            ResourceIds=[self._target["ResourceId"]],
            ScalableDimension=DIMENSION,
        )["ScalableTargets"]
        return targets[0] if targets else None

    def _target_is_right(self, target: dict[str, Any] | None) -> bool:
        return target is not None and all(target.get(key) == value for key, value in self._bounds().items())

    def _policy_is_right(self) -> bool:
        policies = self._client.describe_scaling_policies(**self._target)["ScalingPolicies"]
        tracking = [
            policy.get("TargetTrackingScalingPolicyConfiguration") or {}
            for policy in policies
            if policy["PolicyName"] == self._policy_name
        ]
        return bool(tracking) and all(
            tracking[0].get(key) == value for key, value in self._tracking().items()
        )

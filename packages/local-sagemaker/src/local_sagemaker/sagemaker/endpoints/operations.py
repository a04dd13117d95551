"""The operations on endpoints."""

from __future__ import annotations

from typing import Any

from local_sagemaker import late, runtime
from local_sagemaker.bridge import Caller
from local_sagemaker.cloudwatch import alarms
from local_sagemaker.sagemaker import keys
from local_sagemaker.sagemaker.endpoints import configs, deployment
from local_sagemaker.sagemaker.endpoints.capture import Capture
from local_sagemaker.sagemaker.endpoints.configs import EndpointConfig
from local_sagemaker.sagemaker.endpoints.endpoint import ENDPOINTS, Endpoint
from local_sagemaker.sagemaker.endpoints.fleet import Fleet
from local_sagemaker.sagemaker.endpoints.policies import plan
from local_sagemaker.sagemaker.resources import invalid
from local_sagemaker.sagemaker.service import operation


@operation("CreateEndpoint")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where the endpoint exists or the config does not."""
    name = parameters["EndpointName"]
    ENDPOINTS.check_new(caller, name)
    config = configs.CONFIGS.find(caller, parameters["EndpointConfigName"])
    keys.check_volume(caller, config.details.get("KmsKeyId"))
    endpoint = Endpoint(caller, name, config, parameters.get("Tags"))
    endpoint.last_deployment = parameters.get("DeploymentConfig")
    new = deployment.fleets(caller, config, endpoint.capture)
    ENDPOINTS.add(caller, name, endpoint)
    runtime.current().thread(f"create-{name}", deployment.create, endpoint, new)
    return {"EndpointArn": endpoint.arn}


@operation("UpdateEndpoint")
def update(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException for an update that the real service refuses; the endpoint stays as it is."""
    endpoint = ENDPOINTS.find(caller, parameters["EndpointName"])
    config = configs.CONFIGS.find(caller, parameters["EndpointConfigName"])
    keys.check_volume(caller, config.details.get("KmsKeyId"))
    with endpoint.lock:
        if endpoint.status == "Failed":
            raise invalid(f'Cannot update failed endpoint "{endpoint.arn}".')
        policy = _deployment_config(endpoint, parameters)
        _check_update(endpoint, config, policy)
        new = deployment.fleets(caller, config, _capture(endpoint, config, parameters))
        _retain(endpoint.fleets, new, parameters)
        _check_alarms(caller, policy)
        steps = plan({} if config.serverless else policy, min(fleet.instances or 1 for fleet in new))
        endpoint.begin("Updating")
        started = deployment.Update(endpoint, config, new, steps, policy)
    runtime.current().thread(f"update-{endpoint.name}", started.run)
    return {"EndpointArn": endpoint.arn}


def _deployment_config(endpoint: Endpoint, parameters: dict[str, Any]) -> dict[str, Any]:
    if parameters.get("RetainDeploymentConfig"):
        if parameters.get("DeploymentConfig"):
            raise invalid("DeploymentConfig cannot be specified together with RetainDeploymentConfig.")
        return endpoint.last_deployment or {}
    return parameters.get("DeploymentConfig") or {}


def _check_update(endpoint: Endpoint, config: EndpointConfig, policy: dict[str, Any]) -> None:
    if config.serverless and not endpoint.config.serverless:
        raise invalid(
            f'Cannot update the instance-based endpoint "{endpoint.arn}" to serverless inference: create '
            "another endpoint."
        )
    before = {variant["VariantName"]: variant for variant in endpoint.config.variants}
    after = {variant["VariantName"]: variant for variant in config.variants}
    if policy and set(before) != set(after):
        raise invalid(
            f"The endpoint configuration {config.name} must have the same variant names as "
            f"{endpoint.config.name} ({', '.join(sorted(before))}) for a deployment with a DeploymentConfig."
        )
    scaling = late.brought(late.SCALING)
    for name in scaling.registered(endpoint.caller, endpoint.name) if scaling else ():
        if after.get(name, {}).get("InstanceType") != before.get(name, {}).get("InstanceType"):
            raise invalid(
                f"The instance type of production variant {name} cannot change while it is a scalable "
                "target: deregister it first."
            )


def _check_alarms(caller: Caller, policy: dict[str, Any]) -> None:
    configured = [a["AlarmName"] for a in policy.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
    missing = set(configured) - set(alarms.states(caller.account, caller.region, configured))
    if missing:
        raise invalid(f"Could not find the alarm(s) {', '.join(sorted(missing))}.")


def _retained(parameters: dict[str, Any]) -> set[str]:
    if not parameters.get("RetainAllVariantProperties"):
        return set()
    excluded = parameters.get("ExcludeRetainedVariantProperties", [])
    every = {"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"}
    return every - {member["VariantPropertyType"] for member in excluded}


def _retain(old: list[Fleet], new: list[Fleet], parameters: dict[str, Any]) -> None:
    kept = _retained(parameters)
    before = {fleet.variant: fleet for fleet in old}
    for fleet in new:
        if fleet.variant in before and fleet.serverless is None:
            if "DesiredInstanceCount" in kept and before[fleet.variant].instances is not None:
                fleet.instances = before[fleet.variant].instances
            if "DesiredWeight" in kept:
                fleet.weight = before[fleet.variant].weight


def _capture(endpoint: Endpoint, config: EndpointConfig, parameters: dict[str, Any]) -> Capture:
    retained = "DataCaptureConfig" in _retained(parameters)
    source = endpoint.config if retained else config
    return Capture(endpoint.name, endpoint.caller.region, source.details.get("DataCaptureConfig"))


@operation("UpdateEndpointWeightsAndCapacities")
def update_weights(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The traffic follows at once; the number of instances changes what is described and measured."""
    endpoint = ENDPOINTS.find(caller, parameters["EndpointName"])
    with endpoint.lock:
        by_name = {fleet.variant: fleet for fleet in endpoint.fleets}
        desired = parameters["DesiredWeightsAndCapacities"]
        unknown = {member["VariantName"] for member in desired} - set(by_name)
        if unknown:
            raise invalid(
                f'The variant name(s) "{", ".join(sorted(unknown))}" is/are not present within endpoint '
                f'configuration "{endpoint.config.name}".'
            )
        endpoint.begin("Updating")
        for member in desired:
            fleet = by_name[member["VariantName"]]
            fleet.weight = member.get("DesiredWeight", fleet.weight)
            if fleet.serverless is None:
                fleet.instances = member.get("DesiredInstanceCount", fleet.instances)
        endpoint.traffic.route((fleet, fleet.weight) for fleet in endpoint.fleets)
        endpoint.enter("InService")
    return {"EndpointArn": endpoint.arn}


@operation("DeleteEndpoint")
def delete(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ValidationException while something is under way. Scalable targets go with the endpoint."""
    endpoint = ENDPOINTS.find(caller, parameters["EndpointName"])
    endpoint.begin("Deleting")
    scaling = late.brought(late.SCALING)
    if scaling:
        scaling.forget(caller, endpoint.name)
    runtime.current().thread(
        f"delete-{endpoint.name}",
        deployment.remove,
        endpoint,
        lambda: ENDPOINTS.remove(caller, endpoint.name),
    )

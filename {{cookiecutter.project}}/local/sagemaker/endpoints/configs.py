"""Endpoint configs: which models an endpoint serves, on what, and what it captures."""

from __future__ import annotations

from typing import Any

from local.bridge import Caller, operation
from local.constraints import check
from local.sagemaker import models
from local.sagemaker.resources import Record, arn, backend, invalid, listed, now, present

SERVERLESS_MEMORY_IN_MB = (1024, 2048, 3072, 4096, 5120, 6144)
UNSUPPORTED = ("AsyncInferenceConfig", "ShadowProductionVariants", "ExplainerConfig")


class EndpointConfig(Record):
    """An endpoint config."""

    @property
    def name(self) -> str:
        """EndpointConfigName."""
        return self.details["EndpointConfigName"]

    @property
    def variants(self) -> list[dict[str, Any]]:
        """ProductionVariants."""
        return self.details["ProductionVariants"]

    @property
    def serverless(self) -> bool:
        """Whether its variant has no instances."""
        return "ServerlessConfig" in self.variants[0]


def find(caller: Caller, name: str) -> EndpointConfig:
    """The endpoint config of that name; raises ValidationException where there is none."""
    config = backend(caller.account, caller.region).endpoint_configs.get(name)
    if config is None:
        raise invalid(f'Could not find endpoint configuration "{arn(caller, "endpoint-config", name)}".')
    return config


@operation("sagemaker", "CreateEndpointConfig")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException for what the real service does not combine."""
    check("sagemaker", "CreateEndpointConfig", parameters)
    name = parameters["EndpointConfigName"]
    config_arn = arn(caller, "endpoint-config", name)
    configs = backend(caller.account, caller.region).endpoint_configs
    if name in configs:
        raise invalid(f'Cannot create already existing endpoint configuration "{config_arn}".')
    for member in UNSUPPORTED:
        if parameters.get(member):
            raise invalid(f"{member} is not supported by the local AWS.")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in parameters["ProductionVariants"]]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise invalid("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        _check_variant(variant, model(caller, variant), parameters, len(variants))
    details = {key: value for key, value in parameters.items() if key != "Tags"} | {
        "EndpointConfigArn": config_arn,
        "ProductionVariants": variants,
        "CreationTime": now(),
    }
    configs[name] = EndpointConfig(config_arn, details, parameters.get("Tags"))
    return {"EndpointConfigArn": config_arn}


def model(caller: Caller, variant: dict[str, Any]) -> models.Model:
    """The model of a production variant; raises ValidationException where there is none."""
    if "ModelName" not in variant:
        raise invalid(f"Production variant {variant['VariantName']} requires a ModelName.")
    return models.find(caller, variant["ModelName"])


def _check_variant(
    variant: dict[str, Any], served: models.Model, parameters: dict[str, Any], variants: int
) -> None:
    name = variant["VariantName"]
    if "ServerlessConfig" not in variant:
        if "InstanceType" not in variant or "InitialInstanceCount" not in variant:
            raise invalid(
                f"Production variant {name} requires InstanceType and InitialInstanceCount, or a "
                "ServerlessConfig."
            )
        return
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise invalid(
            f"Production variant {name} cannot have a ServerlessConfig together with InstanceType or "
            "InitialInstanceCount."
        )
    memory = variant["ServerlessConfig"]["MemorySizeInMB"]
    if memory not in SERVERLESS_MEMORY_IN_MB:
        choices = ", ".join(map(str, SERVERLESS_MEMORY_IN_MB))
        raise invalid(
            f"MemorySizeInMB {memory} is not valid for serverless inference: choose one of {choices}."
        )
    obstacles = {
        "multiple production variants": variants > 1,
        "data capture": parameters.get("DataCaptureConfig", {}).get("EnableCapture", False),
        "inference pipelines": len(served.containers) > 1,
        "VPC configuration": bool(served.details.get("VpcConfig")),
        "network isolation": served.details["EnableNetworkIsolation"],
    }
    for feature, present_here in obstacles.items():
        if present_here:
            raise invalid(f"Serverless inference does not support {feature} (production variant {name}).")


@operation("sagemaker", "DescribeEndpointConfig")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no such config."""
    return find(caller, parameters["EndpointConfigName"]).details


@operation("sagemaker", "ListEndpointConfigs")
def list_configs(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by creation, the newest first, where nothing else is said."""
    check("sagemaker", "ListEndpointConfigs", parameters)
    found = (config.details for config in backend(caller.account, caller.region).endpoint_configs.values())
    page, token = listed(found, parameters, "EndpointConfigName")
    members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
    return present({"EndpointConfigs": [{m: c[m] for m in members} for c in page], "NextToken": token})


@operation("sagemaker", "DeleteEndpointConfig")
def delete(caller: Caller, parameters: dict[str, Any]) -> None:
    """An endpoint that uses it goes on."""
    find(caller, parameters["EndpointConfigName"])
    del backend(caller.account, caller.region).endpoint_configs[parameters["EndpointConfigName"]]

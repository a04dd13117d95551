"""Endpoint configs: which models an endpoint serves, on what, and what it captures."""

from __future__ import annotations

from typing import Any

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import keys, models
from local_sagemaker.sagemaker.named import Collection
from local_sagemaker.sagemaker.resources import Record, invalid, now
from local_sagemaker.sagemaker.service import operation

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


CONFIGS: Collection[EndpointConfig] = Collection(
    "EndpointConfig", "endpoint-config", "endpoint configuration", "endpoint_configs"
)
CONFIGS.answer("Describe", "List", "Delete")  # an endpoint that uses a deleted one goes on


@operation("CreateEndpointConfig")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException for what the real service does not combine."""
    name = parameters["EndpointConfigName"]
    CONFIGS.check_new(caller, name)
    for member in UNSUPPORTED:
        if parameters.get(member):
            raise invalid(f"{member} is not supported by the local AWS.")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in parameters["ProductionVariants"]]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise invalid("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        _check_variant(variant, model(caller, variant), parameters, len(variants))
    keys.check_volume(caller, parameters.get("KmsKeyId"))
    details = {key: value for key, value in parameters.items() if key != "Tags"} | {
        "EndpointConfigArn": CONFIGS.arn(caller, name),
        "ProductionVariants": variants,
        "CreationTime": now(),
    }
    config = EndpointConfig(details["EndpointConfigArn"], details, parameters.get("Tags"))
    CONFIGS.add(caller, name, config)
    return {"EndpointConfigArn": config.arn}


def model(caller: Caller, variant: dict[str, Any]) -> models.Model:
    """The model of a production variant; raises ValidationException where there is none."""
    if "ModelName" not in variant:
        raise invalid(f"Production variant {variant['VariantName']} requires a ModelName.")
    return models.MODELS.find(caller, variant["ModelName"])


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

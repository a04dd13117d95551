"""What a version on an endpoint consists of: the requests for its model and its endpoint config.

Both names hold the version and a hash of the content, so that the same release has the same names wherever
and how often it is made, and a changed one has others.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl_gitops.kernel.environments import Environment
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.endpoints import Production
from automl_gitops.serving.registry import ModelPackage, require_containers

VARIANT = "AllTraffic"  # blue/green updates need the same variant name on both sides
PACKAGE_TAG = "model-package-arn"


@dataclass(frozen=True)
class Release:
    """One version for one endpoint; ``model`` and ``config`` are the requests that create its two parts."""

    package: ModelPackage
    endpoint: str
    model: dict[str, Any]
    config: dict[str, Any]

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.model["ModelName"]

    @property
    def config_name(self) -> str:
        """The endpoint config's name."""
        return self.config["EndpointConfigName"]

    @property
    def serverless(self) -> bool:
        """Whether it runs without instances."""
        return "ServerlessConfig" in self.config["ProductionVariants"][0]

    @property
    def tags(self) -> list[dict[str, str]]:
        """What its parts and the endpoint are tagged with."""
        return self.model["Tags"]


def release(
    package: ModelPackage, environment: Environment, bucket: str, archives: Mapping[str, str] | None = None
) -> Release:
    """The release of a version for an environment; calls nothing but `sts:GetCallerIdentity`.

    Production's model refers to the model package, so that SageMaker itself refuses a version that is not
    Approved. Staging, which has to test before anybody approves, has the package's containers. ``bucket``
    takes captured data. The names tell ``archives``, too.
    """
    require_containers(package)
    hosting, config, names = environment.hosting, environment.config, environment.names
    if hosting.serverless and len(package.containers) > 1:
        raise UserError(
            f"automl.toml: [{environment.name}.serverless] cannot serve {package.label}, which has "
            f"{len(package.containers)} containers: serverless inference takes one, so use instances"
        )
    if environment.name == "production":
        content: dict[str, Any] = {"PrimaryContainer": {"ModelPackageName": package.arn}}
    else:
        content = {"Containers": list(package.containers)}
    content["ExecutionRoleArn"] = names.role_arn(names.serving_role)
    if config.network and not hosting.serverless:
        content["VpcConfig"] = {
            "Subnets": config.network.subnets,
            "SecurityGroupIds": config.network.security_groups,
        }
    prefix = f"{environment.endpoint}-v{package.version}"
    model_name = f"{prefix}-{_hash(content | dict(archives or {}))}"
    variants = {"ProductionVariants": [_variant(environment, model_name)]}
    settings = variants | _key(environment) | _capture(environment, bucket)
    tags = _tags(environment, package)
    return Release(
        package=package,
        endpoint=environment.endpoint,
        model={"ModelName": model_name, **content, "Tags": tags},
        config={"EndpointConfigName": f"{prefix}-{_hash(settings)}", **settings, "Tags": tags},
    )


def _variant(environment: Environment, model_name: str) -> dict[str, Any]:
    hosting = environment.hosting
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": model_name}
    if hosting.serverless:
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": hosting.serverless.memory_mb,
            "MaxConcurrency": hosting.serverless.max_concurrency,
        }
        return variant
    count = hosting.least_instances if isinstance(hosting, Production) else hosting.instance_count
    return variant | {
        "InstanceType": hosting.instance_type,
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1.0,
    }


def _key(environment: Environment) -> dict[str, Any]:
    encryption = environment.config.encryption
    # The key encrypts the instances' volumes, which serverless inference does not have.
    return {"KmsKeyId": encryption.kms_key} if encryption and not environment.hosting.serverless else {}


def _capture(environment: Environment, bucket: str) -> dict[str, Any]:
    hosting = environment.hosting
    capture = hosting.data_capture if isinstance(hosting, Production) else None
    if not capture:
        return {}
    encryption = environment.config.encryption
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": capture.percent,
            "DestinationS3Uri": f"s3://{bucket}/captured/{environment.name}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **({"KmsKeyId": encryption.kms_key} if encryption else {}),
        }
    }


def _tags(environment: Environment, package: ModelPackage) -> list[dict[str, str]]:
    project = environment.config.project
    tags = project.every_tag | {PACKAGE_TAG: package.arn}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _hash(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]

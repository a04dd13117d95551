"""Models: the containers of a variant or a transform job, and the role that reads their archives."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker import clients
from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import roles
from local_sagemaker.sagemaker.named import Collection
from local_sagemaker.sagemaker.registry import versions
from local_sagemaker.sagemaker.resources import Record, invalid, now, present
from local_sagemaker.sagemaker.service import operation
from local_sagemaker.storage import split


class Model(Record):
    """A model. ``containers`` are those that run, in order: Image, ModelDataUrl and Environment each."""

    containers: tuple[dict[str, Any], ...] = ()

    @property
    def role_arn(self) -> str:
        """The execution role."""
        return self.details["ExecutionRoleArn"]


MODELS: Collection[Model] = Collection("Model", "model", "model", "_models")
MODELS.answer("Describe", "List", "Delete")  # an endpoint that runs a deleted one goes on


@operation("CreateModel")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException unless the role may be assumed and reads every archive.

    A model package, which may be another account's, must be Approved.
    """
    name = parameters["ModelName"]
    MODELS.check_new(caller, name)
    if "ExecutionRoleArn" not in parameters:
        raise invalid("ExecutionRoleArn is required.")
    resolved = [c for given in _given(parameters) for c in _resolved(caller, given)]
    _check_archives(caller, parameters["ExecutionRoleArn"], resolved)
    details = {key: value for key, value in parameters.items() if key != "Tags"}
    if "PrimaryContainer" in details:
        details["PrimaryContainer"] = _described(details["PrimaryContainer"])
    else:
        details["Containers"] = [_described(c) for c in details["Containers"]]
    details |= {
        "ModelArn": MODELS.arn(caller, name),
        "CreationTime": now(),
        "EnableNetworkIsolation": parameters.get("EnableNetworkIsolation", False),
    }
    model = Model(details["ModelArn"], details, parameters.get("Tags"))
    model.containers = tuple(resolved)
    MODELS.add(caller, name, model)
    return {"ModelArn": model.arn}


def _given(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    if bool(parameters.get("PrimaryContainer")) == bool(parameters.get("Containers")):
        raise invalid("Specify either PrimaryContainer or Containers, and not both.")
    return parameters.get("Containers") or [parameters["PrimaryContainer"]]


def _resolved(caller: Caller, container: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers that ``container`` stands for: itself, or those of its model package."""
    environment = container.get("Environment", {})
    if "ModelPackageName" not in container:
        if "Image" not in container:
            raise invalid("A container requires an Image or a ModelPackageName.")
        return [_runnable(container, environment)]
    if "Image" in container or "ModelDataUrl" in container:
        raise invalid("Image and ModelDataUrl cannot be specified together with ModelPackageName.")
    package = versions.find(caller, container["ModelPackageName"])
    status = package.details.get("ModelApprovalStatus", "Approved")
    if status != "Approved":
        raise invalid(f"Model package {package.arn} is not approved for deployment: its status is {status}.")
    specification = package.details.get("InferenceSpecification")
    if not specification:
        raise invalid(f"Model package {package.arn} has no InferenceSpecification.")
    return [
        _runnable(member, member.get("Environment", {}) | environment)
        for member in specification["Containers"]
    ]


def _runnable(container: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    url = container.get("ModelDataUrl")
    if url is None:
        url = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
    return present({"Image": container.get("Image"), "ModelDataUrl": url}) | {
        "Environment": dict(environment)
    }


def _described(container: dict[str, Any]) -> dict[str, Any]:
    return {"Environment": {}, "Mode": "SingleModel", **container}


def _check_archives(caller: Caller, role: str, containers: list[dict[str, Any]]) -> None:
    s3 = clients.client("s3", roles.credentials(role, caller.region))
    for url in (c["ModelDataUrl"] for c in containers if "ModelDataUrl" in c):
        bucket, key = split(url)
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            raise invalid(
                f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that '
                f'its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                f'"{roles.PRINCIPAL}". Also ensure that the role has "s3:GetObject" permissions and that the '
                f"object is located in {caller.region}."
            ) from None

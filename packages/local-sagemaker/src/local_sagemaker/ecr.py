"""Looks into the registries from which SageMaker's own images come: those of AWS's accounts.

Which of them exist is what the SageMaker SDK says, where that is installed.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from moto.ecr.models import ecr_backends

from local_sagemaker.bridge import AWSError, Caller, operation

REPOSITORY = "sagemaker-scikit-learn"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@cache
def _registries() -> dict[str, Any]:
    """Of the scikit-learn image: its versions with their registries' accounts by region."""
    spec = importlib.util.find_spec("sagemaker")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "core" / "image_uri_config" / "sklearn.json"
        if file.exists():
            versions: dict[str, Any] = json.loads(file.read_text("utf-8"))["inference"]["versions"]
            return versions
    return {}


@operation("ecr", "BatchGetImage")
def batch_get_image(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The manifests of images by tag, empty ones here; raises RepositoryNotFoundException."""
    registry, repository = parameters.get("registryId", caller.account), parameters["repositoryName"]
    if registry == caller.account:
        own: dict[str, Any] = ecr_backends[caller.account][caller.region].batch_get_image(
            repository_name=repository, registry_id=registry, image_ids=parameters["imageIds"]
        )
        return own
    there = {
        version
        for version, known in _registries().items()
        if known["registries"].get(caller.region) == registry and repository == REPOSITORY
    }
    if not there:
        message = (
            f"The repository with name '{repository}' does not exist in the registry with id '{registry}'"
        )
        raise AWSError("RepositoryNotFoundException", message)
    names = {"registryId": registry, "repositoryName": repository}
    images, failures = [], []
    for image in parameters["imageIds"]:
        if any(image.get("imageTag", "").startswith(f"{version}-cpu") for version in there):
            images.append(
                {**names, "imageId": image, "imageManifest": "{}", "imageManifestMediaType": MANIFEST}
            )
        else:
            reason = "Requested image not found"
            failures.append({"imageId": image, "failureCode": "ImageNotFound", "failureReason": reason})
    return {"images": images, "failures": failures}

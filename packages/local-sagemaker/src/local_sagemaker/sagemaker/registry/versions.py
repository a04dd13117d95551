"""Model packages: numbered versions in a group, or single ones by name."""

from __future__ import annotations

import json
import threading
from typing import Any

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker.registry import groups
from local_sagemaker.sagemaker.resources import (
    Record,
    arn,
    backend,
    home,
    invalid,
    listed,
    now,
    present,
    user_context,
)
from local_sagemaker.sagemaker.service import operation

# What a request says about itself, not about the model package.
CONTROL = {"ClientToken", "Tags"}
_lock = threading.Lock()
_by_token: dict[tuple[str, str, str], str] = {}


def find(caller: Caller, name: str) -> Record:
    """The model package of that name or ARN, which may be another account's.

    Raises ValidationException where there is none.
    """
    wanted = name if name.startswith("arn:") else arn(caller, "model-package", name)
    package = backend(*home(wanted)).model_packages.get(wanted)
    if package is None:
        raise invalid(f"ModelPackage {wanted} does not exist.")
    return package


@operation("CreateModelPackage")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """A new version of a group, or an unversioned package; the same ``ClientToken`` makes one only.

    Raises ValidationException for a request that the real service refuses.
    """
    _check_content(parameters)
    token = (caller.account, caller.region, parameters.get("ClientToken", ""))
    with _lock:
        if token[2] and token in _by_token:
            return {"ModelPackageArn": _by_token[token]}
        package = (
            _versioned(caller, parameters)
            if "ModelPackageGroupName" in parameters
            else _named(caller, parameters)
        )
        backend(*home(package.arn)).model_packages[package.arn] = package
        if token[2]:
            _by_token[token] = package.arn
    return {"ModelPackageArn": package.arn}


def _check_content(parameters: dict[str, Any]) -> None:
    if "ModelPackageGroupName" in parameters and "ModelPackageName" in parameters:
        raise invalid(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine "
            "which one to use."
        )
    if "ModelPackageGroupName" not in parameters and "ModelPackageName" not in parameters:
        raise invalid("Missing ARN.")
    if "ModelPackageGroupName" in parameters and parameters.get("Tags"):
        raise invalid("Tags cannot be specified for a versioned model package: they are its group's.")
    if "InferenceSpecification" in parameters and not parameters["InferenceSpecification"].get("Containers"):
        raise invalid("InferenceSpecification requires at least one container.")
    _check_card(parameters)


def _check_card(parameters: dict[str, Any]) -> None:
    content = parameters.get("ModelCard", {}).get("ModelCardContent", "{}")
    try:
        json.loads(content)
    except ValueError as error:
        raise invalid(f"ModelCardContent is not valid JSON: {error}") from None


def _versioned(caller: Caller, parameters: dict[str, Any]) -> Record:
    group = groups.find(caller, parameters["ModelPackageGroupName"])
    group.versions += 1
    name = group.details["ModelPackageGroupName"]
    package_arn = f"{group.arn.replace(':model-package-group/', ':model-package/')}/{group.versions}"
    details = {
        **_given(parameters),
        "ModelPackageGroupName": name,
        "ModelPackageVersion": group.versions,
        "ModelApprovalStatus": parameters.get("ModelApprovalStatus", "PendingManualApproval"),
    }
    return Record(package_arn, details | _completed(caller, package_arn, parameters))


def _named(caller: Caller, parameters: dict[str, Any]) -> Record:
    package_arn = arn(caller, "model-package", parameters["ModelPackageName"])
    if package_arn in backend(caller.account, caller.region).model_packages:
        raise invalid(f"Model package already exists: {package_arn}")
    details = _given(parameters) | _completed(caller, package_arn, parameters)
    return Record(package_arn, details, parameters.get("Tags"))


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in present(parameters).items() if name not in CONTROL}


def _completed(caller: Caller, package_arn: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "ModelPackageArn": package_arn,
        "CreationTime": now(),
        "CreatedBy": user_context(caller),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": parameters.get("CertifyForMarketplace", False),
    }


@operation("DescribeModelPackage")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """By name or ARN, also another account's whose group's policy allows it."""
    return find(caller, parameters["ModelPackageName"]).details


@operation("ListModelPackages")
def list_packages(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of a group, or by type: unversioned ones where nothing is said."""
    storage, group_name = backend(caller.account, caller.region), None
    if "ModelPackageGroupName" in parameters:
        group = groups.find(caller, parameters["ModelPackageGroupName"])
        storage = backend(*home(group.arn))
        group_name = group.details["ModelPackageGroupName"]
    kind = parameters.get("ModelPackageType", "Versioned" if group_name else "Unversioned")
    status = parameters.get("ModelApprovalStatus")
    summaries = [
        {"Name": group_name or package.details.get("ModelPackageName", ""), **package.details}
        for package in list(storage.model_packages.values())
        if group_name in (None, package.details.get("ModelPackageGroupName"))
        and kind in ("Both", "Versioned" if "ModelPackageVersion" in package.details else "Unversioned")
        and status in (None, package.details.get("ModelApprovalStatus"))
    ]
    return listed(summaries, parameters, "ModelPackageSummaryList", "Name", "Ascending")


@operation("UpdateModelPackage")
def update(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Changes what the request names, and nothing else."""
    _check_card(parameters)
    package = find(caller, parameters["ModelPackageArn"])
    with _lock:
        changed = _updated(package.details, parameters)
        package.details = changed | {"LastModifiedTime": now(), "LastModifiedBy": user_context(caller)}
    return {"ModelPackageArn": package.arn}


def _updated(details: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    changes = present(parameters)
    metadata = details.get("CustomerMetadataProperties", {}) | changes.pop("CustomerMetadataProperties", {})
    for key in changes.pop("CustomerMetadataPropertiesToRemove", []):
        metadata.pop(key, None)
    if len(metadata) > 50:
        raise invalid("The number of CustomerMetadataProperties cannot exceed 50.")
    added = changes.pop("AdditionalInferenceSpecificationsToAdd", [])
    additional = details.get("AdditionalInferenceSpecifications", []) + added
    if len(additional) > 15:
        raise invalid("The number of AdditionalInferenceSpecifications cannot exceed 15.")
    for control in ("ClientToken", "ModelPackageArn"):
        changes.pop(control, None)
    changed = details | changes
    for name, value in (
        ("CustomerMetadataProperties", metadata),
        ("AdditionalInferenceSpecifications", additional),
    ):
        if value:
            changed[name] = value
        else:
            changed.pop(name, None)
    return changed


@operation("DeleteModelPackage")
def delete(caller: Caller, parameters: dict[str, Any]) -> None:
    """Its number is never given again."""
    package = find(caller, parameters["ModelPackageName"])
    backend(*home(package.arn)).model_packages.pop(package.arn, None)

"""Model package groups and their resource policies."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.bridge import AWSError, Caller
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


class Group(Record):
    """A model package group. ``versions`` counts those that it ever had, ``policy`` is a JSON document."""

    versions = 0
    policy: str | None = None


def find(caller: Caller, name: str) -> Group:
    """The group of that name or ARN, which may be another account's.

    Raises ValidationException where there is none.
    """
    wanted = name if name.startswith("arn:") else arn(caller, "model-package-group", name)
    group = backend(*home(wanted)).model_package_groups.get(wanted.split("/")[-1])
    if group is None:
        raise invalid(f"ModelPackageGroup {wanted} does not exist.")
    return group


@operation("CreateModelPackageGroup")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where the group exists."""
    name = parameters["ModelPackageGroupName"]
    groups = backend(caller.account, caller.region).model_package_groups
    group_arn = arn(caller, "model-package-group", name)
    details = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": group_arn,
        "ModelPackageGroupDescription": parameters.get("ModelPackageGroupDescription"),
        "CreationTime": now(),
        "CreatedBy": user_context(caller),
        "ModelPackageGroupStatus": "Completed",
    }
    group = Group(group_arn, present(details), parameters.get("Tags"))
    if groups.setdefault(name, group) is not group:
        raise invalid(f"Model Package Group already exists: {group_arn}")
    return {"ModelPackageGroupArn": group_arn}


@operation("DescribeModelPackageGroup")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no such group."""
    return find(caller, parameters["ModelPackageGroupName"]).details


@operation("ListModelPackageGroups")
def list_groups(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by creation, the oldest first, where nothing else is said."""
    groups = list(backend(caller.account, caller.region).model_package_groups.values())
    details = [group.details for group in groups]
    return listed(details, parameters, "ModelPackageGroupSummaryList", "ModelPackageGroupName", "Ascending")


@operation("DeleteModelPackageGroup")
def delete(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ConflictException while the group has versions."""
    group = find(caller, parameters["ModelPackageGroupName"])
    name = group.details["ModelPackageGroupName"]
    storage = backend(*home(group.arn))
    packages = list(storage.model_packages.values())
    if any(package.details.get("ModelPackageGroupName") == name for package in packages):
        raise AWSError(
            "ConflictException",
            f"Model Package Group {group.arn} cannot be deleted because it still contains Model Packages.",
        )
    storage.model_package_groups.pop(name, None)


@operation("PutModelPackageGroupPolicy")
def put_policy(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where the policy is no policy for this group."""
    group = _of_policy(caller, parameters)
    try:
        statements = json.loads(parameters["ResourcePolicy"])["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            for member in ("Effect", "Principal", "Action", "Resource"):
                statement[member]
    except (ValueError, KeyError, TypeError) as error:
        raise invalid(f"Invalid resource policy for {group.arn}: {error!r}") from None
    group.policy = parameters["ResourcePolicy"]
    return {"ModelPackageGroupArn": group.arn}


@operation("GetModelPackageGroupPolicy")
def get_policy(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no policy."""
    group = _of_policy(caller, parameters)
    if group.policy is None:
        raise invalid(f"Cannot find resource policy for: {group.arn}")
    return {"ResourcePolicy": group.policy}


@operation("DeleteModelPackageGroupPolicy")
def delete_policy(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ValidationException where there is no policy."""
    get_policy(caller, parameters)
    _of_policy(caller, parameters).policy = None


def _of_policy(caller: Caller, parameters: dict[str, Any]) -> Group:
    name = parameters["ModelPackageGroupName"]
    group = backend(caller.account, caller.region).model_package_groups.get(name)
    if group is None:
        raise invalid(f"Cannot find Model Package Group: {arn(caller, 'model-package-group', name)}")
    return group

"""Model package groups and their resource policies."""

from __future__ import annotations

import json
from typing import Any

from local.bridge import AWSError, Caller, operation
from local.constraints import check
from local.sagemaker.resources import Record, arn, backend, home, invalid, listed, now, present, user_context

# The members of DescribeModelPackageGroup that its list shows.
SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)


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


@operation("sagemaker", "CreateModelPackageGroup")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where the group exists."""
    check("sagemaker", "CreateModelPackageGroup", parameters)
    name = parameters["ModelPackageGroupName"]
    groups = backend(caller.account, caller.region).model_package_groups
    if name in groups:
        raise invalid(f"Model Package Group already exists: {groups[name].arn}")
    group_arn = arn(caller, "model-package-group", name)
    details = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": group_arn,
        "ModelPackageGroupDescription": parameters.get("ModelPackageGroupDescription"),
        "CreationTime": now(),
        "CreatedBy": user_context(caller),
        "ModelPackageGroupStatus": "Completed",
    }
    groups[name] = Group(group_arn, present(details), parameters.get("Tags"))
    return {"ModelPackageGroupArn": group_arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no such group."""
    return find(caller, parameters["ModelPackageGroupName"]).details


@operation("sagemaker", "ListModelPackageGroups")
def list_groups(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by creation, the oldest first, where nothing else is said."""
    check("sagemaker", "ListModelPackageGroups", parameters)
    groups = backend(caller.account, caller.region).model_package_groups.values()
    page, token = listed((g.details for g in groups), parameters, "ModelPackageGroupName", "Ascending")
    summaries = [{member: g[member] for member in SUMMARY if member in g} for g in page]
    return present({"ModelPackageGroupSummaryList": summaries, "NextToken": token})


@operation("sagemaker", "DeleteModelPackageGroup")
def delete(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ConflictException while the group has versions."""
    group = find(caller, parameters["ModelPackageGroupName"])
    name = group.details["ModelPackageGroupName"]
    storage = backend(*home(group.arn))
    if any(p.details.get("ModelPackageGroupName") == name for p in storage.model_packages.values()):
        raise AWSError(
            "ConflictException",
            f"Model Package Group {group.arn} cannot be deleted because it still contains Model Packages.",
        )
    del storage.model_package_groups[name]


@operation("sagemaker", "PutModelPackageGroupPolicy")
def put_policy(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where the policy is no policy for this group."""
    check("sagemaker", "PutModelPackageGroupPolicy", parameters)
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


@operation("sagemaker", "GetModelPackageGroupPolicy")
def get_policy(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no policy."""
    group = _of_policy(caller, parameters)
    if group.policy is None:
        raise invalid(f"Cannot find resource policy for: {group.arn}")
    return {"ResourcePolicy": group.policy}


@operation("sagemaker", "DeleteModelPackageGroupPolicy")
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

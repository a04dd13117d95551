"""CloudFormation's operations that tell of stacks."""

from __future__ import annotations

from typing import Any

from local_sagemaker.bridge import Caller, operation
from local_sagemaker.cloudformation import stacks
from local_sagemaker.cloudformation.stacks import Resource, Stack
from local_sagemaker.cloudformation.template import invalid

PAGE = 100


@operation("cloudformation", "DescribeStacks")
def describe_stacks(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """One stack, deleted ones by id alone, or all; raises ValidationError where there is none."""
    if parameters.get("StackName"):
        return {"Stacks": [_described(stacks.find(caller, parameters["StackName"]))]}
    described = [_described(stack) for stack in stacks.of(caller.account, caller.region)]
    return _page(described, parameters, "Stacks")


def _described(stack: Stack) -> dict[str, Any]:
    wanted = stack.wanted
    description = {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": stack.change_set_id,
        "Description": wanted.template.get("Description") if wanted else None,
        "Parameters": stacks.described_parameters(wanted) if wanted else [],
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": False,
        "NotificationARNs": [],
        "Capabilities": list(wanted.capabilities) if wanted else [],
        "Outputs": stack.outputs,
        "RoleARN": wanted.role_arn if wanted else None,
        "Tags": [{"Key": k, "Value": v} for k, v in wanted.tags.items()] if wanted else [],
        "EnableTerminationProtection": False,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return {name: value for name, value in description.items() if value is not None}


@operation("cloudformation", "ListStacks")
def list_stacks(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """All stacks, the deleted ones too."""
    wanted = parameters.get("StackStatusFilter")
    names = (
        "StackId",
        "StackName",
        "CreationTime",
        "LastUpdatedTime",
        "DeletionTime",
        "StackStatus",
        "StackStatusReason",
        "DriftInformation",
    )
    summaries = [
        {name: value for name, value in _described(stack).items() if name in names}
        for stack in stacks.everything(caller.account, caller.region)
        if not wanted or stack.status in wanted
    ]
    return _page(summaries, parameters, "StackSummaries")


@operation("cloudformation", "DescribeStackEvents")
def describe_stack_events(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    stack = stacks.find(caller, parameters["StackName"])
    return _page(list(reversed(stack.events)), parameters, "StackEvents")


@operation("cloudformation", "ListStackResources")
def list_stack_resources(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the stack holds."""
    stack = stacks.find(caller, parameters["StackName"])
    summaries = [_resource(stack, r, "LastUpdatedTimestamp") for r in list(stack.resources.values())]
    return _page(summaries, parameters, "StackResourceSummaries")


@operation("cloudformation", "DescribeStackResources")
def describe_stack_resources(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the stack holds, or one of it."""
    stack = stacks.find(caller, parameters["StackName"])
    wanted = parameters.get("LogicalResourceId")
    resources = [r for r in list(stack.resources.values()) if wanted in (None, r.logical_id)]
    return {"StackResources": [_resource(stack, r, "Timestamp") for r in resources]}


@operation("cloudformation", "DescribeStackResource")
def describe_stack_resource(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationError where the stack has no such resource."""
    stack, name = stacks.find(caller, parameters["StackName"]), parameters["LogicalResourceId"]
    if name not in stack.resources:
        raise invalid(f"Resource {name} does not exist for stack {stack.name}")
    return {"StackResourceDetail": _resource(stack, stack.resources[name], "LastUpdatedTimestamp")}


def _resource(stack: Stack, resource: Resource, time_member: str) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        time_member: resource.updated,
        "ResourceStatus": resource.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def _page(entries: list[Any], parameters: dict[str, Any], member: str) -> dict[str, Any]:
    start = int(parameters.get("NextToken") or 0)
    more = {"NextToken": str(start + PAGE)} if start + PAGE < len(entries) else {}
    return {member: entries[start : start + PAGE], **more}

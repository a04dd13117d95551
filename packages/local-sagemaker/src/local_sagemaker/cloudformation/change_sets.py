"""Change sets: what an update would do, shown before it is done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from local_sagemaker.bridge import AWSError, Caller, operation
from local_sagemaker.cloudformation import operations, plan, stacks
from local_sagemaker.cloudformation.plan import Change
from local_sagemaker.cloudformation.stacks import Stack, Wanted
from local_sagemaker.cloudformation.template import invalid

NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


@dataclass
class ChangeSet:
    """One change set of a stack."""

    id: str
    name: str
    stack: Stack
    wanted: Wanted
    creates: bool
    changes: list[Change]
    description: str | None = None
    imported: dict[str, dict[str, str]] = field(default_factory=dict)  # logical id: what identifies it
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    created: datetime = field(default_factory=stacks.now)


_change_sets: dict[str, ChangeSet] = {}


@operation("cloudformation", "CreateChangeSet")
def create_change_set(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationError, AlreadyExistsException, InsufficientCapabilitiesException."""
    creates = parameters.get("ChangeSetType", "UPDATE") != "UPDATE"
    name, imported = parameters["ChangeSetName"], _imported(parameters)
    with stacks.lock:
        stack = _stack(caller, parameters, creates)
        if any(c.name == name and c.stack is stack for c in _change_sets.values()):
            raise AWSError("AlreadyExistsException", f"ChangeSet {name} already exists")
        wanted = plan.read(operations.fetched(caller, parameters), stack)
        if imported:
            plan.check_import(wanted, imported)
        stack = stack or stacks.add(caller, parameters["StackName"], "REVIEW_IN_PROGRESS")
        if stack.status == "REVIEW_IN_PROGRESS" and not stack.events:
            stack.turn("REVIEW_IN_PROGRESS", "User Initiated")
        identity = f"arn:aws:cloudformation:{caller.region}:{caller.account}:changeSet/{name}/{uuid.uuid4()}"
        changes = plan.changes(stack, wanted)
        if imported:
            changes = [replace(change, action="Import") for change in changes]
        made = ChangeSet(
            identity, name, stack, wanted, creates, changes, parameters.get("Description"), imported
        )
        if not creates and plan.is_nothing(stack, wanted):
            made.status, made.execution = "FAILED", "UNAVAILABLE"
        _change_sets[identity] = made
    return {"Id": identity, "StackId": stack.id}


def _imported(parameters: dict[str, Any]) -> dict[str, dict[str, str]]:
    given = parameters.get("ResourcesToImport") or []
    if bool(given) != (parameters.get("ChangeSetType") == "IMPORT"):
        raise invalid("ResourcesToImport and ChangeSetType IMPORT belong together")
    return {one["LogicalResourceId"]: one["ResourceIdentifier"] for one in given}


def _stack(caller: Caller, parameters: dict[str, Any], creates: bool) -> Stack | None:
    name = parameters["StackName"]
    if not creates:
        stack = stacks.find(caller, name)
        if stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{name}] does not exist")
        operations.check_updatable(stack)
        return stack
    begun = operations.existing(caller, name)
    if begun and begun.status != "REVIEW_IN_PROGRESS":
        raise invalid(
            f"Stack [{name}] already exists and cannot be created again with the changeSet "
            f"[{parameters['ChangeSetName']}]."
        )
    return begun


def _find(caller: Caller, parameters: dict[str, Any]) -> ChangeSet:
    name = parameters["ChangeSetName"]
    if name in _change_sets:
        return _change_sets[name]
    stack = stacks.find(caller, parameters["StackName"])
    for change_set in _change_sets.values():
        if change_set.stack is stack and change_set.name == name:
            return change_set
    raise AWSError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


@operation("cloudformation", "DescribeChangeSet")
def describe_change_set(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ChangeSetNotFound."""
    change_set = _find(caller, parameters)
    return _summary(change_set) | {
        "Parameters": stacks.described_parameters(change_set.wanted),
        "Tags": [{"Key": k, "Value": v} for k, v in change_set.wanted.tags.items()],
        "Capabilities": list(change_set.wanted.capabilities),
        "Changes": [{"Type": "Resource", "ResourceChange": _change(c)} for c in change_set.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    shown = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": ["Properties"] if change.action == "Modify" else [],
    }
    if change.physical_id:
        shown["PhysicalResourceId"] = change.physical_id
    if change.action == "Modify":
        shown["Replacement"] = "True" if change.replacement else "False"
    return shown


def _summary(change_set: ChangeSet) -> dict[str, Any]:
    shown = {
        "StackId": change_set.stack.id,
        "StackName": change_set.stack.name,
        "ChangeSetId": change_set.id,
        "ChangeSetName": change_set.name,
        "ExecutionStatus": change_set.execution,
        "Status": change_set.status,
        "StatusReason": NOTHING if change_set.status == "FAILED" else None,
        "CreationTime": change_set.created,
        "Description": change_set.description,
    }
    return {name: value for name, value in shown.items() if value is not None}


@operation("cloudformation", "ListChangeSets")
def list_change_sets(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Of one stack."""
    stack = stacks.find(caller, parameters["StackName"])
    return {"Summaries": [_summary(c) for c in _change_sets.values() if c.stack is stack]}


@operation("cloudformation", "ExecuteChangeSet")
def execute_change_set(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ChangeSetNotFound, InvalidChangeSetStatus."""
    plan.check_options(parameters)
    with stacks.lock:
        change_set = _find(caller, parameters)
        if change_set.execution != "AVAILABLE":
            raise AWSError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
            )
        stack = change_set.stack
        if not change_set.creates:
            operations.check_updatable(stack)
            stack.updated = stacks.now()
        stack.change_set_id, change_set.execution = change_set.id, "EXECUTE_COMPLETE"
        # The service forgets a stack's other change sets, since they speak of a state that is gone.
        for other in [c for c in _change_sets.values() if c.stack is stack]:
            del _change_sets[other.id]
        if change_set.imported:
            operations.begin_import(caller, stack, change_set.wanted, change_set.imported)
            return
        operations.begin(
            caller,
            stack,
            change_set.wanted,
            "CREATE_IN_PROGRESS" if change_set.creates else "UPDATE_IN_PROGRESS",
        )


@operation("cloudformation", "DeleteChangeSet")
def delete_change_set(caller: Caller, parameters: dict[str, Any]) -> None:
    """One that is not there is no error."""
    try:
        change_set = _find(caller, parameters)
    except AWSError:
        return
    _change_sets.pop(change_set.id, None)

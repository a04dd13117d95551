"""Stacks, their resources and events, as they are kept."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.bridge import Caller
from local_sagemaker.cloudformation.functions import Scope, evaluate
from local_sagemaker.cloudformation.template import invalid

STACK = "AWS::CloudFormation::Stack"


def now() -> datetime:
    """The present time, as events bear it."""
    return datetime.now(UTC)


@dataclass
class Resource:
    """A resource that exists: ``properties`` are resolved, ``body`` is what the template says of it."""

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    body: Mapping[str, Any]
    needs: tuple[str, ...]
    status: str = "CREATE_COMPLETE"
    updated: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Wanted:
    """What a stack is to become. ``role_arn`` is the role that does it; None stands for the caller."""

    text: str
    template: dict[str, Any]
    parameters: dict[str, str]
    tags: dict[str, str]
    role_arn: str | None
    capabilities: tuple[str, ...] = ()


@dataclass
class Stack:
    """One stack. ``now`` is what it was last deployed from; None before the first deployment."""

    id: str
    name: str
    account: str
    region: str
    status: str
    wanted: Wanted | None = None
    reason: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    change_set_id: str | None = None
    # What an update that could not be rolled back would still have to do; see the engine.
    unfinished: Any = None

    @property
    def moving(self) -> bool:
        """Whether something goes on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def turn(self, status: str, reason: str | None = None) -> None:
        """Take on a status, with an event."""
        self.status, self.reason = status, reason
        self.event(self.name, self.id, STACK, status, reason)

    def event(
        self,
        logical_id: str,
        physical_id: str,
        kind: str,
        status: str,
        reason: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that something happened to a resource, or to the stack itself."""
        self.events.append(
            {
                "StackId": self.id,
                "StackName": self.name,
                "EventId": f"{logical_id}-{status}-{uuid.uuid4()}",
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical_id,
                "ResourceType": kind,
                "Timestamp": now(),
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
                **(
                    {"ResourceProperties": json.dumps(properties, default=str)}
                    if properties is not None
                    else {}
                ),
            }
        )

    def scope(self, wanted: Wanted) -> Scope:
        """What the functions of ``wanted``'s template see of this stack."""
        return Scope(
            template=wanted.template,
            parameters=wanted.parameters,
            pseudo={
                "AWS::AccountId": self.account,
                "AWS::NotificationARNs": [],
                "AWS::Partition": "aws",
                "AWS::Region": self.region,
                "AWS::StackId": self.id,
                "AWS::StackName": self.name,
                "AWS::URLSuffix": "amazonaws.com",
            },
            resource=self._physical_id,
            attribute=self._attribute,
        )

    def _physical_id(self, name: str) -> str:
        if name not in self.resources:
            raise invalid(f"Template error: instance of Ref references undefined resource {name}")
        return self.resources[name].physical_id

    def _attribute(self, name: str, attribute: str) -> Any:
        if name not in self.resources:
            raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        resource = self.resources[name]
        if attribute not in resource.attributes:
            kind = resource.type
            raise invalid(
                f"Template error: resource {name} does not support attribute type {attribute} in {kind}"
            )
        return resource.attributes[attribute]

    def publish(self, wanted: Wanted) -> None:
        """Work out the outputs; raises ValidationError where a function cannot be carried out."""
        scope, outputs = self.scope(wanted), []
        for key, body in (wanted.template.get("Outputs") or {}).items():
            if not scope.active(body):
                continue
            value = evaluate(body["Value"], scope)
            output = {
                "OutputKey": key,
                "OutputValue": ",".join(value) if isinstance(value, list) else str(value),
            }
            if "Description" in body:
                output["Description"] = body["Description"]
            outputs.append(output)
        self.outputs = outputs


_stacks: dict[str, Stack] = {}
lock = threading.RLock()


def of(account: str, region: str) -> list[Stack]:
    """The stacks of an account and region that are not deleted."""
    with lock:
        known = list(_stacks.values())
    return [s for s in known if (s.account, s.region) == (account, region) and s.status != "DELETE_COMPLETE"]


def everything(account: str, region: str) -> list[Stack]:
    """The same with the deleted ones, newest first."""
    with lock:
        known = list(_stacks.values())
    return [s for s in reversed(known) if (s.account, s.region) == (account, region)]


def find(caller: Caller, name: str) -> Stack:
    """A stack by name or id, a deleted one by id alone; raises ValidationError if there is none."""
    with lock:
        if name in _stacks and _stacks[name].account == caller.account:
            return _stacks[name]
    for stack in of(caller.account, caller.region):
        if stack.name == name:
            return stack
    raise invalid(f"Stack with id {name} does not exist")


def add(caller: Caller, name: str, status: str) -> Stack:
    """A new stack; raises AlreadyExistsException (the caller makes it) where the name is taken."""
    identity = f"arn:aws:cloudformation:{caller.region}:{caller.account}:stack/{name}/{uuid.uuid4()}"
    stack = Stack(identity, name, caller.account, caller.region, status)
    with lock:
        _stacks[identity] = stack
    return stack


def described_parameters(wanted: Wanted) -> list[dict[str, str]]:
    """The parameters as DescribeStacks shows them."""
    declared = wanted.template.get("Parameters", {})
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if str(declared[name].get("NoEcho")).lower() == "true" else value,
        }
        for name, value in wanted.parameters.items()
    ]

"""Brings stacks about: create, update and delete, each with its way back.

One resource after the other, each after those it needs; the service works on several at once, which whoever
waits for the end does not notice. Statuses, their order and reasons are the service's.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from local import actors
from local.bridge import AWSError
from local.cloudformation import types
from local.cloudformation.functions import evaluate
from local.cloudformation.stacks import Resource, Stack, Wanted, now
from local.cloudformation.template import depends_on, order, references
from local.cloudformation.types.base import ResourceType, Unsupported, Work, is_missing

log = logging.getLogger("local.cloudformation")
# How the service groups the codes of errors; others are GeneralServiceException.
HANDLER_CODES = {
    "AccessDenied": ("AccessDenied", "AccessDeniedException"),
    "AlreadyExists": (
        "AlreadyExistsException",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "QueueNameExists",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
    ),
    "InvalidRequest": ("InvalidParameterValueException", "ValidationException", "MalformedPolicyDocument"),
    "NotFound": ("NoSuchEntity", "NoSuchBucket", "ResourceNotFoundException", "QueueDoesNotExist"),
}


class Failed(Exception):  # noqa: N818 - what happened to a resource
    """A resource could not be brought about; the text is the reason that its event bears."""


class Stopped(Exception):  # noqa: N818 - what happened to the stack
    """A resource failed, and its event says why; the text is the reason that the stack bears."""

    def __init__(self, verb: str, logical_id: str) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{logical_id}].")


@dataclass
class Step:
    """One change of an update that has been made: how it was before (None: not there)."""

    logical_id: str
    before: Resource | None
    replaced: bool = False


@dataclass
class Engine:
    """Works on one stack with the rights of ``credentials``."""

    stack: Stack
    credentials: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)

    def create(self, wanted: Wanted) -> None:
        """From nothing to CREATE_COMPLETE, or back to ROLLBACK_COMPLETE."""
        stack = self.stack
        stack.wanted = wanted
        try:
            for logical_id in self._order(wanted):
                self._create(logical_id, wanted)
            stack.publish(wanted)
        except (Stopped, AWSError) as failure:
            self._undo_creation(_text(failure))
        else:
            stack.turn("CREATE_COMPLETE")

    def update(self, wanted: Wanted) -> None:
        """To UPDATE_COMPLETE, or back to UPDATE_ROLLBACK_COMPLETE."""
        stack, before = self.stack, self.stack.wanted
        steps: list[Step] = []
        try:
            names = self._order(wanted)
            for logical_id in names:
                self._change(logical_id, wanted, before, steps)
            stack.publish(wanted)
        except (Stopped, AWSError) as failure:
            if stack.on_failure == "DO_NOTHING":
                stack.turn("UPDATE_FAILED", _text(failure))
                return
            stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", _text(failure))
            self.roll_back(steps, before or wanted)
            return
        stack.wanted = wanted
        stack.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [r for name, r in stack.resources.items() if name not in names]
        replaced = [s.before for s in steps if s.replaced and s.before]
        for resource in replaced:
            self._clean_up(resource, replaced=True)
        for resource in _reversed(gone):
            self._clean_up(resource)
            stack.resources.pop(resource.logical_id)
        stack.turn("UPDATE_COMPLETE")

    def roll_back(self, steps: list[Step], before: Wanted, skipped: tuple[str, ...] = ()) -> None:
        """Undo ``steps``, the last first; what cannot be undone is kept for ContinueUpdateRollback."""
        stack, made = self.stack, []
        while steps:
            step = steps[-1]
            current = stack.resources.get(step.logical_id)
            if step.before is None or step.replaced:
                made += [current] if current and current is not step.before else []
                stack.resources.pop(step.logical_id, None)
                if step.before:
                    stack.resources[step.logical_id] = step.before
            elif current and step.logical_id not in skipped:
                try:
                    self._update(current, step.before.properties, step.before.body, before.tags)
                except Stopped as failure:
                    stack.unfinished = (steps, before)
                    stack.turn("UPDATE_ROLLBACK_FAILED", _text(failure))
                    return
            steps.pop()
        stack.unfinished = None
        stack.turn("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for resource in made:
            self._clean_up(resource, replaced=True)
        stack.publish(before)
        stack.turn("UPDATE_ROLLBACK_COMPLETE")

    def delete(self, retained: tuple[str, ...] = ()) -> None:
        """To DELETE_COMPLETE, or DELETE_FAILED with what is in the way."""
        stack = self.stack
        failed = self._delete_all(retained)
        if failed:
            stack.turn(
                "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            )
            return
        stack.outputs, stack.deleted = [], now()
        stack.turn("DELETE_COMPLETE")

    # --- one resource -------------------------------------------------------------------------------------

    def _order(self, wanted: Wanted) -> list[str]:
        scope, resources = self.stack.scope(wanted), wanted.template["Resources"]
        return [n for n in order(resources) if scope.active(resources[n])]

    def _create(self, logical_id: str, wanted: Wanted) -> None:
        stack, body = self.stack, wanted.template["Resources"][logical_id]
        name = body["Type"]
        stack.event(logical_id, "", name, "CREATE_IN_PROGRESS")
        work = self._work(logical_id, wanted.tags)
        properties: dict[str, Any] = {}
        try:
            properties = evaluate(body.get("Properties") or {}, stack.scope(wanted))
            kind = _kind(name)
            _guarded(name, lambda: (kind.check(properties), kind.create(work, properties)))
        except (Failed, AWSError) as failure:
            if work.made:  # half made: it goes with the others
                self._keep(logical_id, body, work, properties, wanted, "CREATE_FAILED")
            stack.event(logical_id, work.made, name, "CREATE_FAILED", _text(failure), properties)
            raise Stopped("create", logical_id) from failure
        self._keep(logical_id, body, work, properties, wanted, "CREATE_COMPLETE")
        stack.event(
            logical_id, work.made, name, "CREATE_IN_PROGRESS", "Resource creation Initiated", properties
        )
        stack.event(logical_id, work.made, name, "CREATE_COMPLETE", None, properties)

    def _keep(
        self, logical_id: str, body: Any, work: Work, properties: dict[str, Any], wanted: Wanted, status: str
    ) -> None:
        needs = tuple(n for n in (*references(body), *depends_on(body)) if n in wanted.template["Resources"])
        self.stack.resources[logical_id] = Resource(
            logical_id, body["Type"], work.made, properties, work.attributes, body, needs, status
        )

    def _change(self, logical_id: str, wanted: Wanted, before: Wanted | None, steps: list[Step]) -> None:
        stack, body = self.stack, wanted.template["Resources"][logical_id]
        current = stack.resources.get(logical_id)
        if current is None:
            steps.append(Step(logical_id, None))
            self._create(logical_id, wanted)
            return
        try:
            properties = evaluate(body.get("Properties") or {}, stack.scope(wanted))
        except AWSError as failure:
            stack.event(logical_id, current.physical_id, current.type, "UPDATE_FAILED", _text(failure))
            raise Stopped("update", logical_id) from failure
        tags = before.tags if before else {}
        if current.type == body["Type"] and properties == current.properties and tags == wanted.tags:
            current.body = body
            return
        kind = _kind(body["Type"])
        if current.type != body["Type"] or any(
            properties.get(name) != current.properties.get(name) for name in kind.fixed
        ):
            steps.append(Step(logical_id, current, replaced=True))
            self._replace(current, body, wanted, properties)
            return
        steps.append(Step(logical_id, _copied(current)))
        self._update(current, properties, body, wanted.tags)

    def _update(self, current: Resource, properties: dict[str, Any], body: Any, tags: dict[str, str]) -> None:
        stack = self.stack
        named = (current.logical_id, current.physical_id, current.type)
        stack.event(*named, "UPDATE_IN_PROGRESS", None, properties)
        work = self._work(current.logical_id, tags)
        work.made, work.attributes = current.physical_id, current.attributes
        try:
            kind = _kind(current.type)
            _guarded(
                current.type,
                lambda: (kind.check(properties), kind.update(work, current.properties, properties)),
            )
        except Failed as failure:
            current.status = "UPDATE_FAILED"
            stack.event(*named, "UPDATE_FAILED", str(failure), properties)
            raise Stopped("update", current.logical_id) from failure
        current.properties, current.body, current.attributes = properties, body, work.attributes
        current.status, current.updated = "UPDATE_COMPLETE", now()
        stack.event(*named, "UPDATE_COMPLETE", None, properties)

    def _replace(self, current: Resource, body: Any, wanted: Wanted, properties: dict[str, Any]) -> None:
        stack, kind = self.stack, _kind(body["Type"])
        named = [n for n in kind.fixed if n.endswith("Name") and n in properties]
        if (
            current.type == body["Type"]
            and named
            and all(properties.get(n) == current.properties.get(n) for n in named)
        ):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[named[0]]} and update the stack again."
            )
            stack.event(current.logical_id, current.physical_id, current.type, "UPDATE_FAILED", reason)
            raise Stopped("update", current.logical_id)
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        stack.event(current.logical_id, current.physical_id, body["Type"], "UPDATE_IN_PROGRESS", reason)
        stack.resources.pop(current.logical_id)
        try:
            self._create(current.logical_id, wanted)
        except Stopped:
            stack.resources.setdefault(current.logical_id, current)
            raise

    def _remove(self, resource: Resource) -> None:
        """Delete one resource; raises :class:`Failed`."""
        stack, kind = self.stack, _kind(resource.type)
        named = (resource.logical_id, resource.physical_id, resource.type)
        stack.event(*named, "DELETE_IN_PROGRESS")
        work = self._work(resource.logical_id, {})
        work.made, work.attributes = resource.physical_id, resource.attributes
        try:
            _guarded(resource.type, lambda: kind.delete(work, resource.properties), missing_is_fine=True)
        except Failed as failure:
            resource.status = "DELETE_FAILED"
            stack.event(*named, "DELETE_FAILED", str(failure))
            raise
        stack.event(*named, "DELETE_COMPLETE")

    # --- the way back -------------------------------------------------------------------------------------

    def _undo_creation(self, reason: str) -> None:
        stack = self.stack
        if stack.on_failure == "DO_NOTHING":
            stack.turn("CREATE_FAILED", reason)
            return
        if stack.on_failure == "DELETE":
            stack.turn("DELETE_IN_PROGRESS", f"{reason} Delete requested by user.")
            self.delete()
            return
        stack.turn("ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
        failed = self._delete_all((), creating=True)
        if failed:
            stack.turn(
                "ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            )
        else:
            stack.turn("ROLLBACK_COMPLETE")

    def _delete_all(self, retained: tuple[str, ...], creating: bool = False) -> list[str]:
        stack, failed = self.stack, list[str]()
        for resource in _reversed(list(stack.resources.values())):
            name = resource.logical_id
            if any(name in stack.resources[f].needs for f in failed):
                continue  # something that needs it is still there
            if name in retained or _is_kept(resource, creating):
                stack.event(name, resource.physical_id, resource.type, "DELETE_SKIPPED")
            else:
                try:
                    self._remove(resource)
                except Failed:
                    failed.append(name)
                    continue
            stack.resources.pop(name)
        return failed

    def _clean_up(self, resource: Resource, replaced: bool = False) -> None:
        policy = resource.body.get("UpdateReplacePolicy" if replaced else "DeletionPolicy", "Delete")
        if policy.startswith("Retain"):
            stack, physical_id = self.stack, resource.physical_id
            stack.event(resource.logical_id, physical_id, resource.type, "DELETE_SKIPPED")
            return
        try:
            self._remove(resource)
        except Failed as failure:  # the service tries three times, then leaves it and goes on
            log.info("%s: %s stays: %s", self.stack.name, resource.logical_id, failure)

    def _work(self, logical_id: str, tags: dict[str, str]) -> Work:
        stack = self.stack
        return Work(self._client, stack.account, stack.region, stack.name, logical_id, tags)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = actors.client_with(service, self.credentials)
        return self._clients[service]


def _kind(name: str) -> ResourceType:
    kind = types.find(name)
    if kind is None:
        raise Failed(f"the local AWS has no resource type {name}")
    return kind


def _guarded(kind: str, action: Callable[[], Any], missing_is_fine: bool = False) -> None:
    """Run ``action``; raises :class:`Failed` with a reason in the service's form."""
    try:
        action()
    except Unsupported as error:
        raise Failed(str(error)) from error
    except ClientError as error:
        if missing_is_fine and is_missing(error):
            return
        raise Failed(_told(kind, error)) from error
    except Exception as error:  # the properties are whatever somebody wrote: a stack must not hang for them
        log.warning("%s", kind, exc_info=True)
        raise Failed(f"Properties validation failed: {type(error).__name__}: {error}") from error


def _told(kind: str, error: ClientError) -> str:
    told, metadata = error.response["Error"], error.response.get("ResponseMetadata", {})
    service = kind.split("::")[1]
    code = next((c for c, codes in HANDLER_CODES.items() if told["Code"] in codes), "GeneralServiceException")
    return (
        f'Resource handler returned message: "{told.get("Message", "")} (Service: {service}, Status Code: '
        f'{metadata.get("HTTPStatusCode", 400)}, Request ID: {metadata.get("RequestId", "-")})" '
        f"(HandlerErrorCode: {code})"
    )


def _is_kept(resource: Resource, creating: bool) -> bool:
    policy = resource.body.get("DeletionPolicy", "Delete")
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not creating)


def _reversed(resources: list[Resource]) -> list[Resource]:
    """Each before those it needs."""
    bodies = {r.logical_id: {"DependsOn": list(r.needs)} for r in resources}
    by_name = {r.logical_id: r for r in resources}
    return [by_name[name] for name in reversed(order(bodies))]


def _copied(resource: Resource) -> Resource:
    return replace(resource, attributes=copy.copy(resource.attributes))


def _text(failure: Exception) -> str:
    return failure.message if isinstance(failure, AWSError) else str(failure)

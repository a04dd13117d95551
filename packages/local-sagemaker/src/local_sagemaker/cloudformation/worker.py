"""Works on single resources of a stack: create, update, replace, delete, each with its events."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker import actors
from local_sagemaker.bridge import AWSError
from local_sagemaker.cloudformation import types
from local_sagemaker.cloudformation.functions import evaluate
from local_sagemaker.cloudformation.stacks import Resource, Stack, Wanted, now, of
from local_sagemaker.cloudformation.template import depends_on, references
from local_sagemaker.cloudformation.types.base import ResourceType, Unsupported, Work, is_missing

log = logging.getLogger("local_sagemaker.cloudformation")
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
class Worker:
    """Works on resources of one stack, with the rights of ``credentials``."""

    stack: Stack
    credentials: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)

    def create(self, logical_id: str, wanted: Wanted) -> None:
        """Make a resource; raises :class:`Stopped`. One that is half made is kept, for it to be removed."""
        stack, body = self.stack, wanted.template["Resources"][logical_id]
        name = body["Type"]
        stack.event(logical_id, "", name, "CREATE_IN_PROGRESS")
        work = self._work(logical_id, wanted.tags)
        properties: dict[str, Any] = {}
        try:
            properties = evaluate(body.get("Properties") or {}, stack.scope(wanted))
            kind = kind_of(name)
            with _told_as_failed(name):
                kind.check(properties)
                kind.create(work, properties)
        except (Failed, AWSError) as failure:
            if work.made:  # half made: it goes with the others
                self._keep(logical_id, body, work, properties, wanted, "CREATE_FAILED")
            stack.event(logical_id, work.made, name, "CREATE_FAILED", text_of(failure), properties)
            raise Stopped("create", logical_id) from failure
        self._keep(logical_id, body, work, properties, wanted, "CREATE_COMPLETE")
        stack.event(
            logical_id, work.made, name, "CREATE_IN_PROGRESS", "Resource creation Initiated", properties
        )
        stack.event(logical_id, work.made, name, "CREATE_COMPLETE", None, properties)

    def adopt(self, logical_id: str, wanted: Wanted, identifier: dict[str, str]) -> None:
        """Take over a resource that exists; raises :class:`Stopped`."""
        stack, body = self.stack, wanted.template["Resources"][logical_id]
        name, named = body["Type"], next(iter(identifier.values()))
        stack.event(logical_id, named, name, "IMPORT_IN_PROGRESS", "Resource import started.")
        work = self._work(logical_id, wanted.tags)
        try:
            properties = evaluate(body.get("Properties") or {}, stack.scope(wanted))
            kind = kind_of(name)
            with _told_as_failed(name):
                kind.check(properties)
                kind.adopt(work, identifier)
            self._check_free(name, work.made)
        except (Failed, AWSError) as failure:
            stack.event(logical_id, named, name, "IMPORT_FAILED", text_of(failure), properties={})
            raise Stopped("import", logical_id) from failure
        self._keep(logical_id, body, work, properties, wanted, "IMPORT_COMPLETE")
        stack.event(logical_id, work.made, name, "IMPORT_COMPLETE", "Resource import completed.", properties)

    def _check_free(self, kind: str, physical_id: str) -> None:
        for other in of(self.stack.account, self.stack.region):
            if any((r.type, r.physical_id) == (kind, physical_id) for r in other.resources.values()):
                raise Failed(f"Resource {physical_id} already exists in stack {other.id}")

    def _keep(
        self, logical_id: str, body: Any, work: Work, properties: dict[str, Any], wanted: Wanted, status: str
    ) -> None:
        needs = tuple(n for n in (*references(body), *depends_on(body)) if n in wanted.template["Resources"])
        self.stack.resources[logical_id] = Resource(
            logical_id, body["Type"], work.made, properties, work.attributes, body, needs, status
        )

    def update(self, current: Resource, properties: dict[str, Any], body: Any, tags: dict[str, str]) -> None:
        """Bring a resource to ``properties``; raises :class:`Stopped`."""
        stack = self.stack
        named = (current.logical_id, current.physical_id, current.type)
        stack.event(*named, "UPDATE_IN_PROGRESS", None, properties)
        work = self._work(current.logical_id, tags)
        work.made, work.attributes = current.physical_id, current.attributes
        try:
            kind = kind_of(current.type)
            with _told_as_failed(current.type):
                kind.check(properties)
                kind.update(work, current.properties, properties)
        except Failed as failure:
            current.status = "UPDATE_FAILED"
            stack.event(*named, "UPDATE_FAILED", str(failure), properties)
            raise Stopped("update", current.logical_id) from failure
        current.properties, current.body, current.attributes = properties, body, work.attributes
        current.status, current.updated = "UPDATE_COMPLETE", now()
        stack.event(*named, "UPDATE_COMPLETE", None, properties)

    def replace(self, current: Resource, body: Any, wanted: Wanted, properties: dict[str, Any]) -> None:
        """Make a new resource in the place of ``current``, which stays; raises :class:`Stopped`."""
        stack, kind = self.stack, kind_of(body["Type"])
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
            self.create(current.logical_id, wanted)
        except Stopped:
            stack.resources.setdefault(current.logical_id, current)
            raise

    def remove(self, resource: Resource) -> None:
        """Delete one resource; raises :class:`Failed`."""
        stack, kind = self.stack, kind_of(resource.type)
        named = (resource.logical_id, resource.physical_id, resource.type)
        stack.event(*named, "DELETE_IN_PROGRESS")
        work = self._work(resource.logical_id, {})
        work.made, work.attributes = resource.physical_id, resource.attributes
        try:
            with _told_as_failed(resource.type, missing_is_fine=True):
                kind.delete(work, resource.properties)
        except Failed as failure:
            resource.status = "DELETE_FAILED"
            stack.event(*named, "DELETE_FAILED", str(failure))
            raise
        stack.event(*named, "DELETE_COMPLETE")

    def _work(self, logical_id: str, tags: dict[str, str]) -> Work:
        stack = self.stack
        return Work(self._client, stack.account, stack.region, stack.name, logical_id, tags)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = actors.client_with(service, self.credentials)
        return self._clients[service]


def kind_of(name: str) -> ResourceType:
    """The resource type of that name; raises :class:`Failed` where there is none."""
    kind = types.find(name)
    if kind is None:
        raise Failed(f"the local AWS has no resource type {name}")
    return kind


@contextmanager
def _told_as_failed(kind: str, missing_is_fine: bool = False) -> Iterator[None]:
    """Whatever goes wrong within raises :class:`Failed` with a reason in the service's form."""
    try:
        yield
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


def text_of(failure: Exception) -> str:
    """What an error says."""
    return failure.message if isinstance(failure, AWSError) else str(failure)

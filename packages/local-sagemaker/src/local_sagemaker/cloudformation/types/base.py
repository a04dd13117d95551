"""What a resource type is, and what it works with."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from botocore.model import Shape

Properties = dict[str, Any]
ALPHABET = string.ascii_uppercase + string.digits
MISSING = ("NoSuchEntity", "NotFound", "NoSuchBucket", "DoesNotExist", "NonExistentQueue", "does not exist")


class Unsupported(Exception):  # noqa: N818 - what it says of a property
    """A property, or a change, that this type does not take."""


@dataclass
class Work:
    """One resource that is being worked on: calls to services, as whoever deploys, and its names.

    ``made`` is set once the resource exists, if incomplete, so that a failure does not leave it behind.
    ``tags`` are the stack's.
    """

    client: Callable[[str], Any]
    account: str
    region: str
    stack_name: str
    logical_id: str
    tags: Mapping[str, str]
    made: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def name(self, length: int = 64) -> str:
        """A name for a resource that the template gives none."""
        suffix = "".join(random.choices(ALPHABET, k=12))  # noqa: S311 - no secret
        stem = f"{self.stack_name}-{self.logical_id}"[: length - 13]
        return f"{stem}-{suffix}"

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the stack's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call ``operation`` (in snake case); None is left out, texts become the numbers that it wants."""
        client = self.client(service)
        name = client.meta.method_to_api_mapping[operation]
        shape = client.meta.service_model.operation_model(name).input_shape
        given = {key: value for key, value in parameters.items() if value is not None}
        return getattr(client, operation)(**_coerced(given, shape))

    def discard(self, service: str, operation: str, **parameters: Any) -> None:
        """Call what takes away a part of a resource; a part that somebody took away by hand is no error."""
        try:
            self.call(service, operation, **parameters)
        except ClientError as error:
            if not is_missing(error):
                raise

    def tag_list(self, own: list[dict[str, str]] | None = None) -> list[dict[str, str]]:
        """The stack's tags and the resource's own, which count more."""
        merged = {**self.tags, **{tag["Key"]: tag["Value"] for tag in own or []}}
        return [{"Key": key, "Value": str(value)} for key, value in merged.items()]

    def tag_map(self, own: list[dict[str, str]] | None = None) -> dict[str, str]:
        """The same as a mapping."""
        return {tag["Key"]: tag["Value"] for tag in self.tag_list(own)}


class ResourceType:
    """One resource type.

    ``properties`` are those it takes; a changed one among ``fixed`` makes a new resource.
    """

    name: ClassVar[str]
    properties: ClassVar[frozenset[str]]
    fixed: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__:
            _types[cls.name] = cls()

    def check(self, properties: Properties) -> None:
        """Raise :class:`Unsupported` for a property that is missing, or not known here."""
        unknown = sorted(set(properties) - self.properties)
        if unknown:
            raise Unsupported(f"Encountered unsupported property {unknown[0]}")
        missing = sorted(self.required - set(properties))
        if missing:
            raise Unsupported(f"Properties validation failed: required key [{missing[0]}] not found")

    def create(self, work: Work, new: Properties) -> None:
        """Make the resource; sets ``work.made`` to its physical id and fills ``work.attributes``."""
        raise NotImplementedError

    def adopt(self, work: Work, identifier: Mapping[str, str]) -> None:
        """Find a resource that exists by ``identifier``; sets what `create` does, and changes nothing."""
        raise Unsupported(f"Resource type {self.name} cannot be imported here")

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        """Bring the resource ``work.made`` from ``old`` to ``new`` properties."""
        raise NotImplementedError

    def delete(self, work: Work, old: Properties) -> None:
        """Remove the resource ``work.made``; one that is gone already is no error to the caller."""
        raise NotImplementedError


_types: dict[str, ResourceType] = {}


def find(name: str) -> ResourceType | None:
    """The resource type of that name; None where the local AWS has none."""
    return _types.get(name)


def is_missing(error: ClientError) -> bool:
    """Whether a call failed since what it speaks of does not exist."""
    told = error.response["Error"]
    return any(word in f"{told['Code']} {told.get('Message', '')}" for word in MISSING)


def chosen(properties: Properties, *names: str) -> Properties:
    """Those of ``properties`` that are named."""
    return {name: properties[name] for name in names if name in properties}


def _coerced(value: Any, shape: Shape | None) -> Any:
    """Templates write numbers as texts as well; a service wants what its model says."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {k: _coerced(v, shape.members.get(k)) for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_coerced(one, shape.member) for one in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {str(k): _coerced(v, shape.value) for k, v in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value

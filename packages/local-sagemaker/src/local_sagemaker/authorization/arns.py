"""The ARNs of the resources that a request names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.utilities.utils import get_partition

from local_sagemaker.authorization import kms
from local_sagemaker.authorization.resources import DISPUTED, RESOURCES
from local_sagemaker.bridge import AWSError

# Takes account, region and parameters; returns an ARN, or None where there is no such resource.
Resolver = Callable[[str, str, Mapping[str, Any]], "str | None"]

_FIELD = re.compile(r"\{(\w+)\}")
_resolvers: dict[tuple[str, str], Resolver] = {}


def resolver(service: str, operation: str) -> Callable[[Resolver], Resolver]:
    """Have the decorated function find the resource of an operation whose parameters do not name it."""

    def register(function: Resolver) -> Resolver:
        _resolvers[service, operation] = function
        return function

    return register


def resources(
    service: str, operation: str, account: str, region: str, parameters: Mapping[str, Any]
) -> list[tuple[str, ...]]:
    """The resources that the operation touches, each as a tuple of equal spellings; ``*`` if it has none."""
    named = _named(service, operation, account, region, parameters)
    return [*named, ("*",)] if f"{service}:{operation}" in DISPUTED and ("*",) not in named else named


def _named(
    service: str, operation: str, account: str, region: str, parameters: Mapping[str, Any]
) -> list[tuple[str, ...]]:
    if (service, operation) in _resolvers:
        return [(_resolvers[service, operation](account, region, parameters) or "*",)]
    if service not in RESOURCES:
        return [("*",)]
    beginning, table = RESOURCES[service]
    beginning = beginning.format(partition=get_partition(region), region=region, account=account)
    names = []
    for template in table.get(operation, ()):
        field = _FIELD.search(template)
        value = parameters.get(field[1]) if field else None
        values: list[Any] = value if isinstance(value, list) and value else [value]
        for one in values:
            names.append(_spellings(service, beginning, template, parameters, one or "*"))
    return names or [("*",)]


def _spellings(
    service: str, beginning: str, template: str, parameters: Mapping[str, Any], value: str
) -> tuple[str, ...]:
    if service in _NORMAL:
        value = _NORMAL[service](value, beginning, parameters)
    if value.startswith("arn:"):
        if template.startswith("model-package/{ModelPackageGroupName}"):
            return (value.replace(":model-package-group/", ":model-package/") + "/*",)
        return (value,)
    filled = _FIELD.sub(lambda _: value, template, count=1)
    resource = beginning + _FIELD.sub(lambda match: str(parameters.get(match[1], "*")), filled)
    # A log group's ARN is written with and without the part that names its streams.
    return (
        (resource, f"{resource}:log-stream:")
        if template.startswith("log-group:{logGroupName}")
        else (resource,)
    )


def _queue(value: str, beginning: str, parameters: Mapping[str, Any]) -> str:
    if "//" not in value:
        return value
    account, name = value.rstrip("/").split("/")[-2:]  # so ends a queue's URL
    return ":".join([*beginning.split(":")[:4], account, name])


def _function(value: str, beginning: str, parameters: Mapping[str, Any]) -> str:
    if re.match(r"\d{12}:function:", value):
        value = ":".join([*beginning.split(":")[:4], value])
    qualifier = parameters.get("Qualifier")
    return f"{value}:{qualifier}" if qualifier else value


def _key(value: str, beginning: str, parameters: Mapping[str, Any]) -> str:
    region, account = beginning.split(":")[3:5]
    try:
        return kms.arn(value, account, region)
    except AWSError:  # as the operation will say
        return value


_NORMAL: dict[str, Callable[[str, str, Mapping[str, Any]], str]] = {
    "iam": lambda value, *_: value.removeprefix("https://"),
    "kms": _key,
    "lambda": _function,
    "sqs": _queue,
    "ssm": lambda value, *_: value.removeprefix("/"),
}

"""The functions of a pipeline definition: ``Get``, ``Std:Join`` and ``Std:JsonGet``.

Their form is described in the SageMaker developer guide, "Pipeline definition JSON schema".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

Path = tuple[str | int, ...]

FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
_ROOT = re.compile(r"(Parameters|Execution|Steps)\.([A-Za-z0-9_-]+)")
_SEGMENT = re.compile(r"""\.?([A-Za-z0-9_-]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]""")


class ExpressionError(Exception):
    """An expression is malformed, or has no value; the message says which and why."""


@dataclass(frozen=True)
class Reference:
    """What a ``Get`` names: ``root`` is Parameters, Execution or Steps; ``path`` goes on within a step."""

    root: str
    name: str
    path: Path

    def __str__(self) -> str:
        """The reference as a definition writes it."""
        return f"{self.root}.{self.name}{format_path(self.path)}"


@dataclass(frozen=True)
class JsonFile:
    """The file that a ``Std:JsonGet`` reads: a property file of a step, or (expression of) an S3 URI."""

    property_file: Reference | None
    uri: Any
    path: Path


class Scope(Protocol):
    """Where the values come from."""

    def resolve(self, reference: Reference) -> Any:
        """The value that ``reference`` names; raises :class:`ExpressionError` where it has none."""

    def read_json(self, file: JsonFile) -> Any:
        """The document that ``file`` names; raises :class:`ExpressionError` where it cannot be read."""


def is_expression(value: Any) -> bool:
    """Whether ``value`` is a function call and not a plain structure."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS


def parse_reference(text: Any) -> Reference:
    """Read ``Steps.Train.OutputParameters['job']`` and the like."""
    root = _ROOT.match(text) if isinstance(text, str) else None
    if not root:
        raise ExpressionError(
            f"Cannot parse {text!r}: a reference starts with Parameters., Execution. or Steps."
        )
    return Reference(root[1], root[2], parse_path(text[root.end() :]))


def parse_path(text: str) -> Path:
    """Read a path such as ``metrics.f1['macro'].values[0]``; a leading ``$`` is allowed."""
    rest, path = text.removeprefix("$"), []
    while rest:
        segment = _SEGMENT.match(rest)
        if not segment:
            raise ExpressionError(f"Cannot parse the path {text!r} from {rest!r}")
        name, quoted, doubly_quoted, index = segment.groups()
        path.append(
            int(index)
            if index is not None
            else next(t for t in (name, quoted, doubly_quoted) if t is not None)
        )
        rest = rest[segment.end() :]
    return tuple(path)


def format_path(path: Path) -> str:
    """The inverse of :func:`parse_path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def parse_json_get(call: Any) -> JsonFile:
    """Read the argument of a ``Std:JsonGet``."""
    if not isinstance(call, dict) or not isinstance(call.get("Path"), str):
        raise ExpressionError("Std:JsonGet needs a Path, which is a string")
    if ("PropertyFile" in call) == ("S3Uri" in call):
        raise ExpressionError("Std:JsonGet needs one of PropertyFile and S3Uri")
    path = parse_path(call["Path"])
    if "S3Uri" in call:
        return JsonFile(None, call["S3Uri"], path)
    if not isinstance(call["PropertyFile"], dict) or set(call["PropertyFile"]) != {"Get"}:
        raise ExpressionError("The PropertyFile of Std:JsonGet is a Get of Steps.<step>.PropertyFiles.<name>")
    reference = parse_reference(call["PropertyFile"]["Get"])
    if reference.root != "Steps" or len(reference.path) != 2 or reference.path[0] != "PropertyFiles":
        raise ExpressionError(f"{reference} is not Steps.<step>.PropertyFiles.<name>")
    return JsonFile(reference, None, path)


def references(value: Any) -> Iterator[Reference]:
    """Every reference in ``value``; raises :class:`ExpressionError` for a malformed function."""
    if is_expression(value):
        function, argument = next(iter(value.items()))
        if function == "Get":
            yield parse_reference(argument)
        elif function == "Std:Join":
            yield from references(_join_arguments(argument)[1])
        else:
            file = parse_json_get(argument)
            yield from [file.property_file] if file.property_file else references(file.uri)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def evaluate(value: Any, scope: Scope) -> Any:
    """``value`` with every function replaced by its result."""
    if is_expression(value):
        function, argument = next(iter(value.items()))
        if function == "Get":
            return scope.resolve(parse_reference(argument))
        if function == "Std:Join":
            on, values = _join_arguments(argument)
            return on.join(to_string(evaluate(item, scope)) for item in values)
        file = parse_json_get(argument)
        return _primitive(follow(scope.read_json(file), file.path), file.path)
    if isinstance(value, dict):
        return {key: evaluate(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    return value


def follow(value: Any, path: Path) -> Any:
    """What ``path`` leads to; in a list, a name finds the item that bears it (``OutputName`` ...)."""
    for position, part in enumerate(path):
        child = _child(value, part)
        if child is _MISSING:
            raise ExpressionError(f"There is no {format_path(path[: position + 1]).removeprefix('.')}")
        value = child
    return value


def to_string(value: Any) -> str:
    """A value as ``Std:Join`` writes it: ``true`` and ``false``, numbers as JSON has them."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise ExpressionError(
        f"Std:Join cannot join {json.dumps(value, default=str)[:200]}, which is no primitive value"
    )


_MISSING = object()


def _child(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(part), _MISSING)
    if isinstance(value, list):
        if isinstance(part, int):
            return value[part] if part < len(value) else _MISSING
        named = (item for item in value if isinstance(item, dict) and _bears(item, part))
        return next(named, _MISSING)
    return _MISSING


def _bears(item: dict[str, Any], name: str) -> bool:
    return any(key.endswith("Name") and value == name for key, value in item.items())


def _join_arguments(call: Any) -> tuple[str, list[Any]]:
    if (
        not isinstance(call, dict)
        or not isinstance(call.get("Values"), list)
        or not isinstance(call.get("On", ""), str)
    ):
        raise ExpressionError("Std:Join needs Values, an array, and On, a string")
    return call.get("On", ""), call["Values"]


def _primitive(value: Any, path: Path) -> str | bool | int | float:
    if isinstance(value, (str, bool, int, float)):
        return value
    kind = "null" if value is None else "an object" if isinstance(value, dict) else "an array"
    raise ExpressionError(
        f"Std:JsonGet found {kind} at {format_path(path).removeprefix('.')}, not a primitive value"
    )

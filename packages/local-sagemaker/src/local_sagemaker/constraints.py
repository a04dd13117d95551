"""What a service's own model says of its parameters: lengths, ranges, patterns and enumerations.

boto3 checks types, required members and minima before it sends a request; the rest is checked by the real
service, and so it is here, with the real service's sentence.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import Shape

from local_sagemaker.bridge import AWSError

_DOT = r"[^\n\r\u0085\u2028\u2029]"


def check(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Raise ValidationException where ``parameters`` break the model of boto3 ``service``'s ``operation``."""
    shape = _model(service).operation_model(operation).input_shape
    faults = list(_faults(shape, parameters, ""))
    if faults:
        plural = "s" if len(faults) > 1 else ""
        message = f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}"
        raise AWSError("ValidationException", message)


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                inner = name[0].lower() + name[1:]
                yield from _faults(member, value[name], f"{path}.{inner}" if path else inner)
        return
    broken = list(_broken(shape, value))
    if broken:
        yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {broken[0]}"
    if shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _faults(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for part, kind, members in (
            ("Map keys", shape.key, value),
            ("Map value", shape.value, value.values()),
        ):
            rules = next(
                (list(_broken(kind, member)) for member in members if list(_broken(kind, member))), []
            )
            if rules:
                constraint = f"{part} must satisfy constraint: [{', '.join(rules)}]"
                yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """The rules of ``shape`` itself, not of its members, that ``value`` breaks."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size: float
    if isinstance(value, (str, bytes, list, dict)):
        size, kind = len(value), "have length"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        size, kind = value, "have value"
    else:
        return
    if high is not None and size > high:
        yield f"Member must {kind} less than or equal to {high}"
    if low is not None and size < low:
        yield f"Member must {kind} greater than or equal to {low}"
    if isinstance(value, str):
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
        choices = getattr(shape, "enum", None)
        if choices and value not in choices:
            yield f"Member must satisfy enum value set: [{', '.join(choices)}]"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The models' patterns are Java's: surrogate pairs, character properties, in a few a repeated end.
    translated = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010ffff").replace(r"\z", r"\Z")
    translated = re.sub(r"\$\{\d+,\d+\}$", "", translated)
    # A dot of Java's is no line break of any kind, one of Python's is any but the line feed.
    translated = re.sub(
        r"\\.|\[(?:\\.|[^\]\\])*\]|\.", lambda part: _DOT if part[0] == "." else part[0], translated
    )
    translated = re.sub(
        r"\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}", lambda part: _with_properties(part[0]), translated
    )
    return re.compile(translated)


def _with_properties(part: str) -> str:
    """A character class, or a property outside of one, as Python writes it."""
    inside = re.sub(r"\\p\{(\w+)\}", lambda match: _properties()[match[1]], part)
    return inside if part.startswith("[") else f"[{inside}]"


@functools.cache
def _properties() -> dict[str, str]:
    """Java's character properties by name, each as the inside of a Python character class."""
    ranges: dict[str, list[list[int]]] = {}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        for name in (category, category[0]):
            of_property = ranges.setdefault(name, [])
            if of_property and of_property[-1][1] == code - 1:
                of_property[-1][1] = code
            else:
                of_property.append([code, code])
    unicode = {
        name: "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in of_property)
        for name, of_property in ranges.items()
    }
    posix = {"ASCII": r"\x00-\x7f", "Print": r"\x20-\x7e", "Alnum": "a-zA-Z0-9"}
    return unicode | posix

"""Parameters of a stack: given values, defaults and constraints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_sagemaker.cloudformation.template import invalid


def bind(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The value of every declared parameter; raises ValidationError if one is missing or not allowed."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = sorted(n for n, p in declared.items() if n not in given and "Default" not in p)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    bound = {name: str(given.get(name, p.get("Default"))) for name, p in declared.items()}
    for name, value in bound.items():
        _check(name, value, declared[name])
    return bound


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    kind = declared.get("Type", "String")
    values = split(value) if kind == "CommaDelimitedList" or kind.startswith("List<") else [value]
    for one in values:
        problem = _problem(one, kind, declared)
        if problem:
            raise invalid(f"Parameter {name} failed to satisfy constraint: {problem}")


def _problem(value: str, kind: str, declared: Mapping[str, Any]) -> str | None:
    described = declared.get("ConstraintDescription")
    allowed = [_text(v) for v in declared.get("AllowedValues", [])]
    if "Number" in kind:
        try:
            number = float(value)
        except ValueError:
            return described or "must be a number"
        if number < float(declared.get("MinValue", "-inf")) or number > float(
            declared.get("MaxValue", "inf")
        ):
            return described or "must be within MinValue and MaxValue"
    if allowed and value not in allowed:
        return described or f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        return described or f"Member must satisfy regular expression pattern: {declared['AllowedPattern']}"
    if kind == "String":
        if len(value) < int(declared.get("MinLength", 0)):
            return described or f"Member must have length greater than or equal to {declared['MinLength']}"
        if len(value) > int(declared.get("MaxLength", 4096)):
            return (
                described
                or f"Member must have length less than or equal to {declared.get('MaxLength', 4096)}"
            )
    return None


def value_of(value: str, declared: Mapping[str, Any]) -> str | list[str]:
    """What Ref gives for a parameter: a list where its type is one."""
    kind = declared.get("Type", "String")
    return split(value) if kind == "CommaDelimitedList" or kind.startswith("List<") else value


def split(value: str) -> list[str]:
    """The members of a comma-delimited list."""
    return [part.strip() for part in value.split(",")]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""The four types of pipeline parameters and step outputs: String, Integer, Float, Boolean."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

Primitive = str | int | float | bool
Type = Literal["String", "Integer", "Float", "Boolean"]
MAX_LENGTH = 1024


class MismatchError(Exception):
    """A value is not of its declared type; the message says so in the service's manner."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that the definition declares; without a ``default``, each execution gives a value."""

    name: str
    type: str
    default: Primitive | None
    enum: tuple[str, ...]


def from_text(name: str, kind: str, text: str) -> Primitive:
    """The value that ``text``, as an API request carries it, stands for."""
    if len(text) > MAX_LENGTH:
        raise MismatchError(f"The value of '{name}' is longer than {MAX_LENGTH} characters")
    if kind == "String":
        return text
    if kind == "Integer" and re.fullmatch(r"[+-]?\d{1,19}", text):
        return int(text)
    if kind == "Boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if (
        kind == "Float"
        and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text)
        and math.isfinite(float(text))
    ):
        return float(text)
    raise MismatchError(f"The value '{text[:200]}' of '{name}' is not of type {kind}")


def from_json(name: str, kind: str, value: Any) -> Primitive:
    """``value``, which was JSON, if it is of type ``kind``."""
    fits = {
        "String": isinstance(value, str),
        "Integer": isinstance(value, int) and not isinstance(value, bool),
        "Float": isinstance(value, (int, float)) and not isinstance(value, bool),
        "Boolean": isinstance(value, bool),
    }[kind]
    if not fits:
        raise MismatchError(f"The value {str(value)[:200]!r} of '{name}' is not of type {kind}")
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        raise MismatchError(f"The value of '{name}' is longer than {MAX_LENGTH} characters")
    return float(value) if kind == "Float" else value


def to_text(value: Primitive) -> str:
    """A value as the API writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def bind(declared: dict[str, Parameter], given: dict[str, str]) -> dict[str, Primitive]:
    """The parameters of one execution: ``given`` over the defaults.

    Raises :class:`MismatchError` for an unknown name, a value of the wrong type or outside the enumeration,
    an empty value, or a missing one.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise MismatchError(f"Parameters [{', '.join(unknown)}] are not defined in the pipeline definition")
    bound = {}
    for name, parameter in declared.items():
        if name in given:
            if not given[name]:
                raise MismatchError('[string "" is too short (length: 0, required minimum: 1)]')
            bound[name] = from_text(name, parameter.type, given[name])
            if parameter.enum and bound[name] not in parameter.enum:
                choices = ", ".join(parameter.enum)
                raise MismatchError(f"The value '{bound[name]}' of '{name}' is not one of [{choices}]")
        elif parameter.default is None:
            raise MismatchError(f"Parameter '{name}' has no default value, and the request gives none")
        else:
            bound[name] = parameter.default
    return bound

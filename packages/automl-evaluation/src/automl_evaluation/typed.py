"""Dataclasses from JSON and back, checked on the way; the container has no library that does it.

A key has its field's name, or the one of `key` in the field's metadata; with `ABSENT` there it is left out where the
field is `None`. Keys that no field has are passed over, so that a reader takes what a newer writer adds.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_SCALARS: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (float, int), bool: (bool,)}


ABSENT = {"absent": True}


class ShapeError(ValueError):
    """A document is not as its dataclass says; the message begins with the key that is wrong."""


def key(name: str) -> dict[str, str]:
    """Metadata of a field whose key is no name in Python."""
    return {"key": name}


def plain(value: Any) -> Any:
    """A dataclass, and what it holds, as JSON's types; keys have the order of the fields."""
    if is_dataclass(value) and not isinstance(value, type):
        held = ((one, getattr(value, one.name)) for one in fields(value))
        return {_key(one): plain(of) for one, of in held if of is not None or "absent" not in one.metadata}
    if isinstance(value, Mapping):
        return {name: plain(of) for name, of in value.items()}
    return [plain(of) for of in value] if isinstance(value, list | tuple) else value


def load(kind: type[_T], value: Any, place: str = "") -> _T:
    """A dataclass from JSON's types; ``place`` is where ``value`` stands in its document.

    Raises `ShapeError` for a key that is missing, and for a value of another type.
    """
    if not isinstance(value, Mapping):
        raise _wrong(value, "an object", place)
    known, hints = fields(kind), _hints(kind)  # type: ignore[arg-type]
    needed = [
        _key(one)
        for one in known
        if one.default is MISSING and one.default_factory is MISSING and _key(one) not in value
    ]
    if needed:
        raise ShapeError(f"{f'{place} ' if place else ''}lacks {', '.join(needed)}")
    within = f"{place}." if place else ""
    given = {
        one.name: _value(hints[one.name], value[_key(one)], within + _key(one))
        for one in known
        if _key(one) in value
    }
    return kind(**given)


def _key(one: "Field[Any]") -> str:
    return str(one.metadata.get("key", one.name))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if kind is NoneType:
        if value is not None:
            raise _wrong(value, "null", place)
        return None
    if origin in (Union, UnionType):
        return _of_union(
            [one for one in arguments if one is not NoneType], value, place, NoneType in arguments
        )
    if origin is Literal:
        if value not in arguments:
            raise _wrong(value, f"one of {', '.join(arguments)}", place)
        return value
    if origin is list:
        if not isinstance(value, list):
            raise _wrong(value, "a list", place)
        return [_value(arguments[0], of, f"{place}[{number}]") for number, of in enumerate(value)]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _wrong(value, "an object", place)
        return {name: _value(arguments[1], of, f"{place}.{name}") for name, of in value.items()}
    if kind in _SCALARS:
        if type(value) not in _SCALARS[kind]:
            raise _wrong(value, {str: "a text", bool: "true or false"}.get(kind, "a number"), place)
        return value
    return load(kind, value, place)


def _of_union(kinds: list[Any], value: Any, place: str, none: bool) -> Any:
    """The first of the kinds that the value is."""
    if value is None and none:
        return None
    reasons = []
    for kind in kinds:
        try:
            return _value(kind, value, place)
        except ShapeError as error:
            reasons.append(error)
    raise reasons[0]


def _wrong(value: Any, wanted: str, place: str) -> ShapeError:
    shown = repr(value) if not isinstance(value, list | Mapping) else type(value).__name__
    return ShapeError(f"{place or 'the document'} = {shown[:80]} is not {wanted}")

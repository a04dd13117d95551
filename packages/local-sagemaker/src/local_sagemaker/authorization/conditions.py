"""The Condition element of a policy."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

# Keys in lower case (IAM compares them so), each with the values that the request has for it.
Context = Mapping[str, list[str]]

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every operator and key of ``condition`` is met; raises ValueError for an unknown operator."""
    return all(
        _key_holds(operator, key, _listed(values), context)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def unknown_operator(condition: Mapping[str, Any]) -> str | None:
    """The first operator of ``condition`` that IAM does not have, if there is one."""
    for operator in condition:
        quantifier, _, name = operator.rpartition(":")
        known = operator == "Null" or name.removesuffix("IfExists") in _OPERATORS
        if not known or quantifier not in ("", "ForAllValues", "ForAnyValue"):
            return operator
    return None


def matches(pattern: str, value: str) -> bool:
    """Whether ``value`` matches ``pattern``, where ``*`` stands for any text and ``?`` for any character."""
    return _compiled(pattern).fullmatch(value) is not None


def arn_matches(pattern: str, value: str) -> bool:
    """The same, each of an ARN's six parts by itself: a star does not reach over the first five colons."""
    parts = (pattern.split(":", 5), value.split(":", 5))
    return len(parts[0]) == len(parts[1]) and all(matches(p, v) for p, v in zip(*parts, strict=True))


def substitute(text: str, context: Context) -> str | None:
    """``text`` with its policy variables filled in; None, which matches nothing, if the request lacks one."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        values = context.get(name.strip().lower())
        if values:
            return values[0]
        missing = missing or not default
        return default.strip().strip("'\"")

    filled = _VARIABLE.sub(value, text)
    return None if missing else filled


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]


def _key_holds(operator: str, key: str, expected: list[str], context: Context) -> bool:
    actual = context.get(key.lower(), [])
    if operator == "Null":
        return (expected[0].lower() == "true") == (not actual)
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise ValueError(f"policy condition operator {operator} is not known")
    test, negated = _OPERATORS[name]
    expected = [e for e in (substitute(e, context) for e in expected) if e is not None]

    def one(value: str) -> bool:
        return negated != any(_safely(test, e, value) for e in expected)

    if not actual:
        # ForAllValues is true of an absent key, ForAnyValue is not; a negated operator holds without its key.
        return if_exists or quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")
    results: Iterable[bool] = (one(value) for value in actual)
    return all(results) if quantifier == "ForAllValues" or (negated and not quantifier) else any(results)


def _safely(test: Callable[[str, str], bool], expected: str, actual: str) -> bool:
    try:
        return test(expected, actual)
    except ValueError:  # not a number, date or address
        return False


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _in_network(expected: str, actual: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)


# name: (test of expected and actual value, whether the operator is the negation of that test)
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (lambda e, a: e == a, False),
    "StringNotEquals": (lambda e, a: e == a, True),
    "StringEqualsIgnoreCase": (lambda e, a: e.lower() == a.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda e, a: e.lower() == a.lower(), True),
    "StringLike": (matches, False),
    "StringNotLike": (matches, True),
    "ArnEquals": (arn_matches, False),
    "ArnLike": (arn_matches, False),
    "ArnNotEquals": (arn_matches, True),
    "ArnNotLike": (arn_matches, True),
    "Bool": (lambda e, a: e.lower() == a.lower(), False),
    "NumericEquals": (lambda e, a: float(a) == float(e), False),
    "NumericNotEquals": (lambda e, a: float(a) == float(e), True),
    "NumericLessThan": (lambda e, a: float(a) < float(e), False),
    "NumericLessThanEquals": (lambda e, a: float(a) <= float(e), False),
    "NumericGreaterThan": (lambda e, a: float(a) > float(e), False),
    "NumericGreaterThanEquals": (lambda e, a: float(a) >= float(e), False),
    "DateEquals": (lambda e, a: _moment(a) == _moment(e), False),
    "DateNotEquals": (lambda e, a: _moment(a) == _moment(e), True),
    "DateLessThan": (lambda e, a: _moment(a) < _moment(e), False),
    "DateLessThanEquals": (lambda e, a: _moment(a) <= _moment(e), False),
    "DateGreaterThan": (lambda e, a: _moment(a) > _moment(e), False),
    "DateGreaterThanEquals": (lambda e, a: _moment(a) >= _moment(e), False),
    "IpAddress": (_in_network, False),
    "NotIpAddress": (_in_network, True),
}

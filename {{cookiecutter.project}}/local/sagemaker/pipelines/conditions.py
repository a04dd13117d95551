"""The conditions of a Condition step."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from local.sagemaker.pipelines.expressions import ExpressionError, Scope, evaluate

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
MEMBERS = {
    **dict.fromkeys(COMPARISONS, frozenset({"Type", "LeftValue", "RightValue"})),
    "In": frozenset({"Type", "QueryValue", "Values"}),
    "Not": frozenset({"Type", "Condition"}),
    "Or": frozenset({"Type", "Conditions"}),
}


def check(condition: Any) -> None:
    """Raise :class:`ExpressionError` unless ``condition`` is well formed, at every depth."""
    if not isinstance(condition, dict):
        raise ExpressionError("Expecting start of Json Object.")
    kind = condition.get("Type")
    if kind not in MEMBERS:
        raise ExpressionError(f"Unknown condition type '{kind}'. Known are: {', '.join(MEMBERS)}.")
    for unknown in sorted(set(condition) - MEMBERS[kind]):
        raise ExpressionError(f"Cannot parse object, unknown property '{unknown}'.")
    for missing in sorted(MEMBERS[kind] - set(condition)):
        raise ExpressionError(f"Condition of type '{kind}' has no '{missing}'.")
    for name in ("Values", "Conditions"):
        if name in condition and not isinstance(condition[name], list):
            raise ExpressionError("Expecting start of Json Array.")
    for nested in [condition["Condition"]] if kind == "Not" else condition.get("Conditions", []):
        check(nested)


def holds(condition: dict[str, Any], scope: Scope) -> bool:
    """Whether ``condition`` is true.

    Raises :class:`ExpressionError` if it compares values of different types (numbers of any kind compare).
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind == "Or":
        return any(holds(nested, scope) for nested in condition["Conditions"])
    if kind == "In":
        query = evaluate(condition["QueryValue"], scope)
        candidates = [evaluate(candidate, scope) for candidate in condition["Values"]]
        return any(_kind(query) == _kind(candidate) and query == candidate for candidate in candidates)
    left, right = evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope)
    comparable = _kind(left) == _kind(right) and (kind == "Equals" or _kind(left) != "Boolean")
    if not comparable:
        raise ExpressionError(
            f"Condition {kind} cannot compare LeftValue {left!r} ({_kind(left)}) with RightValue {right!r}"
            f" ({_kind(right)})"
        )
    return COMPARISONS[kind](left, right)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    return (
        "Number"
        if isinstance(value, (int, float))
        else "String"
        if isinstance(value, str)
        else "no primitive"
    )

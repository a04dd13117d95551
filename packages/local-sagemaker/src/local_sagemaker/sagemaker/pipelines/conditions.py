"""The conditions of a Condition step."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError, Scope, evaluate
from local_sagemaker.sagemaker.pipelines.schema import Comparison, In, Not, Or

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def holds(condition: Comparison | In | Not | Or, scope: Scope) -> bool:
    """Whether ``condition`` is true.

    Raises :class:`ExpressionError` if it compares values of different types (numbers of any kind compare).
    """
    match condition:
        case Not():
            return not holds(condition.condition, scope)
        case Or():
            return any(holds(nested, scope) for nested in condition.conditions)
        case In():
            query = evaluate(condition.query_value, scope)
            candidates = [evaluate(candidate, scope) for candidate in condition.values]
            return any(_kind(query) == _kind(candidate) and query == candidate for candidate in candidates)
    left, right = evaluate(condition.left_value, scope), evaluate(condition.right_value, scope)
    ordered = condition.type != "Equals"
    if _kind(left) != _kind(right) or (ordered and _kind(left) == "Boolean"):
        raise ExpressionError(
            f"Condition {condition.type} cannot compare LeftValue {left!r} ({_kind(left)}) with RightValue"
            f" {right!r} ({_kind(right)})"
        )
    return COMPARISONS[condition.type](left, right)


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

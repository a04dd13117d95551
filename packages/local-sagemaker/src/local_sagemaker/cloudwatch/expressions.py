"""Metric math: what an expression over metrics makes of one datapoint of each."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Value = float | None
OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}
OF_ONE: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
OF_MANY: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """The value of ``expression`` where each id's metric has the given value; None is a missing datapoint.

    Knows + - * / ^, comparisons, && and ||, IF, FILL with a number, ABS, CEIL, FLOOR, and SUM, MIN, MAX and
    AVG of an array or of METRICS(). Raises ValueError for anything else.
    """
    python = expression.replace("&&", " and ").replace("||", " or ").replace("^", "**")
    try:
        tree = ast.parse(python.strip(), mode="eval")
    except SyntaxError:
        raise ValueError(f"Error in expression '{expression}': Syntax error") from None
    try:
        result = _value(tree.body, values)
    except (ZeroDivisionError, OverflowError):
        return None
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"Error in expression '{expression}': Unsupported {error}") from None
    if isinstance(result, list):
        raise ValueError(f"Error in expression '{expression}': The result is an array")
    return None if result is None else float(result)


def _value(node: ast.expr, values: Mapping[str, Value]) -> Any:
    match node:
        case ast.Constant(value=float() | int() as number):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.List(elts=members):
            return [_value(member, values) for member in members]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            operand = _value(inner, values)
            return None if operand is None else -operand
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(op, _value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _combined(op, _value(left, values), _value(right, values))
        case ast.BoolOp(op=op, values=members):
            first, *rest = (_value(member, values) for member in members)
            for other in rest:
                first = _combined(op, first, other)
            return first
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _called(function, [_value(argument, values) for argument in arguments], values)
    raise TypeError(f"operand {ast.unparse(node)}")


def _combined(op: ast.AST, left: Value, right: Value) -> Value:
    return None if left is None or right is None else OPERATORS[type(op)](left, right)


def _called(function: str, arguments: list[Any], values: Mapping[str, Value]) -> Any:
    if function == "METRICS":
        return list(values.values())
    if function == "IF":
        condition, yes, no = arguments
        return None if condition is None else yes if condition else no
    if function == "FILL":
        value, filling = arguments
        if isinstance(value, list):
            return [filling if member is None else member for member in value]
        return filling if value is None else value
    if function in OF_MANY:
        known = [value for value in arguments[0] if value is not None]
        return OF_MANY[function](known) if known else None
    return None if arguments[0] is None else OF_ONE[function](arguments[0])

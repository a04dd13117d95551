"""Rows as what contract.toml says that they are, and whether a rule between columns holds in them."""

import ast
from collections.abc import Callable, Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.contract import Contract
from automl_gitops.data.contract.rules import COMPARISONS, Rule, comparisons, literal
from automl_gitops.data.statistics import MISSING, Encoded, as_numbers

_NO_VALUE = pa.array(MISSING)
_NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_WHOLE = r"^-?[0-9]+$"
_DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ].*)?$"


class TypedBatch:
    """Columns of a batch as what their contract says they are: null where there is no such value.

    Of columns that are ``encoded`` each value is looked at once, and `rows` makes rows of what was seen. Of ``plain``
    columns no value was missing so far; that all are numbers takes less than to look for missing ones.
    """

    def __init__(
        self, batch: pa.RecordBatch, contract: Contract, plain: Collection[str], encoded: Encoded
    ) -> None:
        self.batch, self._contract, self._plain, self._encoded = batch, contract, plain, encoded
        self._typed: dict[str, pa.Array] = {}
        self._missing: dict[str, pa.Array] = {}

    def rows(self, name: str | None, array: pa.Array) -> pa.Array:
        """What is true of each row, of what is true of the values of a column."""
        if name is None or name not in self._encoded:
            return array
        return array.take(self._encoded[name].indices)

    def missing(self, name: str) -> pa.Array:
        """Whether a value is none."""
        if name not in self._missing:
            self._missing[name] = pc.is_in(self._values(name), _NO_VALUE)
        return self._missing[name]

    def typed(self, name: str) -> pa.Array:
        """The values as numbers, or texts."""
        if name not in self._typed:
            self._typed[name] = self._read(name, self._contract.columns[name].type)
        return self._typed[name]

    def _values(self, name: str) -> pa.Array:
        return self._encoded[name].dictionary if name in self._encoded else self.batch.column(name)

    def _has_missing(self, name: str) -> bool:
        return bool(pc.any(self.missing(name)).as_py())

    def _read(self, name: str, kind: str) -> pa.Array:
        column = self._values(name)
        if name in self._plain and kind in ("integer", "number"):
            numbers = as_numbers(column)
            fits = numbers is not None and (pa.types.is_integer(numbers.type) or kind == "number")
            if fits and pc.all(pc.is_finite(numbers)).as_py():
                self._missing[name] = pa.array(np.zeros(len(column), bool))
                return numbers
        present = column
        if self._has_missing(name):
            present = pc.if_else(self.missing(name), pa.scalar(None, pa.string()), column)
        if kind == "text":
            return present
        if kind == "date":
            form = pc.match_substring_regex(present, _DATE)
            dates = pc.if_else(form, present, pa.scalar(None, pa.string()))
            return pc.replace_substring(dates, " ", "T", max_replacements=1)
        numbers = as_numbers(present)
        if numbers is None or (kind == "integer" and not pa.types.is_integer(numbers.type)):
            form = pc.match_substring_regex(present, _WHOLE if kind == "integer" else _NUMBER)
            numbers = as_numbers(pc.if_else(form, present, pa.scalar(None, pa.string())))
        assert numbers is not None  # noqa: S101 - all have the form of a number
        if pa.types.is_floating(numbers.type) and not pc.all(pc.is_finite(numbers)).as_py():
            return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
        return numbers


def holds(rule: Rule, typed: TypedBatch) -> pa.Array:
    """Whether the rule holds in each row; null where a missing value leaves that open."""
    claim = _judge(rule.claim, rule, typed)
    if rule.condition is None:
        return claim
    return pc.or_kleene(pc.invert(_judge(rule.condition, rule, typed)), claim)


def _judge(node: ast.expr, rule: Rule, typed: TypedBatch) -> pa.Array:
    if isinstance(node, ast.BoolOp):
        join = pc.and_kleene if isinstance(node.op, ast.And) else pc.or_kleene
        return _joined(join, [_judge(one, rule, typed) for one in node.values])
    if isinstance(node, ast.UnaryOp):
        return pc.invert(_judge(node.operand, rule, typed))
    assert isinstance(node, ast.Compare)  # noqa: S101 - the rule was checked when it was read
    parts = [_compare(left, operator, right, rule, typed) for left, operator, right in comparisons(node)]
    return _joined(pc.and_kleene, parts)


def _joined(join: Callable[[pa.Array, pa.Array], pa.Array], parts: list[pa.Array]) -> pa.Array:
    joined = parts[0]
    for one in parts[1:]:
        joined = join(joined, one)
    return joined


def _compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, rule: Rule, typed: TypedBatch) -> pa.Array:
    if "" in (literal(left), literal(right)):
        column = left if isinstance(left, ast.Name) else right
        assert isinstance(column, ast.Name)  # noqa: S101 - a rule compares no two literals
        name = rule.columns[column.id]
        missing = typed.rows(name, typed.missing(name))
        return missing if isinstance(operator, ast.Eq) else pc.invert(missing)
    compare = getattr(pc, COMPARISONS[type(operator)])
    names = [rule.columns[side.id] if isinstance(side, ast.Name) else None for side in (left, right)]
    sides = [
        pa.scalar(literal(side)) if name is None else typed.typed(name)
        for side, name in zip((left, right), names, strict=True)
    ]
    one = names[0] or names[1]
    if one and set(names) <= {one, None}:
        return typed.rows(one, compare(*sides))
    return compare(*(typed.rows(name, side) for name, side in zip(names, sides, strict=True)))

"""Rows as what contract.toml says that they are, and whether a rule between columns holds in them."""

import ast
from collections.abc import Callable, Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.contract import Contract
from automl_gitops.data.contract.rules import COMPARISONS, Rule, comparisons, literal
from automl_gitops.data.statistics import Encoded, as_numbers, is_missing
from automl_gitops.evaluation import values

_NUMBER = rf"^{values.FINITE}$"
_WHOLE = r"^[+-]?[0-9]+$"
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
            self._missing[name] = is_missing(self._values(name))
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
            numbers = _those_of_form(present, _WHOLE if kind == "integer" else _NUMBER)
        if pa.types.is_floating(numbers.type) and not pc.all(pc.is_finite(numbers)).as_py():
            return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
        return numbers


def _those_of_form(column: pa.Array, form: str) -> pa.Array:
    """The numbers among the values as int64, where all are such, else as float64; null for the others."""
    texts = pc.utf8_trim(column, characters=values.BLANKS)
    numbers = pc.if_else(pc.match_substring_regex(texts, form), texts, pa.scalar(None, pa.string()))
    try:
        # Arrow takes no plus before a whole number.
        return pc.replace_substring_regex(numbers, r"^\+", "").cast(pa.int64())
    except pa.ArrowInvalid:
        return numbers.cast(pa.float64())


def compared(operator: str, one: pa.Array | pa.Scalar, other: pa.Array | pa.Scalar) -> pa.Array:
    """What a comparison such as `less` says; a whole number beyond 2^53 and a float as two floats."""
    if one.type != other.type:
        one, other = (pc.cast(side, pa.float64(), safe=False) for side in (one, other))
    return getattr(pc, operator)(one, other)


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
    comparison = COMPARISONS[type(operator)]
    names = [rule.columns[side.id] if isinstance(side, ast.Name) else None for side in (left, right)]
    sides = [
        pa.scalar(literal(side)) if name is None else typed.typed(name)
        for side, name in zip((left, right), names, strict=True)
    ]
    one = names[0] or names[1]
    if one and set(names) <= {one, None}:
        return typed.rows(one, compared(comparison, *sides))
    rows = (typed.rows(name, side) for name, side in zip(names, sides, strict=True))
    return compared(comparison, *rows)

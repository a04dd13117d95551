"""Whether rows are as contract.toml says: batch after batch, with the number of rows that are not, and the first.

Rows are read as what the contract says that they are.
"""

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation import values
from automl_gitops.data.contract import FILE, ColumnContract, Contract
from automl_gitops.data.contract.rules import COMPARISONS, Rule, comparisons, literal
from automl_gitops.data.hashes import row_hashes, text_hashes
from automl_gitops.data.statistics import NOTHING, Encoded, as_numbers, is_missing
from automl_gitops.kernel.errors import Finding, UserError
from automl_gitops.kernel.words import counted

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


MOST_OF_A_COLUMN, MOST_IN_ALL = 3, 40  # violations that are told
_LONGEST_SHOWN = 40  # characters of a value; a longer one is no slip of a value, but a text
_SINGULAR = {"are": "is", "break": "breaks", "do": "does", "have": "has", "repeat": "repeats"}
_NOUN = {"integer": "whole number", "number": "number", "date": "date such as 2024-12-31"}


@dataclass
class _Violation:
    what: str
    rows: int
    first: int  # row, from 1
    value: str | None


class Checker:
    """Judges rows of ``columns`` from ``source``, a file or an address.

    Of a whole `table` everything is judged; of a `sample` of its rows not their number; of a few `rows` neither that
    nor the share of missing values. Columns in ``without``, such as the target in what a model is asked, need not be
    there.
    """

    def __init__(
        self,
        contract: Contract,
        columns: Sequence[str],
        source: str,
        *,
        scope: Literal["table", "sample", "rows"] = "table",
        without: Collection[str] = (),
    ) -> None:
        self._contract, self._source, self._scope = contract, source, scope
        self._columns = {name: one for name, one in contract.columns.items() if name in columns}
        self._absent = [name for name in contract.columns if name not in columns and name not in without]
        self._unknown = [name for name in columns if name not in contract.columns]
        self._rules = [rule for rule in contract.rules if set(rule.columns.values()) <= set(columns)]
        keys: list[tuple[str, ...]] = [(name,) for name, one in self._columns.items() if one.unique]
        keys += [tuple(key) for key in contract.table.keys if set(key) <= set(columns)]
        self._keys: dict[tuple[str, ...], list[np.ndarray]] = {key: [] for key in keys}
        self._lacking: dict[tuple[str, ...], list[np.ndarray]] = {}  # rows without a value of a key, from 0
        self._missing: dict[str, int] = dict.fromkeys(self._columns, 0)
        self._violations: dict[tuple[str, str], _Violation] = {}
        self._rows = 0

    def see(self, batch: pa.RecordBatch, encoded: Encoded = NOTHING) -> None:
        """Take in the next rows, of string columns without nulls."""
        plain = [name for name, missing in self._missing.items() if not missing]
        typed = TypedBatch(batch, self._contract, plain, encoded)
        for name, contract in self._columns.items():
            self._see_column(name, contract, typed)
        for rule in self._rules:
            self._note("", rule.text, f'break the rule "{rule.text}"', pc.invert(holds(rule, typed)), None)
        for key, hashes in self._keys.items():
            self._see_key(key, hashes, typed)
        self._rows += batch.num_rows

    def require(self) -> None:
        """Raise one `UserError` of all violations."""
        violations = list(self.violations())
        if violations:
            more = len(violations) - MOST_IN_ALL
            if more > 0:
                violations = [
                    *violations[:MOST_IN_ALL],
                    Finding(f"{self._source}: {more:,} more violations of {FILE}"),
                ]
            raise UserError.of(violations)

    def violations(self) -> Iterator[Finding]:
        """What is not as the contract says."""
        for name in self._absent:
            yield self._finding(
                f'has no column "{name}", which {FILE} lists: add it, or take it out of {FILE}'
            )
        if self._unknown and not self._contract.table.other_columns:
            listed = ", ".join(f'"{name}"' for name in self._unknown[:5])
            yield self._finding(
                f"has {counted(len(self._unknown), 'column')} that {FILE} does not list ({listed}), and [table] "
                "other_columns = false: list or remove them"
            )
        if self._scope == "table":
            yield from self._numbers_of_rows()
        if self._scope != "rows":
            yield from self._missing_values()
        told: dict[str, int] = {}
        for (name, _), one in sorted(self._violations.items(), key=lambda item: self._order(item[0][0])):
            told[name] = told.get(name, 0) + 1
            if name and told[name] > MOST_OF_A_COLUMN:
                continue
            place = f'column "{name}": ' if name else ""
            value = f' ("{one.value}")' if one.value is not None else ""
            yield self._finding(
                f"{place}{self._rows_that(one.rows, one.what)}, the first is row {one.first:,}"
                f"{value}: correct the data, or {FILE}"
            )
        for key, hashes in self._keys.items():
            yield from self._repeated(key, hashes)

    def _order(self, name: str) -> int:
        names = list(self._columns)
        return names.index(name) if name in names else len(names)

    def _rows_that(self, rows: int, what: str) -> str:
        """How many of all rows do ``what``, whose verb is a plural."""
        verb, _, rest = what.partition(" ")
        return f"{rows:,} of {counted(self._rows, 'row')} {_SINGULAR[verb] if rows == 1 else verb} {rest}"

    def _finding(self, sentence: str) -> Finding:
        return Finding(f"{self._source}: {sentence}")

    def _numbers_of_rows(self) -> Iterator[Finding]:
        table = self._contract.table
        if table.least_rows and self._rows < table.least_rows:
            yield self._finding(
                f"has {counted(self._rows, 'row')}, fewer than the least_rows = {table.least_rows:,} of {FILE}"
            )
        if table.most_rows and self._rows > table.most_rows:
            yield self._finding(
                f"has {counted(self._rows, 'row')}, more than the most_rows = {table.most_rows:,} of {FILE}"
            )

    def _missing_values(self) -> Iterator[Finding]:
        for name, contract in self._columns.items():
            missing = self._missing[name]
            if contract.missing is not None and missing > contract.missing * self._rows:
                yield self._finding(
                    f'column "{name}": {self._rows_that(missing, "have no value")} '
                    f"({missing / self._rows:.1%}), more than missing = {contract.missing:g} allows: fill them, or "
                    f"correct {FILE}"
                )

    def _see_column(self, name: str, contract: ColumnContract, typed: TypedBatch) -> None:
        values = typed.typed(name)
        missing = typed.missing(name)
        if pc.any(missing).as_py():
            self._missing[name] += pc.sum(typed.rows(name, missing)).as_py()
        hidden = contract.private or any(name in key for key in self._keys)

        def note(check: str, what: str, flags: pa.Array, *, shown: bool = not hidden) -> None:
            if pc.any(flags).as_py():
                column = typed.batch.column(name) if shown else None
                self._note(name, check, what, typed.rows(name, flags), column)

        if contract.type != "text":
            note("type", f"have no {_NOUN[contract.type]}", pc.and_(pc.is_null(values), pc.invert(missing)))
        if contract.values is not None:
            allowed = pc.is_in(values, _allowed(contract.values, values.type))
            note("values", f"have a value that {FILE} does not list", _and_not(pc.is_valid(values), allowed))
        if contract.least is not None:
            note(
                "least",
                f"are below least = {contract.least}",
                compared("less", values, _bound(contract.least)),
            )
        if contract.most is not None:
            most = _bound(contract.most)
            # A time of the last day is still of that day.
            upper = pc.utf8_slice_codeunits(values, 0, 10) if contract.is_date else values
            note("most", f"are above most = {contract.most}", compared("greater", upper, most))
        # What such a text is may point at a person: it is not shown.
        if contract.length is not None:
            flags = pc.greater(pc.utf8_length(values), contract.length)
            note("length", f"are longer than length = {contract.length:,} characters", flags, shown=False)
        if contract.pattern is not None:
            flags = pc.invert(pc.match_substring_regex(values, contract.whole_pattern))
            note("pattern", f"do not match the pattern '{contract.pattern}'", flags, shown=False)

    def _note(self, name: str, check: str, what: str, flags: pa.Array, column: pa.Array | None) -> None:
        """Count the rows that are flagged."""
        rows = pc.sum(flags).as_py() or 0
        if not rows:
            return
        known = self._violations.get((name, check))
        if known:
            known.rows += rows
            return
        place = pc.index(flags, True).as_py()
        value = None if column is None else column[place].as_py()
        if value is not None and len(value) > _LONGEST_SHOWN:
            value = None
        self._violations[name, check] = _Violation(what, rows, self._rows + place + 1, value)

    def _see_key(self, key: tuple[str, ...], hashes: list[np.ndarray], typed: TypedBatch) -> None:
        one = row_hashes([text_hashes(typed.batch.column(name)) for name in key])
        if len(key) == 1:
            # A missing value is no value that could be there twice.
            missing = typed.rows(key[0], typed.missing(key[0])).to_numpy(zero_copy_only=False)
            if missing.any():
                self._lacking.setdefault(key, []).append(np.flatnonzero(missing) + self._rows)
                one = one[~missing]
        hashes.append(one)

    def _repeated(self, key: tuple[str, ...], hashes: list[np.ndarray]) -> Iterator[Finding]:
        whole = np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)
        order = np.argsort(whole, kind="stable")
        later = order[1:][whole[order[1:]] == whole[order[:-1]]]
        if len(later):
            place = later.min()
            pair = np.array([place, np.flatnonzero(whole[:place] == whole[place])[0]])
            if key in self._lacking:  # places are those among the rows that have a value
                lacking = np.concatenate(self._lacking[key])
                pair += np.searchsorted(lacking - np.arange(len(lacking)), pair, side="right")
            first, before = pair.tolist()
            columns = " and ".join(f'"{name}"' for name in key)
            says = "unique = true" if len(key) == 1 else "[table] keys"
            yield self._finding(
                f"{'column' if len(key) == 1 else 'columns'} {columns}: "
                f"{self._rows_that(len(later), 'repeat the value of an earlier row')}, the first is row "
                f"{first + 1:,} (as row {before + 1:,}), and {FILE} has {says}: correct the data, or {FILE}"
            )


def _bound(bound: object) -> pa.Scalar:
    return pa.scalar(bound if isinstance(bound, int | float) else str(bound))


def _allowed(values: Sequence[str | int | float], kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind):
        return pa.array([int(value) for value in values if value == int(value)], kind)
    return pa.array([float(value) for value in values] if pa.types.is_floating(kind) else values, kind)


def _and_not(one: pa.Array, other: pa.Array) -> pa.Array:
    return pc.and_(one, pc.invert(other))

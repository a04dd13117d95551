"""What a table holds: types of its columns, classes or range of its target, missing values. One pass over the
file.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dataset.table import Table
from pipeline.errors import UserError
from pipeline.words import nearest

# What pandas, and with it the trainers, read as a missing value where they find it in a CSV file.
MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_MISSING = pa.array(MISSING)
_CASTS = (("integer", pa.int64()), ("number", pa.float64()))
_WIDTHS = ("empty", *(name for name, _ in _CASTS), "text")  # each takes what those before it take
_MANY = 20  # different whole numbers above which a target reads as a quantity, not as classes
MOST_CLASSES = 10_000


@dataclass
class Target:
    """What one pass saw of the target column. ``classes`` is `None` where there were too many values for
    classes.
    """

    name: str
    classes: Counter[str] | None = field(default_factory=Counter)
    whole: bool = True  # every number has no fraction
    least: float = math.inf
    most: float = -math.inf
    no_number: tuple[int, str] | None = None  # the first row (from 1) and value that is not a finite number

    def see(self, column: pa.Array, row: int) -> None:
        """Take in a batch; ``row`` rows came before."""
        if self.no_number is None:
            self._see_numbers(column, row)
        if self.classes is not None:
            for label in pc.value_counts(column).to_pylist():
                self.classes[label["values"]] += label["counts"]
            if len(self.classes) > MOST_CLASSES:
                self.classes = None

    def _see_numbers(self, column: pa.Array, row: int) -> None:
        try:
            numbers = column.cast(pa.float64())
        except pa.ArrowInvalid:
            self._find_no_number(column, row)
            return
        if not pc.all(pc.is_finite(numbers)).as_py():
            self._find_no_number(column, row)
            return
        bounds = pc.min_max(numbers).as_py()
        self.least, self.most = min(self.least, bounds["min"]), max(self.most, bounds["max"])
        self.whole = self.whole and bool(pc.all(pc.equal(numbers, pc.round(numbers))).as_py())

    def _find_no_number(self, column: pa.Array, row: int) -> None:
        for index, value in enumerate(column.to_pylist()):
            try:
                finite = math.isfinite(float(value))
            except ValueError:
                finite = False
            if not finite:
                self.no_number = (row + index + 1, value)
                return

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value."""
        same_number = self.no_number is None and self.least == self.most
        return same_number or (self.classes is not None and len(self.classes) == 1)

    @property
    def problem_type(self) -> str:
        """What suits the values: numbers are a quantity if they have fractions or are many, else classes."""
        if self.no_number is None and (
            self.classes is None or len(self.classes) > (_MANY if self.whole else 2)
        ):
            return "Regression"
        if self.classes is not None and len(self.classes) == 2:
            return "BinaryClassification"
        return "MulticlassClassification"


@dataclass
class Profile:
    """Rows, the type of each column (`integer`, `number`, `text`, or `empty` if no row has a value), and the
    target.
    """

    rows: int
    types: dict[str, str]
    target: Target


def profile(
    table: Table, target: str, watch: Callable[[pa.RecordBatch], None] = lambda batch: None
) -> Profile:
    """Read a table once. ``watch`` gets each batch.

    Raises `UserError` where the target is not a column or has a missing value, and where there are no rows.
    """
    if target not in table.columns:
        near = nearest(target, table.columns)
        hint = f'did you mean "{near}"?' if near else f"its columns are {', '.join(table.columns[:20])}"
        raise UserError(
            f'{table.name}: has no column "{target}", the target ([dataset] target in automl.toml); {hint}'
        )
    seen, types, rows = Target(target), dict.fromkeys(table.columns, "empty"), 0
    for batch in table.batches():
        labels = batch.column(target)
        _no_missing(table, labels, target, rows)
        for name in table.columns:
            types[name] = _wider(types[name], batch.column(name))
        seen.see(labels, rows)
        watch(batch)
        rows += batch.num_rows
    if rows == 0:
        raise UserError(f"{table.name}: has a header but no rows")
    return Profile(rows, types, seen)


def widest(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The narrowest types that suit several tables of the same columns, from the types in each."""
    return {name: max((types[name] for types in listed), key=_WIDTHS.index) for name in listed[0]}


def _no_missing(table: Table, labels: pa.Array, target: str, row: int) -> None:
    missing = pc.index(pc.is_in(labels, _MISSING), True).as_py()
    if missing >= 0:
        value = labels[missing].as_py()
        what = f'has "{value}", which reads as no value,' if value else "has no value"
        raise UserError(
            f'{table.name}: row {row + missing + 1} {what} in the target column "{target}": '
            + ("give that class another name" if value else "fill it or remove the row")
        )


def _wider(kind: str, column: pa.Array) -> str:
    """The narrowest type of a column that was of ``kind`` so far."""
    if kind == "text":
        return kind
    values = column.filter(pc.invert(pc.is_in(column, _MISSING)))
    if len(values) == 0:
        return kind
    for name, type_ in _CASTS:
        if name == "integer" and kind == "number":
            continue
        try:
            values.cast(type_)
        except pa.ArrowInvalid:
            continue
        return name
    return "text"

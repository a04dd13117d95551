"""What one pass sees of a column: its type, missing and distinct values, range, and what it looks like.

Columns of few different values are looked at by these, so that a pass over a million rows costs little more than
reading them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation import values as reading
from automl_gitops.data.buffers import are_of_digits, has_any
from automl_gitops.data.lock import MOST_DISTINCT, MOST_VALUES, Column
from automl_gitops.data.thousands import Thousands

_NUMBER = rf"^[ \t]*({reading.FINITE}|{reading.INFINITE})[ \t]*$"
_FINITE = rf"^[ \t]*{reading.FINITE}[ \t]*$"
_INFINITE = rf"^[ \t]*{reading.INFINITE}[ \t]*$"
_MAY_BE_TOO_LARGE = "[0-9.][eE][+]?[0-9]|[0-9]{309}"  # for a float
_MISSING = pa.array(reading.MISSING)
# The columns of a batch that have few values so far, each value once: whoever looks at it need not look at every row.
Encoded = Mapping[str, pa.DictionaryArray]
NOTHING: Encoded = MappingProxyType({})
Watch = Callable[[pa.RecordBatch, Encoded], None]
WIDTHS = ("empty", "integer", "number", "text")  # each takes what those before it take

# Fewer rows of a value might point at a person, and dataset.lock goes into Git.
LEAST_ROWS_OF_A_VALUE = 5
_FIRST = 20  # values that are tried first: Arrow spends half a microsecond on each one that it cannot convert
_LONGEST_VALUE = 100  # characters; longer ones are texts, not names of anything

_LEAST_ROWS_OF_IDENTIFIERS = 50
_GAPS = 20  # a running number goes at most so many times as far as it has values
_DIGITS = 6  # of a number whose values are all equally long
_LONGEST_IDENTIFIER = 64
_LEAST_GROUPS = 30
_MOST_ROWS_OF_A_GROUP = 20  # on average, where the values' form alone says that they are keys
_KEY = "^[A-Za-z]{1,4}[-_]?[0-9]{3,}$"
_NAMES_OF_IDENTIFIERS = {"id", "ids", "uuid", "guid", "key", "nbr", "serial"}
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")
_NUMBER_OF = re.compile("(?!num(ber)? )(.*?) ?( no|(?<!s)(?<!s )number|nummer|nr)")  # but counts
_COUNTED = {"", "week", "woche", "month", "day", "year", "house", "haus", "page", "line", "step", "lfd"}

_DAY, _MONTH = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])"
_MONTHS = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zA-Z]*"
_TIME = (
    "([T ,]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_DATE = "^(" + "|".join(
    (
        f"[0-9]{{4}}[-/.]{_MONTH}[-/.]{_DAY}",
        f"{_DAY}[-/.]{_MONTH}[-/.]([0-9]{{4}}|[0-9]{{2}})",
        f"{_MONTH}[-/]{_DAY}[-/]([0-9]{{4}}|[0-9]{{2}})",
        f"{_DAY}[- .]+{_MONTHS}[- .,]+([0-9]{{4}}|[0-9]{{2}})",
        rf"{_MONTHS}\.? {_DAY},? [0-9]{{4}}",
        "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])",
    )
) + f"){_TIME}$"  # fmt: skip


# Of a date, as `rules.times` reads it.
_ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_WHOLE = r"^[ \t]*[+-]?[0-9]+[ \t]*$"

_LEAST_NUMBERS = 0.05  # among texts, below which a batch shows that they are no mixture


@dataclass
class Mixture:
    """How many values of a column are numbers and how many texts; ``row`` (from 1) and ``value`` of the first text."""

    numbers: int = 0
    texts: int = 0
    row: int = 0
    value: str = ""

    @property
    def is_of_numbers(self) -> bool:
        """Whether most rows have numbers. Rows decide, as what stands for no value is one text in many of them."""
        return self.texts < self.numbers


class Statistics:
    """A column, batch after batch.

    ``kind`` is `integer`, `number`, `text`, or `empty` while no row has a value; ``least`` and ``most`` are of its
    finite numbers, ``too_large`` is the row (from 1) and text of the first one that no trainer holds, in
    ``rows_too_large`` rows, and ``length`` the longest text's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = "empty"
        self.rows = self.missing = self.length = self.rows_too_large = 0
        self.least: int | float | None = None
        self.most: int | float | None = None
        self.too_large: tuple[int, str] | None = None
        self.thousands = Thousands()
        self._mixture: Mixture | None = Mixture()  # `None` once it is plain that the column is of texts
        self._dates = self._differ = self._tokens = True
        self._many = False  # values: they are not counted
        self._known = pa.array([], pa.string())  # that are counted, or were the first ones
        self._counts = np.zeros(0, np.int64)

    def see(self, column: pa.Array) -> pa.DictionaryArray | None:
        """Take in a batch of strings; returns it with each value once, `None` where these are too many."""
        before, self.rows = self.rows, self.rows + len(column)
        if self._many:
            self._see_many(column, before)
            return None
        encoded = column.dictionary_encode()
        values, rows = encoded.dictionary, value_counts(encoded)
        missing = is_missing(values)
        if _any(missing):
            present = pc.invert(missing)
            values, rows = values.filter(present), rows[present.to_numpy(zero_copy_only=False)]
            self.missing += len(column) - int(rows.sum())
        places = pc.fill_null(pc.index_in(values, self._known), -1).to_numpy()
        fresh = values.filter(pa.array(places < 0)) if (places < 0).any() else values[:0]
        self._look(values if len(values) > MOST_DISTINCT else fresh, column, before)
        self._mix(values, rows, column, before)
        self.thousands.see(values, rows, column, before)
        self._count_too_large(values, rows)
        self._count(values, rows, places, fresh)
        return None if self._many else encoded

    def _see_many(self, column: pa.Array, before: int) -> None:
        values, numbers = column, None
        if self.kind in ("integer", "number") and not self.missing:
            # That all are numbers takes less than to look for missing ones.
            numbers = as_numbers(column, whole=self.kind == "integer")
        if numbers is None:
            values = self._without_missing(column)
        if self._differ and len(values):
            alike = len(pc.unique(values)) < len(values) or _any(pc.is_in(values, self._known))
            self._differ = not alike
        self._look(values, column, before, numbers)
        self._mix(values, None, column, before)
        self.thousands.see(values, None, column, before)
        self._count_too_large(values)

    def _without_missing(self, column: pa.Array) -> pa.Array:
        missing = is_missing(column)
        number = pc.sum(missing).as_py() or 0
        self.missing += number
        return column.filter(pc.invert(missing)) if number else column

    def _count(self, values: pa.Array, rows: np.ndarray, places: np.ndarray, fresh: pa.Array) -> None:
        """Count ``values``, each in so many ``rows``, by ``places`` among those known, -1 of ``fresh`` ones."""
        self._differ = self._differ and not (rows > 1).any()
        if len(values) > MOST_DISTINCT:
            self._differ = self._differ and len(fresh) == len(values)
            self._known, self._many = pa.concat_arrays([self._known, values[:MOST_DISTINCT]]), True
            return
        self._counts[places[places >= 0]] += rows[places >= 0]
        if len(fresh):
            self._counts = np.concatenate([self._counts, rows[places < 0]])
            self._known = pa.concat_arrays([self._known, fresh])
        self._many = len(self._known) > MOST_DISTINCT
        if not self._many:
            self._differ = self._differ and bool((self._counts == 1).all())

    def _look(self, values: pa.Array, column: pa.Array, before: int, numbers: pa.Array | None = None) -> None:
        """Type, range, length and looks of ``values`` of a ``column``, none missing; ``numbers`` are these as such."""
        if len(values) == 0:
            return
        if pc.max(pc.binary_length(values)).as_py() > self.length:  # no text has more characters than bytes
            self.length = max(self.length, pc.max(pc.utf8_length(values)).as_py())
        self._dates = self._dates and _all_match(values, _DATE)
        self._tokens = self._tokens and self._differ and not _any(pc.match_substring_regex(values, r"\s"))
        if self.kind == "text":
            return
        if numbers is None:
            numbers = as_numbers(values, whole=self.kind != "number")
        if numbers is None:
            self.kind, self.least, self.most = "text", None, None
            return
        whole = pa.types.is_integer(numbers.type)
        self.kind = "integer" if whole else "number"
        bounds = pc.min_max(numbers).as_py()
        if not whole and max(bounds["max"], -bounds["min"]) > reading.GREATEST:
            if self.too_large is None:
                text = values[pc.index(_too_large(numbers), True).as_py()]
                self.too_large = before + pc.index(column, text).as_py() + 1, text.as_py()
            bounds = pc.min_max(numbers.filter(pc.is_finite(numbers))).as_py()
        if bounds["min"] is not None:
            self.least = bounds["min"] if self.least is None else min(self.least, bounds["min"])
            self.most = bounds["max"] if self.most is None else max(self.most, bounds["max"])

    def _mix(self, values: pa.Array, rows: np.ndarray | None, column: pa.Array, before: int) -> None:
        """Count numbers and texts, as long as some are numbers: ``values`` of ``column``, each in so many ``rows``."""
        mixture = self._mixture
        if mixture is None:
            return
        total = len(values) if rows is None else int(rows.sum())
        if self.kind != "text":
            mixture.numbers += total
            return
        is_text = are_texts(values)
        flags = is_text.to_numpy(zero_copy_only=False)
        texts = int(np.count_nonzero(flags) if rows is None else rows[flags].sum())
        if texts and not mixture.texts:
            mixture.value = values[pc.index(is_text, True).as_py()].as_py()
            mixture.row = before + pc.index(column, mixture.value).as_py() + 1
        mixture.numbers, mixture.texts = mixture.numbers + total - texts, mixture.texts + texts
        if mixture.numbers < _LEAST_NUMBERS * (mixture.numbers + mixture.texts):
            self._mixture = None

    def _count_too_large(self, values: pa.Array, rows: np.ndarray | None = None) -> None:
        """``values`` are those of a batch, each in so many ``rows``."""
        if self.too_large and self.kind == "number":
            flags = _too_large(as_numbers(values, whole=False)).to_numpy(zero_copy_only=False)
            self.rows_too_large += int(np.count_nonzero(flags) if rows is None else rows[flags].sum())

    @property
    def mixture(self) -> Mixture | None:
        """Of a column of numbers with fewer texts; `None` of any other."""
        mixture = self._mixture
        return mixture if mixture and mixture.texts and mixture.is_of_numbers else None

    @property
    def counts(self) -> dict[str, int] | None:
        """Rows by value, `None` above `MOST_DISTINCT` of them."""
        if self._many:
            return None
        return dict(zip(self._known.to_pylist(), self._counts.tolist(), strict=True))

    @property
    def distinct(self) -> int | None:
        """The number of different values, `None` above `MOST_DISTINCT`."""
        return None if self._many else len(self._known)

    @property
    def is_constant(self) -> bool:
        """Whether all rows have one and the same value."""
        return self.distinct == 1 and not self.missing

    @property
    def looks_like(self) -> Literal["date", "identifier"] | None:
        """What the values are by their looks; no more than a guess."""
        if self.kind == "empty":
            return None
        if self._dates:
            return "date"
        return "identifier" if self._is_identifier() else None

    @property
    def are_times(self) -> bool:
        """Whether dates are written as [dataset] time takes them, as far as values are known."""
        return self.kind != "text" or _all_match(self._known, _ISO)

    @property
    def loses_digits(self) -> bool:
        """Whether it has whole numbers alone, as far as values are known, and some beyond 64 bits."""
        beyond = max(self.most or 0, -(self.least or 0)) >= 2**63
        return beyond and self.kind == "number" and _all_match(self._known, _WHOLE)

    @property
    def _is_named_so(self) -> bool:
        """Whether its name says identifier, as customer_id, or number of one, as customer_no and Kundennummer do."""
        words = [word.lower() for word in _WORD.findall(self.name)]
        if {*words} & _NAMES_OF_IDENTIFIERS:
            return True
        found = _NUMBER_OF.fullmatch(" ".join(words))
        whole = self.kind != "number" or self.loses_digits
        return whole and found is not None and found[2].rpartition(" ")[2] not in _COUNTED

    def _is_identifier(self) -> bool:
        """Values that all differ and have the form of a number or key; or many of them, and a name that says so."""
        present = self.rows - self.missing
        if present < _LEAST_ROWS_OF_IDENTIFIERS:
            return False
        if self._is_named_so and (self.distinct is None or self.distinct > present / 2):
            return True
        if not self._differ:
            return False
        whole = self.kind == "integer" or self.loses_digits
        if whole and self.least is not None and self.most is not None:
            equally_long = len(str(int(self.least))) == len(str(int(self.most))) >= _DIGITS
            return equally_long or self.most - self.least < _GAPS * present
        return self.kind == "text" and self._tokens and self.length <= _LONGEST_IDENTIFIER

    @property
    def looks_like_group(self) -> bool:
        """Whether it has the name or the form of an identifier, and values of several rows: what they name is not
        independent.
        """
        many = self.distinct is None or self.distinct >= _LEAST_GROUPS
        if not many or self._differ or not (self.kind in ("integer", "text") or self.loses_digits):
            return False
        if self._is_named_so:
            return True
        present = self.rows - self.missing
        return present <= _MOST_ROWS_OF_A_GROUP * (self.distinct or present) and _all_match(self._known, _KEY)

    def column(self, kind: str, *, is_target: bool, has_classes: bool = False) -> Column:
        """The entry of dataset.lock. ``kind`` may be wider than what was seen here; of a target that
        ``has_classes`` dataset.lock counts these elsewhere.
        """
        looks = None if is_target else self.looks_like
        ranged = kind != "text" and looks != "identifier" and self.least is not None
        number = float if kind == "number" else int
        return Column(
            name=self.name,
            type=kind,  # type: ignore[arg-type]
            missing=self.missing,
            distinct=self.distinct,
            values=None if has_classes or looks == "identifier" else self._values(),
            least=number(self.least) if ranged else None,  # type: ignore[arg-type]
            most=number(self.most) if ranged else None,  # type: ignore[arg-type]
            length=self.length if kind == "text" else None,
            looks_like=looks,
        )

    def order(self, entry: tuple[str, int]) -> tuple[float, str]:
        """A key that sorts entries of ``counts``: numbers as numbers."""
        return (0.0 if self.kind == "text" else float(entry[0]), entry[0])

    def _values(self) -> dict[str, int] | None:
        """Rows by value, in the values' order, where they are few and none of them is rare or long."""
        counts = self.counts
        if not counts or len(counts) > MOST_VALUES or self.length > _LONGEST_VALUE:
            return None
        if min(counts.values()) < LEAST_ROWS_OF_A_VALUE:
            return None
        return dict(sorted(counts.items(), key=self.order))


def is_missing(column: pa.Array) -> pa.Array:
    """Whether a value is none, as `evaluation.values.MISSING` lists them: booleans."""
    if isinstance(column, pa.StringArray) and are_of_digits(column):
        return pa.array(np.zeros(len(column), bool))
    return pc.is_in(column, _MISSING)


def value_counts(encoded: pa.DictionaryArray) -> np.ndarray:
    """The rows of each value: int64, shape (values,)."""
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return np.bincount(codes, minlength=len(encoded.dictionary))


def as_numbers(values: pa.Array, *, whole: bool = True) -> pa.Array | None:
    """Texts as int64, where ``whole`` asks for that and all are such, else as float64; `None` where one is no
    number, as `evaluation.values.number` says.

    Arrow reads `0x1F` as an integer, `1e400` as infinite and `NAN` as no number, and no trainer does; and it takes no
    blanks around a number, as these do.
    """
    numbers = _cast(values, whole)
    if numbers is None:
        trimmed = pc.utf8_trim(values, characters=reading.BLANKS)
        numbers = None if trimmed.equals(values) else _cast(trimmed, whole)
    return numbers


def _cast(values: pa.Array, whole: bool) -> pa.Array | None:
    if whole:
        try:
            values[:_FIRST].cast(pa.int64())
            numbers = values.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
        else:
            has_hexadecimal = has_any(values, "xX") and _any(pc.starts_with(values, "0x", ignore_case=True))
            return None if has_hexadecimal else numbers
    try:
        values[:_FIRST].cast(pa.float64())
        numbers = values.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    finite = pc.is_finite(numbers)
    if pc.all(finite).as_py() or _all_match(values.filter(pc.invert(finite)), _INFINITE):
        return numbers
    return None


def are_texts(values: pa.Array) -> pa.Array:
    """Whether a value is no number; one that no float holds, such as `1e400`, is none either."""
    texts = pc.invert(pc.match_substring_regex(values, _NUMBER))
    if not _any(pc.match_substring_regex(values, _MAY_BE_TOO_LARGE)):
        return texts
    trimmed = pc.utf8_trim(values, characters=reading.BLANKS)
    finite = pc.if_else(pc.match_substring_regex(values, _FINITE), trimmed, "0")
    return pc.or_(texts, pc.invert(pc.is_finite(finite.cast(pa.float64()))))


def _too_large(numbers: pa.Array) -> pa.Array:
    return pc.greater(pc.abs(numbers), reading.GREATEST)


def _any(flags: pa.Array) -> bool:
    return bool(pc.any(flags).as_py())


def _all_match(values: pa.Array, pattern: str) -> bool:
    """Whether all match; a few are looked at first, since most columns are settled by these."""
    return all(
        bool(pc.all(pc.match_substring_regex(part, pattern)).as_py()) for part in (values[:10], values)
    )

"""The times of rows, read batch after batch, and where their latest part begins."""

from datetime import timedelta
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.statistics import as_numbers, is_missing
from automl_gitops.kernel.errors import UserError

Kind = Literal["local", "zoned", "number"]
_KINDS: dict[Kind, str] = {
    "local": "a time without an offset from UTC",
    "zoned": "a time with an offset from UTC",
    "number": "a number",
}
_WANTED = "write ISO 8601, such as 2024-03-31 or 2024-03-31T14:05:00+01:00"


class Times:
    """A column of times: ISO 8601 dates and date-times, all with an offset or none, to the microsecond; or numbers,
    which are an order and no time that a gap could be measured in.

    ``values`` are microseconds since 1970 (int64), or the numbers. Messages speak of the column ``name`` of ``source``.
    """

    def __init__(self, source: str, name: str, gap: timedelta = timedelta()) -> None:
        self._source, self._name = source, name
        self._gap = gap
        self._kind: Kind | None = None
        self._chunks: list[np.ndarray] = []

    def see(self, column: pa.Array, before: int) -> None:
        """Take in a batch of strings as `parse` does."""
        self._chunks.append(self.parse(column, before))

    def parse(self, column: pa.Array, before: int) -> np.ndarray:
        """The values of a batch of strings, before which ``before`` rows came.

        Raises `UserError` for the first row whose time is missing, cannot be read, or is of another kind.
        """
        missing = pc.index(is_missing(column), True).as_py()
        if missing >= 0:
            raise self._wrong(before + missing, "has no value", "fill it or remove the row")
        if self._kind is None:
            self._kind = self._first_kind(column, before)
        values = _parsed(column, self._kind)
        if values is None:
            place = _first_wrong(column, self._kind)
            raise self._misfit(column[place], before + place, self._kind)
        return values

    def _first_kind(self, column: pa.Array, before: int) -> Kind:
        kind = _kind_of(column)
        if kind is None:
            raise self._wrong(before, f'has "{column[0]}", which is no time', _WANTED)
        if kind == "number" and self._gap:
            raise self._wrong(
                before,
                f'has "{column[0]}", a number, of which nobody knows what [dataset] gap in automl.toml means',
                f"{_WANTED}, or remove gap",
            )
        return kind

    def _misfit(self, value: pa.Scalar, row: int, kind: Kind) -> UserError:
        other = _kind_of(pa.array([value.as_py()], pa.string()))
        if other is None:
            what = "number" if kind == "number" else "time"
            return self._wrong(row, f'has "{value}", which is no {what}', _WANTED)
        before = f"{_KINDS[other]}, where the rows before have {_KINDS[kind]}"
        return self._wrong(row, f'has "{value}", {before}', "write all alike")

    def _wrong(self, row: int, what: str, way_out: str) -> UserError:
        return UserError(f'{self._source}: row {row + 1} {what} in the time column "{self._name}": {way_out}')

    def like(self, source: str) -> "Times":
        """Of the same column of another ``source``, whose times are of the same kind."""
        other = Times(source, self._name, self._gap)
        other._kind = self._kind
        return other

    @property
    def values(self) -> np.ndarray:
        """Of all rows, shape (rows,): int64, or float64 where a number has a fraction."""
        self._chunks = [np.concatenate(self._chunks or [np.empty(0, dtype=np.int64)])]
        return self._chunks[0]

    @property
    def gap(self) -> int:
        """The gap in the unit of ``values``."""
        return self._gap // timedelta(microseconds=1)

    def text(self, value: np.generic) -> str:
        """A time, or a number, as it may stand in a file."""
        if self._kind == "number":
            return str(value)
        moment = str(np.datetime64(int(value), "us")).replace("T", " ").removesuffix(".000000")
        if self._kind == "zoned":
            return f"{moment}+00:00"
        return moment.removesuffix(" 00:00:00")


def latest_from(values: np.ndarray, share: float) -> np.generic | None:
    """The time from which on about ``share`` of ``values`` lie; `None` where all are the same.

    Rows of one time stay together, and neither side is empty; of the two times that come nearest to the share the one
    that comes nearer, and of two equally near the earlier.
    """
    ordered = np.sort(values)
    rows = len(ordered)
    wanted = min(max(round(rows * share), 1), rows) if rows else 0
    if not wanted or ordered[0] == ordered[-1]:
        return None
    first, behind = (
        int(np.searchsorted(ordered, ordered[rows - wanted], side)) for side in ("left", "right")
    )
    earlier_is_nearer = wanted - (rows - behind) >= (rows - first) - wanted
    at = first if behind == rows or (first > 0 and earlier_is_nearer) else behind
    return ordered[at]


def _kind_of(column: pa.Array) -> Kind | None:
    """The kind of the first value."""
    return next((kind for kind in _KINDS if _parsed(column[:1], kind) is not None), None)


def _parsed(column: pa.Array, kind: Kind) -> np.ndarray | None:
    """The values, `None` where one is not of this kind."""
    if kind == "number":
        numbers = as_numbers(column)
        if numbers is None or not pc.all(pc.is_finite(numbers)).as_py():
            return None
        return np.asarray(numbers.to_numpy(zero_copy_only=False))
    # Digits beyond microseconds, as nanoseconds of Parquet have them.
    texts = pc.replace_substring_regex(column, r"(\.[0-9]{6})[0-9]+", r"\1")
    try:
        moments = texts.cast(pa.timestamp("us", "UTC" if kind == "zoned" else None))
    except pa.ArrowInvalid:
        return None
    return np.asarray(moments.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _first_wrong(column: pa.Array, kind: Kind) -> int:
    """The place of the first value that is not of this kind; there is one."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        if _parsed(column[low:middle], kind) is None:
            high = middle
        else:
            low = middle
    return low

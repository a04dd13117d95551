"""Slices: the rows of the holdout by the value of an input column.

An entry of [evaluation] slices names a column or, with a `*`, the 0/1 columns that one-hot encoding made of
one (`race_*`). A column of many different numbers is cut into bands of equally many rows, or as [evaluation]
bands says; any other has a slice for each of its most frequent values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Literal

import numpy as np

from automl_evaluation.errors import EvaluationError
from automl_evaluation.labels import code_type
from automl_evaluation.reading import Distinct, Encoder, Part, batches
from automl_evaluation.values import MISSING as READ_AS_MISSING
from automl_evaluation.values import number

MOST_VALUES = 20
FEWEST_NUMBERS_FOR_BANDS = 12
DEFAULT_BANDS = 4
MISSING, OTHERS = "(missing)", "(others)"

Kind = Literal["values", "bands", "one-hot"]


@dataclass
class Slicing:
    """The holdout's rows by one entry: ``codes`` (rows,) count in ``names``."""

    column: str
    kind: Kind
    names: list[str]
    codes: np.ndarray

    def mask(self, code: int) -> np.ndarray:
        """Which rows are of a slice (rows,)."""
        return self.codes == code


def read_slicings(
    inputs: Sequence[Part],
    features: Sequence[str],
    wanted: Sequence[str],
    bands: dict[str, int | list[float]],
    counts: Sequence[int],
) -> list[Slicing]:
    """The slices of the holdout's inputs; ``counts`` are its rows by part. Raises `EvaluationError`."""
    groups = {entry: columns_of(entry, features) for entry in wanted}
    columns = sorted({column for group in groups.values() for column in group})
    if not columns:
        return []
    read = _read(inputs, features, columns, counts)
    return [_slicing(entry, group, read, bands.get(entry)) for entry, group in groups.items()]


def columns_of(entry: str, features: Sequence[str]) -> list[str]:
    """The columns that an entry names."""
    columns = [entry] if entry in features else []
    if not columns and "*" in entry:
        columns = [name for name in features if fnmatchcase(name, entry)]
    if not columns:
        raise EvaluationError(f"[evaluation] slices: the data set has no column {entry}")
    return columns


@dataclass
class _Column:
    codes: np.ndarray
    texts: list[str]


def _read(
    inputs: Sequence[Part], features: Sequence[str], columns: Sequence[str], counts: Sequence[int]
) -> dict[str, _Column]:
    """Columns of x_test, each value as text."""
    encoders: dict[str, Encoder] = {column: Encoder() for column in columns}
    chunks: dict[str, list[np.ndarray]] = {column: [] for column in columns}
    for part, rows in zip(inputs, counts, strict=True):
        read = 0
        for batch in batches(part, len(features)):
            read += batch.num_rows
            for column in columns:
                chunks[column].append(encoders[column](Distinct.of(batch.column(features.index(column)))))
        if read != rows:
            raise EvaluationError(f"{part.name}: {read} rows of inputs for {rows} labels")
    return {
        column: _column(
            np.concatenate(chunks[column]),
            [value.decode("utf-8", "replace") for value in encoders[column].values],
        )
        for column in columns
    }


def _column(codes: np.ndarray, texts: list[str]) -> _Column:
    """A column whose spellings of a missing value are one value, the empty text."""
    places: dict[str, int] = {}
    table = [places.setdefault("" if text in READ_AS_MISSING else text, len(places)) for text in texts]
    return _Column(np.array(table, dtype=code_type(len(places)))[codes], list(places))


def _slicing(
    entry: str, names: list[str], read: dict[str, _Column], bands: int | list[float] | None
) -> Slicing:
    if names != [entry]:
        return _one_hot(entry, names, [read[name] for name in names])
    column = read[entry]
    numbers = _numbers(column.texts)
    if bands is not None and numbers is None:
        raise EvaluationError(f"[evaluation] bands: {entry} is no column of numbers")
    if numbers is not None and (bands is not None or len(column.texts) >= FEWEST_NUMBERS_FOR_BANDS):
        return _bands(entry, column, numbers, DEFAULT_BANDS if bands is None else bands)
    return _values(entry, column, numbers)


def _numbers(texts: list[str]) -> np.ndarray | None:
    """The texts as numbers, NaN for an empty one; none where one of them is no number."""
    numbers = [number(text) if text else np.nan for text in texts]
    return None if None in numbers else np.array(numbers, dtype=np.float64)


def _values(name: str, column: _Column, numbers: np.ndarray | None) -> Slicing:
    """A slice for each of the most frequent values, and one for the others."""
    rows = np.bincount(column.codes, minlength=len(column.texts))
    kept = np.argsort(-rows, kind="stable")[:MOST_VALUES]
    ranks = np.zeros(len(rows)) if numbers is None else np.nan_to_num(numbers, nan=-np.inf)
    order = sorted(kept, key=lambda code: (ranks[code], column.texts[code]))
    table = np.full(len(column.texts), len(order), dtype=code_type(len(order) + 1))
    table[order] = np.arange(len(order))
    names = [_shown(column.texts[code]) for code in order]
    return Slicing(name, "values", names + ([OTHERS] if len(kept) < len(rows) else []), table[column.codes])


def _shown(text: str) -> str:
    """The name of a value's slice: blanks would not be seen."""
    return (f'"{text}"' if text.isspace() else text) or MISSING


def _bands(name: str, column: _Column, numbers: np.ndarray, bands: int | list[float]) -> Slicing:
    """A slice for each band; ``numbers`` (values,) are the column's values by code."""
    known = np.isfinite(numbers)
    rows = np.bincount(column.codes, minlength=len(numbers))
    edges = (
        np.array(bands, dtype=np.float64)
        if isinstance(bands, list)
        else _edges(numbers[known], rows[known], bands)
    )
    table = np.searchsorted(edges, numbers, "right").astype(code_type(len(edges) + 2))
    table[~known] = len(edges) + 1
    limits = [f"{edge:g}" for edge in edges]
    names = [f"{low} to below {high}" for low, high in pairwise(limits)]
    names = [f"below {limits[0]}", *names, f"{limits[-1]} and above"] if limits else ["all"]
    return Slicing(name, "bands", names + ([] if known.all() else [MISSING]), table[column.codes])


def _edges(numbers: np.ndarray, rows: np.ndarray, bands: int) -> np.ndarray:
    """Edges between bands of about equally many rows, from distinct numbers and the rows that have them."""
    order = np.argsort(numbers)
    reached = rows[order].cumsum()
    places = np.searchsorted(reached, np.arange(1, bands) / bands * rows.sum(), "right")
    edges = np.unique(numbers[order][np.minimum(places, len(order) - 1)]) if len(order) else np.empty(0)
    return edges[edges > numbers.min()] if len(order) else edges  # nothing is below the least value


def _one_hot(entry: str, names: list[str], columns: list[_Column]) -> Slicing:
    """A slice for each column of a group, of the rows with a 1 there; one for rows with none or several."""
    codes = np.zeros(len(columns[0].codes), dtype=code_type(len(columns) + 1))
    hits = np.zeros(len(codes), dtype=np.uint8)
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        numbers = _numbers([{"true": "1", "false": "0"}.get(text.lower(), text) for text in column.texts])
        if numbers is None or not np.isin(numbers[np.isfinite(numbers)], (0, 1)).all():
            raise EvaluationError(f"[evaluation] slices: {entry} takes in {name}, which is not a 0/1 column")
        hit = (numbers == 1)[column.codes]
        codes[hit] = place
        hits += hit
    prefix = entry.split("*")[0]
    shown = [name.removeprefix(prefix) or name for name in names]
    codes[hits != 1] = len(columns)
    return Slicing(entry, "one-hot", shown + ([OTHERS] if (hits != 1).any() else []), codes)

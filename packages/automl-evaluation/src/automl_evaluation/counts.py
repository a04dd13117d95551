"""Rows counted by the combination of codes that they have: a confusion table of any number of dimensions.

A table of truth, candidate and champion has classes^3 cells, of which few occur: only those are kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import sparse

CHUNK_ROWS = 1 << 17
DENSE_CELLS = 1 << 20


@dataclass(frozen=True)
class Counts:
    """``rows[i]`` rows have the codes ``codes[0][i]``, ``codes[1][i]``, ...; no cell is empty.

    ``by_cluster`` (clusters, cells) holds the rows of each group of rows, where they come in groups.
    """

    codes: tuple[np.ndarray, ...]
    rows: np.ndarray
    by_cluster: sparse.csr_array | None = None

    def only(self, *dimensions: int) -> "Counts":
        """The same rows counted by fewer dimensions."""
        chosen = [self.codes[dimension] for dimension in dimensions]
        sizes = [int(column.max(initial=0)) + 1 for column in chosen]
        cells, places = np.unique(np.ravel_multi_index(chosen, sizes), return_inverse=True)
        counted = _unravelled(cells, np.bincount(places, weights=self.rows).astype(np.int64), sizes)
        if self.by_cluster is None:
            return counted
        merged = sparse.csr_array((np.ones(len(places)), (np.arange(len(places)), places)))
        return Counts(counted.codes, counted.rows, self.by_cluster @ merged)


def spans(rows: int) -> Iterator[slice]:
    """Slices that go through so many rows, a chunk at a time."""
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, min(start + CHUNK_ROWS, rows))


def count(columns: Sequence[np.ndarray], sizes: Sequence[int]) -> Counts:
    """Count the rows of code columns (rows,), of which column ``i`` has codes below ``sizes[i]``."""
    size = prod(sizes)
    dense = np.zeros(size, dtype=np.int64) if size <= DENSE_CELLS else None
    cells, rows = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for span in spans(len(columns[0])):
        code = columns[0][span].astype(np.int64)
        for column, width in zip(columns[1:], sizes[1:], strict=True):
            code = code * width + column[span]
        if dense is not None:
            dense += np.bincount(code, minlength=size)
        else:
            cells, rows = _merged(cells, rows, *np.unique(code, return_counts=True))
    if dense is not None:
        cells = np.flatnonzero(dense)
        rows = dense[cells]
    return _unravelled(cells, rows, sizes)


def _merged(
    cells: np.ndarray, counted: np.ndarray, more: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two sparse tables in one."""
    joined, places = np.unique(np.concatenate((cells, more)), return_inverse=True)
    return joined, np.bincount(places, weights=np.concatenate((counted, rows))).astype(np.int64)


def _unravelled(cells: np.ndarray, rows: np.ndarray, sizes: Sequence[int]) -> Counts:
    codes = np.unravel_index(cells, tuple(sizes)) if cells.size else tuple(cells for _ in sizes)
    return Counts(tuple(codes), rows)

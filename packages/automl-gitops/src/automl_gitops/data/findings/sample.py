"""A sample of a table's rows that one pass draws in bounded memory: the same rows of the same table every time."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.hashes import mix

_MOST_ROWS, _LEAST_ROWS = 50_000, 5_000
_CELLS = 3_000_000
_BYTES = 64 * 2**20
_LONG_TEXT = 100  # bytes a row; of longer ones the beginning is kept
_BEGINNING = 40  # characters


class Sample:
    """All rows of a table of moderate size; of a larger one each with a probability that is halved when they become
    too many.
    """

    def __init__(self, columns: int) -> None:
        self._most = int(np.clip(_CELLS // columns, _LEAST_ROWS, _MOST_ROWS))
        self._halvings = 0
        self._rows = 0  # of the table, so far
        self._parts: list[tuple[np.ndarray, pa.RecordBatch, int]] = []  # the last is the bytes of the rows

    def see(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        numbers = np.arange(self._rows, self._rows + batch.num_rows, dtype=np.uint64)
        self._rows += batch.num_rows
        self._parts.append(self._thinned(mix(numbers + np.uint64(1)), batch))
        while self._too_much():
            self._halvings += 1
            self._parts = [self._thinned(keys, part) for keys, part, _ in self._parts]

    def table(self) -> pa.Table:
        """The rows, in the file's order; there was a batch."""
        return pa.Table.from_batches([part for _, part, _ in self._parts]).combine_chunks()

    @property
    def is_whole(self) -> bool:
        """Whether no row was left out."""
        return not self._halvings

    def _thinned(self, keys: np.ndarray, batch: pa.RecordBatch) -> tuple[np.ndarray, pa.RecordBatch, int]:
        if self._halvings:
            kept = np.flatnonzero(keys & np.uint64(2**self._halvings - 1) == 0)
            keys, batch = keys[kept], batch.take(pa.array(kept))
        rows = _short(batch)
        return keys, rows, rows.nbytes

    def _too_much(self) -> bool:
        rows = sum(len(keys) for keys, _, _ in self._parts)
        return rows > self._most or sum(size for _, _, size in self._parts) > _BYTES


def _short(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pc.utf8_slice_codeunits(column, 0, _BEGINNING)
        if column.nbytes > _LONG_TEXT * batch.num_rows
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

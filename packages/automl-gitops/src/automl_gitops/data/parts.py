"""Rows as CSV, and the holdout's files of such."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from automl_gitops.data.buffers import has_any
from automl_gitops.data.lines import Lines
from automl_gitops.data.lock import PART_ROWS, part
from automl_gitops.evaluation.inputs import csv_lines
from automl_gitops.evaluation.layout import GROUP
from automl_gitops.evaluation.values import UNKNOWN
from automl_gitops.kernel.csv_text import write_row

_PLAIN = pa.csv.WriteOptions(include_header=False, quoting_style="none")


def csv_text(columns: Sequence[pa.Array]) -> memoryview | bytes:
    """The rows of string columns without line breaks as CSV lines, quoted as RFC 4180 says; `UNKNOWN` is left empty."""
    columns = [_known(column) for column in columns]
    if len(columns) > 1:
        names = [str(number) for number in range(len(columns))]
        lines = pa.BufferOutputStream()
        # Arrow's writer takes half the time, but quotes all texts or none; then it refuses those that need it.
        with contextlib.suppress(pa.ArrowInvalid):
            pa.csv.write_csv(pa.RecordBatch.from_arrays(columns, names=names), lines, _PLAIN)
            return memoryview(lines.getvalue())
    return csv_lines([column.cast(pa.binary()) for column in columns])


def rows_text(rows: pa.RecordBatch | Lines) -> memoryview | bytes:
    """The same of rows of either kind."""
    return rows.csv() if isinstance(rows, Lines) else csv_text(rows.columns)


def has_unknown(column: pa.Array) -> bool:
    """Whether a value is `UNKNOWN`."""
    return has_any(column, UNKNOWN) and bool(pc.any(pc.equal(column, UNKNOWN)).as_py())


def _known(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, UNKNOWN), "", column) if has_unknown(column) else column


class Parts:
    """x_test (no header) and y_test (header) below ``folder``, in parts of `PART_ROWS` rows: the same rows in the
    same order in both.

    ``columns`` are features and target, ``target`` is one of them; ``files`` are the relative names written so far.
    Where rows are ``grouped``, y_test has a second column `group` of the groups' numbers.
    """

    def __init__(self, folder: Path, columns: Sequence[str], target: str, *, grouped: bool = False) -> None:
        self.files: list[str] = []
        self._folder, self._target, self._grouped = folder, target, grouped
        self._features = [name for name in columns if name != target]
        self._streams: list[IO[bytes]] = []
        self._room = 0

    def add(self, batch: pa.RecordBatch | Lines, groups: np.ndarray | None = None) -> None:
        """Write rows of string columns, with the numbers of their groups (rows,) where they are grouped."""
        truth = [
            batch.column(self._target),
            *([] if groups is None else [pa.array(groups).cast(pa.string())]),
        ]
        inputs = batch.select(self._features)
        done = 0
        while done < batch.num_rows:
            if self._room == 0:
                self._next()
            take = min(self._room, batch.num_rows - done)
            self._streams[0].write(rows_text(inputs.slice(done, take)))
            self._streams[1].write(csv_text([column.slice(done, take) for column in truth]))
            done, self._room = done + take, self._room - take

    def close(self) -> None:
        """Close the part that is open."""
        for stream in self._streams:
            stream.close()

    def _next(self) -> None:
        self.close()
        number, self._streams = len(self.files) // 2, []
        for name in (f"x_test/{part(number)}", f"y_test/{part(number)}"):
            file = self._folder / name
            file.parent.mkdir(exist_ok=True)
            self._streams.append(file.open("wb"))
            self.files.append(name)
        self._streams[1].write(write_row([self._target, *([GROUP] if self._grouped else [])]))
        self._room = PART_ROWS

"""Rows as CSV: written, or cut out of a CSV file as they stand in it, which takes less time; and the holdout's files.

To cut them out is right where no value needs a quote: without its quotes and carriage returns the file is then what
`csv_text` writes, unless it has empty lines or `?` for no value.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from automl_evaluation.inputs import csv_lines
from automl_evaluation.layout import GROUP
from automl_evaluation.values import UNKNOWN
from automl_gitops.data.buffers import has_any, text_bytes
from automl_gitops.data.lock import PART_ROWS, part
from automl_gitops.data.table import BLOCK, Table
from automl_gitops.kernel.csv_text import write_row

_PLAIN = pa.csv.WriteOptions(include_header=False, quoting_style="none")
_COMMA, _END = b",\n"
_DROPPED = b'"\r'


def csv_text(columns: Sequence[pa.Array]) -> memoryview | bytes:
    """The rows of string columns without line breaks as CSV lines, quoted as RFC 4180 says; `UNKNOWN` is left empty."""
    columns = [_known(column) for column in columns]
    if len(columns) > 1:
        names = [str(number) for number in range(len(columns))]
        lines = pa.BufferOutputStream()
        # Arrow's writer takes half the time, but quotes all texts or none; then it refuses those that need it.
        with suppress(pa.ArrowInvalid):
            pa.csv.write_csv(pa.RecordBatch.from_arrays(columns, names=names), lines, _PLAIN)
            return memoryview(lines.getvalue())
    return csv_lines([column.cast(pa.binary()) for column in columns])


def has_unknown(column: pa.Array) -> bool:
    """Whether a value is `UNKNOWN`."""
    return has_any(column, UNKNOWN) and bool(pc.any(pc.equal(column, UNKNOWN)).as_py())


def _known(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, UNKNOWN), "", column) if has_unknown(column) else column


class OtherTextError(Exception):
    """The file is not what it was."""


class SourceText:
    """What of a table's file may be taken as it stands: batch after batch, in their order, until one may not.

    ``sizes`` are the rows and bytes of each batch so far, `None` once a batch was none of these.
    """

    def __init__(self, table: Table) -> None:
        dialect = table.dialect
        plain = dialect is None or (dialect.delimiter == "," and dialect.is_utf_8)
        fits = plain and table.format == "csv" and len(table.columns) > 1
        self.sizes: list[tuple[int, int]] | None = [] if fits else None
        self._texts = _texts(table.path, table.columns)

    def text(self, batch: pa.RecordBatch) -> bytes | None:
        """The next batch as `csv_text` writes it.

        Both begin at the same byte of the file. As many commas and line ends as values: none stands in a value or on an
        empty line, and both end at the same byte. As many bytes as the values have: no quote was one of a value's. Only
        rows of no value at all pass for empty lines, and these are refused, since they lack a label.
        """
        if self.sizes is None:
            return None
        text, rows = next(self._texts, b""), batch.num_rows
        ends = rows * batch.num_columns
        size = ends + sum(len(text_bytes(column)) for column in batch.columns)
        if len(text) != size or np.count_nonzero(_are_ends(text)) != ends or _has_unknown(text):
            self.sizes = None
            return None
        self.sizes.append((rows, size))
        return text


def _are_ends(text: bytes) -> np.ndarray:
    content = np.frombuffer(text, np.uint8)
    return (content == _COMMA) | (content == _END)


def _has_unknown(text: bytes) -> bool:
    """Whether a value is `values.UNKNOWN`, of two or more columns."""
    return b"?" in text and (text.startswith(b"?,") or any(one in text for one in (b",?,", b",?\n", b"\n?,")))


@dataclass(frozen=True)
class Lines:
    """The ``rows`` (numbers) of a ``text`` (uint8), of the columns ``names`` at the rising ``places`` among all.

    ``starts`` has where each value of a row begins, and behind them where its line ends: int32, (all rows, all
    columns + 1).
    """

    text: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    names: Sequence[str]
    places: Sequence[int]

    @classmethod
    def of(cls, text: bytes, names: Sequence[str], rows: int) -> "Lines":
        """All columns of a text of so many rows. Raises `OtherTextError` where it has others."""
        ends = np.flatnonzero(_are_ends(text))
        if len(ends) != rows * len(names):
            raise OtherTextError
        starts = np.zeros((rows, len(names) + 1), np.int32)
        np.add(ends.reshape(rows, len(names)), 1, out=starts[:, 1:], casting="same_kind")
        starts[1:, 0] = starts[:-1, -1]
        return cls(np.array(np.frombuffer(text, np.uint8)), starts, np.arange(rows), names, range(len(names)))

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def select(self, names: Sequence[str]) -> "Lines":
        """Some of the columns, in their order here."""
        return replace(self, names=names, places=[self._place(name) for name in names])

    def filter(self, chosen: pa.Array) -> "Lines":
        """The rows that are true."""
        return replace(self, rows=self.rows[chosen.to_numpy(zero_copy_only=False)])

    def slice(self, start: int, rows: int) -> "Lines":
        """So many rows from one on."""
        return replace(self, rows=self.rows[start : start + rows])

    def column(self, name: str) -> pa.Array:
        """The values of a column, as strings."""
        place = self._place(name)
        return self._cut(self.starts[:, [place, place + 1]][self.rows] - np.array([0, 1], np.int32))

    def csv(self) -> memoryview:
        """The rows as CSV lines."""
        bounds = np.diff(np.isin(np.arange(-1, self.starts.shape[1]), self.places))
        ends = self.starts[:, np.flatnonzero(bounds)][self.rows]
        last = ends[:, -1] - 1
        before = self.text[last[:1]]
        if bytes(before) == b",":
            self.text[last] = _END
        found = text_bytes(self._cut(ends))
        self.text[last] = before
        return found.data

    def _place(self, name: str) -> int:
        return self.places[list(self.names).index(name)]

    def _cut(self, ends: np.ndarray) -> pa.Array:
        """What lies between the first and the second of ``ends`` (rows, 2 n), the third and the fourth, and so on."""
        offsets = np.ascontiguousarray(ends, np.int32).ravel()
        if not len(offsets):
            return pa.array([], pa.string())
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.text)]
        parts = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
        return parts.take(pa.array(np.arange(0, len(parts), 2)))


def lines(path: Path, columns: Sequence[str], sizes: Sequence[tuple[int, int]]) -> Iterator[Lines]:
    """A file's rows, in pieces of `SourceText.sizes`. Raises `OtherTextError` where the file has others by now."""
    texts = _texts(path, columns)
    for rows, size in sizes:
        text = next(texts, b"")
        if len(text) != size:
            raise OtherTextError
        yield Lines.of(text, columns, rows)
    if next(texts, None):
        raise OtherTextError


def _texts(path: Path, columns: Sequence[str]) -> Iterator[bytes]:
    """A file's whole lines without quotes and carriage returns, in pieces: those behind its header, which is the first
    line; none where it is not, and none any more where a carriage return may end a row by itself.
    """
    header = ",".join(columns).encode()
    for number, block in enumerate(_blocks(path)):
        if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
            return
        text = block.translate(None, _DROPPED) if any(one in block for one in (b'"', b"\r")) else block
        if number == 0:
            first, _, text = text.removeprefix(BOM_UTF8).partition(b"\n")
            if first != header:
                return
        if text:
            yield text if text.endswith(b"\n") else text + b"\n"


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, cut as Arrow cuts them; no more where the file cannot be read, which parsing it says."""
    with suppress(OSError), path.open("rb") as file:
        left, block = b"", file.read(BLOCK)
        while block:
            coming, block = file.read(BLOCK), left + block
            end = block.rfind(b"\n") + 1 if coming else len(block)
            yield block[:end]
            left, block = block[end:], coming


def rows_text(rows: pa.RecordBatch | Lines) -> memoryview | bytes:
    """Rows of either kind as CSV lines."""
    return rows.csv() if isinstance(rows, Lines) else csv_text(rows.columns)


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

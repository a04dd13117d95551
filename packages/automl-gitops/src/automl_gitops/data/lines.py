"""Rows cut out of a CSV file as they stand in it, which takes a third of the time of parsing and writing them.

That is right where no value needs a quote: a file without its quotes and carriage returns is then what `parts.csv_text`
writes, or longer, such as by an empty line, or by `?` for no value. So the sizes of what was written tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl_gitops.data.buffers import text_bytes
from automl_gitops.data.table import BLOCK, Table

_COMMA, _END, _QUOTE = b',\n"'
_DROPPED = b'"\r'


class OtherTextError(Exception):
    """The file is not the text that was written of it."""


class Sizes:
    """The rows and bytes of the text written of each batch of a table; `None` where no row can be cut out."""

    def __init__(self, table: Table) -> None:
        dialect, self._table = table.dialect, table
        plain = dialect is None or (dialect.delimiter == "," and dialect.is_utf_8)
        fits = plain and table.format == "csv" and len(table.columns) > 1
        self.found: list[tuple[int, int]] | None = [] if fits else None

    def add(self, rows: int, text: memoryview | bytes) -> None:
        """Take in what was written of the next batch."""
        if self.found is not None:
            self.found.append((rows, len(text)))
            if self._table.broken or (np.frombuffer(text, np.uint8) == _QUOTE).any():
                self.found = None


@dataclass(frozen=True)
class Lines:
    """Rows of a ``text`` (uint8), of the columns ``names`` at the rising ``places`` among all.

    ``starts`` has where each value of a row begins, and behind them where its line ends: int32, (rows, columns + 1).
    """

    text: np.ndarray
    starts: np.ndarray
    names: Sequence[str]
    places: Sequence[int] = field(default=())

    @classmethod
    def of(cls, text: np.ndarray, names: Sequence[str]) -> "Lines":
        """All rows and columns of a text."""
        ends = np.flatnonzero((text == _COMMA) | (text == _END)).astype(np.int32).reshape(-1, len(names))
        starts = np.zeros((len(ends), len(names) + 1), np.int32)
        starts[:, 1:] = ends + 1
        starts[1:, 0] = starts[:-1, -1]
        return cls(text, starts, names, range(len(names)))

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return len(self.starts)

    def select(self, names: Sequence[str]) -> "Lines":
        """Some of the columns, in their order here."""
        return replace(self, names=names, places=[self.places[list(self.names).index(name)] for name in names])

    def filter(self, chosen: pa.Array) -> "Lines":
        """The rows that are true."""
        return replace(self, starts=self.starts[chosen.to_numpy(zero_copy_only=False)])

    def slice(self, start: int, rows: int) -> "Lines":
        """So many rows from one on."""
        return replace(self, starts=self.starts[start : start + rows])

    def column(self, name: str) -> pa.Array:
        """The values of a column, as strings."""
        place = self.places[list(self.names).index(name)]
        return self._cut(self.starts[:, [place, place + 1]] - np.array([0, 1], np.int32))

    def csv(self) -> np.ndarray:
        """The rows as CSV lines: uint8."""
        kept = np.diff(np.isin(np.arange(-1, self.starts.shape[1]), self.places).astype(int))
        last = self.starts[:, self.places[-1] + 1] - 1
        before = self.text[last]
        self.text[last] = _END
        found = text_bytes(self._cut(self.starts[:, np.flatnonzero(kept)]))
        self.text[last] = before
        return found

    def _cut(self, ends: np.ndarray) -> pa.Array:
        """What lies between the first and the second of ``ends`` (rows, 2 n), the third and the fourth, and so on."""
        offsets = np.ascontiguousarray(ends, np.int32).ravel()
        if not len(offsets):
            return pa.array([], pa.string())
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.text)]
        parts = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
        return parts.filter(pa.array(np.arange(len(parts)) % 2 == 0))


def lines(path: Path, columns: Sequence[str], sizes: Sequence[tuple[int, int]]) -> Iterator[Lines]:
    """A file's rows, in pieces of such ``sizes``. Raises `OtherTextError` where it is not the text that has these."""
    coming, header = iter(sizes), True
    for block in _blocks(path):
        text = block.partition(b"\n")[2] if header else block
        header = False
        if text:
            text = text.translate(None, _DROPPED) if any(one in text for one in (b'"', b"\r")) else text
            text += b"" if text.endswith(b"\n") else b"\n"
            rows, size = next(coming, (0, 0))
            if len(text) != size or text.count(b"\n") != rows:
                raise OtherTextError
            yield Lines.of(np.array(np.frombuffer(text, np.uint8)), columns)
    if next(coming, None):
        raise OtherTextError


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, cut as Arrow cuts them."""
    with path.open("rb") as file:
        left, block = b"", file.read(BLOCK)
        while block:
            coming, block = file.read(BLOCK), left + block
            end = block.rfind(b"\n") + 1 if coming else len(block)
            yield block[:end]
            left, block = block[end:], coming

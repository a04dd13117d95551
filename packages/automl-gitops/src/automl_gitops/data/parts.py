"""The holdout as two sets of files: what the model gets, and what is true."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PART_ROWS = 200_000  # several parts let several instances work


def part(number: int) -> str:
    """The name of a part, counted from 0."""
    return f"part-{number:05}.csv"


class Parts:
    """x_test (no header) and y_test (header) below ``folder``, in parts of `PART_ROWS` rows: the same rows in the
    same order in both.

    ``columns`` are the table's, ``target`` is one of them; ``files`` are the relative names written so far.
    """

    def __init__(self, folder: Path, columns: Sequence[str], target: str) -> None:
        self.files: list[str] = []
        self._folder, self._target = folder, target
        self._features = [name for name in columns if name != target]
        self._streams: list[IO[bytes]] = []
        self._room = 0

    def add(self, batch: "pa.RecordBatch") -> None:
        """Write rows of string columns."""
        # Checks of the files need the names of the parts, but not pyarrow.
        from automl_gitops.data import lines

        x, y = (lines.lines(batch.select(names).columns) for names in (self._features, [self._target]))
        done = 0
        while done < len(x):
            if self._room == 0:
                self._next()
            take = min(self._room, len(x) - done)
            for stream, rows in zip(self._streams, (x, y), strict=True):
                stream.write(lines.content(rows.slice(done, take)))
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
        from automl_gitops.data import lines

        self._streams[1].write(lines.header([self._target]))
        self._room = PART_ROWS

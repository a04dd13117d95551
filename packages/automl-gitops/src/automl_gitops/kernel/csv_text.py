"""Rows of CSV text, read and written in one way (RFC 4180) by whatever runs on the runner without pandas or Arrow.

Tables of any size are Arrow's, see `data.table` and `data.prepared`; the evaluation and the rehearsal's first look run
where this package's kernel is not to be imported, and have readers of their own.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence


def read_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number (from 1) of the line on which it ends.

    Raises `ValueError` with that number where a quoted value does not end, or goes on after its quote.
    """
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def write_row(row: Sequence[str]) -> bytes:
    """A row as one line, with its line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue().encode()

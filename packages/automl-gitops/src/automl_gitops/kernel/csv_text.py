"""Rows of CSV text, read and written in one way (RFC 4180) by whatever runs on the runner without pandas or Arrow.

Tables of any size are Arrow's, see `data.table` and `data.prepared`; the evaluation runs where this package's kernel is
not to be imported, and has readers of its own.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

DELIMITERS = {"semicolons": ";", "tabs": "\t", "bars": "|"}
START = 4 * 2**20  # characters within which a header ends

csv.field_size_limit(2**31 - 1)  # a value may be long: rows have a bound of their own


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


def first_rows(start: str, delimiter: str) -> tuple[list[list[str]], str]:
    """Up to two rows that are not empty, and why reading broke off: of text that may end amid a row."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(start, newline=""), strict=True, delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == 2:
                break
    except csv.Error as error:
        return rows, "" if rows else str(error)
    return rows, ""


def other_delimiter(start: str, by_commas: list[list[str]]) -> str | None:
    """What separates columns where commas do not: two rows agree on it, and have more columns than with commas."""
    commas = len(by_commas[0]) if by_commas and len({len(row) for row in by_commas}) == 1 else 1
    for mark, delimiter in DELIMITERS.items():
        if delimiter not in start:
            continue
        rows, refused = first_rows(start, delimiter)
        widths = {len(row) for row in rows}
        if rows and not refused and len(widths) == 1 and widths.pop() > commas:
            return mark
    return None


def write_row(row: Sequence[str]) -> bytes:
    """A row as one line, with its line end; never one of blanks alone, which many readers pass over."""
    text = io.StringIO()
    blank = len(row) == 1 and row[0].isspace()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if blank else csv.QUOTE_MINIMAL).writerow(row)
    return text.getvalue().encode()

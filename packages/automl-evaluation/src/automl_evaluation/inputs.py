"""The holdout's inputs: checked before a transform is paid for, and cut to the columns that a model reads."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation.errors import EvaluationError
from automl_evaluation.reading import Part, batches, text_bytes

BLOCK_BYTES = 1 << 24
# Values pass from one CSV to another byte by byte, whatever their encoding.
ENCODING = "latin-1"
_SPECIAL = b'",\r\n'
_BLANK = r"^[\s\x0b]*$"


def check_lines(inputs: Sequence[Part], counts: Sequence[int]) -> None:
    """Raise `EvaluationError` unless each part of the inputs has a line for every label; ``counts`` are by
    part.

    Batch transform takes each line for a row, quoted or not.
    """
    if len(inputs) != len(counts):
        raise EvaluationError(f"x_test has {len(inputs)} parts, y_test has {len(counts)}")
    for part, rows in zip(inputs, counts, strict=True):
        lines = _lines(part)
        if lines != rows:
            broken = _first_broken(part)
            why = (
                f"; row {broken} holds a line break, and batch transform takes each line for a row"
                if broken
                else ""
            )
            raise EvaluationError(f"{part.name}: {lines} lines of inputs for {rows} labels{why}")


def _lines(part: Part) -> int:
    lines, last = 0, b"\n"
    with part.path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def _first_broken(part: Part) -> int | None:
    """The number of the first row that takes more than one line."""
    with part.path.open(encoding=ENCODING, newline="") as file:
        reader, before = csv.reader(file), 0
        for number, _ in enumerate(reader, 1):
            if reader.line_num > before + 1:
                return number
            before = reader.line_num
    return None


def select(part: Part, columns: int, chosen: Sequence[int], path: Path) -> None:
    """Write some columns of a part of so many, in the order of their positions ``chosen``.

    Raises `EvaluationError` for a row of another number of fields, with its number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for batch in batches(part, columns):
            file.write(csv_lines([batch.column(position) for position in chosen]))


def csv_lines(columns: Sequence[pa.Array]) -> bytes:
    """The rows of binary columns as CSV, a line each, quoted where RFC 4180 says so.

    No line is empty or of blanks alone, which many readers pass over.
    """
    fields = [_quoted(column) for column in columns]
    if len(fields) == 1:
        blank = pc.match_substring_regex(fields[0], _BLANK)
        fields = [pc.if_else(blank, pc.binary_join_element_wise(b'"', fields[0], b'"', b""), fields[0])]
    joined = pc.binary_join_element_wise(*fields, b",") if len(fields) > 1 else fields[0]
    return text_bytes(pc.binary_join_element_wise(joined, b"\n", b""))


def _quoted(column: pa.Array) -> pa.Array:
    content = text_bytes(column)  # a look at which takes a fiftieth of a regular expression's time
    if not any(one in content for one in _SPECIAL):
        return column
    special = pc.match_substring_regex(column, b"[" + _SPECIAL + b"]")
    doubled = pc.replace_substring(column, b'"', b'""')
    return pc.if_else(special, pc.binary_join_element_wise(b'"', doubled, b'"', b""), column)


def write(target: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Rows as CSV, one a line; none of them a line of blanks alone, which many readers pass over."""
    writer = csv.writer(target, lineterminator="\n")
    quoting = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoting if len(row) == 1 and row[0].isspace() else writer).writerow(row)

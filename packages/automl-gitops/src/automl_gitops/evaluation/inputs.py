"""The holdout's inputs: checked before a transform is paid for, and cut to the columns that a model reads."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from automl_gitops.evaluation.errors import EvaluationError
from automl_gitops.evaluation.reading import Part

BLOCK_BYTES = 1 << 24
# Values pass from one CSV to another byte by byte, whatever their encoding.
ENCODING = "latin-1"


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
    with (
        part.path.open(encoding=ENCODING, newline="") as source,
        path.open("w", encoding=ENCODING, newline="") as target,
    ):
        try:
            write(target, _chosen(part, csv.reader(source), columns, chosen))
        except csv.Error as error:
            raise EvaluationError(f"{part.name}: not readable as CSV ({error})") from None


def _chosen(
    part: Part, rows: Iterable[list[str]], columns: int, chosen: Sequence[int]
) -> Iterable[list[str]]:
    for number, row in enumerate(rows, 1):
        if len(row) != columns:
            raise EvaluationError(
                f"{part.name}, row {number}: {len(row)} fields where {columns} were expected"
            )
        yield [row[position] for position in chosen]


def write(target: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Rows as CSV, one a line; none of them a line of blanks alone, which many readers pass over."""
    writer = csv.writer(target, lineterminator="\n")
    quoting = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoting if len(row) == 1 and row[0].isspace() else writer).writerow(row)

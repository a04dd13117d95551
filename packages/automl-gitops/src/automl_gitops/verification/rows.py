"""Rows of a CSV file as an endpoint wants them: no header, no target, in the training data's order of
columns.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from automl_gitops.kernel.errors import UserError

# A request takes 6 MB on instances and 4 MB serverless, and 60 s; large batches gain nothing on the way.
# Source: Amazon SageMaker AI API reference, InvokeEndpoint, and the developer guide's page on serverless
# inference.
MAX_BYTES = 3_500_000
MAX_ROWS = 500


def read_rows(path: Path, columns: Sequence[str], target: str) -> Iterator[list[str]]:
    """The rows of a CSV file without the target, in the order of the training data's ``columns`` (target
    included).

    A header is recognised by its names; then columns may come in any order, and others beside them. Without
    one a row has a value for each column, or for each but the target. Raises `UserError` with the line's
    number where it does not.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(csv.reader(file, strict=True), path, columns, target)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path}: cannot be read as CSV ({reason})") from None


def _rows(reader: Any, path: Path, columns: Sequence[str], target: str) -> Iterator[list[str]]:
    order: list[int] = []
    width = count = 0
    for row in reader:
        if not row:
            continue
        if not order:
            order, is_header = _order(row, path, columns, target)
            width = len(row)
            if is_header:
                continue
        if len(row) != width:
            raise UserError(
                f"{path}: line {reader.line_num} has {len(row)} values, the lines before it {width}"
            )
        count += 1
        yield [row[index] for index in order]
    if not count:
        raise UserError(f"{path}: has no row")


def _order(first: Sequence[str], path: Path, columns: Sequence[str], target: str) -> tuple[list[int], bool]:
    """Which values of a row to send, in order, as the file's first row says; and whether that is a header."""
    features = [name for name in columns if name != target]
    if len(set(first) & set(columns)) * 2 >= len(first):
        missing = [name for name in features if name not in first]
        if missing:
            raise UserError(f"{path}: the header lacks {', '.join(missing)}; the model was trained with it")
        return [first.index(name) for name in features], True
    if len(first) == len(features):
        return list(range(len(features))), False
    if len(first) == len(columns):
        return [columns.index(name) for name in features], False
    raise UserError(
        f"{path}: line 1 has {len(first)} values instead of {len(features)} ({', '.join(features)}); "
        "in a file with a header the columns may be in any order, and others beside them"
    )


def csv_line(row: Sequence[str]) -> bytes:
    """A row as one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue().encode()


def batches(
    rows: Iterable[Sequence[str]], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> Iterator[bytes]:
    """Rows as CSV bodies, each of at most ``max_rows`` rows and ``max_bytes`` bytes."""
    body, count = bytearray(), 0
    for number, row in enumerate(rows, start=1):
        line = csv_line(row)
        if len(line) > max_bytes:
            raise UserError(f"row {number} alone has {len(line):,} bytes; a request takes {max_bytes:,}")
        if count == max_rows or (body and len(body) + len(line) > max_bytes):
            yield bytes(body)
            body, count = bytearray(), 0
        body += line
        count += 1
    if body:
        yield bytes(body)

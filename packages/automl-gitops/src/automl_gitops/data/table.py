"""Reading a table in batches, every value as the text that stands in the file.

Text keeps labels exactly as they are (`007`, `1.0`, `no`), and batches keep memory bounded for files of any
size.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from automl_gitops.data.buffers import has_any
from automl_gitops.data.formats import WANTED, Format, format_of
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted

_BLOCK = 8 * 2**20  # bytes of a CSV file at a time
_BATCH = 65_536  # rows of a Parquet file at a time
_INDEX = "__index_level_"  # pandas saves the index of a frame as a column of this name


_BREAK = "\r\n|\r|\n"
_START = 4 * 2**20  # characters within which the header ends
_DELIMITERS = {"semicolons": ";", "tabs": "\t", "bars": "|"}


@dataclass
class Table:
    """A file of rows and named columns; nothing but its header has been read.

    ``name`` is what messages call it; ``broken`` counts the values of the last pass that had line breaks.
    """

    path: Path
    name: str
    format: Format
    columns: list[str]
    broken: int = 0

    @classmethod
    def open(cls, path: Path, name: str = "") -> "Table":
        """Look at a file's first bytes and its header; ``name`` is the path's unless given.

        Raises `UserError` where the file is missing, unreadable, empty or no table, or where a column has no
        name or the name of another one.
        """
        name = name or str(path)
        kind = format_of(path, name)
        columns = _parquet_columns(path, name) if kind == "parquet" else _csv_columns(path, kind, name)
        for number, column in enumerate(columns, start=1):
            if len(column.splitlines()) > 1:
                raise UserError(f"{name}: the name of column {number} has a line break: take it out")
            if not column.strip():
                hint = "; pandas writes its index so, unless to_csv(index=False)" if number == 1 else ""
                raise UserError(
                    f"{name}: column {number} has no name in the header: name it or remove it{hint}"
                )
            if columns.count(column) > 1:
                raise UserError(
                    f'{name}: column "{column}" is there {columns.count(column)} times: rename or remove one'
                )
        return cls(path, name, kind, columns)

    def batches(self, only: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in the file's order: a string column for each of ``columns``, or of ``only`` some of them, `""`
        where there is no value.

        A space stands for every line break within a value: batch transform cuts its input at line ends,
        quoted or not, so a row has to be one line. Raises `UserError` at a row that has another number of
        columns, or that is not UTF-8.
        """
        names = self.columns if only is None else list(only)
        source = self._parquet_batches(names) if self.format == "parquet" else self._csv_batches(names)
        self.broken = 0
        for batch in source:
            if batch.num_rows:
                yield pa.RecordBatch.from_arrays(
                    [self._flat(column) for column in batch.columns], names=names
                )

    def _flat(self, column: pa.Array) -> pa.Array:
        if not has_any(column, "\r\n"):
            return column
        self.broken += pc.sum(pc.match_substring_regex(column, _BREAK)).as_py()
        return pc.replace_substring_regex(column, _BREAK, " ")

    def _csv_batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            with (
                _native(self.path, self.format) as stream,
                pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(
                        block_size=_BLOCK,
                        use_threads=False,
                        column_names=self.columns,
                        skip_rows=0,
                        skip_rows_after_names=0,
                    ),
                    parse_options=pa.csv.ParseOptions(newlines_in_values=True),
                    convert_options=pa.csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()),
                        include_columns=names,
                        strings_can_be_null=False,
                    ),
                ) as reader,
            ):
                header = True
                for batch in reader:
                    yield batch.slice(1) if header else batch
                    header = header and not batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(self.name, error) from None

    def _parquet_batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            for batch in pa.parquet.ParquetFile(self.path).iter_batches(_BATCH, columns=names):
                texts = [_text(batch.column(name)) for name in names]
                yield pa.RecordBatch.from_arrays(texts, names=names)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.name, error) from None


def _native(path: Path, kind: str) -> pa.NativeFile:
    """The file as Arrow reads it: a thread of Arrow's that still holds a file of Python's when the process ends
    aborts it.
    """
    file = pa.OSFile(str(path))
    return pa.CompressedInputStream(file, "gzip") if kind == "csv.gz" else file


def _csv_columns(path: Path, kind: str, name: str) -> list[str]:
    try:
        opened = gzip.open if kind == "csv.gz" else Path.open
        with opened(path, mode="rt", encoding="utf-8-sig", newline="") as text:
            start = text.read(_START)
    except UnicodeDecodeError:
        raise UserError(f"{name}: is not UTF-8: save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{name}: cannot be read ({error}): {WANTED}") from None
    found, refused = _first_rows(start, ",")
    mark = _other_delimiter(start, found)
    if mark:
        raise UserError(
            f"{name}: columns are separated by {mark}, and Autopilot reads commas: export it with commas (pandas: "
            f"read_csv(..., sep={_DELIMITERS[mark]!r}), then to_csv(index=False))"
        )
    if refused:
        raise UserError(f"{name}: has no readable header ({refused}): {WANTED}")
    if not found:
        raise UserError(f"{name}: is empty: give a file with a header and rows")
    return found[0]


def _first_rows(start: str, delimiter: str) -> tuple[list[list[str]], str]:
    """Up to two rows that are not empty, and why reading broke off: of text that may end amid a row, with any
    delimiter, where `kernel.csv_text` reads whole texts with commas.
    """
    rows: list[list[str]] = []
    # The header may be long; the default is a limit for one value.
    csv.field_size_limit(max(csv.field_size_limit(), _START))
    try:
        for row in csv.reader(io.StringIO(start, newline=""), strict=True, delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == 2:
                break
    except csv.Error as error:
        return rows, "" if rows else str(error)
    return rows, ""


def _other_delimiter(start: str, found: list[list[str]]) -> str | None:
    """What separates columns where commas do not: two rows agree on it, and have more columns than with commas."""
    commas = len(found[0]) if found and len({len(row) for row in found}) == 1 else 1
    for mark, delimiter in _DELIMITERS.items():
        if delimiter not in start:
            continue
        rows, refused = _first_rows(start, delimiter)
        widths = {len(row) for row in rows}
        if rows and not refused and len(widths) == 1 and widths.pop() > commas:
            return mark
    return None


def _parquet_columns(path: Path, name: str) -> list[str]:
    try:
        schema = pa.parquet.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from None
    for field in schema:
        if pa.types.is_nested(field.type) and not pa.types.is_dictionary(field.type):
            raise UserError(
                f'{name}: column "{field.name}" holds {field.type}, not single values: flatten or remove it'
            )
    return [column for column in schema.names if not column.startswith(_INDEX)]


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return pa.array([""] * len(column), pa.string())
    return pc.fill_null(column.cast(pa.string()), "")


def _unreadable(name: str, error: Exception) -> UserError:
    message = " ".join(str(error).split())
    found = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message)
    if found:
        # The header is the parser's first row.
        where = f"row {int(found[1]) - 1}" if found[1] else "a row"
        return UserError(
            f"{name}: {where} has {counted(int(found[3]), 'column')} instead of {found[2]}: "
            "quote values that contain commas"
        )
    if "UTF8" in message or "UTF-8" in message:
        return UserError(f"{name}: is not UTF-8: save it as UTF-8")
    if "straddling" in message:
        return UserError(
            f"{name}: has a row of more than {_BLOCK // 2**20} MB: is a quote opened that nothing closes?"
        )
    return UserError(f"{name}: cannot be read ({message[:200]}): is the file whole?")

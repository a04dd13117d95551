"""Reading a table in batches, every value as the text that stands in the file.

Text keeps labels exactly as they are (`007`, `1.0`, `no`), and batches keep memory bounded for files of any
size.
"""

import contextlib
import csv
import gzip
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from automl_gitops.data.buffers import has_any, least_byte
from automl_gitops.data.formats import WANTED, Dialect, Format, format_of
from automl_gitops.data.refusals import UNCLOSED, stray_quote, swallowed, title, wrong_width
from automl_gitops.data.statistics import Encoded, Watch
from automl_gitops.kernel.csv_text import DELIMITERS, START, first_rows, other_delimiter
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import quoted, unfit_character

BLOCK = 4 * 2**20  # bytes of a CSV file at a time
_BATCH = 65_536  # rows of a Parquet file at a time
_INDEX = "__index_level_"  # pandas saves the index of a frame as a column of this name


_BREAK = "\r\n|\r|\n"
_LEAST = 4  # delimiters of a value that reads as rows: two lines of prose may have fewer


@dataclass
class Table:
    """A file of rows and named columns; nothing but its header has been read.

    ``name`` is what messages call it; ``broken`` counts the values of the last pass that had line breaks, the first in
    ``broken_row`` (from 1), and ``has_control`` says whether a value had one of the control characters up to them.
    ``swallowed`` says of a value that reads as rows; "" without. ``unused`` columns of a Parquet file may hold what no
    text can be, and are then read as without values; `None` where automl.toml has no say.
    """

    path: Path
    name: str
    format: Format
    columns: list[str]
    dialect: Dialect | None = None
    broken: int = 0
    broken_row: int = 0
    has_control: bool = False
    swallowed: str = ""
    unused: Collection[str] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        name: str = "",
        dialect: Dialect | None = None,
        unused: Collection[str] | None = None,
    ) -> "Table":
        """Look at a file's first bytes and its header; ``name`` is the path's unless given. ``dialect`` is what the
        command's options say, `None` where it has none.

        Raises `UserError` where the file is missing, unreadable, empty or no table, or where a column has no
        name or the name of another one.
        """
        name = name or str(path)
        kind = format_of(path, name, dialect)
        columns = (
            _parquet_columns(path, name, unused)
            if kind == "parquet"
            else _csv_columns(path, kind, name, dialect)
        )
        for number, column in enumerate(columns, start=1):
            if len(column.splitlines()) > 1:
                raise UserError(f"{name}: the name of column {number} has a line break: take it out")
            unfit = unfit_character(column)
            if unfit:
                raise UserError(
                    f"{name}: the name of column {number}, {quoted(column)}, has {unfit}: take it out"
                )
            if not column.strip():
                hint = "; pandas writes its index so, unless to_csv(index=False)" if number == 1 else ""
                raise UserError(
                    f"{name}: column {number} has no name in the header: name it or remove it{hint}"
                )
            if columns.count(column) > 1:
                raise UserError(
                    f'{name}: column "{column}" is there {columns.count(column)} times: rename or remove one'
                )
        return cls(path, name, kind, columns, dialect, unused=unused)

    @property
    def hint(self) -> str:
        """What else a message says where rows may have gone into one value of the last pass; "" where none broke."""
        return (
            f"; row {self.broken_row} has a line break in a value: {UNCLOSED}"
            if self.broken and self.format != "parquet"
            else ""
        )

    def batches(
        self, only: Sequence[str] | None = None, *, checked: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """The rows in the file's order: a string column for each of ``columns``, or of ``only`` some of them, `""`
        where there is no value. ``checked``: all is UTF-8.

        A space stands for every line break within a value: batch transform cuts its input at line ends,
        quoted or not, so a row has to be one line. Raises `UserError` at a row that has another number of
        columns, that is not UTF-8, or of which a quote that is opened by mistake made a value of several rows.
        """
        names = self.columns if only is None else list(only)
        source = (
            self._parquet_batches(names) if self.format == "parquet" else self._csv_batches(names, checked)
        )
        self.broken = rows = 0
        self.has_control = False
        for batch in source:
            if batch.num_rows:
                columns = [
                    self._flat(column, rows, name) for name, column in zip(names, batch.columns, strict=True)
                ]
                rows += batch.num_rows
                yield pa.RecordBatch.from_arrays(columns, names=names)

    def _flat(self, column: pa.Array, before: int, name: str) -> pa.Array:
        if least_byte(column) > ord("\r"):
            return column
        self.has_control = True
        if not has_any(column, "\r\n"):
            return column
        flags = pc.match_substring_regex(column, _BREAK)
        row = before + pc.index(flags, True).as_py() + 1
        self.broken_row = min(self.broken_row, row) if self.broken else row
        self.broken += pc.sum(flags).as_py()
        if not self.swallowed and self.format != "parquet":
            self._look_for_rows(column, flags, before, self.columns.index(name))
        return pc.replace_substring_regex(column, _BREAK, " ")

    def _look_for_rows(self, column: pa.Array, flags: pa.Array, before: int, place: int) -> None:
        """Whether a value is rows, from the column ``place`` of one up to there of another."""
        delimiter, most = (self.dialect or Dialect()).delimiter, len(self.columns) - 1
        values = column.filter(flags)
        breaks = pc.count_substring_regex(values, _BREAK)
        found = pc.count_substring(values, delimiter)
        like = pc.equal(pc.multiply(breaks, most), found)
        for value in values.filter(pc.and_(like, pc.greater_equal(found, _LEAST))).to_pylist():
            lines = re.split(_BREAK, value)
            counts = [line.count(delimiter) for line in lines]
            if counts == [most - place, *[most] * (len(lines) - 2), place]:
                row = before + pc.index(column, value).as_py() + 1
                self._refuse_stray_quote(row, lines[0].split(delimiter)[0])
                self.swallowed = swallowed(row, len(lines))
                return

    def _refuse_stray_quote(self, row: int, opened: str) -> None:
        """Read up to a row as Python does: Arrow takes what is behind a closing quote into the value."""
        dialect, number = self.dialect or Dialect(), -1
        options = {"encoding": "utf-8-sig" if dialect.is_utf_8 else dialect.encoding, "errors": "replace"}
        with _opened(self.path, self.format, "rt", newline="", **options) as text:
            try:
                for one in csv.reader(text, strict=True, delimiter=dialect.delimiter):
                    number += bool(one)
                    if number == row:
                        return
            except csv.Error as error:
                if "expected after" not in str(error):
                    return
                said = stray_quote(f"row {number + 1}", opened if number + 1 == row else "")
                raise UserError(f"{self.name}: {said}") from None

    def _csv_batches(self, names: list[str], checked: bool) -> Iterator[pa.RecordBatch]:
        dialect = self.dialect or Dialect()
        is_open = False  # a quote, at the end of a line of the row that is refused

        def refuse(row: Any) -> str:
            nonlocal is_open
            text = row.text.strip("\r\n")
            opens = re.search(f'(?:^|{re.escape(dialect.delimiter)})"', text)
            is_open = bool(opens and (re.search("[\r\n]", text) or text.count('"') % 2))
            return "error"

        try:
            with (
                _native(self.path, self.format) as stream,
                pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(
                        block_size=BLOCK,
                        use_threads=False,
                        column_names=self.columns,
                        skip_rows=0,
                        skip_rows_after_names=0,
                        encoding="utf8" if dialect.is_utf_8 else dialect.encoding,
                    ),
                    parse_options=pa.csv.ParseOptions(
                        newlines_in_values=True, delimiter=dialect.delimiter, invalid_row_handler=refuse
                    ),
                    convert_options=pa.csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()),
                        include_columns=names,
                        strings_can_be_null=False,
                        check_utf8=not checked,
                    ),
                ) as reader,
            ):
                header = True
                for batch in reader:
                    yield batch.slice(1) if header else batch
                    header = header and not batch.num_rows
        except (pa.ArrowInvalid, OSError, UnicodeError) as error:
            if _is_about_encoding(error):
                raise _undecodable(self.path, self.format, self.name, self.dialect) from None
            raise _unreadable(self.name, error, self._long_row, is_open=is_open) from None

    def _long_row(self) -> str:
        """Which row is longer than a block."""
        number, size, is_open = -1, 0, False
        with _opened(self.path, self.format, "rb") as lines:
            for line in lines:
                if not is_open:
                    number, size = number + 1, 0
                size += len(line)
                is_open ^= line.count(b'"') % 2 == 1
                if size > BLOCK:
                    return f"row {number} is one"
        return "has a row"

    def _parquet_batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            for batch in pa.parquet.ParquetFile(self.path).iter_batches(_BATCH, columns=names):
                texts = [_text(batch.column(name), name, self.name, self.unused) for name in names]
                yield pa.RecordBatch.from_arrays(texts, names=names)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.name, error) from None


def _native(path: Path, kind: str) -> pa.NativeFile:
    """The file as Arrow reads it: a thread of Arrow's that still holds a file of Python's when the process ends
    aborts it.
    """
    file = pa.OSFile(str(path))
    return pa.CompressedInputStream(file, "gzip") if kind == "csv.gz" else file


def _opened(path: Path, kind: str, mode: str, **options: Any) -> Any:
    return (gzip.open if kind == "csv.gz" else Path.open)(path, mode=mode, **options)


def _csv_columns(path: Path, kind: str, name: str, options: Dialect | None) -> list[str]:
    dialect = options or Dialect()
    encoding = "utf-8-sig" if dialect.is_utf_8 else dialect.encoding
    try:
        with _opened(path, kind, "rt", encoding=encoding, newline="") as text:
            start = text.read(START).removeprefix("\ufeff")
    except UnicodeError:
        raise _undecodable(path, kind, name, options) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{name}: cannot be read ({error}): {WANTED}") from None
    found, refused = first_rows(start, dialect.delimiter)
    mark = None if dialect.delimiter in DELIMITERS.values() else other_delimiter(start, found)
    if mark:
        sign = DELIMITERS[mark]
        option = f"add --delimiter {'tab' if sign == chr(9) else repr(sign)}, or " if options else ""
        raise UserError(
            f"{name}: columns are separated by {mark}, and Autopilot reads commas: {option}export it with commas "
            f"(pandas: read_csv(..., sep={sign!r}), then to_csv(index=False))"
        )
    if refused:
        raise UserError(f"{name}: has no readable header ({refused}): {WANTED}")
    if said := title(found):
        raise UserError(f"{name}: {said}")
    if not found:
        raise UserError(f"{name}: is empty: give a file with a header and rows")
    return found[0]


def _parquet_columns(path: Path, name: str, unused: Collection[str] | None) -> list[str]:
    try:
        schema = pa.parquet.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from None
    for field in schema:
        if pa.types.is_nested(field.type) and field.name not in (unused or ()):
            raise UserError(
                f'{name}: column "{field.name}" holds {field.type}, not single values: flatten or remove it'
                + _or_exclude(unused)
            )
    return [column for column in schema.names if not column.startswith(_INDEX)]


def _or_exclude(unused: Collection[str] | None) -> str:
    return "" if unused is None else ", or name it in [dataset] exclude"


def _text(column: pa.Array, name: str, source: str, unused: Collection[str] | None) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return pa.array([""] * len(column), pa.string())
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except pa.ArrowException as error:
        if name in (unused or ()):
            return pa.array([""] * len(column), pa.string())
        raise UserError(
            f'{source}: column "{name}" holds {kind}, which reads as no text ({error}): write it as text, or remove it'
            + _or_exclude(unused)
        ) from None


def _is_about_encoding(error: Exception) -> bool:
    return isinstance(error, UnicodeError) or any(word in str(error) for word in ("UTF8", "UTF-8"))


def _undecodable(path: Path, kind: str, name: str, options: Dialect | None) -> UserError:
    """The first line that is not of the encoding, and what it is in Windows' western one, which Excel writes."""
    dialect = options or Dialect()
    if not dialect.is_utf_8:
        return UserError(f"{name}: is not {dialect.encoding}: give its encoding, or save it as UTF-8")
    with contextlib.suppress(OSError, EOFError, zlib.error), _opened(path, kind, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                word = line[max(0, error.start - 20) : error.start + 20].decode("cp1252", "replace").strip()
                way = "save it as UTF-8"
                if options:
                    way += f"; if its line {number} has {quoted(word)}, add --encoding cp1252"
                return UserError(f"{name}: is not UTF-8 (line {number}): {way}")
    return UserError(f"{name}: is not UTF-8: save it as UTF-8")


def _unreadable(
    name: str, error: Exception, long_row: Callable[[], str] = lambda: "has a row", *, is_open: bool = False
) -> UserError:
    message = " ".join(str(error).split())
    found = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message)
    if found:
        # The header is the parser's first row.
        where = f"row {int(found[1]) - 1}" if found[1] else "a row"
        return UserError(f"{name}: {wrong_width(where, int(found[3]), int(found[2]), is_open=is_open)}")
    if "straddling" in message:
        return UserError(
            f"{name}: {long_row()} of more than {BLOCK // 2**20} MB: is a quote opened that nothing closes?"
        )
    return UserError(f"{name}: cannot be read ({message[:200]}): is the file whole?")


# Work on batches beside what else is done with them, on another core, is a gain: Arrow and NumPy let go of the
# interpreter.
T = TypeVar("T")  # of batches


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """The batches, of which the next one is read meanwhile; ``batches`` are a generator, which is closed."""
    with closing(batches), ThreadPoolExecutor(1, "reading") as pool:  # type: ignore[type-var]
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


@contextmanager
def aside(watches: Sequence[Watch]) -> Iterator[Watch]:
    """A function that hands a batch to all ``watches``, which see the batches in their order, one behind at most.

    What a watch raises is raised at the next batch, or at the end.
    """
    pool = ThreadPoolExecutor(1, "batches")
    last: list[Future[None]] = []

    def work(batch: pa.RecordBatch, encoded: Encoded) -> None:
        for watch in watches:
            watch(batch, encoded)

    def hand_over(batch: pa.RecordBatch, encoded: Encoded) -> None:
        if last:
            last.pop().result()
        last.append(pool.submit(work, batch, encoded))

    try:
        yield hand_over
        if last:
            last.pop().result()
    finally:
        pool.shutdown()

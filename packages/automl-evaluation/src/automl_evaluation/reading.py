"""CSV parts read in batches: the holdout's labels, and what a batch transform answered.

Every value is read as bytes and judged here, not guessed: a label `NA` is a label, and text that is not UTF-8
is found with its row. Rows are counted from 1 in each part, the header not counted. The container has no other
package of the project than this one, so that no other reader of the project can be shared here.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from automl_evaluation.ahead import in_order
from automl_evaluation.clusters import Clusters
from automl_evaluation.errors import EvaluationError
from automl_evaluation.labels import code_type
from automl_evaluation.layout import GROUP
from automl_evaluation.values import GREATEST, number

BLOCK_BYTES = 1 << 21
_BROKEN_ROW = re.compile(r"Row #(\d+): Expected \d+ columns, got (\d+)")  # as pyarrow says it


@dataclass(frozen=True)
class Part:
    """A CSV file and the name under which messages speak of it."""

    path: Path
    name: str


@dataclass
class RowLocator:
    """Turns a row's number over all parts into the part's name and the row's number in it."""

    names: list[str]
    counts: list[int]

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(self.counts)

    def __call__(self, row: int) -> str:
        """Where row ``row`` (from 0) stands, such as `part-00001.csv, row 17`."""
        for name, count in zip(self.names, self.counts, strict=True):
            if row < count:
                return f"{name}, row {row + 1}"
            row -= count
        return f"{self.names[-1]}, after its end" if self.names else "no part"


def parts(folder: Path, title: str) -> list[Part]:
    """The files below a folder in the order of their names. Raises `EvaluationError` where there is none."""
    found = [
        Part(path, f"{title}/{path.relative_to(folder).as_posix()}")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    if not found:
        raise EvaluationError(f"{title}: no file in {folder}")
    return found


def batches(part: Part, columns: int, *, header: bool = False) -> Iterator[pa.RecordBatch]:
    """The rows of a part as batches of binary columns `0`, `1`, ... in the file's order.

    Quoted fields may hold separators and line breaks. Empty lines are rows of one empty field where there is
    a header (a missing label), and nothing where there is none. Raises `EvaluationError` for a row of another
    number of fields, with its number.
    """
    names = [str(column) for column in range(columns)]
    skipped = _header_lines(part, columns) if header else 0
    # The message is read, since a handler of rows is a function of Python's, for which a thread of Arrow's may still
    # want the GIL while the job ends: that aborts it.
    try:
        with pa.csv.open_csv(
            part.path,
            # One thread: only then does the reader number the rows that it refuses.
            read_options=pa.csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=skipped
            ),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=not header),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()), check_utf8=False, strings_can_be_null=False
            ),
        ) as reader:
            yield from (batch for batch in reader if batch.num_rows)
        pa.default_memory_pool().release_unused()
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        broken = _BROKEN_ROW.search(str(error))
        if not broken:
            raise EvaluationError(f"{part.name}: not readable as CSV ({error})") from None
        number, fields = int(broken[1]), broken[2]
        # The reader counts every line that it met, the skipped ones too.
        raise EvaluationError(
            f"{part.name}, row {number - skipped}: {fields} fields where {columns} were expected"
        ) from None


def _header_lines(part: Part, columns: int) -> int:
    """How many lines the header takes (a quoted name may hold line breaks)."""
    fields, lines = header_of(part)
    if len(fields) != columns:
        raise EvaluationError(f"{part.name}: {len(fields)} columns in the header, expected {columns}")
    return lines


def header_of(part: Part) -> tuple[list[str], int]:
    """The names in the header, and how many lines it takes."""
    with part.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        try:
            return next(reader), reader.line_num
        except StopIteration:
            raise EvaluationError(f"{part.name}: empty, not even a header") from None


@dataclass(frozen=True)
class Distinct:
    """The byte strings that occur in an array, and which of them each row has (rows,)."""

    values: list[bytes]
    places: np.ndarray

    @classmethod
    def of(cls, array: pa.Array) -> "Distinct":
        """Of a binary array."""
        if _alike(array):
            return cls(array[:1].to_pylist(), np.zeros(len(array), np.uint8))
        encoded = array.dictionary_encode()
        return cls(encoded.dictionary.to_pylist(), plain(encoded.indices, np.int32))


class Encoder:
    """Gives byte strings numbers in the order in which they are met."""

    def __init__(self) -> None:
        """With no byte string met."""
        self._codes: dict[bytes, int] = {}

    def __call__(self, found: Distinct) -> np.ndarray:
        """The codes of an array's byte strings (rows,), in the smallest type that holds all so far."""
        table = [self._codes.setdefault(value, len(self._codes)) for value in found.values]
        kind = code_type(len(self._codes))
        if len(table) == 1:
            return np.full(len(found.places), table[0], kind)
        return np.array(table, kind)[found.places]

    @property
    def values(self) -> list[bytes]:
        """The byte strings by code."""
        return list(self._codes)


class GroupReader:
    """Gathers the group of each row from the parts' second column, where they have one.

    ``columns`` is how many columns the parts have.
    """

    def __init__(self, found: Sequence[Part]) -> None:
        """Look at the headers. Raises `EvaluationError` where one part has groups and another none."""
        grouped = [header_of(part)[0][1:] == [GROUP] for part in found]
        if any(grouped) and not all(grouped):
            part = found[grouped.index(False)]
            raise EvaluationError(
                f"{part.name}: no column {GROUP}, which {found[grouped.index(True)].name} has"
            )
        self.columns = 1 + any(grouped)
        self._codes: list[np.ndarray] = []
        self._number = 0

    def add(self, batch: pa.RecordBatch, where: Callable[[int], str]) -> None:
        """Take a batch of the parts over. Raises `EvaluationError` for a group that is no code of one."""
        if self.columns == 1:
            return
        column = batch.column(1)
        whole = pc.match_substring_regex(column, r"\A[0-9]{1,9}\z")
        end = len(column) if pc.all(whole).as_py() else whole.to_pylist().index(False)
        codes = plain(column[:end].cast(pa.string()).cast(pa.int64()), np.int64)
        reached = np.maximum.accumulate(np.concatenate(([self._number], codes + 1)))
        early = np.flatnonzero(codes > reached[:-1])
        if early.size or end < len(column):
            row = int(early[0]) if early.size else end
            text = column[row].as_py().decode("utf-8", "replace")
            said = f'the group "{text}" is not' if text else "the group is missing, it should be"
            raise EvaluationError(
                f"{where(row)}: {said} a number from 0 to {reached[row]}: groups are numbered in the order in which "
                "they first appear"
            )
        self._number = int(reached[-1])
        self._codes.append(codes.astype(code_type(self._number)))

    @property
    def clusters(self) -> Clusters | None:
        """The groups of all rows, `None` where the parts have no such column."""
        return Clusters(concatenate(self._codes), self._number) if self._codes else None


@dataclass
class Labels:
    """Labels of rows: ``codes`` (rows,) count in ``texts``; ``place`` says where a row stands."""

    codes: np.ndarray
    texts: list[str]
    place: RowLocator
    clusters: Clusters | None = None


def read_labels(found: Sequence[Part]) -> Labels:
    """The labels of parts, and their groups. Raises `EvaluationError` for a missing or undecodable label."""
    encoder, groups = Encoder(), GroupReader(found)
    codes: list[np.ndarray] = []
    counts: list[int] = []
    for part in found:
        count = 0
        found_in = in_order(_first_column, batches(part, groups.columns, header=True))
        for batch, distinct in found_in:
            codes.append(encoder(distinct))
            groups.add(batch, partial(_row, part.name, count))
            count += batch.num_rows
        counts.append(count)
    place = RowLocator([part.name for part in found], counts)
    joined = concatenate(codes)
    return Labels(joined, decoded(encoder, joined, place, "label"), place, groups.clusters)


def _first_column(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Distinct]:
    return batch, Distinct.of(batch.column(0))


def read_truth(found: Sequence[Part]) -> tuple[np.ndarray, RowLocator, Clusters | None]:
    """The true numbers of label parts (rows,), and their groups. Raises `EvaluationError` as `numbers` does."""
    groups = GroupReader(found)
    values, place = read_numbers(found, header=True, groups=groups)
    return values, place, groups.clusters


def write_labels(folder: Path, labels: Sequence[str], clusters: Clusters | None = None) -> list[Part]:
    """Labels as a part of one column, with groups of two, as `read_labels` and `read_truth` read them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "part-00000.csv"
    rows = [[label] for label in ("label", *labels)]
    if clusters:
        _, first, codes = np.unique(clusters.codes, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))
        groups = [GROUP, *map(str, order[codes])]
        rows = [[*row, group] for row, group in zip(rows, groups, strict=True)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return [Part(path, path.name)]


def read_numbers(
    found: Sequence[Part], header: bool, groups: GroupReader | None = None
) -> tuple[np.ndarray, RowLocator]:
    """The first column of parts as float64 (rows,); ``groups`` takes the second one.

    Raises `EvaluationError` as `numbers` does.
    """
    chunks, counts = [], []
    for part in found:
        count = 0
        for batch in batches(part, groups.columns if groups else 1, header=header):
            place = partial(_row, part.name, count)
            chunks.append(numbers(batch.column(0), place))
            if groups:
                groups.add(batch, place)
            count += batch.num_rows
        counts.append(count)
    values = np.concatenate(chunks) if chunks else np.empty(0)
    return values, RowLocator([part.name for part in found], counts)


def _row(name: str, before: int, row: int) -> str:
    return f"{name}, row {before + row + 1}"


def numbers(column: pa.Array, where: Callable[[int], str]) -> np.ndarray:
    """A binary array as float64 (rows,).

    Raises `EvaluationError` where a value is no finite number, or too large for a sum of squares.
    """
    try:
        values = plain(column.cast(pa.string()).cast(pa.float64()), np.float64)
    except pa.ArrowInvalid:
        values = np.array([_number(value) for value in column.to_pylist()], dtype=np.float64)
    bad = np.flatnonzero(~(np.abs(values) <= GREATEST))
    if bad.size:
        text = column[bad[0]].as_py().decode("utf-8", "replace")
        wrong = "is not a finite number" if not np.isfinite(values[bad[0]]) else f"is beyond {GREATEST:g}"
        said = f'"{text}" {wrong}' if text else "the number is missing"
        raise EvaluationError(f"{where(int(bad[0]))}: {said}")
    return values


def _number(text: bytes) -> float:
    value = number(text.decode("utf-8", "replace"))
    return float("nan") if value is None else value


def plain(array: pa.Array, dtype: type[np.generic]) -> np.ndarray:
    """An array of numbers without missing ones, as it lies in memory (pyarrow's own way imports pandas, a second)."""
    size = np.dtype(dtype).itemsize
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * size)


def text_bytes(column: pa.Array) -> bytes:
    """The values of a binary array, one after the other."""
    places = offsets(column)
    return bytes(column.buffers()[2][int(places[0]) : int(places[-1])].to_pybytes())


def offsets(column: pa.Array) -> np.ndarray:
    """Where the values of a binary array begin in its text, and where the last one ends (rows + 1,)."""
    return np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)


def _alike(column: pa.Array) -> bool:
    """Whether all values of a binary array are the same: its text is then, moved by one of them, the text again."""
    places = offsets(column)
    lengths = np.diff(places)
    if not len(lengths) or (lengths != lengths[0]).any():
        return False
    if not lengths[0]:
        return True
    text = np.frombuffer(column.buffers()[2], np.uint8)[places[0] : places[-1]]
    return bool((text[lengths[0] :] == text[: -lengths[0]]).all())


def concatenate(chunks: list[np.ndarray]) -> np.ndarray:
    """Code arrays as one, in the largest of their types."""
    return np.concatenate(chunks) if chunks else np.empty(0, dtype=np.uint8)


def decoded(encoder: Encoder, codes: np.ndarray, place: RowLocator, what: str) -> list[str]:
    """The encoder's byte strings as text. Raises `EvaluationError` for one that is empty or not UTF-8."""
    texts = []
    for code, value in enumerate(encoder.values):
        wrong = "is missing" if not value else _undecodable(value)
        if wrong:
            raise EvaluationError(f"{place(int(np.argmax(codes == code)))}: the {what} {wrong}")
        texts.append(value.decode("utf-8"))
    return texts


def _undecodable(value: bytes) -> str:
    """What is wrong with the encoding of a text, if anything."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return f"{value!r} is not UTF-8; convert the data set to UTF-8"
    # UTF-16 of Latin letters passes for UTF-8 with a NUL beside every letter.
    return f"{value!r} holds NUL bytes; convert the data set to UTF-8" if b"\0" in value else ""

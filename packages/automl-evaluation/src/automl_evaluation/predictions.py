"""What a model answered for the holdout, by the inference outputs that were asked of it."""

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from automl_evaluation.ahead import in_order
from automl_evaluation.errors import EvaluationError, PredictionError
from automl_evaluation.reading import (
    Distinct,
    Encoder,
    Labels,
    Part,
    RowLocator,
    batches,
    concatenate,
    decoded,
    numbers,
    offsets,
    plain,
    read_numbers,
)

# How far the probabilities of a row may be from 1 in sum: answers are rounded, some are float32.
SUM_TOLERANCE = 1e-2
ROUNDING = 1e-6


@dataclass
class ClassPredictions:
    """Labels of the rows and, where the model gives them, probabilities.

    ``probabilities`` has the shape (classes, rows), its rows in the order of ``probability_labels``.
    ``probability`` (rows,) is the single number of a model that gives no list.
    """

    labels: Labels
    probabilities: np.ndarray | None = None
    probability_labels: list[str] | None = None
    probability: np.ndarray | None = None


def read_class_predictions(
    answers: Sequence[Part], outputs: Sequence[str], counts: Sequence[int]
) -> ClassPredictions:
    """The predictions of a classifier; ``counts`` are the holdout's rows by part.

    Raises `PredictionError` for another number of rows, a missing label and a probability that is missing,
    not finite or outside 0-1, each with its place.
    """
    reader = _ClassReader(outputs, sum(counts))
    try:
        for part, rows in zip(answers, counts, strict=True):
            check_count(part.name, reader.add(part), rows)
        return reader.finish(RowLocator([part.name for part in answers], list(counts)))
    except EvaluationError as error:
        raise PredictionError(str(error)) from None


def read_number_predictions(answers: Sequence[Part], counts: Sequence[int]) -> np.ndarray:
    """The predictions of a regression model, float64 (rows,). Raises `PredictionError` as above."""
    try:
        values, place = read_numbers(answers, header=False)
    except EvaluationError as error:
        raise PredictionError(str(error)) from None
    for name, read, rows in zip(place.names, place.counts, counts, strict=True):
        check_count(name, read, rows)
    return values


def check_count(name: str, predicted: int, rows: int) -> None:
    """Raise `PredictionError` unless a part holds one prediction for each row of the holdout."""
    if predicted != rows:
        raise PredictionError(f"{name}: {predicted} predictions for {rows} rows of the holdout")


class _ClassReader:
    """Gathers the predictions of a classifier batch by batch."""

    def __init__(self, outputs: Sequence[str], rows: int) -> None:
        """For so many rows of the holdout."""
        self._column = {name: index for index, name in enumerate(outputs)}
        self._rows, self._done = rows, 0
        self._encoder = Encoder()
        self._codes: list[np.ndarray] = []
        self._orders = Encoder()
        self._labels: list[str] = []
        self._probabilities: np.ndarray | None = None
        self._probability = np.empty(rows) if "probability" in self._column else None

    def add(self, part: Part) -> int:
        """Read a part; returns its rows."""
        before, read = self._done, batches(part, len(self._column))
        for placed, predicted, orders in in_order(self._parsed, self._placed(part.name, read)):
            self._codes.append(self._encoder(predicted))
            if orders:
                self._reorder(orders, placed)
        return self._done - before

    def _placed(self, name: str, found: Iterable[pa.RecordBatch]) -> Iterator["_Placed"]:
        """The batches of a part with their rows among all rows, and their place in it."""
        before = self._done
        for batch in found:
            place = _Place(name, self._done - before)
            if self._probabilities is None and "probabilities" in self._column and batch.num_rows:
                self._orders(Distinct.of(batch.column(self._column["labels"])[:1]))
                self._labels = self._label_list(0, place(0))
                self._probabilities = np.empty((len(self._labels), self._rows))
            span = slice(self._done, self._done + batch.num_rows)
            self._done = span.stop
            yield batch, span, place

    def _parsed(self, placed: "_Placed") -> "tuple[_Placed, Distinct, Distinct | None]":
        """Write a batch's numbers to their rows; on any thread. Returns its predicted labels and lists of labels."""
        batch, span, place = placed
        predicted, orders = Distinct.of(batch.column(self._column["predicted_label"])), None
        if span.stop > self._rows:  # with more rows than labels the part fails anyway, once they are counted
            return placed, predicted, None
        if self._probabilities is not None:
            orders = Distinct.of(batch.column(self._column["labels"]))
            _add_lists(batch.column(self._column["probabilities"]), self._probabilities[:, span], place)
        if self._probability is not None:
            column = batch.column(self._column["probability"])
            self._probability[span] = numbers(column, place)
            _check_range(self._probability[span], column, "a probability", place)
        return placed, predicted, orders

    def finish(self, place: RowLocator) -> ClassPredictions:
        """All predictions, once every part has been added."""
        codes = concatenate(self._codes)
        labels = Labels(codes, decoded(self._encoder, codes, place, "predicted label"), place)
        return ClassPredictions(labels, self._probabilities, self._labels or None, self._probability)

    def _reorder(self, found: Distinct, placed: "_Placed") -> None:
        """Bring the probabilities of rows that name the labels in another order into that of the first row."""
        _, span, place = placed
        orders = self._orders(found)
        if not orders.any():  # order 0 is that of the whole array
            return
        target = self._probabilities[:, span]  # type: ignore[index]  # there is one as soon as there are labels
        for order in np.unique(orders[orders > 0]):
            rows = np.flatnonzero(orders == order)
            given = self._label_list(int(order), place(int(rows[0])))
            if sorted(given) != sorted(self._labels):
                raise PredictionError(f"{place(int(rows[0]))}: other labels than in the first row: {given}")
            target[:, rows] = target[[given.index(label) for label in self._labels]][:, rows]

    def _label_list(self, order: int, where: str) -> list[str]:
        """The labels of the order that was met as number ``order``, first in the row ``where``."""
        text = self._orders.values[order].decode("utf-8", "replace")
        for parse in (json.loads, ast.literal_eval):
            try:
                values = parse(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(values, list) and values:
                return [str(value) for value in values]
        raise PredictionError(f"{where}: {text!r} is not a list of labels")


@dataclass(frozen=True)
class _Place:
    """Says where a row of a batch stands that begins after ``before`` rows of the part ``name``."""

    name: str
    before: int

    def __call__(self, row: int) -> str:
        return f"{self.name}, row {self.before + row + 1}"


_Placed = tuple[pa.RecordBatch, slice, _Place]


def _add_lists(column: pa.Array, target: np.ndarray, place: _Place) -> None:
    """Write lists such as `[0.2, 0.8]` to ``target`` (classes, rows); their sums are near 1."""
    _parse_lists(column, target, place)
    sums = target.sum(axis=0)
    off = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if off.size:
        raise PredictionError(f"{place(off[0])}: the probabilities sum to {sums[off[0]]:.6g}, not to 1")


def _parse_lists(column: pa.Array, target: np.ndarray, place: _Place) -> None:
    wanted = f"{len(target)} probabilities"
    lists = read_lists(column, len(target))
    if lists is None:
        values = column.to_pylist()
        broken = next(row for row, value in enumerate(values) if len(read_list(value) or ()) != len(target))
        raise PredictionError(_complaint(place(broken), values[broken], wanted))
    for given, row in zip(lists.T, target, strict=True):
        row[:] = given
        _check_range(row, column, wanted, place)


def _check_range(values: np.ndarray, column: pa.Array, wanted: str, place: _Place) -> None:
    if len(values) and values.min() >= -ROUNDING and values.max() <= 1 + ROUNDING:  # no NaN is
        return
    bad = np.flatnonzero(~((values >= -ROUNDING) & (values <= 1 + ROUNDING)))
    if bad.size:
        raise PredictionError(_complaint(place(bad[0]), column[bad[0]].as_py(), wanted))


def _complaint(where: str, value: bytes, wanted: str) -> str:
    return f"{where}: expected {wanted} from 0 to 1, got {value.decode('utf-8', 'replace')!r}"


# Lists of numbers such as `[0.2, 0.8]`, a row each, as a model writes its probabilities.
_OPENED, _CLOSED, _COMMA, _BLANK = b"[], "


def read_lists(column: pa.Array, width: int) -> np.ndarray | None:
    """The lists of a binary column (rows, width); None where one of them is no list of so many numbers."""
    found = _in_place(column, width)
    if found is not None:
        return found
    lists = [read_list(text) for text in column.to_pylist()]
    whole = all(numbers is not None and len(numbers) == width for numbers in lists)
    return np.array(lists, dtype=np.float64).reshape(-1, width) if whole else None


def read_list(text: bytes) -> list[float] | None:
    """The numbers of one list, blanks and quotes around them passed over; None where it is no such list."""
    text = text.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        return None
    try:
        return [float(item.strip(b' "')) for item in text[1:-1].split(b",")]
    except ValueError:
        return None


def _in_place(column: pa.Array, width: int) -> np.ndarray | None:
    """`read_lists`, without a copy of the text; None also for blanks elsewhere than behind a comma.

    Arrow reads numbers where one begins as the one before it ends: here it is told that what stands between two of them
    is a missing value. No step holds the GIL.
    """
    bounds, text = offsets(column), column.buffers()[2]
    ends = bounds[1:] - 1
    if (ends <= bounds[:-1]).any():
        return None
    data = np.frombuffer(text, np.uint8)
    if (data.take(bounds[:-1]) != _OPENED).any() or (data.take(ends) != _CLOSED).any():
        return None
    commas = np.flatnonzero(data[bounds[0] : bounds[-1]] == _COMMA) + bounds[0]
    if len(commas) != len(column) * (width - 1):
        return None
    edges = np.empty((len(column), width, 2), np.int32)  # where each number begins and ends
    edges[:, 0, 0], edges[:, -1, 1] = bounds[:-1] + 1, ends
    edges[:, :-1, 1] = commas.reshape(len(column), width - 1)
    behind = commas + 1
    edges[:, 1:, 0] = (behind + (data.take(behind) == _BLANK)).reshape(len(column), width - 1)
    places = edges.ravel()
    if (places[1:] < places[:-1]).any():  # a comma of another row's
        return None
    parts = len(places) - 1
    every_second = np.full(parts // 8 + 1, 0b01010101, np.uint8)
    buffers = [pa.py_buffer(every_second), pa.py_buffer(places), text]
    try:
        numbers = pa.Array.from_buffers(pa.string(), parts, buffers).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return plain(numbers, np.float64)[::2].reshape(len(column), width)

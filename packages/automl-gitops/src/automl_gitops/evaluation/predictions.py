"""What a model answered for the holdout, by the inference outputs that were asked of it."""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from automl_gitops.evaluation.errors import EvaluationError, PredictionError
from automl_gitops.evaluation.reading import (
    Encoder,
    Labels,
    Part,
    RowLocator,
    batches,
    concatenate,
    decoded,
    numbers,
    plain,
    read_numbers,
    text_bytes,
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
            read = sum(reader.add(part, batch) for batch in batches(part, len(outputs)))
            check_count(part.name, read, rows)
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
        self._part, self._before = "", 0

    def add(self, part: Part, batch: pa.RecordBatch) -> int:
        """Take a batch over; returns its rows."""
        if part.name != self._part:
            self._part, self._before = part.name, self._done
        self._codes.append(self._encoder(batch.column(self._column["predicted_label"])))
        span = slice(self._done, self._done + batch.num_rows)
        if span.stop <= self._rows:  # with more rows than labels the part fails anyway, once they are counted
            if "probabilities" in self._column:
                self._add_lists(
                    batch.column(self._column["probabilities"]), batch.column(self._column["labels"]), span
                )
            if self._probability is not None:
                column = batch.column(self._column["probability"])
                self._probability[span] = numbers(column, self._where)
                self._check_range(self._probability[span], column, "a probability")
        self._done = span.stop
        return int(batch.num_rows)

    def finish(self, place: RowLocator) -> ClassPredictions:
        """All predictions, once every part has been added."""
        codes = concatenate(self._codes)
        labels = Labels(codes, decoded(self._encoder, codes, place, "predicted label"), place)
        return ClassPredictions(labels, self._probabilities, self._labels or None, self._probability)

    def _add_lists(self, column: pa.Array, labels: pa.Array, span: slice) -> None:
        orders = self._orders(labels)
        if self._probabilities is None:
            self._labels = self._label_list(0, 0)
            self._probabilities = np.empty((len(self._labels), self._rows))
        target = self._probabilities[:, span]
        self._parse_lists(column, target)
        sums = target.sum(axis=0)
        off = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
        if off.size:
            raise PredictionError(
                f"{self._where(off[0])}: the probabilities sum to {sums[off[0]]:.6g}, not to 1"
            )
        for order in np.unique(orders[orders > 0]):  # order 0 is that of the whole array
            rows = np.flatnonzero(orders == order)
            given = self._label_list(int(order), int(rows[0]))
            if sorted(given) != sorted(self._labels):
                raise PredictionError(f"{self._where(rows[0])}: other labels than in the first row: {given}")
            target[:, rows] = target[[given.index(label) for label in self._labels]][:, rows]

    def _label_list(self, order: int, row: int) -> list[str]:
        """The labels of the order that was met as number ``order``, first in a batch's row ``row``."""
        text = self._orders.values[order].decode("utf-8", "replace")
        for parse in (json.loads, ast.literal_eval):
            try:
                values = parse(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(values, list) and values:
                return [str(value) for value in values]
        raise PredictionError(f"{self._where(row)}: {text!r} is not a list of labels")

    def _parse_lists(self, column: pa.Array, target: np.ndarray) -> None:
        """Write lists such as `[0.2, 0.8]` to ``target`` (classes, rows)."""
        names = [str(number) for number in range(len(target))]
        # Made lines `0.2,0.8` in one pass over the bytes; a broken list is then a broken line.
        lines = text_bytes(column).translate(bytes.maketrans(b"]\n", b"\n;"), b"[ ")
        wanted = f"{len(target)} probabilities"
        try:
            table = pa.csv.read_csv(
                pa.py_buffer(lines),
                read_options=pa.csv.ReadOptions(column_names=names),
                parse_options=pa.csv.ParseOptions(ignore_empty_lines=False),
                convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64())),
            )
        except pa.ArrowInvalid:
            table = None
        if table is None or not table.num_rows == len(column) == lines.count(b"\n"):
            values = column.to_pylist()
            broken = next((row for row, value in enumerate(values) if not _is_list(value, len(target))), 0)
            raise PredictionError(self._complaint(broken, values[broken], wanted)) from None
        for given, row in zip(table.combine_chunks().columns, target, strict=True):
            values = given.chunk(0)
            row[:] = plain(values if not values.null_count else pc.fill_null(values, np.nan), np.float64)
            self._check_range(row, column, wanted)

    def _check_range(self, values: np.ndarray, column: pa.Array, wanted: str) -> None:
        bad = np.flatnonzero(~((values >= -ROUNDING) & (values <= 1 + ROUNDING)))
        if bad.size:
            raise PredictionError(self._complaint(bad[0], column[bad[0]].as_py(), wanted))

    def _complaint(self, row: int, value: bytes, wanted: str) -> str:
        text = value.decode("utf-8", "replace")
        return f"{self._where(row)}: expected {wanted} from 0 to 1, got {text!r}"

    def _where(self, row: int) -> str:
        """The place of a batch's row ``row``."""
        return f"{self._part}, row {self._done - self._before + row + 1}"


def _is_list(text: bytes, length: int) -> bool:
    """Whether a text is a list of so many numbers; for finding the row that the fast reader refused."""
    items = text.strip()
    if not (items.startswith(b"[") and items.endswith(b"]")):
        return False
    try:
        return len([float(item) for item in items[1:-1].split(b",")]) == length
    except ValueError:
        return False

"""What an endpoint is sent and what it answers: rows as bodies of CSV, and answers as predictions.

A row has no header and no target, and its values in the training data's order of columns. A prediction is a mapping
from response key (`predicted_label`, `probability`, ...) to the text of its value.
"""

import ast
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_evaluation import values
from automl_evaluation.layout import Evaluation
from automl_evaluation.metrics import REGRESSION
from automl_gitops.kernel.csv_text import read_rows, write_row
from automl_gitops.kernel.errors import UserError
from automl_gitops.serving.registry import ModelPackage

# A request takes 6 MB on instances and 4 MB serverless, and 60 s; large batches gain nothing on the way.
# Source: Amazon SageMaker AI API reference, InvokeEndpoint, and the developer guide's page on serverless
# inference.
MAX_BYTES = 3_500_000
MAX_ROWS = 500
LABEL = "predicted_label"
VALUE = "prediction"  # of a regression; its containers have no name for it
# Source: Amazon SageMaker AI developer guide, "Inference container definitions for problem types".
_OUTPUT = "SAGEMAKER_INFERENCE_OUTPUT"


def feature_rows(path: Path, columns: Sequence[str], target: str) -> Iterator[list[str]]:
    """The rows of a CSV file without the target, in the order of the training data's ``columns`` (target
    included).

    A header is recognised by its names; then columns may come in any order, and others beside them. Without
    one a row has a value for each column, or for each but the target. A `?` is left empty, as a push leaves it. Raises
    `UserError` with the line's number where it does not.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _features(read_rows(file), path, columns, target)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from None


def _features(
    rows: Iterable[tuple[int, list[str]]], path: Path, columns: Sequence[str], target: str
) -> Iterator[list[str]]:
    order: list[int] = []
    width = count = 0
    for line, row in rows:
        if not order:
            order, is_header = _order(row, path, columns, target)
            width = len(row)
            if is_header:
                continue
        if len(row) != width:
            raise UserError(f"{path}: line {line} has {len(row)} values, the lines before it {width}")
        count += 1
        yield ["" if row[index] == values.UNKNOWN else row[index] for index in order]
    if not count:
        raise UserError(f"{path}: has no row")


def _order(first: Sequence[str], path: Path, columns: Sequence[str], target: str) -> tuple[list[int], bool]:
    """Which values of a row to send, in order, as the file's first row says; and whether that is a header."""
    features = [name for name in columns if name != target]
    known = {name.lower() for name in columns}
    if sum(name.lower() in known for name in first) * 2 >= len(first):
        if twice := [name for name in columns if first.count(name) > 1]:
            raise UserError(f"{path}: the header has {', '.join(twice)} more than once: leave one")
        missing = [name for name in features if name not in first]
        if missing:
            raise UserError(
                f"{path}: the header lacks {', '.join(missing)}, in these letters; the model was trained with it"
            )
        return [first.index(name) for name in features], True
    if len(first) == len(features):
        return list(range(len(features))), False
    if len(first) == len(columns):
        return [columns.index(name) for name in features], False
    raise UserError(
        f"{path}: line 1 has {len(first)} values instead of {len(features)} ({', '.join(features)}); "
        "in a file with a header the columns may be in any order, and others beside them"
    )


def batches(
    rows: Iterable[Sequence[str]], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> Iterator[bytes]:
    """Rows as CSV bodies, each of at most ``max_rows`` rows and ``max_bytes`` bytes."""
    body, count = bytearray(), 0
    for number, row in enumerate(rows, start=1):
        line = write_row(row)
        if len(line) > max_bytes:
            raise UserError(f"row {number} alone has {len(line):,} bytes; a request takes {max_bytes:,}")
        if count == max_rows or (body and len(body) + len(line) > max_bytes):
            yield bytes(body)
            body, count = bytearray(), 0
        body += line
        count += 1
    if body:
        yield bytes(body)


def response_keys(package: ModelPackage) -> list[str]:
    """The names of the values in a line of the answer: of a classifier the label, and what its containers
    were told.

    In a chain of containers the last one that was told writes the answer.
    """
    if package.problem_type == REGRESSION:
        return [VALUE]
    for container in reversed(package.containers):
        told = (container.get("Environment") or {}).get(_OUTPUT, "")
        if told:
            return [key.strip() for key in told.split(",")]
    return [LABEL]


def parse_csv(text: str, keys: Sequence[str]) -> list[dict[str, str]]:
    """Lines of CSV as a mapping from response key to text each. Raises `ValueError` where a line has other
    values.
    """
    return name_values((row for _, row in read_rows(io.StringIO(text))), keys)


def name_values(rows: Iterable[Sequence[str]], keys: Sequence[str]) -> list[dict[str, str]]:
    """As `parse_csv`, of lines that were read already."""
    predictions: list[dict[str, str]] = []
    for number, row in enumerate(rows, start=1):
        if len(row) != len(keys):
            raise ValueError(
                f"line {number} has {len(row)} values instead of {len(keys)} ({', '.join(keys)})"
            )
        predictions.append(dict(zip(keys, row, strict=True)))
    return predictions


def parse_json(text: str, keys: Sequence[str]) -> list[dict[str, str]]:
    """A JSON answer, as `parse_csv` gives it.

    Containers answer with one document (`{"predictions": [{key: value}]}`) or with one a line; a value may be
    a list, which becomes the text that the CSV answer has. Raises `ValueError` for anything else.
    """
    try:
        try:
            documents = [json.loads(text)]
        except json.JSONDecodeError:
            documents = [json.loads(line) for line in text.split("\n") if line.strip()]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    entries: list[Any] = []
    for document in documents:
        entries += _entries(document)
    return [_entry(entry, keys) for entry in entries]


def _entries(document: Any) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("predictions"), list):
        return document["predictions"]
    return document if isinstance(document, list) else [document]


def _entry(entry: Any, keys: Sequence[str]) -> dict[str, str]:
    if not isinstance(entry, dict):
        if len(keys) != 1:
            raise ValueError(
                f"an answer is {json.dumps(entry)[:80]} instead of an object with {', '.join(keys)}"
            )
        return {keys[0]: _text(entry)}
    # Regression containers call the one value `score`.
    if len(entry) == len(keys) == 1:
        return {keys[0]: _text(next(iter(entry.values())))}
    missing = [key for key in keys if key not in entry]
    if missing:
        raise ValueError(f"an answer lacks {', '.join(missing)}")
    return {key: _text(entry[key]) for key in keys}


@dataclass(frozen=True)
class Decider:
    """Decides between two classes by the ``positive`` one's probability, as the evaluation did."""

    positive: str
    threshold: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Decider | None":
        """Of a version; `None` where its model's own label counts."""
        if evaluation.threshold is None or evaluation.positive_class is None:
            return None
        return cls(evaluation.positive_class, evaluation.threshold.value)

    def decide(self, prediction: Mapping[str, str]) -> str:
        """The label that follows from a prediction. Raises `ValueError` where it lacks the two probabilities."""
        try:
            labels = [str(label) for label in ast.literal_eval(prediction["labels"])]
            first, second = zip(
                labels, map(float, ast.literal_eval(prediction["probabilities"])), strict=True
            )
            place = _place(self.positive, labels)
        except (
            KeyError, SyntaxError, TypeError, ValueError, OverflowError, RecursionError, MemoryError,
        ):  # fmt: skip
            raise ValueError(
                f"the threshold of {self.threshold:g} needs two probabilities, one of {self.positive}: {prediction}"
            ) from None
        (positive, probability), (negative, _) = (first, second) if place == 0 else (second, first)
        return positive if probability >= self.threshold else negative


def _place(label: str, labels: list[str]) -> int:
    """Where ``label`` stands in ``labels``: a model may write `1.0` for the data's `1`, `True` for `true`.

    Raises `ValueError` where it does not.
    """
    of_kind = values.kind([label, *labels])
    return [values.key(one, of_kind) for one in labels].index(values.key(label, of_kind))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

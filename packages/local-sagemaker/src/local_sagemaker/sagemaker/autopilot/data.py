"""The training data of a job: read from S3, its columns typed, its target encoded, its rows split."""

from __future__ import annotations

import gzip
import io
import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from botocore.exceptions import ClientError

from local_sagemaker.sagemaker.autopilot.objectives import BINARY, MULTICLASS, REGRESSION
from local_sagemaker.serving import tabular
from local_sagemaker.serving.errors import BadInput
from local_sagemaker.storage import NothingFoundError, Storage

TARGET = "__target__"  # the encoded target's column; no CSV of people's has one of that name
WEIGHT = "__weight__"
# A whole-numbered target with at most so many values is taken for classes.
MAXIMAL_INFERRED_CLASSES = 20
LEAST_VALIDATION_ROWS = 20  # of a channel of their own; fewer where fewer are taken to train on
DATA_TYPES = (
    "numeric",
    "categorical",
    "text",
    "datetime",
)  # of FeatureDataTypes; tuning mode knows "sequence" too


class DataError(Exception):
    """The data, or the time, does not do; the message is the FailureReason of the job."""


@dataclass
class Prepared:
    """What the models are trained on: frames of the features, :data:`TARGET` and perhaps :data:`WEIGHT`.

    The target is float64 for a regression, otherwise the number of its label in ``labels``.
    """

    problem_type: str
    columns: list[dict[str, str]]
    labels: list[str]
    train: pd.DataFrame
    validation: pd.DataFrame
    notes: list[str] = field(default_factory=list)

    @property
    def features(self) -> list[str]:
        """The names of the features, in the order in which a request gives them."""
        return [column["name"] for column in self.columns]


def read(storage: Storage, channel: dict[str, Any]) -> pd.DataFrame:
    """A channel of AutoMLJobInputDataConfig as a frame of text. Raises DataError."""
    source = channel["DataSource"]["S3DataSource"]
    try:
        frames = []
        for item in storage.find(source["S3Uri"], source["S3DataType"]):
            if not item.size:  # a marker, such as Spark's _SUCCESS
                continue
            content = storage.read(item.bucket, item.key)
            frames.append(_frame(content, channel, item.uri))
    except NothingFoundError as error:
        raise DataError(f"ClientError: {error}") from error
    except ClientError as error:
        raise DataError(f"ClientError: {source['S3Uri']} cannot be read: {error}") from error
    if not frames:
        raise DataError(f"ClientError: {source['S3Uri']} has no object with data.")
    for frame in frames[1:]:
        if list(frame.columns) != list(frames[0].columns):
            raise DataError("ClientError: The files of a channel have to have the same columns.")
    return pd.concat(frames, ignore_index=True)


def _frame(content: bytes, channel: dict[str, Any], uri: str) -> pd.DataFrame:
    try:
        if "parquet" in channel.get("ContentType", "text/csv"):
            read = pd.read_parquet(io.BytesIO(content))
            return read.astype(object).where(read.notna(), "").astype(str)
        if channel.get("CompressionType") == "Gzip" or content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        # As text: a label "01" is not the number 1, and True is not 1.0.
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise DataError(f"ClientError: {uri} is not a data set with a header: {error}") from error


def prepare(
    train: pd.DataFrame,
    validation: pd.DataFrame | None,
    request: dict[str, Any],
    specification: dict[str, Any],
) -> Prepared:
    """Frames of text to what is trained on. Raises DataError.

    ``validation`` has the columns of ``train``, and is never trained on; where it is None, a part of ``train`` takes
    its place. ``request`` has target, weight (or None), problem_type (or None), validation_fraction, least_rows and
    mode; ``specification`` is the content of FeatureSpecificationS3Uri, or empty.
    """
    target, weight = request["target"], request["weight"]
    for name in (target, weight):
        if name is not None and name not in train.columns:
            raise DataError(
                f"ClientError: The column {name!r} is not in the header of the training data "
                f"({', '.join(map(str, train.columns[:20]))})."
            )
    if validation is not None:
        _check_header(train, validation)
    train, validation = _one_spelling(train, validation, target)
    notes: list[str] = []
    train = _weighted(_with_target(train, target), weight, notes)
    _check_rows(train, request["least_rows"], "dataset")
    problem_type = request["problem_type"] or infer(train[target])
    names = _feature_names(train, target, weight, specification, request["mode"])
    columns = [{"name": name, "type": _type(train[name], name, specification)} for name in names]
    labels = [] if problem_type == REGRESSION else _labels(train[target])
    _check_target(train[target], target, problem_type, labels)
    frame = _encoded(train, columns, target, weight, labels)
    if validation is None:
        first, second = _split(frame, labels, request["validation_fraction"])
    else:
        known = _weighted(_with_target(validation, target), weight, notes)
        if labels and not known[target].isin(labels).all():
            notes.append(
                "Rows of the validation data with labels that the training data lacks were left out."
            )
            known = known[known[target].isin(labels)]
        least = min(LEAST_VALIDATION_ROWS, request["least_rows"] // 5)
        _check_rows(known, least, "validation dataset")
        first, second = frame, _encoded(known, columns, target, weight, labels)
    return Prepared(problem_type, columns, labels, first, second, notes)


def _one_spelling(
    train: pd.DataFrame, validation: pd.DataFrame | None, target: str
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The frames with one spelling for each class of the target, the most frequent one."""
    frames = [frame for frame in (train, validation) if frame is not None and target in frame.columns]
    counts = pd.concat([frame[target] for frame in frames]).value_counts()
    spellings = tabular.one_spelling([label for label in counts.index if label not in tabular.MISSING])
    changed = {label: spelling for label, spelling in spellings.items() if label != spelling}
    if changed:
        for frame in frames:
            frame[target] = frame[target].map(changed).fillna(frame[target])
    return train, validation


def infer(values: pd.Series) -> str:
    """The problem type of a target: two values are two classes, and so on, as Autopilot infers it."""
    distinct = values.unique()
    if len(distinct) <= 2:
        return BINARY
    numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
    if numbers.isna().any():
        return MULTICLASS
    whole = bool((numbers == numbers.round()).all())
    return MULTICLASS if whole and len(distinct) <= MAXIMAL_INFERRED_CLASSES else REGRESSION


def specification(storage: Storage, uri: str | None) -> dict[str, Any]:
    """The content of FeatureSpecificationS3Uri. Raises DataError."""
    if not uri:
        return {}
    try:
        item = storage.find(uri)[0]
        return json.loads(storage.read(item.bucket, item.key))
    except (NothingFoundError, ClientError, ValueError) as error:
        raise DataError(f"ClientError: The feature specification {uri} cannot be read: {error}") from error


def _check_header(train: pd.DataFrame, validation: pd.DataFrame) -> None:
    wanted, given = list(train.columns), list(validation.columns)
    if wanted != given:
        missing, more = [set(one) - set(other) for one, other in ((wanted, given), (given, wanted))]
        what = [f"lacks {name!r}" for name in sorted(missing)[:3]] + [
            f"adds {name!r}" for name in sorted(more)[:3]
        ]
        raise DataError(
            "ClientError: The validation and training datasets must contain the same headers; the validation dataset "
            f"{' and '.join(what) or 'has them in another order'}."
        )


def _with_target(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    return frame[~frame[target].isin(tabular.MISSING)].reset_index(drop=True)


def _weighted(frame: pd.DataFrame, weight: str | None, notes: list[str]) -> pd.DataFrame:
    """The rows whose weight is a number from 0 on; the service leaves the others out (TabularJobConfig)."""
    if weight is None:
        return frame
    values = pd.to_numeric(frame[weight], errors="coerce")
    valid = np.isfinite(values) & (values >= 0)
    if not valid.all():
        notes.append(f"{int((~valid).sum())} rows without a valid weight in {weight!r} were left out.")
    return frame[valid].reset_index(drop=True)


def _check_rows(frame: pd.DataFrame, least: int, what: str) -> None:
    if len(frame) < least:
        raise DataError(
            f"ClientError: The {what} has {len(frame)} rows with a target. At least {least} rows are required."
        )


def _feature_names(
    frame: pd.DataFrame, target: str, weight: str | None, specification: dict[str, Any], mode: str
) -> list[str]:
    names = [name for name in frame.columns if name not in (target, weight)]
    chosen, types = specification.get("FeatureAttributeNames"), specification.get("FeatureDataTypes", {})
    for name in (*(chosen or ()), *types):
        if name not in names:
            raise DataError(f"ClientError: The feature specification names {name!r}, no feature of the data.")
    if chosen is not None:
        if len(set(chosen)) < len(chosen):
            raise DataError("ClientError: The feature specification names a column twice.")
        names = [name for name in names if name in chosen]
    offered = (*DATA_TYPES, "sequence") if mode == "HYPERPARAMETER_TUNING" else DATA_TYPES
    for name, kind in types.items():
        if name not in names:
            raise DataError(
                f"ClientError: FeatureDataTypes names {name!r}, which is not among FeatureAttributeNames."
            )
        if kind not in offered:
            raise DataError(
                f"ClientError: FeatureDataTypes has {kind!r} for {name!r}, none of {', '.join(offered)}."
            )
    if not names:
        raise DataError("ClientError: The training data has no column beside the target.")
    return names


def _type(values: pd.Series, name: str, specification: dict[str, Any]) -> str:
    declared = specification.get("FeatureDataTypes", {}).get(name)
    if declared is not None:
        return "number" if declared == "numeric" else "text"
    present = values[~values.isin(tabular.MISSING)]
    return "number" if len(present) and pd.to_numeric(present, errors="coerce").notna().all() else "text"


def _labels(values: pd.Series) -> list[str]:
    distinct = [str(value) for value in values.unique()]
    numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
    if numbers.notna().all():
        return [label for _, label in sorted(zip(numbers, distinct, strict=True))]
    return sorted(distinct)


def _check_target(values: pd.Series, target: str, problem_type: str, labels: list[str]) -> None:
    if problem_type == REGRESSION:
        numbers = pd.to_numeric(values, errors="coerce")
        if not np.isfinite(numbers).all():
            wrong = values[~np.isfinite(numbers)].iloc[0]
            raise DataError(f"ClientError: Regression needs a number as target, {target!r} has {wrong!r}.")
    elif len(labels) < 2:
        raise DataError(f"ClientError: The target {target!r} has one value alone, {labels[0]!r}.")
    elif problem_type == BINARY and len(labels) != 2:
        raise DataError(f"ClientError: BinaryClassification needs two classes, {target!r} has {len(labels)}.")


def _encoded(
    frame: pd.DataFrame, columns: list[dict[str, str]], target: str, weight: str | None, labels: list[str]
) -> pd.DataFrame:
    try:
        encoded = tabular.typed(frame, columns)
        if labels:
            encoded[TARGET] = frame[target].map({label: n for n, label in enumerate(labels)}).astype("int64")
        else:
            encoded[TARGET] = tabular.numbers(frame[target])
        if weight is not None:
            encoded[WEIGHT] = tabular.numbers(frame[weight])
    except BadInput as error:
        raise DataError(f"ClientError: {error}.") from error
    return encoded


def _split(frame: pd.DataFrame, labels: list[str], fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn.model_selection import train_test_split

    size = max(1, math.ceil(len(frame) * fraction))
    if not labels:
        return train_test_split(frame, test_size=size, random_state=0)
    counts = frame[TARGET].value_counts()
    single = frame[TARGET].isin(counts[counts < 2].index)  # a class of one row: it can only be trained on
    rest = frame[~single]
    stratify = rest[TARGET] if size >= rest[TARGET].nunique() else None
    first, second = train_test_split(rest, test_size=size, random_state=0, stratify=stratify)
    return pd.concat([first, frame[single]]), second

"""Rows of a request, and of a training file, as a data frame."""

from __future__ import annotations

import io
import json
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute as pc
from pyarrow import csv as arrow_csv

from local_sagemaker.serving.errors import UnreadableRowsError

# How a missing value is written: what pandas reads as one.
MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_MISSING_CELLS = pyarrow.array(MISSING)
_NO_CELL = pyarrow.scalar(None, pyarrow.string())


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def one_spelling(labels: list[str]) -> dict[str, str]:
    """The first spelling of each label's class: in a column of numbers `1`, `1.0` and `01` are one, in one of booleans
    `True` and `true`, since a reader with type inference tells them no more apart.
    Of numbers with fractions 15 digits count.
    """
    plain = [label.strip() for label in labels]
    keys: list[Any] = labels
    if all(label.lower() in ("true", "false") for label in plain):
        keys = [label.lower() for label in plain]
    elif all(_NUMBER.fullmatch(label) and math.isfinite(float(label)) for label in plain):
        whole = not set(".eE") & set("".join(plain))
        keys = [Decimal(label) if whole else float(f"{float(label):.15g}") for label in plain]
    first: dict[Any, str] = {}
    return {label: first.setdefault(key, label) for label, key in zip(labels, keys, strict=True)}


def typed(frame: pd.DataFrame, columns: list[dict[str, Any]]) -> pd.DataFrame:
    """A frame of text as the columns' types say. Raises UnreadableRowsError where a number is none."""
    result = {}
    for column in columns:
        values = frame[column["name"]]
        result[column["name"]] = numbers(values) if column["type"] == "number" else text(values)
    return pd.DataFrame(result, index=frame.index)


def numbers(values: pd.Series) -> pd.Series:
    """Text as float64, missing as NaN. Raises UnreadableRowsError, naming the first row (from 1) that is no number."""
    if values.dtype == object:
        stripped = values.where(~values.isin(MISSING))
        parsed = pd.to_numeric(stripped, errors="coerce").astype("float64")
        wrong = parsed.isna() & stripped.notna()
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise UnreadableRowsError(
                f"row {row + 1}: {values.iloc[row]!r:.100} in column {values.name!r} is not a number"
            )
        # Of the digits pandas makes a number that may be the next one to it.
        return stripped.astype("float64")
    return values.astype("float64")


def text(values: pd.Series) -> pd.Series:
    """Text as it stands, missing as None."""
    as_text = values.where(values.isna(), values.astype(str))
    return as_text.where(~as_text.isin(MISSING), None).astype(object).where(lambda v: v.notna(), None)


def _typed_at_once(table: pyarrow.Table, columns: list[dict[str, Any]]) -> pd.DataFrame | None:
    """As :func:`typed`, all columns of a type together, which takes a tenth of the time; None where a cell is no plain
    number: pandas reads a few spellings more, and says which row is wrong.
    """
    kinds = {kind: [c["name"] for c in columns if (c["type"] == "number") == kind] for kind in (True, False)}
    try:
        blocks = [_block(table, names, number=kind) for kind, names in kinds.items() if names]
    except pyarrow.ArrowInvalid:
        return None
    typed_blocks = [block for block in blocks if block is not None]
    if len(typed_blocks) < len(blocks):
        return None
    if len(typed_blocks) == 1:
        return typed_blocks[0]
    frame, names = pd.concat(typed_blocks, axis=1), [column["name"] for column in columns]
    # To put a row in order takes a third of the time.
    return frame if [*kinds[True], *kinds[False]] == names else frame[names]


def _block(table: pyarrow.Table, names: list[str], *, number: bool) -> pd.DataFrame | None:
    """Columns of text as float64 (missing as NaN) or as objects (missing as None)."""
    cells = pyarrow.chunked_array(
        [chunk for name in names for chunk in table.column(name).chunks], pyarrow.string()
    )
    cells = pc.if_else(pc.is_in(cells, value_set=_MISSING_CELLS), _NO_CELL, cells)
    if not number:
        values = cells.to_numpy()
    else:
        missing = cells.null_count
        values = pc.cast(cells, pyarrow.float64()).to_numpy()
        # A spelling of NaN that is none of a missing value, and a number that is too large for one.
        if np.count_nonzero(~np.isfinite(values)) != missing:
            return None
    return pd.DataFrame(values.reshape(len(names), table.num_rows).T, columns=names)


def from_csv(body: bytes, columns: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows of a CSV without a header, in the columns' order. Raises UnreadableRowsError."""
    if not body.strip():
        raise UnreadableRowsError("the request has no row")
    names = [column["name"] for column in columns]
    try:
        # pandas would fill up a row that is too short.
        table = arrow_csv.read_csv(
            io.BytesIO(body),
            arrow_csv.ReadOptions(column_names=names, use_threads=False),
            arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string())),
        )
    except pyarrow.ArrowInvalid as error:
        raise UnreadableRowsError(f"the request is not a CSV with {len(names)} columns: {error}") from error
    frame = _typed_at_once(table, columns)
    return typed(table.to_pandas(), columns) if frame is None else frame


def from_json(body: bytes, columns: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows of a JSON list: objects by column name, or lists in the columns' order. Raises UnreadableRowsError."""
    try:
        rows = json.loads(body)
    except ValueError as error:
        raise UnreadableRowsError(f"the request is not JSON: {error}") from error
    names = [column["name"] for column in columns]
    if not isinstance(rows, list) or not rows:
        raise UnreadableRowsError("the request is not a list of rows")
    if all(isinstance(row, dict) for row in rows):
        missing = [name for name in names if name not in rows[0]]
        if missing:
            raise UnreadableRowsError(f"column {missing[0]!r} is missing")
        raw = pd.DataFrame(rows)[names]
    elif all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raw = pd.DataFrame(rows, columns=names)
    else:
        raise UnreadableRowsError(f"not every row has the model's {len(names)} columns")
    return typed(raw.astype(object).where(raw.notna(), ""), columns)

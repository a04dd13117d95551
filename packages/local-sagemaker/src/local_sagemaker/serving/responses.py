"""The form of an answer: which keys, and as CSV or JSON.

https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from local_sagemaker.serving.errors import BadInput

CSV = "text/csv"
JSON = "application/json"
KEYS = ("predicted_label", "probability", "probabilities", "labels")


def output_keys(environment: Mapping[str, str]) -> list[str]:
    """The keys that a classification container answers with: those asked for, as far as it supports them."""
    asked = _keys(environment.get("SAGEMAKER_INFERENCE_OUTPUT", ""))
    supported = _keys(environment.get("SAGEMAKER_INFERENCE_SUPPORTED", "")) or list(KEYS)
    return [key for key in asked if key in supported] or ["predicted_label"]


def input_keys(environment: Mapping[str, str]) -> list[str]:
    """The keys that the label container expects of the algorithm container."""
    return _keys(environment.get("SAGEMAKER_INFERENCE_INPUT", "")) or ["predicted_label"]


def _keys(value: str) -> list[str]:
    return [key.strip() for key in value.split(",") if key.strip()]


def content_type(accept: str, environment: Mapping[str, str]) -> str:
    """The type to answer with. Raises BadInput where the caller accepts neither CSV nor JSON."""
    default = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    if not accept.strip():
        return default
    for kind in accept.split(","):
        name = kind.split(";")[0].strip().lower()
        if name in (CSV, JSON):
            return name
        if name in ("*/*", "text/*"):
            return default
    raise BadInput(f"Accept {accept!r} is not offered, text/csv and application/json are")


def encode(rows: list[dict[str, Any]], kind: str) -> bytes:
    """``rows`` as JSON, or as CSV with one line a row and lists written as Python writes them."""
    if kind == JSON:
        return json.dumps({"predictions": rows}).encode()
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(row.values() for row in rows)
    return buffer.getvalue().encode()


def decode(body: bytes, keys: list[str]) -> list[dict[str, str]]:
    """The rows of a CSV answer that has ``keys``. Raises ValueError where it has others."""
    rows = list(csv.reader(io.StringIO(body.decode())))
    if any(len(row) != len(keys) for row in rows):
        raise ValueError(f"the container before this one does not answer with {', '.join(keys)}")
    return [dict(zip(keys, row, strict=True)) for row in rows]

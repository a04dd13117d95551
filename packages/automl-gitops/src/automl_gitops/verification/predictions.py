"""Answers of Autopilot's containers: which values a line has, and what they are."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from automl_gitops.evaluation.metrics import REGRESSION
from automl_gitops.serving.registry import ModelPackage

LABEL = "predicted_label"
VALUE = "prediction"  # of a regression; its containers have no name for it
# Source: Amazon SageMaker AI developer guide, "Inference container definitions for problem types".
_OUTPUT = "SAGEMAKER_INFERENCE_OUTPUT"


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
    found: list[dict[str, str]] = []
    for line in csv.reader(io.StringIO(text), strict=True):
        if not line:
            continue
        if len(line) != len(keys):
            raise ValueError(
                f"line {len(found) + 1} has {len(line)} values instead of {len(keys)} ({', '.join(keys)})"
            )
        found.append(dict(zip(keys, line, strict=True)))
    return found


def parse_json(text: str, keys: Sequence[str]) -> list[dict[str, str]]:
    """A JSON answer, as `parse_csv` gives it.

    Containers answer with one document (`{"predictions": [{key: value}]}`) or with one a line; a value may be
    a list, which becomes the text that the CSV answer has. Raises `ValueError` for anything else.
    """
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

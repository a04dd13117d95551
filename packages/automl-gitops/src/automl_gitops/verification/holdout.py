"""Rows that no model has seen, and what the evaluation's batch transform predicted for them."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from botocore.exceptions import ClientError

from automl_evaluation.layout import Evaluation
from automl_gitops.kernel.aws import Aws, is_missing
from automl_gitops.kernel.csv_text import read_rows
from automl_gitops.kernel.errors import RunError
from automl_gitops.runs.evaluation_file import find
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification.payload import name_values, response_keys

PART = "part-00000.csv"  # up to 200,000 rows, enough to choose from


@dataclass(frozen=True)
class HoldoutSample:
    """Feature values of some rows, and by row what was predicted: response key to text."""

    rows: list[list[str]]
    expected: list[dict[str, str]]


def load_holdout(aws: Aws, bucket: str, package: ModelPackage, count: int) -> HoldoutSample:
    """``count`` rows of the holdout of a version, with its own evaluation's predictions.

    They are chosen at random, because a holdout is in the order of the file that was pushed, which may be that of
    the labels; a version's choice is always the same. Raises `RunError` where they are gone, or do not fit each other.
    """
    sha256, execution = package.metadata.get("dataset_sha256", ""), execution_id(package)
    if not sha256 or not execution:
        raise RunError(
            f"{package.arn} does not say which data set and evaluation it is from: it was not registered "
            "by this project's pipeline"
        )
    s3 = aws.client("s3")
    rows, of_rows = _sample(s3, bucket, f"datasets/{sha256}/x_test/{PART}", count)
    key = f"transforms/{execution}/candidate/{PART}.out"
    answers, of_answers = _sample(s3, bucket, key, count)
    if not rows or of_rows != of_answers:
        raise RunError(
            f"s3://{bucket}/{key} has {of_answers} predictions for {of_rows} rows of the holdout; "
            "run the pipeline again"
        )
    try:
        expected = name_values(answers, response_keys(package))
    except ValueError as error:
        raise RunError(f"s3://{bucket}/{key} is not what {package.label} predicts: {error}") from None
    return HoldoutSample(rows, expected)


def execution_id(package: ModelPackage) -> str:
    """The pipeline execution that made a version, "" where the registry does not say."""
    return package.metadata.get("evaluation", "").rstrip("/").rsplit("/", 1)[-1]


def read_evaluation(aws: Aws, bucket: str, package: ModelPackage) -> Evaluation:
    """A version's evaluation. Raises `RunError` where it is gone."""
    execution = execution_id(package)
    evaluation = find(aws.client("s3"), bucket, execution)
    if evaluation is None:
        raise RunError(f"the evaluation of execution {execution} is gone; it belongs to {package.arn}")
    return evaluation


def _sample(s3: Any, bucket: str, key: str, count: int) -> tuple[list[list[str]], int]:
    """At most ``count`` rows of a CSV object in their order, and how many it has.

    Of objects with equally many rows, the same rows are chosen (Vitter's reservoir, with a fixed seed).
    """
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise RunError(f"s3://{bucket}/{key} is gone; without it nothing can be compared") from None
    chance = random.Random(0)  # noqa: S311 - a choice of rows, no secret
    chosen: list[tuple[int, list[str]]] = []
    total = 0
    with io.TextIOWrapper(io.BufferedReader(body), encoding="utf-8", newline="") as text:
        for _, row in _rows(text, f"s3://{bucket}/{key}"):
            if total < count:
                chosen.append((total, row))
            elif (place := chance.randrange(total + 1)) < count:
                chosen[place] = (total, row)
            total += 1
    return [row for _, row in sorted(chosen)], total


def _rows(text: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from read_rows(text)
    except ValueError as error:
        raise RunError(f"{name} cannot be read as CSV ({error})") from None

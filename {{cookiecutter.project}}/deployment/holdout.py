"""Rows that no model has seen, and what the evaluation's batch transform predicted for them."""

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deployment.predictions import parse_csv, response_keys
from deployment.registry import ModelPackage
from pipeline.aws import Aws, is_missing
from pipeline.errors import RunError
from pipeline.evaluation_file import find

PART = "part-00000.csv"  # rows were dealt at random, so the first ones are a fair sample


@dataclass(frozen=True)
class Holdout:
    """Feature values of some rows, and by row what was predicted: response key to text."""

    rows: list[list[str]]
    expected: list[dict[str, str]]


def load_holdout(aws: Aws, bucket: str, package: ModelPackage, count: int) -> Holdout:
    """The first ``count`` rows of the holdout of a version, with its own evaluation's predictions.

    Raises `RunError` where they are gone, or do not fit each other.
    """
    sha256, execution = package.metadata.get("dataset_sha256", ""), execution_id(package)
    if not sha256 or not execution:
        raise RunError(
            f"{package.arn} does not say which data set and evaluation it is from: it was not registered "
            "by this project's pipeline"
        )
    s3 = aws.client("s3")
    rows = list(_lines(s3, bucket, f"datasets/{sha256}/x_test/{PART}", count))
    key = f"transforms/{execution}/candidate/{PART}.out"
    answers = list(_lines(s3, bucket, key, count))
    text = io.StringIO()
    csv.writer(text).writerows(answers)
    try:
        expected = parse_csv(text.getvalue(), response_keys(package))
    except ValueError as error:
        raise RunError(f"s3://{bucket}/{key} is not what {package.label} predicts: {error}") from None
    if not rows or len(rows) != len(expected):
        raise RunError(
            f"s3://{bucket}/{key} has {len(expected)} predictions for {len(rows)} rows of the holdout; "
            "run the pipeline again"
        )
    return Holdout(rows, expected)


def execution_id(package: ModelPackage) -> str:
    """The pipeline execution that made a version, "" where the registry does not say."""
    return package.metadata.get("evaluation", "").rstrip("/").rsplit("/", 1)[-1]


def read_evaluation(aws: Aws, bucket: str, package: ModelPackage) -> dict[str, Any]:
    """The result of a version's evaluation, evaluation.json. Raises `RunError` where it is gone."""
    execution = execution_id(package)
    found = find(aws.client("s3"), bucket, execution)
    if found is None:
        raise RunError(f"the evaluation of execution {execution} is gone; it belongs to {package.arn}")
    return found


def _lines(s3: Any, bucket: str, key: str, count: int) -> Iterator[list[str]]:
    """The first rows of a CSV object; the rest is not downloaded."""
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise RunError(f"s3://{bucket}/{key} is gone; without it nothing can be compared") from None
    with io.TextIOWrapper(io.BufferedReader(body), encoding="utf-8", newline="") as text:
        yield from itertools.islice((row for row in csv.reader(text) if row), count)

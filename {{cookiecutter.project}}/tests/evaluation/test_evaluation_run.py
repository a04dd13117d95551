"""Whole runs: from the Autopilot job to evaluation.json."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from fake_sagemaker import BUCKET, FakeSageMaker
from moto import mock_aws
from runs import Run, classifier
from sklearn import metrics


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


def test_a_good_candidate_is_accepted_with_scikit_learns_figures(tmp_path: Path, s3: Any) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.random((200, 2)).round(3)
    labels = np.where(inputs[:, 0] + generator.normal(0, 0.2, 200) > 0.5, "yes", "no")
    sagemaker = FakeSageMaker(
        s3,
        "BinaryClassification",
        "F1",
        {"candidate": classifier(["no", "yes"], lambda row: [1 - row[0], row[0]])},
    )
    run = Run(tmp_path, s3, inputs.tolist(), labels.tolist(), threshold=0.5, classes={"no": 500, "yes": 500})

    found = run.evaluate(sagemaker)

    predicted = np.where(inputs[:, 0] > 0.5, "yes", "no")
    assert found["decision"] == "accept", found["reasons"]
    assert found["rows"] == 200
    assert found["metrics"]["f1"] == pytest.approx(
        metrics.f1_score(labels, predicted, pos_label="yes"), abs=1e-12
    )
    assert found["metrics"]["auc"] == pytest.approx(
        metrics.roc_auc_score(labels == "yes", inputs[:, 0]), abs=1e-12
    )
    assert found["confusion"]["rows"] == metrics.confusion_matrix(labels, predicted).tolist()
    assert sagemaker.deployed == {}

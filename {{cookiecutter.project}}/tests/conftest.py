"""What the tests share: the project's folder as the current one, its configuration, and AWS that is not AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from automl_gitops.data.lock import Column, DatasetLock, Rows, Uris
from automl_gitops.kernel.config import Config
from botocore.config import Config as ClientConfig
from botocore.stub import Stubber

os.chdir(Path(__file__).resolve().parents[1])  # from wherever pytest was called, as `automl` does it
ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees your credentials or your region."""
    for name in os.environ:
        if name.startswith(("AWS_", "GITHUB_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def config() -> Config:
    """automl.toml."""
    return Config.load()


@pytest.fixture(scope="session")
def lock(config: Config) -> DatasetLock:
    """A dataset.lock for a table of one column and the target."""
    sha256, target = "ab" * 32, config.dataset.target
    data = f"s3://{config.project.name}-{ACCOUNT}-{config.project.region}/datasets/{sha256}"
    return DatasetLock(
        name="table",
        source="table.csv",
        synthetic=False,
        sha256=sha256,
        target=target,
        holdout=0.2,
        seed=42,
        rows=Rows(total=1000, train_validation=800, test=200),
        columns=[Column(name="age", type="integer"), Column(name=target, type="text")],
        classes={"no": 600, "yes": 400},
        uris=Uris(
            train_validation=f"{data}/train_validation.csv",
            x_test=f"{data}/x_test/",
            y_test=f"{data}/y_test/",
        ),
    )


class StubbedAws:
    """Clients that answer what a test agreed on; every request is checked against AWS's own service model."""

    def __init__(self) -> None:
        self._stubbers: dict[str, Stubber] = {}

    def __getitem__(self, service: str) -> Stubber:
        """The stubber of a service: tell it what is called and what it answers, in order."""
        if service not in self._stubbers:
            client = boto3.client(
                service,
                region_name="eu-west-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=ClientConfig(retries={"max_attempts": 0}),
            )
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]

    def client(self, service: str) -> Any:
        """Takes the place of a Lambda function's own `client`."""
        return self[service].client

    def check(self) -> None:
        """Every call that was agreed on has been made."""
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def aws(caplog: pytest.LogCaptureFixture) -> Iterator[StubbedAws]:
    """Stubbed clients; a call that nobody agreed on fails the test."""
    stubbed = StubbedAws()
    yield stubbed
    stubbed.check()
    assert "Error getting response stub" not in caplog.text  # a function would go on as after an error of AWS


@pytest.fixture
def served(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], StubbedAws]:
    """`served(module)` lets a Lambda function's module use the stubbed clients."""

    def serve(module: Any) -> StubbedAws:
        monkeypatch.setattr(module, "client", aws.client)
        return aws

    return serve

"""Clients whose answers are agreed on beforehand; every call is checked against AWS's own service model."""

from __future__ import annotations

from types import ModuleType

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class StubbedAws:
    """One stubbed client for each service, for a Lambda function or as `automl_gitops.kernel.aws.Aws`."""

    region = REGION
    account = ACCOUNT

    def __init__(self) -> None:
        self.stubbers: dict[str, Stubber] = {}

    def __getitem__(self, service: str) -> Stubber:
        """The stubber of a service: say there what is called and what it answers, in order."""
        if service not in self.stubbers:
            client = boto3.client(
                service,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}),
            )
            self.stubbers[service] = Stubber(client)
            self.stubbers[service].activate()
        return self.stubbers[service]

    def client(self, service: str) -> object:
        """The client of a service."""
        return self[service].client

    def serve(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> StubbedAws:
        """Replace a module's function `client`."""
        monkeypatch.setattr(module, "client", self.client)
        return self

    def check(self) -> None:
        """Every call that was agreed on has been made."""
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()

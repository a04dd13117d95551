from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local import actors

_numbers = itertools.count(1)


@dataclass
class Account:
    """Helpers for one account of the local AWS: whatever they create has a name of its own."""

    aws: Any
    id: str

    def client(self, service: str) -> Any:
        return self.aws.client(service, self.id)

    def name(self, stem: str) -> str:
        return f"core-{stem}-{next(_numbers)}"

    def role(self, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> str:
        """A role with these statements; the account's administrator and every service may assume it."""
        trust = trust or {
            "Effect": "Allow",
            "Principal": {
                "AWS": f"arn:aws:iam::{self.id}:root",
                "Service": [
                    "sagemaker.amazonaws.com",
                    "lambda.amazonaws.com",
                    "cloudformation.amazonaws.com",
                ],
            },
            "Action": "sts:AssumeRole",
        }
        iam, name = self.client("iam"), self.name("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
        return arn

    def acting(self, service: str, *statements: dict[str, Any]) -> Any:
        """A client of somebody who has these statements and nothing else."""
        credentials = actors.credentials(self.role(*statements), None, self.aws.region)
        return actors.client_with(service, credentials)

    def bucket(self, **objects: str) -> str:
        s3, name = self.client("s3"), self.name("bucket")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.aws.region})
        for key, body in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body.encode())
        return name


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def account(local_aws) -> Account:
    return Account(local_aws, local_aws.account)


@pytest.fixture
def other_account(local_aws) -> Account:
    local_aws.administrator("222222222222")
    return Account(local_aws, "222222222222")


@pytest.fixture
def allow() -> Callable[..., dict[str, Any]]:
    def statement(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": action, "Resource": resource, **more}

    return statement

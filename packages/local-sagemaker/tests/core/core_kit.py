"""What the tests of the local AWS's core share."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import actors
from support.unique import unique


@dataclass
class Account:
    """Helpers for one account of the local AWS: whatever they create has a name of its own."""

    aws: Any
    id: str
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:  # to make one takes longer than most of what is asked of it
            self._clients[service] = self.aws.client(service, self.id)
        return self._clients[service]

    def name(self, stem: str) -> str:
        return unique(f"core-{stem}")

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
        return self.session(service, self.role(*statements))

    def session(self, service: str, role: str) -> Any:
        """A client of somebody who has assumed the role."""
        return actors.client_with(service, actors.credentials(role, None, self.aws.region))

    def bucket(self, **objects: str) -> str:
        s3, name = self.client("s3"), self.name("bucket")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.aws.region})
        for key, body in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body.encode())
        return name


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Stack:
    """A stack of one account, with a name of its own."""

    def __init__(self, account, client=None):
        self.account = account
        self.client = client or account.client("cloudformation")
        self.name = account.name("stack")

    def parameters(self, text, given, more):
        return {
            "StackName": self.name,
            "TemplateBody": textwrap.dedent(text),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            **more,
        }

    def create(self, text, _more=(), **given):
        self.id = self.client.create_stack(**self.parameters(text, given, dict(_more)))["StackId"]
        return self.settle()

    def update(self, text, _more=(), **given):
        self.client.update_stack(**self.parameters(text, given, dict(_more)))
        return self.settle()

    def delete(self, **more):
        self.client.delete_stack(StackName=self.name, **more)
        return self.settle()

    def settle(self):
        end = time.monotonic() + 180
        while time.monotonic() < end:
            found = self.client.describe_stacks(StackName=self.id)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found["StackStatus"]
            time.sleep(0.05)
        raise AssertionError(found)

    @property
    def state(self):
        return self.client.describe_stacks(StackName=self.id)["Stacks"][0]

    @property
    def outputs(self):
        return {o["OutputKey"]: o["OutputValue"] for o in self.state.get("Outputs", [])}

    @property
    def resources(self):
        found = self.client.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}

    def reasons(self, status):
        """The reasons of the events with that status, oldest first."""
        events = reversed(self.client.describe_stack_events(StackName=self.id)["StackEvents"])
        found = [e for e in events if e["ResourceStatus"] == status]
        return [(e["LogicalResourceId"], e.get("ResourceStatusReason", "")) for e in found]


def refused(call, **parameters) -> tuple[str, str]:
    """The code and message with which the call fails."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def zipped(**modules: str) -> bytes:
    """A zip of Python modules, by name and source."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, source in modules.items():
            archive.writestr(f"{name}.py", textwrap.dedent(source))
    return buffer.getvalue()


def wait_until(condition, seconds: float = 180):
    """What ``condition`` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")

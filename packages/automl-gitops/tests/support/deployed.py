"""A project of its own in the local AWS: its folder, its name, and its roles to act as."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.names import Names

from . import keys
from .unique import unique

_AUTOML_TOML = """
[project]
name = "{name}"
description = "Tests its own deployment"
region = "{region}"
repository = "owner/{name}"
tags = {{ team = "care" }}

[dataset]
target = "label"

[autopilot]
problem_type = "MulticlassClassification"
objective = "F1macro"

[gate]
minimum = 0.3
"""


class DeployedProject:
    """A copy of what is deployed, under a name that no other test has, in the current folder."""

    def __init__(self, aws: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "") -> None:
        self.aws = aws
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.name = name or unique("infra")
        for part in ("docs", "infrastructure", "lambdas"):
            shutil.copytree(part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "automl.toml").write_text(_AUTOML_TOML.format(name=self.name, region=aws.region))
        self.enter()

    def enter(self) -> None:
        """Make the project's folder the current one."""
        self._monkeypatch.chdir(self.folder)

    @property
    def config(self) -> Config:
        """What automl.toml says now."""
        return Config.load()

    @property
    def names(self) -> Names:
        """Names in the first account."""
        return Names(self.config, self.aws.account)

    def name_buckets(self, *names: str) -> None:
        """Let automl.toml name buckets from which data may be read."""
        file = self.folder / "automl.toml"
        document = tomlkit.parse(file.read_text())
        document["dataset"]["buckets"] = list(names)
        file.write_text(tomlkit.dumps(document))

    def name_key(self, arn: str) -> None:
        """Let automl.toml name the KMS key that encrypts."""
        file = self.folder / "automl.toml"
        document = tomlkit.parse(file.read_text())
        document["encryption"] = {"kms_key": arn}
        file.write_text(tomlkit.dumps(document))

    def make_key(self) -> str:
        """A KMS key whose policy is that of the project's docs/set-up.md; returns its ARN."""
        identity = self.client("sts").get_caller_identity()
        account = identity["Account"]
        found = keys.statements(self.folder, self.config.project.region, account, account)
        return keys.make(self.client("kms"), identity["Arn"], found)

    def sign_in(self, role: str = "", account: str = "") -> ServingProject:
        """The project of a process that acts as one of its roles, or as the account's administrator."""
        environment = self.aws.administrator(account or self.aws.account)
        if role:
            arn = Names(self.config, account or self.aws.account).role_arn(f"{self.name}-{role}")
            environment = environment | self.aws.assume(arn)
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            self._monkeypatch.delenv(variable, raising=False)
        for variable, value in environment.items():
            self._monkeypatch.setenv(variable, value)
        return ServingProject(self.config, Output())

    def client(self, service: str, role: str = "", account: str = "") -> Any:
        """A client of a role of the project, or of the administrator."""
        return self.sign_in(role, account).aws.session.client(service)

    def subjects(self, role: str) -> list[str]:
        """The subjects of GitHub's tokens that may assume a role."""
        answer = self.client("iam").get_role(RoleName=f"{self.name}-{role}")
        (statement,) = answer["Role"]["AssumeRolePolicyDocument"]["Statement"]
        found = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        return found if isinstance(found, list) else [found]

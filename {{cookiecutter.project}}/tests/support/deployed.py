"""A project deployed to the local AWS: its own name, its own folder, and clients of its roles."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployment.environments import Project
from local import actors
from local.server import LocalAWS
from pipeline.config import Config
from pipeline.console import Output
from pipeline.names import Names


@dataclass
class Deployed:
    """A project by name, as the administrator or as one of its roles sees it."""

    aws: LocalAWS
    config: Config
    account: str
    monkeypatch: pytest.MonkeyPatch

    @property
    def names(self) -> Names:
        """The project's names."""
        return Names(self.config, self.account)

    def sign_in(self, role: str = "") -> Project:
        """The project of a process that acts as a role of it, or as the account's administrator."""
        environment = self.aws.administrator(self.account)
        if role:
            environment = environment | actors.credentials(
                self.names.role_arn(f"{self.names.project}-{role}"), None, self.aws.region
            )
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            self.monkeypatch.delenv(variable, raising=False)
        for variable, value in environment.items():
            self.monkeypatch.setenv(variable, value)
        return Project(self.config, Output())

    def client(self, service: str, role: str = "") -> Any:
        """A client of a role of the project, or of the administrator."""
        return self.sign_in(role).aws.session.client(service)


def config_named(name: str, region: str) -> Config:
    """The project's own automl.toml under another name, since all tests share the local AWS."""
    config = Config.load()
    project = config.project.model_copy(update={"name": name, "region": region})
    return config.model_copy(update={"project": project})


def copy_of_the_project(folder: Path) -> Path:
    """A copy of what the stack is deployed from, to be changed by a test."""
    for part in ("infrastructure", "lambdas"):
        shutil.copytree(part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder

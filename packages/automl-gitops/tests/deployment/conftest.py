from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from deployment_kit import RulePredictor, World, recorded_writes

from automl_gitops.kernel import waiting
from support.github import GitHub


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of the services' waiting is a second; nobody waits long between two looks."""
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "60")
    monkeypatch.setattr(waiting, "SHORTEST", 0.1)


@pytest.fixture
def world(local_aws: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """A project of its own, with the administrator's credentials."""
    monkeypatch.setattr(local_aws, "predictor", RulePredictor)
    for name in (
        "GITHUB_TOKEN",
        "GITHUB_REPOSITORY",
        "GITHUB_ACTOR",
        "GITHUB_RUN_ID",
        "GITHUB_SHA",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # and back in the end
    return World(local_aws, tmp_path)


@pytest.fixture
def another_world(world: World, local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A second project, whose folder is the current one."""
    return World(local_aws, tmp_path_factory.mktemp("another"))


@pytest.fixture
def github(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """GitHub, found by environment variables."""
    with GitHub(tmp_path_factory.mktemp("github") / "name.git") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def git(world: World) -> Any:
    """Git in the project's folder, with everything committed."""

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=world.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    run("config", "user.name", "A")
    run("config", "user.email", "a@example.com")
    run("add", "--all")
    run("commit", "--quiet", "-m", "Start")
    return run


@pytest.fixture
def writes() -> Any:
    """A context manager that lists the operations of this process's clients that may change something."""
    return recorded_writes

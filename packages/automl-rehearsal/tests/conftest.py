"""The tests work in a project generated from the template, as those of automl-gitops do, whose `support` they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flights import Someone

from support import service_models, session

session.find_the_projects_code()
session.look_seldom_for_garbage()
service_models.remember()

LONGEST = ("test_killed_flight.py", "test_flight.py", "test_made_up_rows.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST` before the others."""
    session.begin_with([Path(__file__).resolve().parent / name for name in LONGEST], items)


def pytest_configure(config: pytest.Config) -> None:
    """Work in the project's folder."""
    session.work_in_the_project(config)


@pytest.fixture
def someone(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Someone:
    """Whose account waits for a minute in a second."""
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "60")
    return Someone(local_aws, tmp_path)

"""What the tests share: a project generated from the template, whose code the commands call, as the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import service_models, session

session.find_the_projects_code()
session.look_seldom_for_garbage()
service_models.remember()

# What takes longest is begun first, so that in the end no process works alone for minutes.
LONGEST = (
    "deployment/test_promote.py",
    "life/test_life_with_a_key.py",
    "deployment/test_doctor.py",
    "faults/test_random_lives.py",
    "life/test_data_scientist.py",
    "life/test_life_by_reference.py",
    "pipeline/test_wheel_on_the_path.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST` before the others."""
    session.begin_with([Path(__file__).resolve().parent / name for name in LONGEST], items)


def pytest_configure(config: pytest.Config) -> None:
    """Work in the project's folder."""
    session.work_in_the_project(config)

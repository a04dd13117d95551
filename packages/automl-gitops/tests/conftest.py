"""What the tests share: a project generated from the template, whose code the commands call, as the current folder."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

from support.project import PROJECT

# The project's code can be imported; its evaluation is a folder of scripts in the container.
sys.path[:0] = [str(PROJECT), str(PROJECT / "evaluation")]

# All that these tests import lives as long as they do, and Python would look through it for garbage again and again,
# for a fifth of a second each time: up to a quarter of what a test on the local AWS takes.
gc.set_threshold(20_000, 20, 100)

# What takes longest is begun first, so that in the end no process works alone for minutes.
LONGEST = (
    "rehearsal/test_flight.py",
    "deployment/test_promote.py",
    "life/test_life_with_a_key.py",
    "deployment/test_doctor.py",
    "faults/test_random_lives.py",
    "life/test_life_by_reference.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST` before the others."""
    first = {Path(__file__).resolve().parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


def pytest_configure(config: pytest.Config) -> None:
    """Work in the project's folder; not where pytest-xdist starts processes, which begin in its own."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        os.chdir(PROJECT)

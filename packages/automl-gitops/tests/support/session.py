"""How a package's tests begin: in the generated project, whose code the commands call, with what takes longest."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .project import PROJECT


def find_the_projects_code() -> None:
    """The project's code can be imported; its evaluation is a folder of scripts in the container."""
    sys.path[:0] = [str(PROJECT), str(PROJECT / "evaluation")]


def look_seldom_for_garbage() -> None:
    """All that tests import lives as long as they do, and Python would look through it again and again.

    That is a fifth of a second each time, and up to a quarter of what a test on the local AWS takes.
    """
    gc.set_threshold(20_000, 20, 100)


def work_in_the_project(config: pytest.Config) -> None:
    """Work in the project's folder; not where pytest-xdist starts processes, which begin in its own."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        os.chdir(PROJECT)


def begin_with(longest: Sequence[Path], items: list[pytest.Item]) -> None:
    """Put the tests of these files before the others, so that in the end no process works alone for minutes."""
    first = {path: number for number, path in enumerate(longest)}
    items.sort(key=lambda item: first.get(item.path, len(first)))

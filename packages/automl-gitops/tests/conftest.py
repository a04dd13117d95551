"""What the tests share: a project generated from the template, whose code the commands call, as the current folder."""

from __future__ import annotations

import os
import sys

import pytest

from support.project import PROJECT

# The project's code can be imported; its evaluation is a folder of scripts in the container.
sys.path[:0] = [str(PROJECT), str(PROJECT / "evaluation")]


def pytest_configure(config: pytest.Config) -> None:
    """Work in the project's folder; not where pytest-xdist starts processes, which begin in its own."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        os.chdir(PROJECT)

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with a life first, then those with slow tests, so that no worker is left alone with one in the end."""
    longest: dict[str, int] = {}
    for item in items:
        weight = 2 if item.get_closest_marker("life") else 1 if item.get_closest_marker("slow") else 0
        longest[item.path.name] = max(longest.get(item.path.name, 0), weight)
    items.sort(key=lambda item: -longest[item.path.name])

"""What holds for the imports of each package."""

from __future__ import annotations

import graphlib
import subprocess
import sys
from pathlib import Path

import grimp


def assert_contracts_hold(package: Path) -> None:
    """Those of import-linter, which stand in the package's pyproject.toml."""
    told = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", "pyproject.toml", "--no-cache"],
        cwd=package,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )

    assert told.returncode == 0, told.stdout


def assert_no_circles(graph: grimp.ImportGraph) -> None:
    """No modules import each other in a circle, also in functions."""
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    graphlib.TopologicalSorter(imports).prepare()

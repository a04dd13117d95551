"""Programs that run with the packages of the evaluation's container."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "{{cookiecutter.project}}"
PACKAGE = ROOT / "packages" / "automl-evaluation"
PROGRAMS = Path(__file__).parent / "programs"


def environment(where: Path) -> Path:
    """The interpreter of a virtual environment with the container's packages, made if it is not there yet."""
    sys.path.insert(0, str(PACKAGE / "tests"))
    from container import NoEnvironmentError  # the packages stand in the tests
    from container import environment as made

    try:
        return made(where)
    except NoEnvironmentError as error:
        sys.exit(f"error: the evaluation's figures need its container's packages: {error}")


def run(python: Path, program: str, *arguments: Any) -> Any:
    """The JSON that a program of `programs/` prints. The project's evaluation and the package's are on its path."""
    path = os.pathsep.join(map(str, (PROJECT / "evaluation", PACKAGE / "src")))
    environment = {**os.environ, "PYTHONPATH": path}
    words = [str(word) for word in (python, PROGRAMS / f"{program}.py", *arguments)]
    done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own words
    return json.loads(done.stdout)

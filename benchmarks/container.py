"""An environment of the packages of the evaluation's container, and programs that run in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

# https://github.com/aws/sagemaker-scikit-learn-container, requirements of version 1.9-0
PYTHON = "3.12"
PACKAGES = [
    "numpy==2.5.1",
    "scikit-learn==1.9.0",
    "scipy==1.18.0",
    "pandas==2.2.3",
    "pyarrow==25.0.0",
    "boto3==1.43.*",
    "joblib",
    "threadpoolctl",
]
PROGRAMS = Path(__file__).parent / "programs"
EVALUATION = Path(__file__).parents[1] / "{{cookiecutter.project}}" / "evaluation"


def environment(where: Path) -> Path:
    """The interpreter of a virtual environment with the container's packages, made if it is not there yet."""
    python = where / "bin" / "python"
    if not python.exists():
        uv = shutil.which(
            "uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        )
        if uv is None:
            sys.exit("uv is needed to make the evaluation container's environment: make setup installs it")
        _do(uv, "venv", "--quiet", "--python", _interpreter(), where)
        _do(uv, "pip", "install", "--quiet", "--python", python, *PACKAGES)
    return python


def _interpreter() -> str:
    """Python of the container's version: one that pyenv has, or whichever uv finds or fetches."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(versions.glob(f"{PYTHON}.*/bin/python"))
    return str(found[-1]) if found else PYTHON


def run(python: Path, program: str, *arguments: Any) -> Any:
    """The JSON that a program of `programs/` prints. It finds the evaluation's modules on its path."""
    return json.loads(_do(python, PROGRAMS / f"{program}.py", *arguments, PYTHONPATH=EVALUATION))


def _do(*command: Any, **variables: Any) -> bytes:
    """What a command prints; its errors go to the terminal."""
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    words = [str(word) for word in command]
    return subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - our own words

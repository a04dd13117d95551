"""An environment of exactly the packages of SageMaker's scikit-learn container 1.9-0."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# https://github.com/aws/sagemaker-scikit-learn-container, requirements of version 1.9-0
PYTHON = "3.12"
PACKAGES = (
    "numpy==2.5.1",
    "scikit-learn==1.9.0",
    "scipy==1.18.0",
    "pandas==2.2.3",
    "pyarrow==25.0.0",
    "boto3==1.43.*",
    "joblib",
    "threadpoolctl",
)
SECONDS = 300


class NoEnvironmentError(Exception):
    """The environment cannot be made here; the text says why."""


def environment(where: Path) -> Path:
    """The interpreter of a virtual environment with the packages, made if it is not there yet.

    Raises `NoEnvironmentError` without uv, Python 3.12 or the packages.
    """
    python, ready = where / "bin" / "python", where / "ready"
    if not ready.exists():
        uv = shutil.which(
            "uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        )
        if uv is None:
            raise NoEnvironmentError("uv is not installed: `make setup` installs it")
        _do(uv, "venv", "--quiet", "--clear", "--python", _interpreter(), where)
        _do(uv, "pip", "install", "--quiet", "--python", python, *PACKAGES)
        ready.touch()
    return python


def _interpreter() -> str:
    """Python of the container's version: one that pyenv has, or whichever uv finds."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(versions.glob(f"{PYTHON}.*/bin/python"))
    return str(found[-1]) if found else PYTHON


def _do(*command: str | Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise NoEnvironmentError(f"{Path(command[0]).name} {command[1]} took over {SECONDS} s") from None
    if done.returncode:
        raise NoEnvironmentError(done.stderr.strip()[:300])

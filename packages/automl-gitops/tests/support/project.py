"""The project of the template's defaults, generated once in each process, in a folder that goes with it."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[4]


def _generate() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cookiecutter = Path(sys.executable).with_name("cookiecutter")
    options = ("--no-input", "--default-config", "--output-dir", folder)
    subprocess.run([cookiecutter, *options, TEMPLATE], check=True, stdout=subprocess.DEVNULL)
    return folder / "readmission"


PROJECT = _generate()

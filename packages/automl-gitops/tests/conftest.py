"""What the tests share: a project generated from the template, whose code the commands call, as the current folder."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[3]


def _generate() -> Path:
    """The project of the template's defaults, in a folder that goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [
            Path(sys.executable).with_name("cookiecutter"),
            "--no-input",
            "--default-config",
            "--output-dir",
            folder,
            TEMPLATE,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "readmission"


PROJECT = _generate()
# The commands work in the project's folder and call its code; its evaluation is a folder of scripts in the container.
os.chdir(PROJECT)
sys.path[:0] = [str(PROJECT), str(PROJECT / "evaluation")]

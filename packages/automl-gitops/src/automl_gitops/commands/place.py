"""The project's folder, and the folder that a command is called in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FILE = "automl.toml"
_called_in: Path | None = None


def enter_project() -> None:
    """Work in the project's folder: the nearest one upwards that has automl.toml.

    Where there is none nothing changes: the command that needs the file says so. The project's own code can be
    imported from then on.
    """
    global _called_in
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / FILE).is_file()), here)
    _called_in = here
    os.chdir(root)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))


def from_here(path: Path) -> Path:
    """A path as it was typed, seen from the project's folder."""
    if _called_in is None or path.is_absolute() or _called_in == Path.cwd():
        return path
    return Path(os.path.relpath(_called_in / path, Path.cwd()))

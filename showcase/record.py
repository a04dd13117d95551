"""Which files `make demo` generated, and whether somebody has worked in their folder since.

Python's standard library alone: it is asked before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

# What a project's own commands leave in it; what else begins with a dot is nobody's work unless it was generated.
_LEFT = {".venv", ".git", "build", "__pycache__"}


class Record:
    """The hashes of a generated project's files, beside the ``project``; without an end of its own generation it
    holds none.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self._file = project.parent / ".generated" / f"{project.name}.json"

    def is_edited(self) -> bool:
        """Whether generating the project anew would take something of its owner's: a file was changed, added or
        removed, it is a Git repository, or nothing says what was generated.
        """
        if not self._project.exists() or not any(self._project.iterdir()):
            return False
        if (self._project / ".git").exists():
            return True
        generated = self._generated()
        if generated is None:
            return True
        if not generated:  # its generation was broken off
            return False
        return _hashes(self._project, generated) != generated

    def begin(self) -> None:
        """Before the generation: remove what an earlier one made, all of which is as it was."""
        for name in self._generated() or {}:
            (self._project / name).unlink(missing_ok=True)
        self._write({})

    def remove(self) -> None:
        """Remove what was generated, all of which is as it was, and the folders that are empty then."""
        self.begin()
        environment = self._project / ".venv"
        if environment.is_symlink():
            environment.unlink()
        for folder, _, _ in os.walk(self._project, topdown=False):
            with contextlib.suppress(OSError):  # it holds something else
                Path(folder).rmdir()

    def end(self) -> None:
        """After it: remember every file."""
        everything = {path.relative_to(self._project).as_posix(): "" for path in _files(self._project)}
        self._write(_hashes(self._project, everything))

    def _generated(self) -> dict[str, str] | None:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _write(self, hashes: dict[str, str]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


def _files(project: Path) -> list[Path]:
    """All files but those of an environment, of Git and of the project's own commands."""
    found = []
    for folder, folders, names in os.walk(project):
        folders[:] = [name for name in folders if name not in _LEFT]  # an environment has 50,000 files
        found += [Path(folder, name) for name in names if name not in _LEFT]
    return found


def _hashes(project: Path, generated: dict[str, str]) -> dict[str, str]:
    """Those of the generated files that are there, and of others that somebody may have added."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _files(project)
        if (name := path.relative_to(project).as_posix()) in generated
        or not any(part.startswith(".") for part in Path(name).parts)
    }

"""A copy of the project to rehearse in, so that the user's own files and Git history stay as they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", ".local", "__pycache__", ".*_cache")
IDENTITY = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false")


class ProjectCopy:
    """A fresh copy of ``source`` at ``directory`` with a Git repository of its own, on branch ``main``."""

    def __init__(self, source: Path, directory: Path) -> None:
        if directory.exists():
            shutil.rmtree(directory)
        shutil.copytree(source, directory, ignore=LEFT_OUT)
        self.directory = directory
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit("Start the project")

    def commit(self, message: str) -> str:
        """Commit whatever changed, as a merged pull request would, and return the commit's id."""
        self._git("add", "--all")
        self._git(*IDENTITY, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - arguments are this package's own
            ["git", *arguments],  # noqa: S607 - the user's git
            cwd=self.directory,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

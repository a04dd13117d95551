"""A copy of the project to rehearse in, so that the user's own files and Git history stay as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from automl_gitops.kernel import git

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", ".local", "__pycache__", ".*_cache")
# Of the copy's repository, so that a machine's own settings, or none, make no difference to commands that commit.
SETTINGS = {
    "user.name": "Rehearsal",
    "user.email": "rehearsal@localhost",
    "commit.gpgsign": "false",
    "core.hooksPath": os.devnull,
}


class ProjectCopy:
    """A fresh copy of ``source`` at ``directory`` with a Git repository of its own, on branch ``main``.

    Raises `UserError` where there is no git, and with git's own words where it refuses.
    """

    def __init__(self, source: Path, directory: Path) -> None:
        if directory.exists():
            shutil.rmtree(directory)
        # The folder of results may lie in the project, under any name.
        own = {directory, directory.parent}
        shutil.copytree(
            source,
            directory,
            ignore=lambda folder, names: (
                LEFT_OUT(folder, names) | {name for name in names if Path(folder, name) in own}
            ),
        )
        self.directory = directory
        git.make_repository(directory, SETTINGS)
        self.commit("Start the project")

    def commit(self, message: str) -> str:
        """Commit whatever changed, as a merged pull request would, and return the commit's id."""
        return git.commit_all(self.directory, message)

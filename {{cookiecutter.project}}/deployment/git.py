"""What the commands need of Git."""

import subprocess
from pathlib import Path

from pipeline.errors import UserError


def run(*arguments: str) -> str:
    """What `git ...` prints in the current folder, without the white space around it.

    Raises `UserError` with git's own words where it refuses, or is not there.
    """
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)  # noqa: S603, S607 - git, as the user has it
    except FileNotFoundError:
        raise UserError(
            "git is not installed: install it, or change environments/production.toml by hand"
        ) from None
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise UserError(f"`git {' '.join(arguments)}` failed: {words}")
    return done.stdout.strip()


def committed(path: Path, commit: str = "HEAD") -> str | None:
    """The text of a file (below the current folder) in a commit; `None` where it, the commit or Git is
    missing.
    """
    command = ["git", "show", f"{commit}:./{path.as_posix()}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - a path of the project
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout

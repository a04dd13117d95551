"""What the commands need of Git, with its refusals as sentences."""

import subprocess
from pathlib import Path

from automl_gitops.kernel.errors import UserError


def run(*arguments: str) -> str:
    """What `git ...` prints in the current folder, without the white space around it.

    Raises `UserError` with git's own words where it refuses, or is not there.
    """
    return content(*arguments).decode(errors="replace").strip()


def content(*arguments: str) -> bytes:
    """What `git ...` prints, byte by byte; errors as those of `run`."""
    done = _call(*arguments)
    if done is None:
        raise UserError("git is not installed: install it")
    if done.returncode:
        raise UserError(f"`git {' '.join(arguments)}` failed: {_words(done)}")
    return done.stdout


def answer(*arguments: str, folder: Path | None = None) -> str | None:
    """What `git ...` prints in ``folder``, without the white space around it; `None` where it refuses, or is
    not there.
    """
    done = _call(*arguments, folder=folder)
    return None if done is None or done.returncode else done.stdout.decode(errors="replace").strip()


def committed(path: Path, commit: str = "HEAD") -> str | None:
    """The text of a file (below the current folder) in a commit; `None` where it, the commit or Git is
    missing.
    """
    done = _call("show", f"{commit}:./{path.as_posix()}")
    return None if done is None or done.returncode else done.stdout.decode()


def require_commit(what: str) -> None:
    """Raise `UserError` where the current folder has no history; ``what`` is the sentence's beginning."""
    inside = _call("rev-parse", "--git-dir")
    if inside is None:
        raise UserError(f"{what}, and git is not installed: install it")
    if inside.returncode:
        raise UserError(
            f"{what}, and git finds no repository here ({_words(inside)}): run the command in a clone of the "
            "project, or make one of this folder with `git init -b main`, `git add --all` and `git commit`"
        )
    if answer("rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise UserError(
            f"{what}, and this repository has no commit yet: run `git add --all` and `git commit` first"
        )


def require_branch() -> None:
    """Raise `UserError` where HEAD is detached: a commit made there would belong to no branch."""
    if answer("symbolic-ref", "--quiet", "HEAD") is None:
        commit = answer("rev-parse", "--short", "HEAD")
        raise UserError(
            f"HEAD is detached at {commit}, so that a commit would be on no branch: run `git switch main` (or "
            "`git switch --create NAME`) first"
        )


def require_author() -> None:
    """Raise `UserError` where git does not know who commits."""
    if answer("var", "GIT_AUTHOR_IDENT") is None or answer("var", "GIT_COMMITTER_IDENT") is None:
        raise UserError(
            "git does not know who commits: run `git config user.name NAME` and `git config user.email ADDRESS`"
        )


def _call(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[bytes] | None:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        return None


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join((done.stderr or done.stdout).decode(errors="replace").split()) or "no reason given"

"""What the commands ask of Git, and the only place that calls it. Paths are below the current folder, or ``folder``.

A question that Git may have no answer to gives `None` or ""; what has to work raises `UserError` with git's own words
where it refuses, or is not installed.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from automl_gitops.kernel.errors import UserError

# Of a branch's history what happened to the branch: a merge counts as one change, by its difference to the branch.
_BRANCH = ("--first-parent", "-m")


def commit_of(reference: str = "HEAD", *, folder: Path | None = None) -> str | None:
    """The commit (40 hexadecimal digits) that a reference names; `None` where there is none, or no repository."""
    names = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    return _answer(*names, folder=folder)


def has_changes(*paths: str, folder: Path | None = None) -> bool | None:
    """Whether files differ from HEAD, new ones included; `None` where Git does not tell."""
    changed = _answer("status", "--porcelain", "--untracked-files=all", "--", *paths, folder=folder)
    return None if changed is None else bool(changed)


def is_committed(path: Path) -> bool | None:
    """Whether a file is what HEAD has, whatever the index assumes; `None` without Git, or where that ignores it."""
    name = path.as_posix()
    had = _answer("rev-parse", "--verify", "--quiet", "--end-of-options", f"HEAD:./{name}")
    now = _answer("hash-object", "--", name)  # as Git would store it, line ends included
    if had is None and (
        _answer("rev-parse", "--git-dir") is None or _answer("check-ignore", "-q", name) is not None
    ):
        return None
    return now is not None and now == had


def is_shallow() -> bool:
    """Whether the clone lacks part of the history."""
    return _run("rev-parse", "--is-shallow-repository") == "true"


def commits_of(path: Path) -> list[str]:
    """The branch's commits that touched a file, oldest first; of a merge, that of the merge itself."""
    return _run("log", "--reverse", *_BRANCH, "--format=%H", "--", path.as_posix()).split()


def last_commit_of_line(path: Path, pattern: str) -> str:
    """The branch's last commit in which a line of the file that fits ``pattern`` differs; "" where there is none."""
    return _run("log", "-1", *_BRANCH, f"-G{pattern}", "--format=%H", "--", path.as_posix())


def changed_at(path: Path) -> int | None:
    """When a file was last committed, in seconds since 1970; `None` where Git does not tell, as in a shallow clone."""
    if _answer("rev-parse", "--is-shallow-repository") != "false":
        return None
    seconds = _answer("log", "-1", "--format=%ct", "--", path.as_posix())
    return int(seconds) if seconds else None


def message(commit: str) -> str:
    """A commit's whole message."""
    return _run("log", "-1", "--format=%B", commit)


def subject(commit: str) -> str:
    """The first paragraph of a commit's message, on one line."""
    return _run("log", "-1", "--format=%s", commit)


def trailer(commit: str, key: str) -> str:
    """What a commit's message has after `key:` in its last lines; "" where it has not."""
    return _run("log", "-1", f"--format=%(trailers:key={key},valueonly)", commit)


def committed(path: Path, commit: str = "HEAD") -> str | None:
    """The text of a file in a commit; `None` where it, the commit or Git is missing."""
    done = _call("show", f"{commit}:./{path.as_posix()}")
    return None if done is None or done.returncode else done.stdout.decode(errors="replace")


def staged(path: Path) -> str | None:
    """The text of a file as the next commit would have it; `None` where it or Git is missing."""
    return committed(path, "")


def unstage(path: Path) -> None:
    """Have the next commit leave a file as HEAD has it."""
    _run("reset", "--quiet", "--", path.as_posix())


def merge_base(commit: str) -> str | None:
    """Where HEAD and a commit parted; `None` without a common history, or in a clone too shallow to tell."""
    return _answer("merge-base", commit, "HEAD")


def differing(commit: str) -> set[str]:
    """The files that differ from a commit, uncommitted and new ones included."""
    tracked = _run("diff", "--name-only", "--relative", commit).splitlines()
    return {*tracked, *_run("ls-files", "--others", "--exclude-standard").splitlines()}


def archive(commit: str) -> bytes:
    """The current folder as a commit has it, as a tar archive."""
    folder = _run("rev-parse", "--show-prefix")
    return _content("archive", "--format=tar", f"{commit}:{folder}".removesuffix("/"))


def commit_file(path: Path, message: str) -> str:
    """Commit one file as it is now; returns the commit."""
    _run("commit", "--quiet", "-m", message, "--", path.as_posix())
    return _run("rev-parse", "HEAD")


def make_repository(folder: Path, settings: Mapping[str, str]) -> None:
    """Make a folder a repository on branch `main`, with settings of its own."""
    _run("init", "--quiet", "--initial-branch=main", folder=folder)
    for name, value in settings.items():
        _run("config", name, value, folder=folder)


def commit_all(folder: Path, message: str) -> str:
    """Commit whatever differs in a folder, be it nothing; returns the commit."""
    _run("add", "--all", folder=folder)
    _run("commit", "--quiet", "--allow-empty", "-m", message, folder=folder)
    return _run("rev-parse", "HEAD", folder=folder)


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
    if commit_of() is None:
        raise UserError(
            f"{what}, and this repository has no commit yet: run `git add --all` and `git commit` first"
        )


def require_branch() -> None:
    """Raise `UserError` where HEAD is detached: a commit made there would belong to no branch."""
    if _answer("symbolic-ref", "--quiet", "HEAD") is None:
        commit = _answer("rev-parse", "--short", "HEAD")
        raise UserError(
            f"HEAD is detached at {commit}, so that a commit would be on no branch: run `git switch main` (or "
            "`git switch --create NAME`) first"
        )


def require_author() -> None:
    """Raise `UserError` where git does not know who commits."""
    if _answer("var", "GIT_AUTHOR_IDENT") is None or _answer("var", "GIT_COMMITTER_IDENT") is None:
        raise UserError(
            "git does not know who commits: run `git config user.name NAME` and `git config user.email ADDRESS`"
        )


def _run(*arguments: str, folder: Path | None = None) -> str:
    """What `git ...` prints, without the white space around it."""
    return _content(*arguments, folder=folder).decode(errors="replace").strip()


def _content(*arguments: str, folder: Path | None = None) -> bytes:
    """What `git ...` prints, byte by byte."""
    done = _call(*arguments, folder=folder)
    if done is None:
        raise UserError("git is not installed: install it")
    if done.returncode:
        where = f" in {folder}" if folder else ""
        raise UserError(f"`git {' '.join(arguments)}` failed{where}: {_words(done)}")
    return done.stdout


def _answer(*arguments: str, folder: Path | None = None) -> str | None:
    """As `_run`; `None` where Git refuses, or is not there."""
    done = _call(*arguments, folder=folder)
    return None if done is None or done.returncode else done.stdout.decode(errors="replace").strip()


def _call(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[bytes] | None:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        return None


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join((done.stderr or done.stdout).decode(errors="replace").split()) or "no reason given"

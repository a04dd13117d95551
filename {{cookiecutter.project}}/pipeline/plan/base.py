"""The project as another commit has it, laid out in a folder."""

import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError


@dataclass(frozen=True)
class Base:
    """The commit that a branch is compared with (40 hexadecimal digits), and the files that differ from it."""

    commit: str
    changed: tuple[str, ...]

    def touches(self, *parts: str) -> bool:
        """Whether one of these files or folders (of the project) differs."""
        return any(name == part or name.startswith(f"{part}/") for name in self.changed for part in parts)


def find(reference: str) -> Base:
    """Where the branch left ``reference``, and what differs since, uncommitted files included.

    Raises `UserError` where there is no Git repository, or no such commit in it.
    """
    try:
        _git("rev-parse", "--verify", "HEAD")
    except UserError:
        raise UserError(
            "a plan compares with a commit, and this folder is in no Git repository, or in one without a commit: "
            "run `git init`, `git add .` and `git commit`"
        ) from None
    try:
        named = _git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
    except UserError:
        raise UserError(
            f"--base {reference}: there is no such commit here: fetch it (`git fetch origin`; in a workflow, "
            "checkout with fetch-depth: 0), or name another branch"
        ) from None
    try:
        commit = _git("merge-base", named, "HEAD")
    except UserError:
        commit = named  # histories without a common commit, or a clone that is too shallow to tell
    tracked = _git("diff", "--name-only", "--relative", commit).splitlines()
    new = _git("ls-files", "--others", "--exclude-standard").splitlines()
    return Base(commit, tuple(sorted({*tracked, *new})))


def lay_out(base: Base, folder: Path) -> Path:
    """Write the project's files of the commit into ``folder``."""
    prefix = _git("rev-parse", "--show-prefix")
    content = _bytes("archive", "--format=tar", f"{base.commit}:{prefix}".removesuffix("/"))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _git(*arguments: str) -> str:
    return _bytes(*arguments).decode().strip()


def _bytes(*arguments: str) -> bytes:
    command: Sequence[str] = ("git", *arguments)
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - git, without a shell
    except FileNotFoundError:
        raise UserError("git is not installed, and a plan compares with a commit: install it") from None
    if done.returncode:
        words = " ".join(done.stderr.decode(errors="replace").split())
        raise UserError(f"`{' '.join(command)}` failed: {words or 'no reason given'}")
    return done.stdout

"""The project as another commit has it, laid out in a folder."""

import contextlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from automl_gitops.kernel import git
from automl_gitops.kernel.errors import UserError

# What a branch is compared with where nobody says: what was fetched last, else this clone's own.
DEFAULTS = ("origin/main", "main")


@dataclass(frozen=True)
class Base:
    """The commit that a branch is compared with (40 hexadecimal digits), the files that differ from it, and the
    reference that led there.
    """

    commit: str
    changed: tuple[str, ...]
    reference: str

    def touches(self, *parts: str) -> bool:
        """Whether one of these files or folders (of the project) differs."""
        return any(name == part or name.startswith(f"{part}/") for name in self.changed for part in parts)


def find(reference: str | None) -> Base:
    """Where the branch left ``reference``, and what differs since, uncommitted files included.

    Without a reference it is the first of `DEFAULTS` that there is. Raises `UserError` where there is no Git
    repository, or no such commit in it.
    """
    git.require_commit("a plan compares with a commit")
    reference, named = _named(reference)
    # Histories without a common commit, and a clone that is too shallow to tell, are compared as they are.
    commit = git.merge_base(named) or named
    return Base(commit, tuple(sorted(git.differing(commit))), reference)


def lay_out(base: Base, folder: Path) -> Path:
    """Write the project's files of the commit into ``folder``.

    Left out are links that lead out of the project, such as to an environment or to data on this machine, and what
    this file system cannot hold.
    """
    with tarfile.open(fileobj=io.BytesIO(git.archive(base.commit))) as archive:
        for member in archive:
            with contextlib.suppress(tarfile.FilterError, OSError):
                archive.extract(member, folder, filter="data")
    return folder


def _named(reference: str | None) -> tuple[str, str]:
    """The reference, and the commit that it names."""
    for one in (reference,) if reference else DEFAULTS:
        commit = git.commit_of(one)
        if commit:
            return one, commit
    if reference:
        raise UserError(
            f"--base {reference}: there is no such commit here: fetch it (`git fetch origin`; in a workflow, "
            "checkout with fetch-depth: 0), or name another branch"
        )
    raise UserError(
        f"there is neither {DEFAULTS[0]} nor {DEFAULTS[1]} here to compare with: fetch it (`git fetch origin`), or "
        "name a branch or commit by --base"
    )

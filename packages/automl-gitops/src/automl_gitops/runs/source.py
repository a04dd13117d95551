"""Where a run comes from: the commit, and the workflow run if there is one."""

import os
from dataclasses import dataclass
from pathlib import Path

from automl_gitops.kernel import git

# What decides about a model; a change elsewhere (README, docs) does not make a commit's run another one.
_PATHS = (
    "automl.toml",
    "dataset.lock",
    "environments",
    "evaluation",
    "infrastructure",
    "lambdas",
    "pipeline",
)


@dataclass(frozen=True)
class Source:
    """The commit (40 hexadecimal digits, empty outside a repository), and whether files differ from it."""

    commit: str
    dirty: bool

    @property
    def is_committed(self) -> bool:
        """Whether the commit names all that decides about the model."""
        return bool(self.commit) and not self.dirty


def find(folder: Path | None = None) -> Source:
    """The commit that ``folder`` (the current one) is at."""
    commit = git.answer("rev-parse", "--verify", "HEAD", folder=folder)
    if not commit:
        return Source("", True)
    changes = git.answer("status", "--porcelain", "--untracked-files=all", "--", *_PATHS, folder=folder)
    return Source(commit, changes != "")


def run_url() -> str:
    """The address of the GitHub workflow run, empty elsewhere (GitHub Actions, "Default environment
    variables").
    """
    values = [os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*values) if all(values) else ""

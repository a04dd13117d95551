"""Where a run comes from: the commit, and the workflow run if there is one."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return Source("", True)
    changes = _git(folder, "status", "--porcelain", "--untracked-files=all", "--", *_PATHS)
    return Source(commit, changes != "")


def run_url() -> str:
    """The address of the GitHub workflow run, empty elsewhere (GitHub Actions, "Default environment
    variables").
    """
    values = [os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*values) if all(values) else ""


def _git(folder: Path | None, *arguments: str) -> str | None:
    """Git's answer, `None` where there is no Git or no repository."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", *arguments],  # noqa: S607 - the user's own Git
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None

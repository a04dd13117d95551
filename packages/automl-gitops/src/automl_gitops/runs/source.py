"""Which commit a run comes from."""

from dataclasses import dataclass
from pathlib import Path

from automl_gitops.kernel import git

# A merge that touches one of these trains again (.github/workflows/retrain.yml).
RETRAINS = ("automl.toml", "dataset.lock", "pipeline", "lambdas", "evaluation", "infrastructure", "vendor")
# What a model depends on, its champion included; a change elsewhere (README, docs) does not make a run another one.
_DECIDES = (*RETRAINS, "environments")


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
    commit = git.commit_of(folder=folder)
    if not commit:
        return Source("", True)
    return Source(commit, git.has_changes(*_DECIDES, folder=folder) is not False)

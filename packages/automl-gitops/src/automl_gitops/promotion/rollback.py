"""Prepare the commit that takes the last promotion back. Git alone is needed: no AWS, no training, no
staging.
"""

from dataclasses import dataclass

from automl_gitops.kernel import git
from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import write_text
from automl_gitops.promotion.production_file import FILE, ProductionFile

TRAILER = "Rolls-back"


@dataclass(frozen=True)
class Rollback:
    """The commit (``changed`` is False where it was there), and from which version to which it goes."""

    commit: str
    leaves: str
    returns_to: str
    changed: bool


@dataclass(frozen=True)
class _Change:
    """A commit that changed the file, and the model package that the file named from then on."""

    commit: str
    arn: str


def rollback(*, further: bool = False) -> Rollback:
    """Commit the file as it was before the promotion that Git names now: what `git revert` of it gives.

    Run twice it does not go back twice, unless ``further`` says so. Raises `UserError` where there is nothing
    to go back to, where the file has changes that are not committed, and where git could not commit.
    """
    git.require_commit("a rollback is a commit")
    ProductionFile.parse(git.committed(FILE) or read_text(FILE))
    history = _history()
    if not history or not history[-1].arn:
        raise UserError(f"{FILE}: names no version, so there is nothing to roll back")
    last = history[-1].commit
    undone = git.trailer(last, TRAILER)
    if undone:
        _finish(last)
    if undone and not further:
        left = next((change.arn for change in history if change.commit == undone), "")
        return Rollback(last, left, history[-1].arn, changed=False)
    stack = _promotions(history)
    if len(stack) < 2 or not stack[-2].arn:
        raise UserError(
            f"{FILE}: before {stack[-1].arn} nothing was in production, so there is nothing to go back to"
        )
    leaves, returns_to = stack[-1], stack[-2]
    subject = git.subject(leaves.commit)
    text = git.committed(FILE, f"{leaves.commit}^") or ""
    if _named(text) != returns_to.arn:  # what came right before could not be read, and was never promoted
        text = git.committed(FILE, returns_to.commit) or ""
    # An interrupted run of this command leaves the text that it was about to commit.
    if git.has_changes(FILE.as_posix()) and read_text(FILE) != text:
        raise UserError(
            f"{FILE}: has changes that are not committed; commit them, or drop them with `git checkout -- {FILE}`"
        )
    git.require_branch()
    git.require_author()
    write_text(FILE, text)
    message = f'Revert "{subject}"\n\nThis reverts commit {leaves.commit}.\n\n{TRAILER}: {leaves.commit}'
    return Rollback(git.commit_file(FILE, message), leaves.arn, returns_to.arn, changed=True)


def _finish(commit: str) -> None:
    """What `git commit` writes last, where it was killed before: else the next commit would take the rollback back."""
    now = git.committed(FILE)
    if git.staged(FILE) != now and git.staged(FILE) == git.committed(FILE, f"{commit}^"):
        git.unstage(FILE)


def _history() -> list[_Change]:
    """The commits that changed what the file names, oldest first."""
    changes: list[_Change] = []
    for commit in git.commits_of(FILE):
        arn = _named(git.committed(FILE, commit) or "")
        if arn is not None and (not changes or changes[-1].arn != arn):
            changes.append(_Change(commit, arn))
    return changes


def _named(text: str) -> str | None:
    """The model package that a text of the file names; `None` where it is not to be read: such a commit put
    nothing into production.
    """
    try:
        return ProductionFile.parse(text).model_package_arn if text else ""
    except UserError:
        return None


def _promotions(history: list[_Change]) -> list[_Change]:
    """Promotions that have not been taken back: a return to an earlier version undoes those since."""
    stack: list[_Change] = []
    for change in history:
        known = [index for index, earlier in enumerate(stack) if earlier.arn == change.arn]
        stack = stack[: known[-1] + 1] if known else [*stack, change]
    return stack

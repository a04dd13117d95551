"""On whose word a version goes to production: the pull request that was merged, the person, the run."""

import re

from automl_gitops.github.pull_request import Host
from automl_gitops.kernel import git
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.signature import Signature
from automl_gitops.promotion.production_file import FILE

# What GitHub writes into the message of a merge, and of a squash.
_NUMBER = re.compile(r"^Merge pull request #(\d+)|\(#(\d+)\)\s*$", re.MULTILINE)
_DECIDES = "^model_package_arn"  # the line that names the version


def approval_description(pull_request: str, signature: Signature) -> str:
    """What the registry keeps with `Approved`; ``pull_request`` is what the function of that name found."""
    source = pull_request or f"{FILE.as_posix()} as it stands"
    run = f", run {signature.run}" if signature.run else ""
    return (
        f"Approved for production by {signature.by} ({signature.identity}) at {signature.at}: {source}{run}"
    )


def pull_request(project: ServingProject) -> str:
    """The pull request that named the version which production.toml names, as a URL, else a number, else the
    commit; "" where Git cannot tell.

    Not that of the commit which is checked out: whatever came since, and a run that is repeated, approved
    nothing. GitHub is asked where a token is there; what it does not answer, the commit's message does.
    """
    try:
        commit = _commit(project)
        message = git.message(commit) if commit else ""
    except UserError:
        return ""  # no Git, or nothing committed
    if not commit:
        return ""
    try:
        host = Host.connect(project.config.project.repository)
        merged = host.pull_request_of(commit) if host else None
        if merged:
            return merged[1]
    except (RunError, UserError) as error:
        project.output.notice(f"the pull request is taken from Git: {error}")
    number = _NUMBER.search(message)
    return f"pull request {number[1] or number[2]}" if number else f"commit {commit}"


def _commit(project: ServingProject) -> str:
    """The commit of the branch that named the version, "" where that is not to be seen."""
    if git.is_shallow():
        project.output.notice(
            "no pull request is recorded: this clone lacks the history, which `git fetch --unshallow` brings"
        )
        return ""
    return git.last_commit_of_line(FILE, _DECIDES)

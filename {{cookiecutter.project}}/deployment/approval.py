"""On whose word a version goes to production: the pull request that was merged, the person, the run."""

import os
import re

from deployment import git
from deployment.environments import Project
from deployment.production_file import FILE
from deployment.pull_request import Host
from deployment.signature import Signature
from pipeline.errors import RunError, UserError

# What GitHub writes into the message of a merge, and of a squash.
_NUMBER = re.compile(r"^Merge pull request #(\d+)|\(#(\d+)\)\s*$", re.MULTILINE)


def approval_description(project: Project, signature: Signature) -> str:
    """What the registry keeps with `Approved`."""
    source = pull_request(project) or f"{FILE.as_posix()} as it stands"
    run = f", run {signature.run}" if signature.run else ""
    return (
        f"Approved for production by {signature.by} ({signature.identity}) at {signature.at}: {source}{run}"
    )


def pull_request(project: Project) -> str:
    """The pull request that last changed production.toml, as a URL, else a number, else the commit; ""
    without Git.

    GitHub is asked where a token is there; what it does not answer, the commit's message does.
    """
    try:
        commit = git.run("log", "-1", "--format=%H", "--", FILE.as_posix())
        head = git.run("rev-parse", "HEAD")
        message = git.run("log", "-1", "--first-parent", "-m", "--format=%B", "--", FILE.as_posix())
    except UserError:
        return ""
    try:
        host = Host.connect(project.config.project.repository)
        for candidate in dict.fromkeys((os.environ.get("GITHUB_SHA", head), commit)):
            found = host.pull_request_of(candidate) if host and candidate else None
            if found:
                return found[1]
    except (RunError, UserError) as error:
        project.output.notice(f"the pull request is taken from Git: {error}")
    number = _NUMBER.search(message)
    if number:
        return f"pull request {number[1] or number[2]}"
    return f"commit {commit}" if commit else ""

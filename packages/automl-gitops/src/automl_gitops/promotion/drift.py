"""The one issue that tells that AWS is not what Git says: opened, kept up to date, and closed when it is
gone.
"""

from dataclasses import dataclass

from github.Issue import Issue

from automl_gitops.github.pull_request import explained, repository
from automl_gitops.kernel import workflow_step
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.markdown import bullets, escape
from automl_gitops.kernel.signature import run_url
from automl_gitops.promotion.status import Status

MARKER = "<!-- drift of this project -->"
LABEL = "drift"
TITLE = "AWS differs from Git"
GONE = "The difference is gone: AWS is again what Git says."
_NEEDS = "the job needs `issues: write`"


@dataclass(frozen=True)
class Reported:
    """The issue's address, "" without GitHub or where there is none, and what was done about it."""

    url: str
    outcome: str  # opened, updated, closed, or unchanged


def report(project: ServingProject, seen: Status) -> Reported:
    """Bring the issue to what was found, and write the run's summary. Raises `UserError` or `RunError`."""
    text = body(project, seen)
    workflow_step.append_summary(f"### {TITLE}\n\n{text}" if seen.differences else "AWS is what Git says.")
    host = repository(project.config.project.repository)
    if host is None:
        return Reported("", "unchanged")
    with explained("report the difference as an issue", _NEEDS):
        issues = host.get_issues(state="open", labels=[LABEL])
        issue = next((one for one in issues if (one.body or "").startswith(MARKER)), None)
        if not seen.differences:
            return _close(issue)
        if issue is None:
            made = host.create_issue(TITLE, f"{MARKER}\n{text}", labels=[LABEL])
            return Reported(made.html_url, "opened")
        if (issue.body or "").splitlines() == f"{MARKER}\n{text}".splitlines():
            return Reported(issue.html_url, "unchanged")
        issue.edit(body=f"{MARKER}\n{text}")
        return Reported(issue.html_url, "updated")


def body(project: ServingProject, seen: Status) -> str:
    """What differs and what to do about it; the same differences give the same text."""
    run = run_url()
    lines = [
        bullets(escape(difference) for difference in seen.differences),
        "",
        "Either bring AWS back to what Git says: run the workflow **Promote** by hand. Or bring Git to what AWS has, "
        "by a pull request that changes `environments/production.toml` or `automl.toml`. `docs/operate.md` says more.",
        "",
        f"Seen by `automl status` in project {project.config.project.name}"
        + (f"; the newest runs are [here]({run.rsplit('/', 1)[0].removesuffix('/runs')})." if run else "."),
    ]
    return "\n".join(lines)


def _close(issue: Issue | None) -> Reported:
    if issue is None:
        return Reported("", "unchanged")
    issue.create_comment(GONE)
    issue.edit(state="closed", state_reason="completed")
    return Reported(issue.html_url, "closed")

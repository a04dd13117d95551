"""The workflow Retrain, started again for an execution that outlasts the run which follows it."""

import os

from github.WorkflowRun import WorkflowRun

from automl_gitops.github.pull_request import explained, repository
from automl_gitops.kernel import workflow_step
from automl_gitops.kernel.errors import RunError, UserError

WORKFLOW = "retrain.yml"
_NEEDS = "the job needs `actions: write`, and the workflow must not be disabled"


def go_on(default_repository: str, execution: str) -> str:
    """Start a run that goes on with an execution (by its id), and name it on the page of this run; returns its address,
    "" where GitHub does not tell it.

    An event of a workflow's own token starts no workflow, except this one (GitHub Actions, "GITHUB_TOKEN"). Raises
    `UserError` or `RunError`, which say how a person goes on.
    """
    by_hand = (
        f"the execution itself goes on; to follow it: `gh workflow run {WORKFLOW} -f execution={execution}`"
    )
    host = repository(default_repository, repeats_posts=True)  # two runs for an execution do no harm
    if host is None:
        raise UserError(f"cannot start {WORKFLOW}: GITHUB_TOKEN is not set; {by_hand}")
    inputs = {"execution": execution, "after-run": os.environ.get("GITHUB_RUN_ID", "")}
    try:
        with explained(f"start {WORKFLOW}", _NEEDS):
            workflow = host.get_workflow(WORKFLOW)
            started = workflow.create_dispatch(
                host.default_branch, inputs, throw=True, return_run_details=True
            )
    except (UserError, RunError) as error:
        raise type(error)(f"{error}; {by_hand}") from None
    # An older GitHub Enterprise Server does not tell which run it started.
    url = started.html_url if isinstance(started, WorkflowRun) else ""
    where = f"[run {started.id}]({url})" if isinstance(started, WorkflowRun) else "another run of Retrain"
    workflow_step.append_summary(f"Execution `{execution}` goes on in {where}.")
    return url

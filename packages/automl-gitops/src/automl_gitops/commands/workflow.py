"""The commands that only the workflows need: `comment`, `dispatch` and `drift`."""

from pathlib import Path
from typing import Annotated

import typer

from automl_gitops.commands import Json, serving_project
from automl_gitops.kernel import cli
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output

app = typer.Typer()


@app.command(epilog="Example: PULL_REQUEST=12 automl comment build/report/plan.md")
def comment(
    files: Annotated[
        list[Path], typer.Argument(help="Markdown files; one that is missing is said to be so.")
    ],
    as_json: Json = False,
) -> None:
    """Write reports into the pull request's one comment.

    And into the run's summary. PULL_REQUEST is its number; GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL say
    where; without a token or a number there is the summary alone, and without a workflow run the text is printed.
    """
    import os

    from automl_gitops.github.pull_request import comment
    from automl_gitops.kernel.workflow_step import SUMMARY

    output = Output(as_json=as_json)
    # In a workflow automl.toml is not needed, and may be what the reports complain about.
    made = comment(os.environ.get("GITHUB_REPOSITORY") or Config.load().project.repository, files)
    if made.url:
        output.done(f"{'commented' if made.changed else 'the comment says so already'}: {made.url}")
    else:
        output.notice("no GITHUB_TOKEN or PULL_REQUEST: no comment")
        if not os.environ.get(SUMMARY):
            output.say(made.text)
    output.result({"comment": made.url or None, "changed": made.changed})


@app.command(epilog="Example: automl dispatch abcd1234efgh")
def dispatch(
    execution: Annotated[str, typer.Argument(help="Id of the execution.")],
    as_json: Json = False,
) -> None:
    """Start the workflow Retrain for an execution that goes on.

    It follows the execution, and stages, verifies and proposes its version. Twice is harmless. GITHUB_TOKEN,
    GITHUB_REPOSITORY and GITHUB_API_URL say where.
    """
    from automl_gitops.github.retrain import go_on
    from automl_gitops.runs.execution import require_id

    output = Output(as_json=as_json)
    url = go_on(Config.load().project.repository, require_id(execution))
    output.done(f"execution {execution} goes on in {url or 'another run of Retrain'}")
    output.result({"execution": execution, "run": url or None})


@app.command(epilog="Example: automl drift")
def drift(as_json: Json = False) -> None:
    """Tell of differences between AWS and Git in one issue.

    Opens, updates or closes it. Exit status 3 where they differ.
    """
    from automl_gitops.promotion.drift import report
    from automl_gitops.promotion.status import status

    project = serving_project(as_json=as_json)
    seen = status(project)
    for notice in seen.notices:
        project.output.notice(notice)
    for difference in seen.differences:
        project.output.say(f"difference: {difference}", "red")
    reported = report(project, seen)
    if reported.url:
        project.output.say(f"issue {reported.outcome}: {reported.url}")
    elif not seen.differences:
        project.output.done("AWS is what Git says")
    project.output.result(
        {"differences": seen.differences, "issue": reported.url or None, "outcome": reported.outcome}
    )
    if seen.differences:
        raise typer.Exit(cli.DRIFT)

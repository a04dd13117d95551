"""The command `doctor`."""

from typing import Annotated

import typer

from automl_gitops.commands import Json, serving_project

STOPS = 1  # exit status where something would stop the first training
_SIGNS = {"good": "ok", "stops": "STOPS", "later": "later", "unknown": "?"}


app = typer.Typer()


@app.command(epilog="Example: GITHUB_TOKEN=$(gh auth token) automl doctor")
def doctor(
    advisory: Annotated[
        bool, typer.Option("--advisory", help="Exit status 0 whatever is found, as in a pull request.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what account, region or repository would refuse.

    It asks before anything is paid, changes nothing and costs nothing. Exit status 1 where something would stop the
    first training. With GITHUB_TOKEN the repository is looked at too. In a workflow what is not right stands on the
    run's page.
    """
    from automl_gitops.doctor import examine, page
    from automl_gitops.kernel import workflow_step
    from automl_gitops.kernel.markdown import render

    project = serving_project(as_json=as_json)
    examination = examine(project)
    if not as_json:
        project.output.table(
            ["", "what", "asked", "found", "what to do"],
            [[_SIGNS[row.outcome], row.area, row.asked, row.found, row.todo] for row in examination.rows],
        )
    project.output.say(
        f"{examination.simulated} of {examination.calls} calls that the roles make were simulated"
    )
    stops, later, unknown = (len(examination.of(outcome)) for outcome in ("stops", "later", "unknown"))
    if later or unknown:
        project.output.notice(f"{later} for later, {unknown} that could not be looked at")
    workflow_step.append_summary(render(page(examination)))
    if stops and advisory:
        project.output.notice(f"{stops} would stop the first training")
    elif stops:
        project.output.say(f"{stops} would stop the first training", "red")
    else:
        project.output.done("nothing that was seen would stop the first training")
    project.output.result(examination.document())
    if stops and not advisory:
        raise typer.Exit(STOPS)

"""`automl ...`: from a registered version to one in production, and back."""

import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated, Literal

import typer

from automl_gitops.commands import Json, ModelPackage, serving_project
from automl_gitops.kernel import cli, workflow_step
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError

app = typer.Typer()


@app.command(epilog="Example: automl stage")
def stage(
    model_package: ModelPackage = None,
    execution: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The version that this execution registered, unless a later one has registered another.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a registered version on the staging endpoint.

    By default the newest one. Waits until the endpoint serves it. In a workflow its ARN is the step's output
    `model-package`, which is missing where --execution has been overtaken.
    """
    from automl_gitops.promotion.stage import stage, version_of

    if model_package and execution:
        raise UserError(f"--execution {execution}: give an execution or --model-package, not both")
    project = serving_project(as_json=as_json)
    if execution:
        model_package = version_of(project, execution)
        if model_package is None:
            project.output.result({"model_package_arn": None, "changed": False})
            return
    staged = stage(project, model_package)
    workflow_step.set_outputs({"model-package": staged.package.arn})
    words = "now serves" if staged.changed else "already serves"
    project.output.done(f"{project.staging.endpoint} {words} {staged.package.label} ({staged.package.arn})")
    project.output.result(
        {
            "endpoint": project.staging.endpoint,
            "status": staged.state.status,
            "config": staged.release.config_name,
            "model_package_arn": staged.package.arn,
            "version": staged.package.version,
            "changed": staged.changed,
        }
    )


@app.command(epilog="Example: automl invoke rows.csv --endpoint production")
def invoke(
    file: Annotated[
        Path, typer.Argument(help="CSV file of rows; header and target column may be there or not.")
    ],
    endpoint: Annotated[
        Literal["staging", "production"], typer.Option(help="Which endpoint to ask.")
    ] = "staging",
    as_json: Json = False,
) -> None:
    """Send a file's rows to an endpoint and print its predictions."""
    from automl_gitops.verification.invoke import invoke

    project = serving_project(as_json=as_json)
    answers = invoke(project, file, endpoint)
    if not as_json:
        for number, prediction in enumerate(answers.predictions, start=1):
            project.output.say(
                f"{number}: " + ", ".join(f"{key} {value}" for key, value in prediction.items())
            )
    project.output.result(
        {
            "endpoint": answers.endpoint,
            "model_package_arn": answers.model_package_arn,
            "predictions": answers.predictions,
        }
    )


@app.command(epilog="Example: automl verify")
def verify(model_package: ModelPackage = None, as_json: Json = False) -> None:
    """Check what the staging endpoint answers; sign its version off.

    Exit status 1 if a check fails.
    """
    from automl_gitops.verification.record import VERIFIED
    from automl_gitops.verification.verify import verify

    project = serving_project(as_json=as_json)
    record = verify(project, model_package)
    colours = {"passed": "green", "failed": "red", "warning": "yellow", "not applicable": "dim"}
    for check in record["checks"]:
        outcome = check["outcome"]
        project.output.say(f"{outcome:>14}  {check['name']}: {check['detail']}", colours[outcome])
    project.output.result(record)
    version = f"version {record['model_package_version']}"
    if record["outcome"] != VERIFIED:
        failed = ", ".join(check["name"] for check in record["checks"] if check["outcome"] == "failed")
        raise RunError(f"{version} is not verified ({failed}); it cannot be promoted")
    project.output.done(f"{version} is verified ({record['model_package_arn']})")


@app.command(epilog="Example: automl propose")
def propose(model_package: ModelPackage = None, as_json: Json = False) -> None:
    """Open (or update) the pull request that promotes a version.

    By default the version that staging serves and that was verified. GITHUB_TOKEN, GITHUB_REPOSITORY and
    GITHUB_API_URL say where; without a token only environments/production.toml is changed.
    """
    from automl_gitops.promotion.production_file import FILE
    from automl_gitops.promotion.propose import propose

    project = serving_project(as_json=as_json)
    proposal = propose(project, model_package)
    where = proposal.url or FILE.as_posix()
    if proposal.in_production:
        project.output.notice(f"{FILE.as_posix()} already names {proposal.package.label}: nothing to propose")
    elif proposal.changed:
        project.output.done(f"proposed {proposal.package.label} for production: {where}")
    else:
        project.output.done(f"{proposal.package.label} is already proposed: {where}")
    project.output.result(
        {
            "model_package_arn": proposal.package.arn,
            "version": proposal.package.version,
            "previous_model_package_arn": proposal.content.previous_model_package_arn,
            "pull_request": proposal.url or None,
            "changed": proposal.changed,
        }
    )


@app.command(epilog="Example: automl promote --dry-run")
def promote(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the steps, and take none of them.")
    ] = False,
    new_account: Annotated[
        bool, typer.Option("--new-account", help="Production moves to this account from another one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make production what environments/production.toml says.

    Does nothing where it is so already.
    """
    from automl_gitops.promotion.promote import promote

    project = serving_project(as_json=as_json)
    promotion = promote(project, new_account=new_account, dry_run=dry_run)
    if promotion.refusal:
        project.output.notice(f"a run would refuse: {promotion.refusal}")
    if promotion.package is None:
        project.output.notice("nothing is in production yet: environments/production.toml names no version")
    elif promotion.steps:
        project.output.say(f"to bring {promotion.endpoint} to {promotion.package.label}, a run would:")
        for number, step in enumerate(promotion.steps, start=1):
            project.output.say(f"{number}. {step}")
    elif promotion.done:
        project.output.done(
            f"{promotion.endpoint} serves {promotion.package.label}: {', '.join(promotion.done)}"
        )
    else:
        project.output.done(f"{promotion.endpoint} serves {promotion.package.label} already: nothing to do")
    project.output.result(
        {
            "model_package_arn": promotion.package.arn if promotion.package else None,
            "version": promotion.package.version if promotion.package else None,
            "endpoint": promotion.endpoint,
            "config": promotion.config,
            "done": promotion.done,
            "steps": [str(step) for step in promotion.steps],
            "refusal": promotion.refusal or None,
        }
    )


@app.command(epilog="Example: automl rollback && git push")
def rollback(
    further: Annotated[
        bool, typer.Option(help="Go back once more, though the last commit is such a rollback already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Commit the revert of the last promotion.

    Once the commit is pushed (or merged) and promoted, the version before serves again.
    """
    from automl_gitops.promotion.rollback import rollback

    output = Output(as_json=as_json)
    done = rollback(further=further)
    words = "prepared" if done.changed else "prepared already"
    output.done(f"{words}: commit {done.commit[:12]} goes from {done.leaves} back to {done.returns_to}")
    output.say("next: git push, or merge it by a pull request; production follows by `automl promote`")
    output.result(
        {
            "commit": done.commit,
            "leaves": done.leaves,
            "returns_to": done.returns_to,
            "changed": done.changed,
        }
    )


@app.command(epilog="Example: automl status --json")
def status(as_json: Json = False) -> None:
    """Show what Git, the registry and the endpoints say.

    And how they differ: exit status 3 if they do.
    """
    from automl_gitops.promotion.status import status

    project = serving_project(as_json=as_json)
    seen = status(project)
    if not as_json:
        project.output.table(
            ["", "status", "version", "threshold", "commit", "since", "instances", "alarms"],
            [
                [
                    served.endpoint,
                    served.status or "not there",
                    served.version or served.model_package_arn,
                    served.threshold and f"{served.positive_class} from {served.threshold}",
                    served.commit[:12],
                    served.since and served.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
                    served.instances,
                    ", ".join(
                        f"{name.rsplit('-production-')[-1]} {state}" for name, state in served.alarms.items()
                    ),
                ]
                for served in (seen.staging, seen.production)
            ],
        )
        named = seen.git["model_package_arn"] or "nothing"
        project.output.say(f"{seen.who} names {named} for production")
        if seen.registry:
            project.output.say("registry: " + ", ".join(f"{k} {v}" for k, v in seen.registry.items() if v))
    for notice in seen.notices:
        project.output.notice(notice)
    for difference in seen.differences:
        project.output.say(f"difference: {difference}", "red")
    if not (seen.notices or seen.differences):
        project.output.done("production is what Git says")
    project.output.result(seen.document())
    if seen.differences:
        raise typer.Exit(cli.DRIFT)


@app.command(epilog="Example: automl teardown --confirm readmission")
def teardown(
    confirm: Annotated[
        str | None, typer.Option(metavar="PROJECT", help="The project's name; without it this only lists.")
    ] = None,
    only: Annotated[
        Literal["staging", "production"] | None,
        typer.Option(help="Only this endpoint and what belongs to it."),
    ] = None,
    delete_data: Annotated[
        bool,
        typer.Option("--delete-data", help="Bucket and registry too: data, models and records are lost."),
    ] = False,
    delete_roles: Annotated[
        bool, typer.Option("--delete-roles", help="The roles of the bootstrap too; needs an administrator.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what the project created, after listing it.

    Bucket and registry stay unless told otherwise.
    """
    from automl_gitops.stacks import teardown

    project = serving_project(as_json=as_json)
    resources = teardown.find(project, only=only, data=delete_data, roles=delete_roles)
    if resources:
        rows = [[item.kind, item.name, item.account] for item in resources]
        project.output.table(["what", "name", "account"], rows, "To be removed")
    removed = False
    if not resources:
        stays = "; bucket and registry stay without --delete-data, roles without --delete-roles"
        project.output.done("nothing is left to remove" + ("" if delete_data or only else stays))
    elif confirm is None and not sys.stdin.isatty():
        project.output.notice(f"nothing was removed: pass --confirm {project.config.project.name} to do so")
    else:
        name = confirm if confirm is not None else typer.prompt("Type the project's name to remove all this")
        teardown.remove(project, resources, name)
        removed = True
        project.output.done(f"{len(resources)} removed")
    project.output.result(
        {
            "removed": removed,
            "resources": [{"kind": r.kind, "name": r.name, "account": r.account} for r in resources],
        }
    )

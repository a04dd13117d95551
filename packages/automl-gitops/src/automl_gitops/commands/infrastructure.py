"""The commands that deploy infrastructure/: `bootstrap`, once, by an administrator, and `stack`."""

from typing import Annotated, Any

import typer

from automl_gitops.commands import Json
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import bootstrap as roles
from automl_gitops.stacks import stack as resources
from automl_gitops.stacks.bootstrap import People
from automl_gitops.stacks.stack import DeployedStack

app = typer.Typer()


@app.command(epilog="Example: automl bootstrap --github-oidc-subject repo:owner@1/name@2")
def bootstrap(
    github_oidc_subject: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="How GitHub's tokens name the repository, e.g. repo:owner/name; without it as before.",
        ),
    ] = None,
    endpoint_instance_type: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="The only instance type that endpoints may have; repeatable; `any` for no such guard.",
        ),
    ] = None,
    project_account: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            help="The project's account, where you are signed in to another one for staging or production.",
        ),
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="Set up the GitHub repository too: environments, branch rule, variables. Needs GITHUB_TOKEN.",
        ),
    ] = False,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOGIN",
            help="With --github: who approves deployments to production; repeatable; at first you.",
        ),
    ] = None,
    unprotected: Annotated[
        bool,
        typer.Option(
            "--unprotected",
            help="With --github: let workflows reach production though GitHub protects neither main nor the "
            "environments: whoever may push a branch may then put any model into production, or remove all.",
        ),
    ] = False,
    code_owner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOGIN",
            help="With --github: who has to review each change; repeatable; writes .github/CODEOWNERS.",
        ),
    ] = None,
    prevent_self_review: Annotated[
        bool | None,
        typer.Option(
            "--prevent-self-review/--allow-self-review",
            help="With --github: may nobody approve a deployment of their own? Without it as before.",
        ),
    ] = None,
    data_scientist: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARN",
            help="An IAM user or role that may push data and read reports; repeatable; without it as before, "
            "`none` for nobody.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Create the roles, once; needs an administrator.

    Deploys the project's roles and GitHub's identity provider, and, where they are not there, bucket and registry.
    """
    project = ServingProject(Config.load(), Output(as_json=as_json))
    roles.check_people(data_scientist or [])
    if project_account and data_scientist:
        raise UserError(
            "--data-scientist goes with the project's own account, not with --project-account: data and "
            "reports are there alone"
        )
    if github:
        if project_account or github_oidc_subject:
            raise UserError(
                "--github reads GitHub's subject itself, in the project's own account: leave the others out"
            )
        _set_up_github(
            project,
            endpoint_instance_type or [],
            reviewer or [],
            data_scientist or [],
            accepts_unprotected=unprotected,
            prevent_self_review=prevent_self_review,
            owners=code_owner or [],
        )
        return
    if code_owner or prevent_self_review is not None:
        raise UserError("--code-owner and --prevent-self-review go with --github")
    if unprotected:
        raise UserError("--unprotected goes with --github: it is about what that repository's plan offers")
    if project_account and github_oidc_subject:
        raise UserError(
            "--github-oidc-subject goes with the project's own account, not with --project-account: GitHub "
            "signs in there alone"
        )
    if project_account:
        _report(project, roles.deploy_hosting(project, project_account, endpoint_instance_type or []))
    else:
        deployed = roles.deploy(project, github_oidc_subject, endpoint_instance_type or [])
        people = roles.deploy_people(project, data_scientist or [], roles.data_buckets(project.names))
        _report(project, deployed, people, {"data_scientist": people and people.document()})


@app.command(epilog="Example: automl stack")
def stack(
    share_with: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCOUNT",
            help="Another account that staging or production run in, of one alone as staging=ACCOUNT or "
            "production=ACCOUNT; repeatable; `none` takes it back. Needs an administrator.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Deploy bucket, queue, functions and registry.

    Waits until they are there.
    """
    project = ServingProject(Config.load(), Output(as_json=as_json))
    _report(project, resources.deploy(project, share_with or []))


def _set_up_github(
    project: ServingProject,
    instance_types: list[str],
    reviewers: list[str],
    data_scientists: list[str],
    **more: Any,
) -> None:
    from automl_gitops.stacks.setup import set_up

    done = set_up(project, instance_types, reviewers, data_scientists, **more)
    project.output.done(f"stack {done.deployed.name}: {done.deployed.outcome}, for {done.subject_prefix}")
    project.output.table(
        ("on GitHub", "", ""), [(one.name, one.outcome, one.detail) for one in done.settings], done.repository
    )
    missing = [one.name for one in done.settings if one.outcome == "not offered"]
    if missing:
        project.output.notice(
            f"not offered on this repository's plan, or refused by its organisation: {', '.join(missing)}; "
            "docs/set-up.md says what that means"
        )
    withheld = [one.name.removeprefix("variable ") for one in done.settings if one.outcome == "withheld"]
    if withheld:
        project.output.notice(
            f"{' and '.join(withheld)} are withheld, and nobody may assume these roles: here whoever may push a "
            "branch could put any model into production, or remove all; use a plan with environments and branch "
            "rules, or pass --unprotected, every time, if everybody who may push is trusted with that"
        )
    _introduce(project, done.people)
    project.output.result(done.document())


def _report(
    project: ServingProject,
    deployed: DeployedStack,
    people: People | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    project.output.done(f"stack {deployed.name}: {deployed.outcome}")
    for name, value in deployed.outputs.items():
        project.output.say(f"  {name}: {value}")
    _introduce(project, people)
    project.output.result(
        {"stack": deployed.name, "outcome": deployed.outcome, "outputs": deployed.outputs} | (more or {})
    )


def _introduce(project: ServingProject, people: People | None) -> None:
    """Tell the administrator what the data scientists need to know."""
    if not people:
        return
    project.output.done(f"stack {people.deployed.name}: {people.deployed.outcome}")
    project.output.say(f"  {people.role_arn} may be assumed by {', '.join(people.principals)}")
    project.output.say(
        "  these write into ~/.aws/config (source_profile is that of their own credentials), and set "
        f"AWS_PROFILE={project.names.project}:\n"
    )
    project.output.say(roles.profile(project, people.role_arn))

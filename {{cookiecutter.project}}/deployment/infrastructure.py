"""The commands that deploy infrastructure/: `bootstrap` for an administrator, once, and `stack` for the
workflow.
"""

from typing import Annotated

import typer

from deployment import bootstrap as roles
from deployment import stack as resources
from deployment.environments import Project
from deployment.stack import Deployed
from pipeline.config import Config
from pipeline.console import Output

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog="Example: python -m deployment bootstrap --github-oidc-subject repo:owner@1/name@2")(
        bootstrap
    )
    app.command(epilog="Example: python -m deployment stack")(stack)


def bootstrap(
    github_oidc_subject: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="How GitHub's tokens name the repository: repo:owner/name, with ids for a newer one; else as before.",
        ),
    ] = None,
    endpoint_instance_type: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="An instance type that endpoints may have, as a guard against cost; repeatable; `any` for no guard.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Deploy the project's roles and GitHub's identity provider; needs an administrator's credentials."""
    project = Project(Config.load(), Output(as_json=as_json))
    _report(project, roles.deploy(project, github_oidc_subject, endpoint_instance_type or []))


def stack(
    share_with: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCOUNT",
            envvar="SHARE_WITH_ACCOUNTS",
            help="Another account in which staging or production run; repeatable; `none` takes it back; else as before.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Deploy the project's bucket, queue, Lambda functions and registry, and wait for them."""
    project = Project(Config.load(), Output(as_json=as_json))
    _report(project, resources.deploy(project, share_with or []))


def _report(project: Project, deployed: Deployed) -> None:
    project.output.done(f"stack {deployed.name}: {deployed.outcome}")
    project.output.result({"stack": deployed.name, "outcome": deployed.outcome, "outputs": deployed.outputs})

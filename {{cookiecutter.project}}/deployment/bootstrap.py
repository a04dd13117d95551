"""The bootstrap: GitHub's identity provider and every role, deployed once by an administrator."""

import re
from collections.abc import Sequence
from pathlib import Path

from deployment.cloudformation import Stack, StackState
from deployment.environments import Project
from deployment.stack import Deployed, kms_key_arn, stack_tags
from pipeline.aws import Aws
from pipeline.config import Config, read_text
from pipeline.errors import UserError

FILE = Path("infrastructure/bootstrap.yaml")
ISSUER = "token.actions.githubusercontent.com"
_PROVIDER = "GitHubProvider"
# To StringEquals a star is no wildcard, but a reader would take it for one; a colon would end the prefix.
_SUBJECT = re.compile(r"repo:[^*?:/\s]+/[^*?:/\s]+")


def deploy(
    project: Project, subject_prefix: str | None = None, instance_types: Sequence[str] = ()
) -> Deployed:
    """Bring the project's roles to infrastructure/bootstrap.yaml and wait for it.

    ``subject_prefix`` is how GitHub's tokens name the repository; without it that of the last deployment
    stays, at first `repo:` and automl.toml's repository. ``instance_types`` are the only ones that endpoints
    may have, `("any",)` takes that back; without any those of the last deployment stay. Raises `UserError` or
    `RunError`.
    """
    template = read_text(FILE)
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    state = stack.settle()
    prefix = subject_prefix or state.parameters.get("OidcSubjectPrefix") or _default_prefix(project.config)
    if not _SUBJECT.fullmatch(prefix):
        raise UserError(
            f"--github-oidc-subject {prefix} is not of the form repo:owner/name or repo:owner@ID/name@ID: "
            f"`gh api repos/{project.config.project.repository}/actions/oidc/customization/sub` shows it"
        )
    parameters = {
        "Project": project.names.project,
        "OidcSubjectPrefix": prefix,
        "CreateOidcProvider": "true" if _makes_provider(project.aws, stack) else "false",
        "KmsKeyArn": kms_key_arn(project.aws, project.config),
        "UsesVpc": "true" if project.config.network else "false",
        "EndpointInstanceTypes": _instance_types(instance_types, state),
    }
    outcome = stack.deploy(
        str(FILE), template, parameters, stack_tags(project.config), capabilities=["CAPABILITY_NAMED_IAM"]
    )
    return Deployed(stack.name, outcome, dict(stack.look().outputs))


def _default_prefix(config: Config) -> str:
    return f"repo:{config.project.repository}"


def _makes_provider(aws: Aws, stack: Stack) -> bool:
    """Whether the stack is to hold GitHub's provider: it does already, or the account has none."""
    if _PROVIDER in stack.resources():
        return True
    providers = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return not any(provider["Arn"].endswith(f"/{ISSUER}") for provider in providers)


def _instance_types(given: Sequence[str], state: StackState) -> str:
    if not given:
        return state.parameters.get("EndpointInstanceTypes", "")
    return "" if list(given) == ["any"] else ",".join(sorted(set(given)))

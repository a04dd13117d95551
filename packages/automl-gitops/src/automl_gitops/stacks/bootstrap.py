"""What an administrator deploys once: the roles of workflows and services, and GitHub's identity provider."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config, read_text
from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.service import partition
from automl_gitops.stacks.cloudformation import CAPABILITIES, Stack, StackState
from automl_gitops.stacks.stack import Deployed, kms_key_arn, stack_tags

FILE = Path("infrastructure/bootstrap.yaml")
SERVICES_FILE = Path("infrastructure/services.yaml")
HOSTING_FILE = Path("infrastructure/hosting.yaml")
ISSUER = "token.actions.githubusercontent.com"
_PROVIDER = "GitHubProvider"
# To StringEquals a star is no wildcard, but a reader would take it for one; a colon would end the prefix.
_SUBJECT = re.compile(r"repo:[^*?:/\s]+/[^*?:/\s]+")


def deploy(
    project: Project,
    subject_prefix: str | None = None,
    instance_types: Sequence[str] = (),
    trusts_environments: bool | None = None,
) -> Deployed:
    """Bring the project's roles to infrastructure/bootstrap.yaml and services.yaml, and wait for them.

    ``subject_prefix`` is how GitHub's tokens name the repository; without it that of the last deployment
    stays, at first `repo:` and automl.toml's repository. ``instance_types`` are the only ones that endpoints
    may have, `("any",)` takes that back; without any those of the last deployment stay.
    ``trusts_environments`` is whether workflows in the environments production and teardown may assume the
    roles of these; `None` leaves it as it is, at first they may. The outcome is that of both stacks, name and
    outputs are the first's. Raises `UserError` or `RunError`.
    """
    if subject_prefix is not None:
        _check_subject(subject_prefix, project.config)
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    state = stack.settle()
    prefix = subject_prefix or state.parameters.get("OidcSubjectPrefix") or _default_prefix(project.config)
    parameters = {
        "OidcSubjectPrefix": prefix,
        "CreateOidcProvider": _flag(_makes_provider(project.aws, stack)),
        "TrustsEnvironments": _flag(trusts_environments)
        or state.parameters.get("TrustsEnvironments", "true"),
        "DataBucketArns": data_buckets(project.names),
    }
    deployed = _deploy(project, stack, FILE, parameters | _common(project, state, instance_types))
    services = _deploy_services(project)
    return replace(deployed, outcome=services.outcome) if deployed.outcome == "unchanged" else deployed


def deploy_hosting(project: Project, project_account: str, instance_types: Sequence[str] = ()) -> Deployed:
    """Bring the roles in an account that staging or production run in to infrastructure/hosting.yaml.

    ``project_account`` is the account of pipeline and registry, whose roles are trusted: they have to be
    there already. ``instance_types`` as in `deploy`. Raises `UserError` or `RunError`.
    """
    if not re.fullmatch(r"\d{12}", project_account):
        raise UserError(f"--project-account {project_account} is no AWS account: write its twelve digits")
    if project_account == project.names.account:
        raise UserError(
            f"--project-account {project_account} is the account that you are signed in to: sign in to the "
            "one that staging or production run in"
        )
    encryption = project.config.encryption
    if encryption and not encryption.kms_key.startswith("arn:"):
        raise UserError(
            f'automl.toml: [encryption] kms_key = "{encryption.kms_key}" is another key in each account: write the '
            "ARN of the project's key"
        )
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    parameters = {"ProjectAccount": project_account, "UsesVpc": _flag(bool(project.config.network))}
    common = _common(project, stack.settle(), instance_types)
    return _deploy(project, stack, HOSTING_FILE, parameters | common)


def data_buckets(names: Names) -> str:
    """The ARNs of automl.toml's [dataset] buckets, joined by commas as a template's parameter."""
    return ",".join(
        f"arn:{partition(names.region)}:s3:::{name}" for name in sorted(names.config.dataset.buckets)
    )


def _deploy_services(project: Project) -> Deployed:
    """The roles that services run as; they share the policies of the workflows' stack, which has to be there."""
    stack = Stack(project.aws, project.names.services_stack, project.output)
    parameters = {
        "Project": project.names.project,
        "UsesKmsKey": _flag(bool(project.config.encryption)),
        "UsesVpc": _flag(bool(project.config.network)),
        "DataBucketArns": _data_buckets(project, stack.settle()),
    }
    return _deploy(project, stack, SERVICES_FILE, parameters)


def _deploy(project: Project, stack: Stack, file: Path, parameters: dict[str, str]) -> Deployed:
    outcome = stack.deploy(
        str(file), read_text(file), parameters, stack_tags(project.config), capabilities=CAPABILITIES
    )
    return Deployed(stack.name, outcome, dict(stack.look().outputs))


def _common(project: Project, state: StackState, instance_types: Sequence[str]) -> dict[str, str]:
    return {
        "Project": project.names.project,
        "KmsKeyArn": kms_key_arn(project.aws, project.config),
        "EndpointInstanceTypes": _instance_types(instance_types, state),
    }


def _check_subject(prefix: str, config: Config) -> None:
    if not _SUBJECT.fullmatch(prefix):
        raise UserError(
            f"--github-oidc-subject {prefix} is not of the form repo:owner/name or repo:owner@ID/name@ID: "
            f"`gh api repos/{config.project.repository}/actions/oidc/customization/sub` shows it"
        )


def _default_prefix(config: Config) -> str:
    return f"repo:{config.project.repository}"


def _makes_provider(aws: Aws, stack: Stack) -> bool:
    """Whether the stack is to hold GitHub's provider: it does already, or the account has none."""
    if _PROVIDER in stack.resources():
        return True
    providers = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return not any(provider["Arn"].endswith(f"/{ISSUER}") for provider in providers)


def _data_buckets(project: Project, state: StackState) -> str:
    """The parameter DataBucketArns; an administrator sees what a merged change of automl.toml adds."""
    names = project.names
    wanted = data_buckets(names)
    for arn in filter(None, wanted.split(",")):
        if arn not in state.parameters.get("DataBucketArns", "").split(","):
            project.output.notice(
                f"the pipeline may read the bucket {arn} from now on (automl.toml [dataset] buckets)"
            )
    return wanted


def _flag(value: bool | None) -> str:
    """A parameter that is true or false; "" where nothing is said."""
    return "" if value is None else str(value).lower()


def _instance_types(given: Sequence[str], state: StackState) -> str:
    if not given:
        return state.parameters.get("EndpointInstanceTypes", "")
    return "" if list(given) == ["any"] else ",".join(sorted(set(given)))

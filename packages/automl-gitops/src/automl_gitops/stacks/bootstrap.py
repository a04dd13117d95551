"""What an administrator deploys once: roles for workflows, services and data scientists, GitHub's identity provider."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config, read_text
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.service import partition
from automl_gitops.stacks import stack as resources
from automl_gitops.stacks.cloudformation import CAPABILITIES, Stack, StackState
from automl_gitops.stacks.stack import DeployedStack, function_names, kms_key_arn, stack_tags

FILE = Path("infrastructure/bootstrap.yaml")
SERVICES_FILE = Path("infrastructure/services.yaml")
HOSTING_FILE = Path("infrastructure/hosting.yaml")
ISSUER = "token.actions.githubusercontent.com"
PROVIDER = "GitHubProvider"
# To StringEquals a star is no wildcard, but a reader would take it for one; a colon would end the prefix.
_SUBJECT = re.compile(r"repo:[^*?:/\s]+/[^*?:/\s]+")


def deploy(
    project: ServingProject,
    subject_prefix: str | None = None,
    instance_types: Sequence[str] = (),
    trusts_environments: bool | None = None,
) -> DeployedStack:
    """Bring the project's roles to infrastructure/bootstrap.yaml and services.yaml, and make bucket and registry.

    ``subject_prefix`` is how GitHub's tokens name the repository, ``instance_types`` are the only ones that endpoints
    may have (`("any",)` for no limit), ``trusts_environments`` is whether workflows in production and teardown may
    assume their roles. What is not given stays, at first automl.toml's repository, any, and true. The outcome is that
    of both stacks, name and outputs are the first's. Raises `UserError` or `RunError`.
    """
    if subject_prefix is not None:
        _check_subject(subject_prefix, project.config)
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    state = stack.settle()
    _require_account(stack, state, None)
    prefix = subject_prefix or state.parameters.get("OidcSubjectPrefix") or _default_prefix(project.config)
    parameters = {
        "OidcSubjectPrefix": prefix,
        "CreateOidcProvider": _flag(_makes_provider(project.aws, stack)),
        "TrustsEnvironments": _flag(trusts_environments)
        or state.parameters.get("TrustsEnvironments", "true"),
        "EndpointInstanceTypes": _instance_types(instance_types, state),
    }
    parameters |= decided(FILE, project.names, kms_key_arn(project.aws, project.config))
    kept = "" if parameters["KmsKeyArn"] else state.parameters.get("KmsKeyArn", "")
    deployed = _deploy(project, stack, FILE, parameters | ({"KmsKeyArn": kept} if kept else {}))
    services = _deploy_services(project)
    if kept:  # IAM deletes no policy that a role still has, and these two stacks' roles had that of the key
        deploy_people(project, (), data_buckets(project.names))
        deployed = _deploy(project, stack, FILE, parameters)
    resources.deploy_storage(project)
    return replace(deployed, outcome=services.outcome) if deployed.outcome == "unchanged" else deployed


def deploy_hosting(
    project: ServingProject, project_account: str, instance_types: Sequence[str] = ()
) -> DeployedStack:
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
    state = stack.settle()
    _require_account(stack, state, project_account)
    parameters = {
        "ProjectAccount": project_account,
        "EndpointInstanceTypes": _instance_types(instance_types, state),
    }
    parameters |= decided(HOSTING_FILE, project.names, kms_key_arn(project.aws, project.config))
    return _deploy(project, stack, HOSTING_FILE, parameters)


def _require_account(stack: Stack, state: StackState, wanted: str | None) -> None:
    found = state.parameters.get("ProjectAccount")
    if state.exists and found != wanted:
        had, asked = (
            f"--project-account {one}" if one else "no --project-account" for one in (found, wanted)
        )
        raise UserError(
            f"stack {stack.name} was made with {had}, and this is with {asked}: rename a project, or delete the stack"
        )


def require_ours(project: ServingProject, prefix: str) -> None:
    """Raise `UserError` where the roles trust another repository than ``prefix`` names: two projects of one name."""
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    trusted = stack.look().parameters.get("OidcSubjectPrefix", prefix)
    had, now = (re.sub("@[^/]*", "", one.lower()) for one in (trusted, prefix))
    if had != now:
        raise UserError(
            f'automl.toml: [project] name = "{project.names.project}" is that of {trusted} in this account: choose '
            "another; if that is this repository before it moved, first `automl bootstrap --github-oidc-subject "
            f"{prefix}`"
        )


def data_buckets(names: Names) -> str:
    """The ARNs of automl.toml's [dataset] buckets, joined by commas as a template's parameter."""
    return ",".join(
        f"arn:{partition(names.region)}:s3:::{name}" for name in sorted(names.config.dataset.buckets)
    )


def functions(names: Names) -> dict[str, str]:
    """The parameters FunctionArns and FunctionLogArns: of each file of lambdas/, and by their full names, so that no
    other project's are among them.
    """
    made = function_names()
    logs = [names.arn("logs", f"log-group:/aws/lambda/{names.function(name)}") for name in made]
    return {
        "FunctionArns": ",".join(map(names.function_arn, made)),
        "FunctionLogArns": ",".join(f"{arn},{arn}:*" for arn in logs),
    }


def decided(file: Path, names: Names, key: str | None) -> dict[str, str]:
    """The parameters of a template of workflows' or services' roles that the project's files decide; the others are an
    administrator's.

    ``key`` is the ARN of the project's KMS key, "" where it has none; `None` leaves out what is said of it.
    """
    config = names.config
    parameters = {"Project": names.project}
    if key is not None:
        parameters |= {"UsesKmsKey": _flag(bool(key))} if file == SERVICES_FILE else {"KmsKeyArn": key}
    if file != FILE:
        parameters["UsesVpc"] = _flag(bool(config.network))
    if file != HOSTING_FILE:
        parameters["DataBucketArns"] = data_buckets(names)
        parameters["FunctionLogArns"] = functions(names)["FunctionLogArns"]
    if file == FILE:
        parameters["FunctionArns"] = functions(names)["FunctionArns"]
    return parameters


def _deploy_services(project: ServingProject) -> DeployedStack:
    """The roles that services run as; they share the policies of the workflows' stack, which has to be there."""
    stack = Stack(project.aws, project.names.services_stack, project.output)
    parameters = decided(SERVICES_FILE, project.names, kms_key_arn(project.aws, project.config))
    _tell_new_buckets(project, parameters["DataBucketArns"], stack.settle())
    return _deploy(project, stack, SERVICES_FILE, parameters)


def _deploy(project: ServingProject, stack: Stack, file: Path, parameters: dict[str, str]) -> DeployedStack:
    outcome = stack.deploy(
        str(file), read_text(file), parameters, stack_tags(project.config), capabilities=CAPABILITIES
    )
    return DeployedStack(stack.name, outcome, dict(stack.look().outputs))


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
    return PROVIDER in stack.resources() or provider(aws) is None


def provider(aws: Aws) -> str | None:
    """The ARN of GitHub's identity provider, `None` where the account has none."""
    told = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return next((one["Arn"] for one in told if one["Arn"].endswith(f"/{ISSUER}")), None)


def _tell_new_buckets(project: ServingProject, wanted: str, state: StackState) -> None:
    """An administrator sees what a merged change of automl.toml adds to the parameter DataBucketArns."""
    for arn in filter(None, wanted.split(",")):
        if arn not in state.parameters.get("DataBucketArns", "").split(","):
            project.output.notice(
                f"the pipeline may read the bucket {arn} from now on (automl.toml [dataset] buckets)"
            )


def _flag(value: bool | None) -> str:
    """A parameter that is true or false; "" where nothing is said."""
    return "" if value is None else str(value).lower()


def _instance_types(given: Sequence[str], state: StackState) -> str:
    if not given:
        return state.parameters.get("EndpointInstanceTypes", "")
    return "" if list(given) == ["any"] else ",".join(sorted(set(given)))


PEOPLE_FILE = Path("infrastructure/people.yaml")
NOBODY = "none"
_PARAMETER = "DataScientistArns"
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/[\w+=.@/-]+", re.ASCII)
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/(?P<role>[\w+=.@-]+)/.+", re.ASCII)


@dataclass(frozen=True)
class People:
    """The stack of the role, and the users and roles that may assume it."""

    deployed: DeployedStack
    principals: tuple[str, ...]

    @property
    def role_arn(self) -> str:
        """The role's ARN."""
        return self.deployed.outputs["DataScientistRoleArn"]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "stack": self.deployed.name,
            "outcome": self.deployed.outcome,
            "role_arn": self.role_arn,
            "principals": list(self.principals),
        }


def check_people(given: Sequence[str]) -> None:
    """Raise `UserError` for what cannot stand in a trust policy, or would trust more than one user or role."""
    for arn in given:
        if list(given) == [NOBODY] or _PRINCIPAL.fullmatch(arn):
            continue
        session = _SESSION.fullmatch(arn)
        if session:
            raise UserError(
                f"--data-scientist {arn} is one session of a role: name the role, whose ARN is told by "
                f"`aws iam get-role --role-name {session['role']} --query Role.Arn --output text`"
            )
        raise UserError(
            f"--data-scientist {arn} is no IAM user or role: write arn:aws:iam::ACCOUNT:user/NAME or "
            f"arn:aws:iam::ACCOUNT:role/NAME, or `{NOBODY}` alone to remove the role"
        )


def deploy_people(project: ServingProject, given: Sequence[str], data_buckets: str) -> People | None:
    """Bring the role to infrastructure/people.yaml and wait for it; `None` where nobody may assume one.

    ``given`` are the ARNs of users and roles that may; without any those of the last deployment stay, at first
    nobody, and `("none",)` removes the role. ``data_buckets`` are ARNs, joined by commas. The policies of
    bootstrap.yaml have to be there. Raises `UserError` or `RunError`.
    """
    check_people(given)
    stack = Stack(project.aws, project.names.people_stack, project.output)
    state = stack.settle()
    if list(given) == [NOBODY]:
        stack.delete()
        return None
    principals = _principals(given, state)
    if not principals:
        return None
    parameters = {
        "Project": project.names.project,
        _PARAMETER: ",".join(principals),
        "UsesKmsKey": "true" if project.config.encryption else "false",
        "DataBucketArns": data_buckets,
    }
    outcome = stack.deploy(
        str(PEOPLE_FILE),
        read_text(PEOPLE_FILE),
        parameters,
        stack_tags(project.config),
        capabilities=CAPABILITIES,
    )
    return People(DeployedStack(stack.name, outcome, dict(stack.look().outputs)), principals)


def _principals(given: Sequence[str], state: StackState) -> tuple[str, ...]:
    if given:
        return tuple(sorted(set(given)))
    return tuple(filter(None, state.parameters.get(_PARAMETER, "").split(",")))


def profile(project: ServingProject, role_arn: str) -> str:
    """What a data scientist writes into `~/.aws/config`, beside the profile of their own credentials."""
    return (
        f"[profile {project.names.project}]\n"
        f"role_arn = {role_arn}\n"
        "source_profile = default\n"
        f"region = {project.names.region}\n"
    )

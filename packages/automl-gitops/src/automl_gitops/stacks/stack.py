"""The project's stack: bucket, queue, Lambda functions, model package group."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config, read_text
from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import lambda_code
from automl_gitops.stacks.cloudformation import Outcome, Stack
from automl_gitops.stacks.left_behind import left_behind

FILE = Path("infrastructure/stack.yaml")
PROJECT_TAG = "project"
NOBODY = "none"
_NO_CODE = "none"
_BUCKET = "Bucket"
# What CloudFormation never deletes while it holds something.
_STORAGE = ("Bucket", "ModelPackageGroup")


@dataclass(frozen=True)
class Deployed:
    """A stack after its deployment."""

    name: str
    outcome: Outcome
    outputs: dict[str, str]


def deploy(project: Project, share_with: Sequence[str] = ()) -> Deployed:
    """Bring the project's stack to infrastructure/stack.yaml and wait for it.

    ``share_with`` are the accounts in which staging or production run, `("none",)` takes the sharing back,
    and nothing leaves it as it is. Raises `UserError` or `RunError`.
    """
    _check_accounts(share_with)
    template = read_text(FILE)
    codes = lambda_code.build(template)
    _require_roles(project)
    stack = Stack(project.aws, project.names.stack, project.output)
    state = stack.settle(keep=_STORAGE)
    accounts = _accounts(share_with, state.parameters.get("HostingAccounts", ""), project.names.account)
    parameters = {
        "Project": project.names.project,
        "KmsKeyArn": kms_key_arn(project.aws, project.config),
        "HostingAccounts": accounts,
    }
    tags = stack_tags(project.config)
    first: Outcome = "unchanged"
    if not state.exists and _adopt(project, stack, tags):
        first = "created"
    if _BUCKET not in stack.resources():
        project.output.say(f"stack {stack.name}: the bucket first, since it holds the functions' code")
        no_code = {code.parameter: _NO_CODE for code in codes}
        first = stack.deploy(str(FILE), template, parameters | no_code, tags)
    keys = {}
    for code in codes:
        if lambda_code.upload(project.client("s3"), project.names.bucket, code):
            project.output.say(f"uploaded {code.key}")
        keys[code.parameter] = code.key
    second = stack.deploy(str(FILE), template, parameters | keys, tags)
    return Deployed(stack.name, second if first == "unchanged" else first, dict(stack.look().outputs))


def reduce_to_storage(project: Project) -> Outcome:
    """Remove everything of the stack but bucket and registry; for a teardown that keeps them."""
    stack = Stack(project.aws, project.names.stack, project.output)
    state = stack.settle(keep=_STORAGE)
    if not state.exists:
        return "unchanged"
    # The template that was deployed, since a newer one might change what stays.
    no_code = {name: _NO_CODE for name in state.parameters if name.endswith(lambda_code.SUFFIX)}
    return stack.deploy(str(FILE), stack.template(), {**state.parameters, **no_code}, state.tags)


def remove(project: Project) -> None:
    """Delete the whole stack; CloudFormation refuses while bucket or group hold something."""
    Stack(project.aws, project.names.stack, project.output).delete()


def stack_tags(config: Config) -> dict[str, str]:
    """What everything in the project's stacks is tagged with."""
    return config.project.tags | {PROJECT_TAG: config.project.name}


def kms_key_arn(aws: Aws, config: Config) -> str:
    """The ARN of the project's key, "" where it has none; policies take no alias, so that is looked up."""
    if not config.encryption:
        return ""
    key = config.encryption.kms_key
    if ":key/" in key:
        return key
    return aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]


def _adopt(project: Project, stack: Stack, tags: dict[str, str]) -> bool:
    """Take bucket and registry of a stack that was deleted into the new one, which could not make them."""
    found = left_behind(project)
    if not found:
        return False
    names = " and ".join(one.name for one in found)
    project.output.notice(f"stack {stack.name}: taking over {names}, which a deleted stack left behind")
    template = {"Resources": {one.logical_id: one.body for one in found}}
    identifiers = {one.logical_id: one.identifier for one in found}
    stack.adopt(json.dumps(template), identifiers, tags)
    return True


def _require_roles(project: Project) -> None:
    for name in (project.names.bootstrap_stack, project.names.services_stack):
        if not Stack(project.aws, name, project.output).look().exists:
            raise UserError(
                f"the project's roles are not in account {project.names.account} yet (no stack {name}): an "
                "administrator runs `automl bootstrap` first"
            )


def _accounts(given: Sequence[str], before: str, own: str) -> str:
    """The parameter HostingAccounts."""
    if not given:
        return before
    return "" if list(given) == [NOBODY] else ",".join(sorted(set(given) - {own}))


def _check_accounts(given: Sequence[str]) -> None:
    for account in given:
        if not re.fullmatch(r"\d{12}", account) and list(given) != [NOBODY]:
            raise UserError(
                f"--share-with {account} is no AWS account: write its twelve digits, or `{NOBODY}` for nobody"
            )

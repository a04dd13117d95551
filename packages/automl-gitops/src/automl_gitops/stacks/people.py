"""The role of the data scientists: who may assume it, and how they use it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks.cloudformation import CAPABILITIES, Stack, StackState
from automl_gitops.stacks.stack import Deployed, stack_tags

FILE = Path("infrastructure/people.yaml")
NOBODY = "none"
_PARAMETER = "DataScientistArns"
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/[\w+=.@/-]+", re.ASCII)
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/(?P<role>[\w+=.@-]+)/.+", re.ASCII)


@dataclass(frozen=True)
class People:
    """The stack of the role, and the users and roles that may assume it."""

    deployed: Deployed
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


def check(given: Sequence[str]) -> None:
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


def deploy(project: Project, given: Sequence[str], data_buckets: str) -> People | None:
    """Bring the role to infrastructure/people.yaml and wait for it; `None` where nobody may assume one.

    ``given`` are the ARNs of users and roles that may; without any those of the last deployment stay, at first
    nobody, and `("none",)` removes the role. ``data_buckets`` are ARNs, joined by commas. The policies of
    bootstrap.yaml have to be there. Raises `UserError` or `RunError`.
    """
    check(given)
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
        str(FILE), read_text(FILE), parameters, stack_tags(project.config), capabilities=CAPABILITIES
    )
    return People(Deployed(stack.name, outcome, dict(stack.look().outputs)), principals)


def _principals(given: Sequence[str], state: StackState) -> tuple[str, ...]:
    if given:
        return tuple(sorted(set(given)))
    return tuple(filter(None, state.parameters.get(_PARAMETER, "").split(",")))


def profile(project: Project, role_arn: str) -> str:
    """What a data scientist writes into `~/.aws/config`, beside the profile of their own credentials."""
    return (
        f"[profile {project.names.project}]\n"
        f"role_arn = {role_arn}\n"
        "source_profile = default\n"
        f"region = {project.names.region}\n"
    )

"""Everything that an administrator does once: roles in AWS for this repository, and the repository for AWS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployment import bootstrap, people
from deployment.environments import Project
from deployment.github_settings import Setting, Settings
from deployment.people import People
from deployment.pull_request import repository
from deployment.stack import Deployed
from pipeline.errors import UserError

ROLES = {
    "AWS_PLAN_ROLE": "PlanRoleArn",
    "AWS_RETRAIN_ROLE": "RetrainRoleArn",
    "AWS_PROMOTE_ROLE": "PromoteRoleArn",
    "AWS_TEARDOWN_ROLE": "TeardownRoleArn",
}


@dataclass(frozen=True)
class Done:
    """The stacks of roles, whom they trust, and what became of each of the repository's settings."""

    repository: str
    subject_prefix: str
    deployed: Deployed
    people: People | None
    settings: list[Setting]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "repository": self.repository,
            "subject_prefix": self.subject_prefix,
            "stack": self.deployed.name,
            "outcome": self.deployed.outcome,
            "outputs": self.deployed.outputs,
            "data_scientist": self.people and self.people.document(),
            "settings": [setting.document() for setting in self.settings],
        }


def set_up(
    project: Project,
    instance_types: Sequence[str] = (),
    reviewers: Sequence[str] = (),
    data_scientists: Sequence[str] = (),
) -> Done:
    """Bring about roles, environments, branch rule and variables; again, it changes nothing.

    Raises `UserError` without an administrator's GITHUB_TOKEN, `RunError` where a service fails.
    """
    people.check(data_scientists)
    name = project.config.project.repository
    host = repository(name)
    if host is None:
        raise UserError(
            "GITHUB_TOKEN is not set: an administrator of the repository runs "
            "`GITHUB_TOKEN=$(gh auth token) make bootstrap`"
        )
    settings = Settings(host)
    prefix = settings.subject_prefix()
    deployed = bootstrap.deploy(project, prefix, instance_types)
    found = people.deploy(project, data_scientists, bootstrap.data_buckets(project.names))
    variables = {
        "AWS_REGION": project.config.project.region,
        "AWS_ACCOUNT_ID": project.names.account,
        **{variable: deployed.outputs[output] for variable, output in ROLES.items()},
    }
    return Done(host.full_name, prefix, deployed, found, list(settings.bring(variables, reviewers)))

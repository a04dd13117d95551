"""Everything that an administrator does once: roles in AWS for this repository, and the repository for AWS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automl_gitops.github.github_settings import RepositorySettings, Setting, own, unprotected
from automl_gitops.github.pull_request import repository
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.bootstrap import People
from automl_gitops.stacks.stack import DeployedStack

ROLES = {
    "AWS_PLAN_ROLE": "PlanRoleArn",
    "AWS_RETRAIN_ROLE": "RetrainRoleArn",
    "AWS_PROMOTE_ROLE": "PromoteRoleArn",
    "AWS_TEARDOWN_ROLE": "TeardownRoleArn",
}
# Assumed in environments, which have to be limited to reviewed commits: else whoever pushes a branch is in them.
IN_ENVIRONMENTS = ("AWS_PROMOTE_ROLE", "AWS_TEARDOWN_ROLE")


@dataclass(frozen=True)
class Done:
    """The stacks of roles, whom they trust, and what became of each of the repository's settings."""

    repository: str
    subject_prefix: str
    deployed: DeployedStack
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
    project: ServingProject,
    instance_types: Sequence[str] = (),
    reviewers: Sequence[str] = (),
    data_scientists: Sequence[str] = (),
    *,
    accepts_unprotected: bool = False,
    prevent_self_review: bool | None = None,
    owners: Sequence[str] = (),
) -> Done:
    """Bring about environments, branch rule, roles and variables; again, it changes nothing.

    Where GitHub protects neither branch nor environments, workflows get no role that reaches production,
    unless that is accepted: whoever may push a branch has that role then. ``owners`` as in `own`.
    Raises `UserError` without an administrator's GITHUB_TOKEN, or with another default branch than main; `RunError`
    where a service fails.
    """
    bootstrap.check_people(data_scientists)
    name = project.config.project.repository
    host = repository(name)
    if host is None:
        raise UserError(
            "GITHUB_TOKEN is not set: an administrator of the repository runs "
            "`GITHUB_TOKEN=$(gh auth token) make bootstrap`"
        )
    settings = RepositorySettings(host)
    settings.require_main()
    prefix = settings.subject_prefix()
    bootstrap.require_ours(project, prefix)
    made = list(own(owners))
    made += settings.bring(reviewers, prevent_self_review=prevent_self_review, owned=bool(owners))
    missing = [] if accepts_unprotected else unprotected(made)
    deployed = bootstrap.deploy(project, prefix, instance_types, trusts_environments=not missing)
    people = bootstrap.deploy_people(project, data_scientists, bootstrap.data_buckets(project.names))
    variables = {
        "AWS_REGION": project.config.project.region,
        "AWS_ACCOUNT_ID": project.names.account,
        **{variable: deployed.outputs[output] for variable, output in ROLES.items()},
    }
    reason = f"GitHub does not offer: {', '.join(missing)}"
    withheld = dict.fromkeys(IN_ENVIRONMENTS if missing else (), reason)
    wired = {name: value for name, value in variables.items() if name not in withheld}
    return Done(host.full_name, prefix, deployed, people, [*made, *settings.wire(wired, withheld)])

"""Who may do what: IAM's simulation of the roles of infrastructure/, on the local AWS.

infrastructure/calls.json has every call that a role makes in a model's life; `DANGERS` has what only a few may do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from automl_gitops.doctor import calls
from automl_gitops.doctor.rights import rights
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.stack import kms_key_arn

ROLES = {
    *("PlanRole", "RetrainRole", "PromoteRole", "TeardownRole", "DataScientistRole"),
    *("AutopilotRole", "LambdaExecutionRole", "SageMakerExecutionRole", "ServingRole"),
}
ENDPOINT = "arn:aws:sagemaker:{region}:{account}:endpoint/{project}-"
GROUP = "arn:aws:sagemaker:{region}:{account}:model-package-group/{project}"
VERSION = "arn:aws:sagemaker:{region}:{account}:model-package/{project}/1"
BUCKET = "arn:aws:s3:::{project}-{account}-{region}/"
ROLE = "arn:aws:iam::{account}:role/{project}-PromoteRole"
STATUS = "sagemaker:ModelApprovalStatus"
# An action, its resource, what else the simulation has to know, and the only roles that may.
DANGERS = [
    ("sagemaker:UpdateModelPackage", VERSION, {STATUS: "Approved"}, {"PromoteRole"}),
    ("sagemaker:CreateModelPackage", VERSION, {STATUS: "Approved"}, set()),
    ("sagemaker:UpdateEndpoint", ENDPOINT + "production", {}, {"PromoteRole"}),
    ("sagemaker:UpdateEndpoint", ENDPOINT + "staging", {}, {"RetrainRole"}),
    ("sagemaker:DeleteEndpoint", ENDPOINT + "production", {}, {"PromoteRole", "TeardownRole"}),
    ("sagemaker:DeleteEndpoint", "arn:aws:sagemaker:{region}:{account}:endpoint/other-production", {}, set()),
    ("s3:PutObject", BUCKET + "evaluations/0/evaluation.json", {}, {"SageMakerExecutionRole"}),
    ("s3:PutObject", BUCKET + "autopilot/0/model.tar.gz", {}, {"AutopilotRole"}),
    ("s3:PutObject", BUCKET + "deployments/0.json", {}, {"PromoteRole"}),
    ("s3:PutObject", BUCKET + "datasets/0/x.csv", {}, {"RetrainRole", "DataScientistRole"}),
    ("s3:DeleteObject", BUCKET + "datasets/0/x.csv", {}, {"TeardownRole"}),
    ("s3:GetObject", "arn:aws:s3:::other/datasets/0/x.csv", {}, set()),
    ("iam:PutRolePolicy", ROLE, {}, set()),
    ("iam:AttachRolePolicy", ROLE, {}, set()),
    ("iam:UpdateAssumeRolePolicy", ROLE, {}, set()),
    ("iam:CreateUser", "arn:aws:iam::{account}:user/{project}-eve", {}, set()),
    ("s3:PutBucketPolicy", BUCKET.rstrip("/"), {}, set()),
    ("s3:PutBucketPublicAccessBlock", BUCKET.rstrip("/"), {}, set()),
    ("sagemaker:PutModelPackageGroupPolicy", GROUP, {}, set()),
    ("sagemaker:UpdateEndpoint", ENDPOINT + "x-production", {}, set()),
]


@pytest.fixture(scope="module")
def project(local_aws) -> Iterator[ServingProject]:
    """The project, signed in as the account's administrator, who has deployed every role."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_aws.administrator(local_aws.account).items():
            patch.setenv(name, value)
        project = ServingProject(Config.load(), Output())
        bootstrap.deploy(project)
        anna = project.client("iam").create_user(UserName="anna")["User"]["Arn"]
        bootstrap.deploy_people(project, [anna], bootstrap.data_buckets(project.names))
        yield project


@pytest.fixture(autouse=True)
def _alone() -> None:
    """In the place of conftest's: the administrator's credentials stay."""


def test_every_role_may_make_its_calls(project):
    every = calls.load()

    rows, simulated = rights(project, every, absent=())

    assert [row for row in rows if row.outcome != "good"] == []
    assert {row.asked.partition(":")[0] for row in rows} == {call.role for call in every} == ROLES
    key = kms_key_arn(project.aws, project.config)  # without one its uses are not asked
    assert simulated == len([call for call in every if calls.filled(call, project.names, key)])


@pytest.mark.parametrize(
    ("action", "resource", "context", "allowed"),
    DANGERS,
    ids=[f"{action} {resource.rpartition(':')[2]}" for action, resource, *_ in DANGERS],
)
def test_what_is_dangerous_only_few_may_do(project, action, resource, context, allowed):
    names = project.names
    entries = {"aws:RequestedRegion": names.region, "aws:ResourceAccount": names.account, **context}

    def filled(text: str) -> str:
        return text.format(project=names.project, account=names.account, region=names.region)

    def may(role: str) -> bool:
        answer = project.client("iam").simulate_principal_policy(
            PolicySourceArn=names.role_arn(f"{names.project}-{role}"),
            ActionNames=[action],
            ResourceArns=[filled(resource)],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [filled(value)], "ContextKeyType": "string"}
                for key, value in entries.items()
            ],
        )
        return answer["EvaluationResults"][0]["EvalDecision"] == "allowed"

    assert {role for role in ROLES if may(role)} == allowed

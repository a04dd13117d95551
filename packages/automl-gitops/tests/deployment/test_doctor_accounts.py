"""What `doctor` finds where staging or production have accounts of their own, whose roles it asks about there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from automl_gitops.doctor import calls, examine
from automl_gitops.doctor.calls import HOSTING, Call
from automl_gitops.doctor.rows import Row
from automl_gitops.kernel.environments import ROLE_VARIABLES
from automl_gitops.stacks import bootstrap
from support.deployed import DeployedProject

STAGING, PRODUCTION, BOTH = "444444444444", "555555555555", "666666666666"
ROLES = {"PlanRole", "ProductionRole", "ServingRole", "StagingRole", "TeardownRole"}


@pytest.fixture(scope="module")
def deployed(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProject]:
    """A project with its roles in its own account, and in those that may host its endpoints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_TOKEN", raising=False)
        project = DeployedProject(local_aws, tmp_path_factory.mktemp("doctor"), patch)
        bootstrap.deploy(project.sign_in())
        for account in (STAGING, PRODUCTION, BOTH):
            bootstrap.deploy_hosting(project.sign_in(account=account), local_aws.account)
        yield project


@pytest.fixture
def project(deployed: DeployedProject, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    """The same, in the current folder."""
    monkeypatch.chdir(deployed.folder)
    for name in ("GITHUB_TOKEN", *ROLE_VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)
    deployed._monkeypatch = monkeypatch
    return deployed


def look(project: DeployedProject, **accounts: str) -> tuple[list[Row], int, int]:
    """What the workflow of pull requests finds of the roles' rights, with endpoints in these accounts: the rows, and
    how many calls were simulated of how many.
    """
    for environment, account in accounts.items():
        arn = f"arn:aws:iam::{account}:role/{project.name}-PlanRole"
        project._monkeypatch.setenv(f"{environment.upper()}_ROLE_ARN", arn)
    found = examine(project.sign_in("PlanRole"))
    return [row for row in found.rows if row.area == "rights"], found.simulated, found.calls


def of(rows: list[Row], account: str) -> dict[str, list[Row]]:
    """The rows of an account, by role."""
    asked: dict[str, list[Row]] = {}
    for row in rows:
        role, _, where = row.asked.partition(":")[0].partition(" in ")
        if where == account:
            asked.setdefault(role, []).append(row)
    return asked


def made(account: str, *left_out: str) -> int:
    """How many calls there are of the roles of an account that hosts, or of the project's own for ""."""
    return sum(
        call.role.removeprefix(HOSTING) not in left_out and not call.action.startswith("kms:")
        for call in calls.load(hosting=bool(account))
    )


def test_an_account_of_both_is_asked_about_each_of_its_roles(project: DeployedProject) -> None:
    before, simulated_before, calls_before = look(project)
    rows, simulated, known = look(project, staging=BOTH, production=BOTH)

    assert of(before, BOTH) == {}
    assert {row.found for row in rows} == {"all are allowed"}
    assert of(rows, BOTH).keys() == ROLES
    assumed = sum(call.action == "sts:AssumeRole" for call in calls.load())
    assert simulated - simulated_before == made(BOTH) + assumed
    assert known - calls_before == len(calls.load(hosting=True))
    assert made(BOTH) > 100


def test_accounts_of_one_environment_each_are_asked_about_the_roles_that_act_there(
    project: DeployedProject,
) -> None:
    rows, simulated, _ = look(project, staging=STAGING, production=PRODUCTION)

    assert {row.found for row in rows} == {"all are allowed"}
    assert of(rows, STAGING).keys() == ROLES - {"ProductionRole"}
    assert of(rows, PRODUCTION).keys() == ROLES - {"StagingRole"}
    there = made(STAGING, "ProductionRole") + made(PRODUCTION, "StagingRole")
    assert simulated == made("", "DataScientistRole") + there


@pytest.mark.parametrize(
    ("role", "action", "resource", "outcome"),
    [
        (
            "StagingRole",
            "sagemaker:InvokeEndpoint",
            "sagemaker:{region}:{account}:endpoint/{name}-staging",
            "stops",
        ),
        ("ServingRole", "s3:GetObject", "s3:::{bucket}/autopilot/0/0.tar.gz", "stops"),
        (
            "ProductionRole",
            "sagemaker:UpdateEndpoint",
            "sagemaker:{region}:{account}:endpoint/{name}-production",
            "later",
        ),
        (
            "TeardownRole",
            "logs:DeleteLogGroup",
            "logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{name}-staging",
            "later",
        ),
    ],
)
def test_a_right_that_was_taken_from_a_role_there_is_named_with_its_resource(
    project: DeployedProject, role: str, action: str, resource: str, outcome: str
) -> None:
    where = {"account": BOTH, "region": project.aws.region, "name": project.name}
    arn = "arn:aws:" + resource.format(bucket=project.names.bucket, **where)
    iam = project.client("iam", account=BOTH)
    deny = {"Effect": "Deny", "Action": action, "Resource": [arn, f"{arn}:*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=project.names.role(role), PolicyName="somebodys", PolicyDocument=document)
    try:
        rows = look(project, staging=BOTH, production=BOTH)[0]
    finally:
        iam.delete_role_policy(RoleName=project.names.role(role), PolicyName="somebodys")

    (row,) = [row for row in rows if row.outcome != "good"]
    assert (row.outcome, row.asked.partition(":")[0]) == (outcome, f"{role} in {BOTH}")
    assert row.found == f"may not call {action} on {arn}: a policy denies it"
    assert f"`automl bootstrap --project-account {project.aws.account}`" in row.todo


def test_whoever_may_not_act_in_the_account_is_named(project: DeployedProject) -> None:
    iam, role = project.client("iam"), project.names.role("RetrainRole")
    deny = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="somebodys", PolicyDocument=document)
    try:
        alone, here = look(project)[0], look(project, staging=STAGING)[0]
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="somebodys")

    assert {row.outcome for row in alone} == {"good"}, "which nobody does where all is in one account"
    (row,) = [row for row in here if row.outcome != "good"]
    arn = f"arn:aws:iam::{STAGING}:role/{project.name}-StagingRole"
    assert row.found == f"may not call sts:AssumeRole on {arn}: a policy denies it"


def test_a_stack_of_before_is_said_once_with_the_way_out(project: DeployedProject) -> None:
    iam, role = project.client("iam", account=BOTH), project.names.role("PlanRole")
    policy = iam.get_role_policy(RoleName=role, PolicyName="compare")["PolicyDocument"]
    older = [one for one in policy["Statement"] if one["Action"] != "iam:SimulatePrincipalPolicy"]
    assert len(older) == len(policy["Statement"]) - 1

    def put(statements: list[Any]) -> None:
        document = json.dumps({**policy, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName="compare", PolicyDocument=document)

    put(older)
    try:
        rows, simulated, _ = look(project, staging=BOTH, production=BOTH)
    finally:
        put(policy["Statement"])

    (row,) = [row for row in rows if row.outcome != "good"]
    assert (row.outcome, row.asked.partition(":")[0]) == ("unknown", f"PlanRole in {BOTH}")
    assert row.found == "could not look: not allowed to call iam:SimulatePrincipalPolicy"
    assert f"`automl bootstrap --project-account {project.aws.account}`" in row.todo
    assert simulated >= made("", "DataScientistRole") - 10


def test_a_role_that_somebody_deleted_there_is_named(project: DeployedProject) -> None:
    iam, role = project.client("iam", account=PRODUCTION), project.names.role("ProductionRole")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    for policy in attached:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=role)
    try:
        rows = look(project, production=PRODUCTION)[0]
    finally:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        for policy in attached:
            iam.attach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])

    (row,) = [row for row in rows if row.outcome != "good"]
    assert (row.outcome, row.found) == ("later", f"there is no role {role}")


def test_a_record_tells_the_accounts_roles_apart() -> None:
    def line(account: str, role: str, action: str, resource: str) -> str:
        arn = f"arn:aws:iam::{account}:role/ab-{role}"
        return json.dumps({"role": arn, "action": action, "resource": resource, "context": {}})

    project, bucket = "111111111111", "arn:aws:s3:::ab-111111111111-eu-west-1"
    there = f"arn:aws:iam::{STAGING}:role/ab-StagingRole"
    found = calls.recorded(
        [
            line(project, "ServingRole", "s3:ListBucket", bucket),
            line(project, "RetrainRole", "sts:AssumeRole", there),
            line(STAGING, "ServingRole", "s3:ListBucket", bucket),
            line(STAGING, "StagingRole", "iam:PassRole", there),
        ],
        "ab",
    )

    name, role = "arn:${Partition}:s3:::${Project}-${%s}-${Region}", "role/${Project}-StagingRole"
    assert found == {
        Call("ServingRole", "s3:ListBucket", name % "Account"),
        Call("RetrainRole", "sts:AssumeRole", "arn:${Partition}:iam::${StagingAccount}:" + role),
        Call("hosting-ServingRole", "s3:ListBucket", name % "ProjectAccount"),
        Call("hosting-StagingRole", "iam:PassRole", "arn:${Partition}:iam::${Account}:" + role),
    }

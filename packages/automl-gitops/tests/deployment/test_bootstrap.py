"""The roles on the local AWS, deployed as an administrator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import bootstrap, stack
from support.deployed import DeployedProject
from support.project import PROJECT

ROLES = (
    "PlanRole",
    "RetrainRole",
    "PromoteRole",
    "TeardownRole",
    "LambdaExecutionRole",
    "SageMakerExecutionRole",
    "ServingRole",
    "AutopilotRole",
)


@pytest.fixture
def project(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    return DeployedProject(local_aws, tmp_path, monkeypatch)


def test_makes_every_role_and_then_changes_nothing(project: DeployedProject) -> None:
    first = bootstrap.deploy(project.sign_in())
    second = bootstrap.deploy(project.sign_in())

    names = {role["RoleName"] for role in project.client("iam").list_roles(MaxItems=1000)["Roles"]}
    assert {f"{project.name}-{role}" for role in ROLES} <= names
    assert (first.outcome, second.outcome) == ("created", "unchanged")
    assert first.outputs["RetrainRoleArn"] == project.names.role_arn(f"{project.name}-RetrainRole")


def test_the_subject_is_the_repositorys_until_another_is_given(project: DeployedProject) -> None:
    bootstrap.deploy(project.sign_in())
    at_first = project.subjects("PromoteRole")
    bootstrap.deploy(project.sign_in(), "repo:owner@12/name@34")
    given = project.subjects("PromoteRole")
    again = bootstrap.deploy(project.sign_in())

    assert at_first == [f"repo:owner/{project.name}:environment:production"]
    assert given == ["repo:owner@12/name@34:environment:production"]
    assert (again.outcome, project.subjects("PromoteRole")) == ("unchanged", given)


@pytest.mark.parametrize(
    "prefix", ["owner/name", "repo:owner/*", "repo:owner/name:ref:refs/heads/main", "repo:"]
)
def test_a_subject_that_would_trust_others_is_refused(project: DeployedProject, prefix: str) -> None:
    with pytest.raises(UserError, match="--github-oidc-subject"):
        bootstrap.deploy(project.sign_in(), prefix)


def test_a_role_of_a_service_moves_out_of_the_stack_that_held_it_before(project: DeployedProject) -> None:
    services = Path("infrastructure/services.yaml").read_text()
    role = services[services.index("  LambdaExecutionRole:") : services.index("  AutopilotRole:")]
    template = Path("infrastructure/bootstrap.yaml").read_text().replace("Outputs:", f"{role}Outputs:")
    # Without the comments, which would make it too long for a request.
    template = re.sub(r"^ *#.*\n", "", template, flags=re.MULTILINE).replace(
        "!GetAtt AutopilotRole.Arn", '"*"'
    )
    given = {"Project": project.name, "OidcSubjectPrefix": "repo:owner/name", "CreateOidcProvider": "false"}
    given |= bootstrap.functions(project.names)
    cloudformation = project.client("cloudformation")
    cloudformation.create_stack(
        StackName=project.names.bootstrap_stack,
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    deployed = bootstrap.deploy(project.sign_in())

    assert deployed.outcome == "updated"
    found = {
        name: {one["LogicalResourceId"] for one in cloudformation.list_stack_resources(StackName=name)[
            "StackResourceSummaries"
        ] if one["ResourceStatus"] != "DELETE_COMPLETE"}
        for name in (project.names.bootstrap_stack, project.names.services_stack)
    }  # fmt: skip
    assert "LambdaExecutionRole" not in found[project.names.bootstrap_stack]
    assert "LambdaExecutionRole" in found[project.names.services_stack]


def test_what_broke_off_between_the_two_stacks_is_completed_by_the_next_run(project: DeployedProject) -> None:
    services = project.folder / "infrastructure" / "services.yaml"
    template = services.read_text()
    services.write_text(template.replace("AWS::IAM::ManagedPolicy", "AWS::IAM::Policies"))
    with pytest.raises(UserError, match=r"services\.yaml: CloudFormation refuses it"):
        bootstrap.deploy(project.sign_in())
    with pytest.raises(UserError, match=f"no stack {project.name}-services"):
        stack.deploy(project.sign_in())
    services.write_text(template)

    completed, again = bootstrap.deploy(project.sign_in()), bootstrap.deploy(project.sign_in())

    # The first stack was there: what the run did, it did to the other.
    assert (completed.outcome, again.outcome) == ("created", "unchanged")


def test_two_projects_share_the_accounts_identity_provider(
    local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = PROJECT
    projects = []
    for folder in ("first", "second"):
        monkeypatch.chdir(here)
        (tmp_path / folder).mkdir()
        project = DeployedProject(local_aws, tmp_path / folder, monkeypatch)
        bootstrap.deploy(project.sign_in())
        projects.append(project)

    providers = projects[0].client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]

    assert sum(entry["Arn"].endswith(f"/{bootstrap.ISSUER}") for entry in providers) == 1


def test_instance_types_are_limited_until_that_is_taken_back(project: DeployedProject) -> None:
    def parameter() -> str:
        (found,) = project.client("cloudformation").describe_stacks(StackName=project.names.bootstrap_stack)[
            "Stacks"
        ]
        values = {entry["ParameterKey"]: entry["ParameterValue"] for entry in found["Parameters"]}
        return values["EndpointInstanceTypes"]

    bootstrap.deploy(project.sign_in(), None, ["ml.m5.large", "ml.c5.large"])
    limited = parameter()
    kept = bootstrap.deploy(project.sign_in())
    bootstrap.deploy(project.sign_in(), None, ["any"])

    assert (limited, kept.outcome, parameter()) == ("ml.c5.large,ml.m5.large", "unchanged", "")


def test_the_administrator_is_told_which_buckets_the_pipeline_may_read(
    project: DeployedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    def named(*buckets: str) -> tuple[str, str]:
        project.name_buckets(*buckets)
        outcome = bootstrap.deploy(project.sign_in()).outcome
        return outcome, capsys.readouterr().out

    first, again, more, none = named("lake"), named("lake"), named("lake", "pond"), named()

    assert [outcome for outcome, _ in (first, again, more, none)] == [
        "created", "unchanged", "updated", "updated"
    ]  # fmt: skip
    assert "may read the bucket arn:aws:s3:::lake from now on" in first[1]
    assert "may read" not in again[1] + none[1]
    assert ":::pond from now on" in more[1]
    assert ":::lake from now on" not in more[1]


@pytest.mark.parametrize("arn", ["arn:aws:s3:::*", "arn:aws:s3:::lake*", "arn:aws:s3:::lake/*", "*", "lake"])
def test_the_template_takes_whole_buckets_by_name_alone(project: DeployedProject, arn: str) -> None:
    cloudformation = project.client("cloudformation")
    given = {
        "Project": project.name,
        "OidcSubjectPrefix": "repo:owner/name",
        "CreateOidcProvider": "false",
        "DataBucketArns": f"arn:aws:s3:::lake,{arn}",
        **bootstrap.functions(project.names),
    }

    with pytest.raises(ClientError, match="DataBucketArns failed to satisfy constraint"):
        cloudformation.create_stack(
            StackName=project.names.bootstrap_stack,
            TemplateBody=Path("infrastructure/bootstrap.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )


def test_another_account_gets_the_roles_that_host(project: DeployedProject) -> None:
    bootstrap.deploy(project.sign_in())

    first = bootstrap.deploy_hosting(project.sign_in(account="222222222222"), project.aws.account)
    second = bootstrap.deploy_hosting(project.sign_in(account="222222222222"), project.aws.account)

    assert (first.outcome, second.outcome) == ("created", "unchanged")
    role = project.client("iam", account="222222222222").get_role(RoleName=f"{project.name}-ProductionRole")
    (statement,) = role["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": project.names.role_arn(f"{project.name}-PromoteRole")}


def test_a_hosting_account_is_of_one_project_of_a_name(project: DeployedProject) -> None:
    bootstrap.deploy(project.sign_in())
    bootstrap.deploy_hosting(project.sign_in(account="222222222222"), project.aws.account)
    bootstrap.deploy(project.sign_in(account="444444444444"))
    ours = f"--project-account {project.aws.account}"

    with pytest.raises(UserError, match=f"{ours}, and this is with --project-account 4{{12}}: rename a"):
        bootstrap.deploy_hosting(project.sign_in(account="222222222222"), "444444444444")
    with pytest.raises(UserError, match=f"with no --project-account, and this is with {ours}: rename a"):
        bootstrap.deploy_hosting(project.sign_in(account="444444444444"), project.aws.account)
    with pytest.raises(UserError, match=f"{ours}, and this is with no --project-account: rename a"):
        bootstrap.deploy(project.sign_in(account="222222222222"))

    role = project.client("iam", account="222222222222").get_role(RoleName=f"{project.name}-ProductionRole")
    (statement,) = role["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": project.names.role_arn(f"{project.name}-PromoteRole")}


@pytest.mark.parametrize("role", ["AutopilotRole", "SageMakerExecutionRole", "LambdaExecutionRole"])
def test_what_runs_in_a_project_with_a_key_may_encrypt_with_it(project: DeployedProject, role: str) -> None:
    key = project.client("kms").create_key()["KeyMetadata"]["Arn"]
    automl = project.folder / "automl.toml"
    automl.write_text(f'{automl.read_text()}\n[encryption]\nkms_key = "{key}"\n')
    bootstrap.deploy(project.sign_in())

    kms = project.client("kms", role)

    assert kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    other = project.client("kms").create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match="kms:Encrypt"):
        project.client("kms", role).encrypt(KeyId=other, Plaintext=b"x")


def _attached(iam: Any, role: str) -> list[str]:
    policies = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [one["PolicyArn"] for one in policies]


def test_a_key_that_is_taken_away_leaves_no_role_with_its_policy(project: DeployedProject) -> None:
    key = project.client("kms").create_key()["KeyMetadata"]["Arn"]
    anna = project.client("iam").create_user(UserName=f"{project.name}-anna")["User"]["Arn"]
    automl = project.folder / "automl.toml"
    without = automl.read_text()
    automl.write_text(f'{without}\n[encryption]\nkms_key = "{key}"\n')
    bootstrap.deploy(project.sign_in())
    bootstrap.deploy_people(project.sign_in(), [anna], "")
    iam = project.client("iam")
    policy = f"arn:aws:iam::{project.aws.account}:policy/{project.name}-Key"
    # Whom moto names as the policy's holders are those among the account's first hundred roles.
    pages = iam.get_paginator("list_roles").paginate()
    ours = [role["RoleName"] for page in pages for role in page["Roles"] if project.name in role["RoleName"]]
    holders = {role for role in ours if policy in _attached(iam, role)}
    automl.write_text(without)

    deployed = bootstrap.deploy(project.sign_in())

    assert f"{project.name}-DataScientistRole" in holders
    assert deployed.outcome == "updated"
    assert bootstrap.deploy(project.sign_in()).outcome == "unchanged"
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy(PolicyArn=policy)
    assert not [role for role in holders if policy in _attached(iam, role)]


def test_an_alias_means_another_key_in_another_account(project: DeployedProject) -> None:
    automl = project.folder / "automl.toml"
    automl.write_text(f'{automl.read_text()}\n[encryption]\nkms_key = "alias/health"\n')

    with pytest.raises(
        UserError, match=r'automl\.toml: \[encryption\] kms_key = "alias/health".*write the ARN'
    ):
        bootstrap.deploy_hosting(project.sign_in(account="222222222222"), project.aws.account)


def test_the_projects_own_account_is_no_other_account(project: DeployedProject) -> None:
    with pytest.raises(UserError, match="is the account that you are signed in to"):
        bootstrap.deploy_hosting(project.sign_in(), project.aws.account)

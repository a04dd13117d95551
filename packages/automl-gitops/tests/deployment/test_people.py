"""The data scientists' role on the local AWS: who may assume it, until when, and how it is told."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.teardown import find, remove
from support.deployed import DeployedProject
from support.unique import unique


@pytest.fixture
def project(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    project = DeployedProject(local_aws, tmp_path, monkeypatch)
    bootstrap.deploy(project.sign_in())
    return project


def user(project: DeployedProject) -> tuple[str, dict[str, str]]:
    """A new IAM user without a right of its own: its ARN, and its keys as boto3 takes them."""
    iam, name = project.client("iam"), unique("person")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return arn, {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def may_assume(project: DeployedProject, keys: dict[str, str], role: str = "DataScientistRole") -> bool:
    sts = boto3.client("sts", endpoint_url=project.aws.url, region_name=project.aws.region, **keys)
    try:
        sts.assume_role(RoleArn=project.names.role_arn(f"{project.name}-{role}"), RoleSessionName="test")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def deploy(project: DeployedProject, *given: str) -> bootstrap.People | None:
    signed_in = project.sign_in()
    return bootstrap.deploy_people(signed_in, given, bootstrap.data_buckets(signed_in.names))


def test_nobody_has_the_role_until_somebody_is_named(project):
    assert deploy(project) is None
    stacks = project.client("cloudformation").describe_stacks()["Stacks"]
    assert project.names.people_stack not in {stack["StackName"] for stack in stacks}


def test_the_named_assume_it_and_others_do_not(project):
    (named, keys), (_, other) = user(project), user(project)

    first = deploy(project, named)
    kept = deploy(project)

    assert (first.deployed.outcome, kept.deployed.outcome) == ("created", "unchanged")
    assert kept.principals == (named,)
    assert may_assume(project, keys)
    assert not may_assume(project, other)
    assert not any(may_assume(project, keys, role) for role in ("PlanRole", "RetrainRole", "PromoteRole"))


def test_another_list_replaces_the_first_and_none_removes_the_role(project):
    (first, first_keys), (second, second_keys) = user(project), user(project)
    deploy(project, first)

    deploy(project, second)
    replaced = may_assume(project, first_keys), may_assume(project, second_keys)
    removed = deploy(project, "none")

    assert replaced == (False, True)
    assert removed is None
    assert not may_assume(project, second_keys)
    assert deploy(project) is None


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("arn:aws:sts::123456789012:assumed-role/Analyst/anna", "aws iam get-role --role-name Analyst "),
        ("arn:aws:iam::123456789012:group/analysts", "is no IAM user or role"),
        ("arn:aws:iam::123456789012:root", "is no IAM user or role"),
        ("arn:aws:iam::123456789012:role/*", "is no IAM user or role"),
        ("arn:aws:iam::123456789012:user/a,b", "is no IAM user or role"),
        ("*", "is no IAM user or role"),
        ("anna", "is no IAM user or role"),
    ],
)
def test_what_is_no_single_user_or_role_is_refused_before_any_call(arn, words):
    with pytest.raises(UserError, match=words.replace("*", r"\*")):
        bootstrap.check_people([arn])


def test_none_goes_alone():
    with pytest.raises(UserError, match="`none` alone"):
        bootstrap.check_people(["none", "arn:aws:iam::123456789012:user/anna"])


def test_somebody_who_does_not_exist_is_refused_by_iam_and_named(project):
    nobody = f"arn:aws:iam::{project.aws.account}:user/nobody"

    with pytest.raises(RunError, match=f"DataScientistRole.*Invalid principal in policy.*{nobody}"):
        deploy(project, nobody)


def test_the_administrator_reads_the_profile_to_hand_on(project, capsys):
    named, _ = user(project)

    project.sign_in()
    status = main(["bootstrap", "--data-scientist", named])
    told = capsys.readouterr().out

    assert status == 0
    profile = configparser.ConfigParser()
    profile.read_string(told[told.index("[profile") :])
    assert dict(profile[f"profile {project.name}"]) == {
        "role_arn": project.names.role_arn(f"{project.name}-DataScientistRole"),
        "source_profile": "default",
        "region": project.aws.region,
    }
    assert named in told


def test_the_role_goes_with_the_roles_that_it_shares_policies_with(project):
    named, keys = user(project)
    deploy(project, named)
    administrator = project.sign_in()

    found = find(administrator, data=True, roles=True)
    remove(administrator, found, project.name)

    assert [one.name for one in found] == [
        project.names.stack,  # bucket and registry, which the administrator made with the roles
        project.names.people_stack,
        project.names.services_stack,
        project.names.bootstrap_stack,
    ]
    assert not may_assume(project, keys)

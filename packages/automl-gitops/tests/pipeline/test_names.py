from __future__ import annotations

import re

import pytest
from making import ACCOUNT, automl_toml

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.derived_names import FUNCTIONS, ROLES, endings
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names


def test_longest_names_fit_the_services(config) -> None:
    names = Names(config(project={"name": "a" * 19, "region": "ap-southeast-1"}), ACCOUNT)

    job = names.automl_job("abcdefghijkl")

    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}", job)
    assert len(names.bucket) <= 63
    assert all(
        len(names.function(name)) <= 64 for name in ("start-autopilot", "check-autopilot", "register-model")
    )
    assert len(names.dead_letter_queue) <= 80
    assert len(names.execution_role) <= 64


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-west-1", "aws", "sqs.eu-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "sqs.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "sqs.us-gov-west-1.amazonaws.com"),
    ],
)
def test_arns_and_addresses_follow_the_partition(config, region: str, partition: str, host: str) -> None:
    names = Names(config(project={"region": region}), ACCOUNT)

    assert names.function_arn("start-autopilot").startswith(
        f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:"
    )
    assert names.execution_role_arn == f"arn:{partition}:iam::{ACCOUNT}:role/hospital-SageMakerExecutionRole"
    assert names.autopilot_role_arn == f"arn:{partition}:iam::{ACCOUNT}:role/hospital-AutopilotRole"
    assert names.queue_url == f"https://{host}/{ACCOUNT}/hospital-autopilot-callback"


LONGEST_ENDING = 15  # behind the shortest project's name and a hyphen; others are too long for any project


@pytest.mark.parametrize("ending", sorted(one for one in endings() if len(one) <= LONGEST_ENDING))
def test_a_project_with_the_name_of_something_of_another_s_is_refused(ending: str) -> None:
    with pytest.raises(UserError) as refused:
        Config.parse(automl_toml(project={"name": f"ab1-{ending}"}))

    assert f'[project] name = "ab1-{ending}" is a name that a project ab1 has' in str(refused.value)


@pytest.mark.parametrize("ending", sorted(one for one in endings() if len(one) > LONGEST_ENDING))
def test_a_longer_name_is_no_project_s(ending: str) -> None:
    with pytest.raises(UserError, match="3-19"):
        Config.parse(automl_toml(project={"name": f"ab1-{ending}"}))


@pytest.mark.parametrize("name", ["ab1-staging-v1", "ab1-production-v", "ab1-x-staging-vip"])
def test_a_project_whose_names_begin_as_another_s_releases_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f'name = "{name}" is a name that a project ab1'):
        Config.parse(automl_toml(project={"name": name}))


@pytest.mark.parametrize(
    "name", ["bootstrap", "production", "hospital", "ab1-bootstraps", "ab1services", "ab1-staging-x"]
)
def test_other_names_are_taken(name: str) -> None:
    assert Config.parse(automl_toml(project={"name": name})).project.name == name


def test_every_name_that_is_the_project_s_and_a_word_is_refused_to_others(config) -> None:
    names = Names(config(), ACCOUNT)
    stacks = (names.bootstrap_stack, names.services_stack, names.people_stack)
    derived = {
        *stacks,
        names.staging_endpoint,
        names.production_endpoint,
        names.queue,
        names.dead_letter_queue,
    }
    derived |= {
        *map(names.function, FUNCTIONS),
        *map(names.role, ROLES),
        names.execution_role,
        names.serving_role,
        names.autopilot_role,
    }

    assert {name.removeprefix("hospital-").lower() for name in derived} == endings()


def test_no_other_project_is_called_as_a_bucket(config) -> None:
    shortest = Names(config(project={"name": "abc"}), ACCOUNT).bucket

    with pytest.raises(UserError, match="3-19"):
        Config.parse(automl_toml(project={"name": shortest}))

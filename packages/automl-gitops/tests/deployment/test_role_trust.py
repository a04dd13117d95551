"""Who may assume each workflow role: exactly the repository, branch or environment that it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from automl_gitops.stacks import bootstrap
from automl_rehearsal.commands import TOKEN_SECRET, assume
from support.deployed import DeployedProject

# GitHub's two forms: newer repositories have the ids of owner and repository in it.
PREFIXES = ("repo:owner/name", "repo:owner@12/name@34")
MAIN, PULL_REQUEST = "ref:refs/heads/main", "pull_request"
CONTEXTS = (
    MAIN,
    PULL_REQUEST,
    "ref:refs/heads/other",
    "ref:refs/tags/main",
    "environment:production",
    "environment:teardown",
    "environment:staging",
)
ALLOWED = {
    "PlanRole": {MAIN, PULL_REQUEST},
    "RetrainRole": {MAIN},
    "PromoteRole": {"environment:production"},
    "TeardownRole": {"environment:teardown"},
}


@pytest.fixture(scope="module", params=PREFIXES)
def trust(request: pytest.FixtureRequest, local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Tries to assume a role with a subject, in a project whose repository has one of the two forms."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder: Path = tmp_path_factory.mktemp("project")
        project = DeployedProject(local_aws, folder, monkeypatch)
        bootstrap.deploy(project.sign_in(), request.param)
        names = project.names
    sts = boto3.client(
        "sts",
        endpoint_url=local_aws.url,
        region_name=local_aws.region,
        config=Config(signature_version=UNSIGNED),
    )

    def may_assume(role: str, subject: str) -> bool:
        try:
            sts.assume_role_with_web_identity(
                RoleArn=names.role_arn(f"{names.project}-{role}"),
                RoleSessionName="test",
                WebIdentityToken=local_aws.web_identity_token(subject),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return False
        return True

    may_assume.prefix, may_assume.names = request.param, names
    return may_assume


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_is_for_its_own_branch_or_environment(trust, role):
    found = {context for context in CONTEXTS if trust(role, f"{trust.prefix}:{context}")}

    assert found == ALLOWED[role]


def test_a_rehearsal_signs_in_as_a_workflow_and_hands_on_nothing_to_sign_more_with(trust, local_aws):
    arn = trust.names.role_arn(f"{trust.names.project}-RetrainRole")

    environment = assume(local_aws.environment, arn, f"{trust.prefix}:{MAIN}")

    assert [name for name in environment if "SECRET" in name] == ["AWS_SECRET_ACCESS_KEY"]
    assert environment["AWS_SESSION_TOKEN"]
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(local_aws.environment, arn, f"{trust.prefix}:{PULL_REQUEST}")
    with pytest.raises(ClientError, match="InvalidIdentityToken"):
        assume(local_aws.environment | {TOKEN_SECRET: "another"}, arn, f"{trust.prefix}:{MAIN}")


@pytest.mark.parametrize("role", ALLOWED)
@pytest.mark.parametrize(
    "prefix",
    [
        "repo:owner/other",
        "repo:other/name",
        "repo:fork/name",
        "repo:owner/name2",
        "repo:owner@12/name@35",
        "repo:owner@13/name@34",
        "repo:owner",
    ],
)
def test_no_other_repository_gets_in_whatever_it_calls_itself(trust, role, prefix):
    assert [context for context in CONTEXTS if trust(role, f"{prefix}:{context}")] == []


@pytest.mark.parametrize("role", ALLOWED)
def test_the_form_that_the_repository_does_not_have_is_refused(trust, role):
    (other,) = set(PREFIXES) - {trust.prefix}

    assert [context for context in CONTEXTS if trust(role, f"{other}:{context}")] == []


@pytest.mark.parametrize("subject", ["", "*", "repo:*", "environment:production"])
def test_a_subject_without_repository_is_refused(trust, subject):
    assert [role for role in ALLOWED if trust(role, subject)] == []

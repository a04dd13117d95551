from __future__ import annotations

import base64
import json
import math
import time

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from core_kit import refused

from local_sagemaker import actors, tokens
from local_sagemaker.bridge import AWSError

ISSUER = "token.actions.githubusercontent.com"


@pytest.fixture
def token(local_aws):
    """Make a token that is in order but for the claims that are said; None leaves one out."""

    def made(secret=local_aws.environment[tokens.VARIABLE], **claims):
        everything = {
            "iss": f"https://{ISSUER}",
            "aud": "sts.amazonaws.com",
            "exp": time.time() + 300,
        } | claims
        return tokens.sign(secret, {name: value for name, value in everything.items() if value is not None})

    return made


@pytest.fixture
def trusting(account):
    """Make a role that GitHub's tokens may become under a condition; returns what assumes it without keys."""
    iam = account.client("iam")
    if not iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    sts = boto3.client(
        "sts",
        endpoint_url=account.aws.url,
        region_name=account.aws.region,
        config=Config(signature_version=UNSIGNED),
    )

    def made(condition):
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{account.id}:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
        role = account.role({"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}, trust=trust)

        def assume(jwt):
            return sts.assume_role_with_web_identity(
                RoleArn=role, RoleSessionName="run", WebIdentityToken=jwt
            )

        return assume

    return made


@pytest.fixture
def github(trusting):
    """What assumes a role that the main branch and one environment of one repository may become."""
    subjects = ["repo:owner/name:ref:refs/heads/main", "repo:owner/name:environment:staging"]
    return trusting({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subjects}})


@pytest.mark.parametrize("subject", ["ref:refs/heads/main", "environment:staging"])
def test_a_token_of_the_trusted_branch_becomes_the_role(account, github, token, subject):
    answer = github(token(sub=f"repo:owner/name:{subject}"))

    given = {
        "AWS_ENDPOINT_URL": account.aws.url,
        "AWS_REGION": account.aws.region,
        "AWS_ACCESS_KEY_ID": answer["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["Credentials"]["SessionToken"],
    }
    assert answer["AssumedRoleUser"]["Arn"].endswith("/run")
    actors.client_with("sqs", given).list_queues()
    assert refused(actors.client_with("s3", given).list_buckets)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "repo:owner/name:pull_request"}, "AccessDenied"),
        ({"sub": "repo:owner/name:environment:production"}, "AccessDenied"),
        ({"sub": "repo:other/name:ref:refs/heads/main"}, "AccessDenied"),
        ({"sub": "repo:owner@1/name@2:ref:refs/heads/main"}, "AccessDenied"),
        ({"sub": "repo:Owner/name:ref:refs/heads/main"}, "AccessDenied"),
        ({}, "AccessDenied"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "aud": "elsewhere"}, "InvalidIdentityToken"),
        (
            {"sub": "repo:owner/name:ref:refs/heads/main", "iss": "https://evil.example"},
            "InvalidIdentityToken",
        ),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "exp": 1}, "ExpiredTokenException"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "exp": None}, "InvalidIdentityToken"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "exp": math.nan}, "InvalidIdentityToken"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "exp": math.inf}, "InvalidIdentityToken"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "exp": "never"}, "InvalidIdentityToken"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "nbf": time.time() + 3600}, "InvalidIdentityToken"),
        ({"sub": "repo:owner/name:ref:refs/heads/main", "iat": time.time() + 3600}, "InvalidIdentityToken"),
    ],
)
def test_other_tokens_do_not(github, token, claims, code):
    assert refused(github, jwt=token(**claims))[0] == code


@pytest.mark.parametrize(
    ("condition", "becomes"),
    [
        ({"StringEquals": {f"{ISSUER}:repository_id": "7"}}, True),
        ({"StringEquals": {f"{ISSUER}:repository_id": "8"}}, False),
        ({"StringEquals": {f"{ISSUER}:repository_owner": "owner"}}, False),  # AWS does not look at this claim
        ({"StringEquals": {f"{ISSUER}:sub": "repo:owner/*"}}, False),  # a star is one among equals only
        ({"StringLike": {f"{ISSUER}:sub": "repo:owner/*"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "run"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "walk"}}, False),
    ],
)
def test_what_a_trust_policy_can_ask_of_a_token(trusting, token, condition, becomes):
    jwt = token(sub="repo:owner/name:ref:refs/heads/main", repository_id="7", repository_owner="owner")
    assume = trusting(condition)

    if becomes:
        assert assume(jwt)["AssumedRoleUser"]["Arn"].endswith("/run")
    else:
        assert refused(assume, jwt=jwt)[0] == "AccessDenied"


def test_a_token_that_the_local_aws_gives_is_in_order(account, github):
    jwt = account.aws.web_identity_token("repo:owner/name:environment:staging", ref="refs/heads/main")

    assert github(jwt)["AssumedRoleUser"]["Arn"].endswith("/run")
    late = account.aws.web_identity_token("repo:owner/name:environment:staging", exp=1)
    assert refused(github, jwt=late)[0] == "ExpiredTokenException"


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    [
        lambda header, claims, signature: f"{encoded({'alg': 'none'})}.{claims}.",  # self-made
        lambda header, claims, signature: f"{header}.{claims}.",
        lambda header, claims, signature: f"{header}.{claims}",
        lambda header, claims, signature: f"{encoded({'alg': 'none'})}.{claims}.{signature}",
        lambda header, claims, signature: f"{header}.{claims}.{signature[::-1]}",
        lambda header, claims, signature: f"{header}.{claims}.{signature}=",
        lambda header, claims, signature: f"{header}.{claims}.é",
        lambda header, claims, signature: "nonsense",
        lambda header, claims, signature: "",
    ],
)
def test_a_token_that_the_secret_did_not_sign_is_refused(github, token, forged):
    header, claims, signature = token(sub="repo:owner/name:ref:refs/heads/main").split(".")

    code, message = refused(github, jwt=forged(header, claims, signature).ljust(4, "x"))

    assert code == "InvalidIdentityToken"
    assert "LOCAL_AWS_TOKEN_SECRET" in message


@pytest.mark.parametrize("secret", ["", "another"])
def test_a_token_that_another_secret_signed_is_refused(github, token, secret):
    jwt = token(secret=secret, sub="repo:owner/name:ref:refs/heads/main")

    assert refused(github, jwt=jwt)[0] == "InvalidIdentityToken"


def test_claims_of_a_signed_token_cannot_be_put_into_another(github, token):
    _, claims, _ = token(sub="repo:owner/name:ref:refs/heads/main").split(".")
    header, _, signature = token(sub="repo:other/name:pull_request").split(".")

    assert refused(github, jwt=f"{header}.{claims}.{signature}")[0] == "InvalidIdentityToken"


def test_what_acts_as_a_role_cannot_sign_tokens(account):
    assert tokens.VARIABLE not in account.aws.assume(account.role())
    assert tokens.VARIABLE not in actors.credentials(account.role(), "lambda.amazonaws.com", "eu-west-1")


def test_a_role_in_the_account_needs_trust_and_a_policy(account, allow):
    open_role = account.role()
    closed = account.role(
        trust={"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:*"}
    )
    nobody = account.acting("sts")
    somebody = account.acting("sts", allow("sts:AssumeRole", [open_role, closed]))

    somebody.assume_role(RoleArn=open_role, RoleSessionName="session")
    assert refused(somebody.assume_role, RoleArn=closed, RoleSessionName="session")[0] == "AccessDenied"
    assert refused(nobody.assume_role, RoleArn=open_role, RoleSessionName="session")[0] == "AccessDenied"
    missing = f"arn:aws:iam::{account.id}:role/core-none"
    assert (
        refused(account.client("sts").assume_role, RoleArn=missing, RoleSessionName="session")[0]
        == "AccessDenied"
    )


def test_a_trust_policy_that_names_the_caller_is_enough_within_the_account(account):
    caller = account.role()
    trust = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sts:AssumeRole"}
    target = account.role(trust=trust)
    sts = actors.client_with("sts", actors.credentials(caller, None, account.aws.region))

    assert sts.assume_role(RoleArn=target, RoleSessionName="session")["AssumedRoleUser"]["Arn"].endswith(
        "/session"
    )


def test_the_first_account_administers_the_other_by_its_organisation_role(account, other_account):
    role = f"arn:aws:iam::{other_account.id}:role/OrganizationAccountAccessRole"

    credentials = account.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]

    sts = boto3.client(
        "sts",
        endpoint_url=account.aws.url,
        region_name=account.aws.region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert sts.get_caller_identity()["Account"] == other_account.id


def test_a_session_policy_limits_the_session(account, allow):
    role = account.role(allow("*"))
    limit = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:ListQueues")]})
    answer = account.client("sts").assume_role(RoleArn=role, RoleSessionName="session", Policy=limit)[
        "Credentials"
    ]
    given = {
        "AWS_ENDPOINT_URL": account.aws.url,
        "AWS_REGION": account.aws.region,
        "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["SessionToken"],
    }

    actors.client_with("sqs", given).list_queues()
    assert refused(actors.client_with("s3", given).list_buckets)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PolicyArns", [{"arn": "arn:aws:iam::123456789012:policy/limit"}]),
        ("Tags", [{"Key": "team", "Value": "a"}]),
        ("SourceIdentity", "eve"),
    ],
)
def test_a_session_is_given_nothing_that_it_would_not_have(account, name, value):
    sts, role = account.client("sts"), account.role()

    refusal = refused(sts.assume_role, RoleArn=role, RoleSessionName="session", **{name: value})

    assert refusal == ("ValidationError", f"the local AWS does not offer {name} of a role session")


def test_a_service_needs_to_be_trusted(account):
    role = account.role()

    assert actors.credentials(role, "sagemaker.amazonaws.com", "eu-west-1")["AWS_SESSION_TOKEN"]
    with pytest.raises(
        AWSError, match=r"events\.amazonaws\.com is not authorized to perform: sts:AssumeRole"
    ):
        actors.credentials(role, "events.amazonaws.com", "eu-west-1")


def test_a_deleted_role_ends_its_sessions(account, allow):
    role = account.role(allow("*"))
    client = actors.client_with("sqs", actors.credentials(role, None, "eu-west-1"))
    client.list_queues()
    name = role.split("/")[-1]

    account.client("iam").delete_role_policy(RoleName=name, PolicyName="inline")
    account.client("iam").delete_role(RoleName=name)

    assert refused(client.list_queues)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(("source", "assumed"), [("123456789012", True), ("222222222222", False)])
def test_a_service_acts_for_the_account_of_who_asks_it(account, source, assumed):
    role = account.role(
        trust={
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": source}},
        }
    )

    if assumed:
        assert actors.credentials(role, "sagemaker.amazonaws.com", "eu-west-1")["AWS_SESSION_TOKEN"]
    else:
        with pytest.raises(AWSError, match=r"sagemaker\.amazonaws\.com is not authorized"):
            actors.credentials(role, "sagemaker.amazonaws.com", "eu-west-1")

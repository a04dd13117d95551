"""Decisions on policies alone, case by case as the IAM user guide gives the rules."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local_sagemaker.authorization.policies import Check, Principal, refusal

ACCOUNT, OTHER = "111111111111", "222222222222"
ROLE, SESSION = f"arn:aws:iam::{ACCOUNT}:role/worker", f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job"
USER, ROOT = f"arn:aws:iam::{ACCOUNT}:user/eve", f"arn:aws:iam::{ACCOUNT}:root"
QUEUE = "arn:aws:sqs:eu-west-1:{owner}:queue"

IDENTITY, RESOURCE = "identity-based policy", "resource-based policy"
BOUNDARY, SESSION_POLICY = "permissions boundary", "session policy"


def document(effect, action="sqs:*", resource="*", **more):
    return json.dumps({"Statement": {"Effect": effect, "Action": action, "Resource": resource, **more}})


ALLOW, DENY, ALLOW_S3 = document("Allow"), document("Deny"), document("Allow", "s3:*")


def naming(*principals):
    """A resource policy that allows it to these."""
    return document("Allow", Principal={"AWS": list(principals)})


def worker(*policies, **limits):
    return Principal(
        SESSION, ACCOUNT, frozenset({SESSION, ROLE}), frozenset({ACCOUNT, ROOT}), policies, **limits
    )


def eve(*policies, **limits):
    return replace(worker(*policies, **limits), arn=USER, names=frozenset({USER}))


def decide(principal, resource_policy=None, owner=ACCOUNT):
    check = Check("sqs:SendMessage", (QUEUE.format(owner=owner),), owner, {}, resource_policy)
    return refusal(principal, check)


@pytest.mark.parametrize(
    ("principal", "resource_policy", "where"),
    [
        (worker(ALLOW, DENY), None, IDENTITY),
        (worker(ALLOW), document("Deny", Principal="*"), RESOURCE),
        (worker(ALLOW, boundary=DENY), None, BOUNDARY),
        (worker(ALLOW, session_policy=DENY), None, SESSION_POLICY),
        (worker(DENY), naming(SESSION), IDENTITY),
        (worker(boundary=DENY), naming(SESSION), BOUNDARY),
    ],
)
def test_a_deny_wins_wherever_it_stands(principal, resource_policy, where):
    assert (
        decide(principal, resource_policy) == f"with an explicit deny in a{'n' * (where == IDENTITY)} {where}"
    )


@pytest.mark.parametrize(
    ("principal", "resource_policy", "missing"),
    [
        # identity policy, boundary and session policy must each allow it
        (worker(), None, IDENTITY),
        (worker(ALLOW), None, None),
        (worker(ALLOW, boundary=ALLOW, session_policy=ALLOW), None, None),
        (worker(ALLOW, boundary=ALLOW_S3), None, BOUNDARY),
        (worker(ALLOW, session_policy=ALLOW_S3), None, SESSION_POLICY),
        # a resource policy that names the role stands for the identity policy, not for the limits
        (worker(), naming(ROLE), None),
        (worker(boundary=ALLOW_S3), naming(ROLE), BOUNDARY),
        (worker(session_policy=ALLOW_S3), naming(ROLE), SESSION_POLICY),
        (worker(boundary=ALLOW_S3), naming("*"), BOUNDARY),
        # one that names the session, or the user, stands for the limits too
        (worker(boundary=ALLOW_S3, session_policy=ALLOW_S3), naming(SESSION), None),
        (eve(boundary=ALLOW_S3), naming(USER), None),
        # one that names the account leaves the decision to the account
        (worker(), naming(ACCOUNT), IDENTITY),
        (worker(), naming(ROOT), IDENTITY),
        (worker(ALLOW), naming(ROOT), None),
        # one that names somebody else changes nothing
        (worker(), naming(USER, OTHER), IDENTITY),
        (worker(), document("Allow", "sqs:DeleteQueue", Principal="*"), IDENTITY),
    ],
)
def test_within_an_account(principal, resource_policy, missing):
    reason = decide(principal, resource_policy)

    assert reason == (missing and f"because no {missing} allows the sqs:SendMessage action")


@pytest.mark.parametrize(
    ("principal", "resource_policy", "missing"),
    [
        (worker(ALLOW), None, RESOURCE),
        (worker(ALLOW), naming(OTHER), RESOURCE),
        (worker(ALLOW), naming(ACCOUNT), None),
        (worker(ALLOW), naming(ROLE), None),
        (worker(ALLOW), naming("*"), None),
        (worker(), naming(SESSION), IDENTITY),
        (worker(ALLOW, boundary=ALLOW_S3), naming(SESSION), BOUNDARY),
    ],
)
def test_the_resource_of_another_account_needs_both_policies(principal, resource_policy, missing):
    reason = decide(principal, resource_policy, owner=OTHER)

    assert reason == (missing and f"because no {missing} allows the sqs:SendMessage action")


@pytest.mark.parametrize(
    ("listed", "denied"), [([ROLE], False), ([ROOT], False), ([USER], True), ([OTHER], True)]
)
def test_a_deny_for_all_but_some(listed, denied):
    policy = json.dumps(
        {"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*", "Resource": "*"}}
    )

    assert (decide(worker(ALLOW), policy) is not None) == denied


@pytest.mark.parametrize(
    ("element", "concerned"),
    [
        ({"Action": "SQS:sendmessage", "Resource": "*"}, True),
        ({"Action": ["s3:*", "sqs:Send*"], "Resource": "*"}, True),
        ({"Action": "sqs:Send", "Resource": "*"}, False),
        ({"NotAction": "sqs:Delete*", "Resource": "*"}, True),
        ({"NotAction": ["s3:*", "sqs:*"], "Resource": "*"}, False),
        ({"Action": "*", "Resource": "arn:aws:sqs:*:*:q*e"}, True),
        ({"Action": "*", "Resource": "arn:aws:sqs:eu-west-1:*"}, False),  # a star ends with its part
        ({"Action": "*", "Resource": f"arn:aws:sqs:*:{OTHER}:*"}, False),
        ({"Action": "*", "Resource": ["arn:aws:s3:::*", "arn:aws:sqs:*:*:*"]}, True),
        ({"Action": "*", "NotResource": "arn:aws:sqs:*:*:secret"}, True),
        ({"Action": "*", "NotResource": ["arn:aws:s3:::*", "arn:aws:sqs:*:*:queue"]}, False),
        ({"Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:absent": "x"}}}, False),
    ],
)
def test_what_a_statement_concerns(element, concerned):
    policy = json.dumps({"Statement": [{"Effect": "Allow", **element}]})

    assert (decide(worker(policy)) is None) == concerned

from __future__ import annotations

import re

import pytest
from making import ACCOUNT

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

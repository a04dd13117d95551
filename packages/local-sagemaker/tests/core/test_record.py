"""The record of what roles were allowed, simulated policies, and quotas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from core_kit import Account

from local_sagemaker import quotas
from local_sagemaker.authorization import record

PROCESSING = "ml.m5.xlarge for processing job usage"


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_aws: Any) -> Path:
    path = tmp_path / "calls.jsonl"
    monkeypatch.setattr(record, "_current", record.Record(path))
    return path


def test_what_a_role_was_allowed_is_recorded_once_and_what_it_was_refused_is_not(
    account: Account, recording: Path
) -> None:
    bucket = account.bucket(one="1")
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3 = account.acting("s3", allowed)
    s3.get_object(Bucket=bucket, Key="one")
    account.client("s3").get_object(Bucket=bucket, Key="one")
    with pytest.raises(ClientError):
        s3.delete_object(Bucket=bucket, Key="one")

    noted = [json.loads(line) for line in recording.read_text().splitlines()]

    here = [one for one in noted if bucket in one["resource"]]
    assert [(one["action"], one["resource"]) for one in here] == [
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/one")
    ]
    assert ":role/core-role" in here[0]["role"]


def simulate(account: Account, role: str, action: str, resource: str, **context: str) -> dict[str, Any]:
    entries = [
        {"ContextKeyName": f"iam:{name}", "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in context.items()
    ]
    (result,) = account.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource], ContextEntries=entries
    )["EvaluationResults"]
    return result


def test_a_simulation_decides_as_the_request_itself_would_be_decided(account: Account) -> None:
    role = account.role(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::mine/*"},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        },
    )
    other = "arn:aws:iam::123456789012:role/other"

    decisions = [
        simulate(account, role, "s3:GetObject", "arn:aws:s3:::mine/key"),
        simulate(account, role, "s3:GetObject", "arn:aws:s3:::theirs/key"),
        simulate(account, role, "s3:DeleteObject", "arn:aws:s3:::mine/key"),
        simulate(account, role, "iam:PassRole", other, PassedToService="lambda.amazonaws.com"),
        simulate(account, role, "iam:PassRole", other),
    ]

    assert [one["EvalDecision"] for one in decisions] == [
        "allowed",
        "implicitDeny",
        "explicitDeny",
        "allowed",
        "implicitDeny",
    ]
    assert decisions[-1]["MissingContextValues"] == ["iam:PassedToService"]


def test_a_role_that_there_is_not_cannot_be_simulated(account: Account) -> None:
    with pytest.raises(ClientError) as refused:
        simulate(account, f"arn:aws:iam::{account.id}:role/nobody", "s3:GetObject", "*")

    assert refused.value.response["Error"]["Code"] == "NoSuchEntity"


def test_quotas_are_listed_page_by_page_as_they_hold(account: Account, local_aws: Any) -> None:
    client = account.client("service-quotas")
    quotas.set_quota(account.id, local_aws.region, PROCESSING, 0)
    try:
        pages = list(client.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker"))
        defaults = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode="sagemaker")
        default = {one["QuotaName"]: one["Value"] for page in defaults for one in page["Quotas"]}
        applied = {one["QuotaName"]: one for page in pages for one in page["Quotas"]}
        code = applied[PROCESSING]["QuotaCode"]
        single = client.get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]
        with pytest.raises(ClientError) as refused:
            account.client("sagemaker").create_processing_job(
                ProcessingJobName=account.name("job"),
                ProcessingResources={
                    "ClusterConfig": {
                        "InstanceType": "ml.m5.xlarge",
                        "InstanceCount": 1,
                        "VolumeSizeInGB": 1,
                    }
                },
                AppSpecification={"ImageUri": "image"},
                RoleArn=account.role(),
            )
    finally:
        quotas.set_quota(account.id, local_aws.region, PROCESSING, None)

    assert len(pages) > 1
    assert (applied[PROCESSING]["Value"], default[PROCESSING], single["Value"]) == (0, 20, 0)
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert f"'{PROCESSING}' is 0 Instances" in refused.value.response["Error"]["Message"]

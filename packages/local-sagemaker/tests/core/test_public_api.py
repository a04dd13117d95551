"""What others may build on: the names of the package, what `LocalAWS` offers, and the commands."""

from __future__ import annotations

import subprocess
import sys

import boto3
import pytest
from core_kit import refused

import local_sagemaker
from local_sagemaker.__main__ import main

TRANSFORMS = "ml.m5.large for transform job usage"


def client(service, environment):
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
    )


def test_every_public_name_is_there():
    assert local_sagemaker.__all__ == ["BadInput", "Fault", "LocalAWS", "ModelError", "spoil"]
    assert all(callable(getattr(local_sagemaker, name)) for name in local_sagemaker.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Local'"):
        _ = local_sagemaker.Local


def test_the_command_says_its_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"local-sagemaker {local_sagemaker.__version__}\n"


def test_a_role_is_assumed_whomever_it_trusts_and_acts_with_its_rights_alone(local_aws, account, allow):
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = account.role(allow("sqs:ListQueues"), trust=trust)

    environment = local_aws.assume(role)

    assert (
        client("sts", environment)
        .get_caller_identity()["Arn"]
        .startswith(role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/"))
    )
    client("sqs", environment).list_queues()
    assert refused(client("s3", environment).list_buckets)[0] == "AccessDenied"


def test_a_role_that_is_not_there_is_not_assumed(local_aws):
    with pytest.raises(LookupError, match="there is no role arn:aws:iam::123456789012:role/nobody"):
        local_aws.assume("arn:aws:iam::123456789012:role/nobody")


def test_a_quota_is_set_for_one_account_and_taken_back(local_aws):
    def values():
        return [
            quota["Value"]
            for account in (local_aws.account, "222222222222")
            for page in local_aws.client("service-quotas", account)
            .get_paginator("list_service_quotas")
            .paginate(ServiceCode="sagemaker")
            for quota in page["Quotas"]
            if quota["QuotaName"] == TRANSFORMS
        ]

    local_aws.set_quota(TRANSFORMS, 3)
    changed = values()
    local_aws.set_quota(TRANSFORMS, None)
    local_aws.set_quota(TRANSFORMS, 2, account="222222222222")
    other = values()
    local_aws.set_quota(TRANSFORMS, None, account="222222222222")

    assert (changed, other, values()) == ([3, 20], [20, 2], [20, 20])
    with pytest.raises(ValueError, match="no quota of sagemaker"):
        local_aws.set_quota("ml.m5.large for nothing", 1)


def test_a_class_of_the_tests_serves_models(local_aws, account, allow, monkeypatch):
    class Echo:
        @classmethod
        def start(cls, containers, credentials, region):
            return cls()

        def predict(self, body, content_type, accept):
            if body == b"fails":
                raise local_sagemaker.ModelError("as it was asked to")
            if body == b"refuses":
                raise local_sagemaker.BadInput("not this one")
            return body[::-1], "text/csv"

        def stop(self):
            pass

    monkeypatch.setattr(local_aws, "predictor", Echo)
    sagemaker, name = account.client("sagemaker"), account.name("served")
    bucket = account.bucket(model="any")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=account.role(allow("s3:GetObject")),
        PrimaryContainer={
            "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/any:1",
            "ModelDataUrl": f"s3://{bucket}/model",
        },
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    runtime = account.client("sagemaker-runtime")

    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"abc")["Body"].read()
    codes = [
        refused(runtime.invoke_endpoint, EndpointName=name, Body=body)[0] for body in (b"fails", b"refuses")
    ]
    sagemaker.delete_endpoint(EndpointName=name)

    assert answer == b"cba"
    assert codes == ["ModelError", "ModelError"]


def test_the_fixture_comes_with_the_package(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "def test_mine(local_aws):\n"
        "    assert local_aws.client('sts').get_caller_identity()['Account'] == local_aws.account\n"
    )

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr

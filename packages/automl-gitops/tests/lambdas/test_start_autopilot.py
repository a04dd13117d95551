from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY
from lambdas import start_autopilot

from support.stubbed_aws import ACCOUNT, REGION, StubbedAws

EVENT: dict[str, Any] = {
    "project": "readmission",
    "execution_id": "abcdefghijkl",
    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/readmission-SageMakerExecutionRole",
    "train_validation_uri": "s3://bucket/datasets/0a/train_validation.csv",
    "validation_uri": "none",
    "output_uri": "s3://bucket/autopilot/abcdefghijkl/",
    "target": "readmitted",
    "problem_type": "MulticlassClassification",
    "objective": "F1macro",
    "mode": "ENSEMBLING",
    "algorithms": "",
    "feature_specification": "",
    "weight": "",
    "max_candidates": 10,
    "max_seconds_per_training_job": "1800",
    "max_seconds": 3600,
    "kms_key": "",
    "subnets": "",
    "security_groups": "",
    "tags": "",
}
REQUEST: dict[str, Any] = {
    "AutoMLJobName": "readmission-abcdefghijkl",
    "AutoMLJobInputDataConfig": [
        {
            "ChannelType": "training",
            "ContentType": "text/csv;header=present",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://bucket/datasets/0a/train_validation.csv",
                }
            },
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/autopilot/abcdefghijkl/"},
    "AutoMLProblemTypeConfig": {
        "TabularJobConfig": {
            "TargetAttributeName": "readmitted",
            "Mode": "ENSEMBLING",
            "ProblemType": "MulticlassClassification",
            "CompletionCriteria": {
                "MaxCandidates": 10,
                "MaxRuntimePerTrainingJobInSeconds": 1800,
                "MaxAutoMLJobRuntimeInSeconds": 3600,
            },
        }
    },
    "AutoMLJobObjective": {"MetricName": "F1macro"},
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/readmission-SageMakerExecutionRole",
}
CREATED = {"AutoMLJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:automl-job/readmission-abcdefghijkl"}


@pytest.fixture
def stubbed(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> StubbedAws:
    aws["s3"].add_response(
        "put_object",
        {},
        {
            "Bucket": "bucket",
            "Key": "autopilot/abcdefghijkl/request.json",
            "Body": ANY,
            "ExpectedBucketOwner": ACCOUNT,
        },
    )
    return aws.serve(start_autopilot, monkeypatch)


def test_starts_the_job_with_the_steps_inputs(stubbed: StubbedAws) -> None:
    stubbed["sagemaker"].add_response("create_auto_ml_job_v2", CREATED, REQUEST)

    outputs = start_autopilot.handler(EVENT, None)

    assert outputs == {"automl_job_name": "readmission-abcdefghijkl"}


def test_rows_to_validate_on_are_a_channel_of_their_own(stubbed: StubbedAws) -> None:
    uri = "s3://bucket/datasets/0a/validation.csv"
    (training,) = REQUEST["AutoMLJobInputDataConfig"]
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    validation = {**training, "ChannelType": "validation", "DataSource": source}
    request = {**REQUEST, "AutoMLJobInputDataConfig": [training, validation]}
    stubbed["sagemaker"].add_response("create_auto_ml_job_v2", CREATED, request)

    start_autopilot.handler({**EVENT, "validation_uri": uri}, None)


def test_keeps_the_request_before_it_is_sent(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.serve(start_autopilot, monkeypatch)
    kept: list[bytes] = []
    monkeypatch.setattr(aws["s3"].client, "put_object", lambda **request: kept.append(request["Body"]))
    aws["sagemaker"].add_client_error("create_auto_ml_job_v2", "InternalFailure", "try later", 500)

    with pytest.raises(ClientError):
        start_autopilot.handler(EVENT, None)

    assert json.loads(kept[0]) == REQUEST


def test_a_job_that_was_started_before_is_the_same_job(stubbed: StubbedAws) -> None:
    stubbed["sagemaker"].add_client_error("create_auto_ml_job_v2", "ResourceInUse", "exists", 400)

    outputs = start_autopilot.handler(EVENT, None)

    assert outputs == {"automl_job_name": "readmission-abcdefghijkl"}


@pytest.mark.parametrize("code", ["ResourceLimitExceeded", "ThrottlingException"])
def test_a_used_up_quota_is_no_failure(
    stubbed: StubbedAws, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stubbed["sagemaker"].add_client_error("create_auto_ml_job_v2", code, "too many AutoML jobs", 400)

    outputs = start_autopilot.handler(EVENT, None)

    assert outputs == {"automl_job_name": "readmission-abcdefghijkl"}
    assert "has to wait for a place" in caplog.text


def test_a_request_that_the_service_refuses_fails_the_step(stubbed: StubbedAws) -> None:
    stubbed["sagemaker"].add_client_error(
        "create_auto_ml_job_v2", "ValidationException", "no column readmitted", 400
    )

    with pytest.raises(ClientError, match="no column readmitted"):
        start_autopilot.handler(EVENT, None)


def test_an_inferred_problem_type_sends_neither_type_nor_objective() -> None:
    request = start_autopilot.create_request(EVENT | {"problem_type": "infer", "objective": ""})

    assert "AutoMLJobObjective" not in request
    assert "ProblemType" not in request["AutoMLProblemTypeConfig"]["TabularJobConfig"]


def test_features_weight_and_algorithms_reach_the_job(
    aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    specification = '{"FeatureDataTypes": {"zip": "categorical"}}'
    for name, body in (("feature_specification", specification.encode()), ("request", ANY)):
        place = {"Bucket": "bucket", "Key": f"autopilot/abcdefghijkl/{name}.json", "Body": body}
        place["ExpectedBucketOwner"] = ACCOUNT
        aws["s3"].add_response("put_object", {}, place)
    aws.serve(start_autopilot, monkeypatch)
    event = EVENT | {
        "feature_specification": specification,
        "weight": "importance",
        "algorithms": "lightgbm,linear-learner",
    }
    tabular = REQUEST["AutoMLProblemTypeConfig"]["TabularJobConfig"] | {
        "FeatureSpecificationS3Uri": "s3://bucket/autopilot/abcdefghijkl/feature_specification.json",
        "SampleWeightAttributeName": "importance",
        "CandidateGenerationConfig": {
            "AlgorithmsConfig": [{"AutoMLAlgorithms": ["lightgbm", "linear-learner"]}]
        },
    }
    expected = REQUEST | {"AutoMLProblemTypeConfig": {"TabularJobConfig": tabular}}
    aws["sagemaker"].add_response("create_auto_ml_job_v2", CREATED, expected)

    outputs = start_autopilot.handler(event, None)

    assert outputs == {"automl_job_name": "readmission-abcdefghijkl"}


def test_key_network_and_tags_reach_the_job(stubbed: StubbedAws) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a"
    event = EVENT | {
        "kms_key": key,
        "subnets": "subnet-1,subnet-2",
        "security_groups": "sg-1",
        "tags": "team=care,cost centre=4=2",
    }
    expected = REQUEST | {
        "OutputDataConfig": {"S3OutputPath": EVENT["output_uri"], "KmsKeyId": key},
        "SecurityConfig": {
            "VolumeKmsKeyId": key,
            "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
        },
        "Tags": [{"Key": "team", "Value": "care"}, {"Key": "cost centre", "Value": "4=2"}],
    }
    stubbed["sagemaker"].add_response("create_auto_ml_job_v2", CREATED, expected)

    outputs = start_autopilot.handler(event, None)

    assert outputs == {"automl_job_name": "readmission-abcdefghijkl"}

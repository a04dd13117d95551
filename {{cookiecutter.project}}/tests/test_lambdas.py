"""What the three functions do, against stubbed AWS clients that check every request."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import ANY
from conftest import ACCOUNT

from lambdas import check_autopilot, register_model, start_autopilot

JOB = "shop-abcdefghijkl"
ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
EXECUTION = f"{ARN}:pipeline/shop/execution/abcdefghijkl"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop-AutopilotRole"
QUEUE = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/shop-autopilot-callback"
MAX_SECONDS = 3600
OURS = {"Bucket": "bucket", "ExpectedBucketOwner": ACCOUNT}


def stored(content: object) -> dict[str, Any]:
    """An object's answer."""
    body = json.dumps(content).encode()
    return {"Body": StreamingBody(io.BytesIO(body), len(body))}


# start_autopilot

STEP_INPUTS: dict[str, Any] = {
    "project": "shop",
    "execution_id": "abcdefghijkl",
    "role_arn": ROLE,
    "train_validation_uri": "s3://bucket/datasets/0a/train_validation.csv",
    "validation_uri": "none",
    "output_uri": "s3://bucket/autopilot/abcdefghijkl/",
    "target": "bought",
    "problem_type": "BinaryClassification",
    "objective": "F1",
    "mode": "ENSEMBLING",
    "max_candidates": "10",
    "max_seconds_per_training_job": "1800",
    "max_seconds": "3600",
    "kms_key": "",
    "subnets": "",
    "security_groups": "",
    "tags": "team=care",
}


@pytest.fixture
def starting(served):
    aws = served(start_autopilot)
    place = {**OURS, "Key": "autopilot/abcdefghijkl/request.json", "Body": ANY}
    aws["s3"].add_response("put_object", {}, place)
    return aws


def test_the_job_starts_with_the_steps_inputs(starting):
    request = start_autopilot.create_request(STEP_INPUTS)
    starting["sagemaker"].add_response(
        "create_auto_ml_job_v2", {"AutoMLJobArn": f"{ARN}:automl-job/{JOB}"}, request
    )

    assert start_autopilot.handler(STEP_INPUTS, None) == {"automl_job_name": JOB}
    assert request["AutoMLJobName"] == JOB
    assert request["AutoMLJobObjective"] == {"MetricName": "F1"}
    tabular = request["AutoMLProblemTypeConfig"]["TabularJobConfig"]
    assert tabular["TargetAttributeName"] == "bought"
    assert tabular["CompletionCriteria"]["MaxCandidates"] == 10
    assert request["Tags"] == [{"Key": "team", "Value": "care"}]


def test_rows_to_validate_on_have_a_channel_of_their_own():
    one = start_autopilot.create_request(STEP_INPUTS)["AutoMLJobInputDataConfig"]
    apart = {**STEP_INPUTS, "validation_uri": "s3://bucket/datasets/0a/validation.csv"}
    two = start_autopilot.create_request(apart)["AutoMLJobInputDataConfig"]

    assert [channel["ChannelType"] for channel in one] == ["training"]
    assert [channel["ChannelType"] for channel in two] == ["training", "validation"]
    assert two[1]["DataSource"]["S3DataSource"]["S3Uri"] == apart["validation_uri"]


@pytest.mark.parametrize("code", ["ResourceInUse", "ResourceLimitExceeded", "ThrottlingException"])
def test_a_job_that_is_there_and_a_used_up_quota_are_no_failure(starting, code):
    starting["sagemaker"].add_client_error("create_auto_ml_job_v2", code, "not now", 400)

    assert start_autopilot.handler(STEP_INPUTS, None) == {"automl_job_name": JOB}


def test_a_refused_request_fails_the_step(starting):
    starting["sagemaker"].add_client_error(
        "create_auto_ml_job_v2", "ValidationException", "no column bought", 400
    )

    with pytest.raises(ClientError, match="no column bought"):
        start_autopilot.handler(STEP_INPUTS, None)


# check_autopilot


@pytest.fixture
def checking(served, monkeypatch):
    monkeypatch.setenv("QUEUE_URL", QUEUE)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", f"{QUEUE}-dlq")
    return served(check_autopilot)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def event(status: str = "Executing", body: str = "") -> dict[str, Any]:
    """One message of the callback step."""
    message = {
        "token": "a1b2c3d4e5",
        "pipelineExecutionArn": EXECUTION,
        "status": status,
        "arguments": {
            "automl_job_name": JOB,
            "started_at": ago(100).isoformat(),
            "max_seconds": str(MAX_SECONDS),
            "request_uri": "s3://bucket/autopilot/abcdefghijkl/request.json",
        },
    }
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(round(ago(100).timestamp() * 1000))}
    body = body or json.dumps(message)
    return {
        "Records": [{"messageId": "1", "receiptHandle": "handle", "body": body, "attributes": attributes}]
    }


def job(aws, status: str, *, age: float = 100, **more: Any) -> None:
    """What describes the job."""
    answer = {
        "AutoMLJobName": JOB,
        "AutoMLJobArn": f"{ARN}:automl-job/{JOB}",
        "AutoMLJobInputDataConfig": [{"ChannelType": "training"}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/autopilot/"},
        "RoleArn": ROLE,
        "CreationTime": ago(age),
        "LastModifiedTime": ago(1),
        "AutoMLJobStatus": status,
        "AutoMLJobSecondaryStatus": "TrainingModels" if status == "InProgress" else status,
    }
    aws["sagemaker"].add_response("describe_auto_ml_job_v2", answer | more, {"AutoMLJobName": JOB})


def failed(aws, reason: str) -> None:
    answer = {"CallbackToken": "a1b2c3d4e5", "FailureReason": reason, "ClientRequestToken": ANY}
    aws["sagemaker"].add_response("send_pipeline_execution_step_failure", {}, answer)


def look(status: str = "Executing") -> bool:
    """Handle a message; whether it has to come again."""
    return bool(check_autopilot.handler(event(status), None)["batchItemFailures"])


def test_while_the_job_runs_the_message_comes_again(checking):
    job(checking, "InProgress")
    visibility = {"QueueUrl": QUEUE, "ReceiptHandle": "handle", "VisibilityTimeout": 5}
    checking["sqs"].add_response("change_message_visibility", {}, visibility)

    assert look()


def test_a_job_with_a_candidate_answers_the_step(checking):
    best = {
        "CandidateName": "ensemble-3",
        "FinalAutoMLJobObjectiveMetric": {"MetricName": "F1", "Value": 0.5},
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": ago(50),
        "LastModifiedTime": ago(1),
    }
    job(checking, "Completed", BestCandidate=best)
    sent: dict[str, Any] = {}
    checking["sagemaker"].client.meta.events.register(
        "before-parameter-build.sagemaker.SendPipelineExecutionStepSuccess",
        lambda params, **_: sent.update(params),
    )
    checking["sagemaker"].add_response("send_pipeline_execution_step_success", {})

    assert not look()
    outputs = {one["Name"]: one["Value"] for one in sent["OutputParameters"]}
    assert outputs["best_candidate"] == "ensemble-3"
    assert outputs["objective_value"] == "0.5"


def test_a_failed_job_fails_the_step_with_its_reason(checking):
    job(checking, "Failed", FailureReason="the target has one value")
    failed(checking, f"Autopilot job {JOB} Failed: the target has one value")

    assert not look()


def test_a_job_that_is_too_late_and_one_that_nobody_wants_are_stopped(checking):
    for status, age in (("Executing", MAX_SECONDS + check_autopilot.GRACE_SECONDS + 1), ("Stopping", 100)):
        job(checking, "InProgress", age=age)
        checking["sagemaker"].add_response("stop_auto_ml_job", {}, {"AutoMLJobName": JOB})
        checking["sqs"].add_response("change_message_visibility", {})

        assert look(status)


def test_what_cannot_be_understood_goes_to_the_dead_letters(checking):
    reason = {"reason": {"DataType": "String", "StringValue": ANY}}
    letter = {"QueueUrl": f"{QUEUE}-dlq", "MessageBody": "no JSON", "MessageAttributes": reason}
    checking["sqs"].add_response("send_message", {}, letter)

    assert check_autopilot.handler(event(body="no JSON"), None) == {"batchItemFailures": []}


# register_model

EVALUATION: dict[str, Any] = {
    "decision": "accept",
    "reasons_text": "F1 on the holdout is 0.5, not below the minimum of 0.3",
    "problem_type": "BinaryClassification",
    "objective": {"name": "F1", "value": 0.5, "validation_value": 0.52},
    "rows": 200,
    "metrics": {"f1": 0.5, "accuracy": 0.8},
    "containers": [
        {"Image": "image:1", "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": {"A": "1"}}
    ],
    "automl_job": {"best_candidate": "ensemble-3"},
}
REGISTRATION = {
    "project": "shop",
    "execution_arn": EXECUTION,
    "execution_id": "abcdefghijkl",
    "evaluation_uri": "s3://bucket/evaluations/abcdefghijkl",
    "automl_job_name": JOB,
    "dataset_sha256": "0a" * 32,
    "commit_id": "0123456789abcdef0123456789abcdef01234567",
    "repository": "owner/shop",
    "run_url": "https://github.com/owner/shop/actions/runs/7",
    "champion": "none",
}


def documents(aws, **content: Any) -> None:
    """What the evaluation left, in the order in which it is read; what is not there is missing."""
    for name in ("evaluation", "model_quality", "explainability", "model_card"):
        place = {**OURS, "Key": f"evaluations/abcdefghijkl/{name}.json"}
        if name in content:
            aws["s3"].add_response("get_object", stored(content[name]), place)
        else:
            aws["s3"].add_client_error("get_object", "NoSuchKey", "no such key", 404, expected_params=place)


def test_exactly_what_was_evaluated_is_registered_and_waits_for_approval(served):
    aws = served(register_model)
    documents(aws, evaluation=EVALUATION, model_quality={})
    group = {
        "ModelPackageGroupName": "shop",
        "ModelPackageGroupArn": f"{ARN}:model-package-group/shop",
        "CreationTime": 0,
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }
    sent: dict[str, Any] = {}
    aws["sagemaker"].add_response("describe_model_package_group", group)
    aws["sagemaker"].add_response("create_model_package", {"ModelPackageArn": f"{ARN}:model-package/shop/4"})
    aws["sagemaker"].client.meta.events.register(
        "before-parameter-build.sagemaker.CreateModelPackage", lambda params, **_: sent.update(params)
    )

    outputs = register_model.handler(REGISTRATION, None)

    assert outputs == {"model_package_arn": f"{ARN}:model-package/shop/4"}
    assert sent["ModelApprovalStatus"] == "PendingManualApproval"
    assert sent["InferenceSpecification"]["Containers"] == EVALUATION["containers"]
    assert sent["MetadataProperties"]["CommitId"] == REGISTRATION["commit_id"]
    assert sent["CustomerMetadataProperties"]["dataset_sha256"] == "0a" * 32
    assert sent["CustomerMetadataProperties"]["test_f1"] == "0.5"


def test_what_the_gate_rejected_is_not_registered(served):
    aws = served(register_model)
    place = {**OURS, "Key": "evaluations/abcdefghijkl/evaluation.json"}
    aws["s3"].add_response("get_object", stored(EVALUATION | {"decision": "reject"}), place)

    with pytest.raises(register_model.RegistrationError, match="the evaluation says reject"):
        register_model.handler(REGISTRATION, None)

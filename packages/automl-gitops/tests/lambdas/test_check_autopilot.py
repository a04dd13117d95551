from __future__ import annotations

import io
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.stub import ANY
from lambdas import check_autopilot

from support.stubbed_aws import ACCOUNT, REGION, StubbedAws

JOB = "readmission-abcdefghijkl"
JOB_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:automl-job/{JOB}"
EXECUTION = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/readmission/execution/abcdefghijkl"
TOKEN = "a1b2c3d4e5"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/readmission-autopilot-callback"
DEAD_LETTERS = f"{QUEUE}-dlq"
MAX_SECONDS = 3600
HANDLED: dict[str, Any] = {"batchItemFailures": []}
COMES_AGAIN = {"batchItemFailures": [{"itemIdentifier": "message-1"}]}


@pytest.fixture
def stubbed(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> StubbedAws:
    monkeypatch.setenv("QUEUE_URL", QUEUE)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", DEAD_LETTERS)
    return aws.serve(check_autopilot, monkeypatch)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def body(*, started: float = 100, status: str = "Executing", **arguments: str) -> str:
    given = {
        "automl_job_name": JOB,
        "started_at": ago(started).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "max_seconds": str(MAX_SECONDS),
        "request_uri": "s3://bucket/autopilot/abcdefghijkl/request.json",
    }
    message = {
        "token": TOKEN,
        "pipelineExecutionArn": EXECUTION,
        "status": status,
        "arguments": given | arguments,
    }
    return json.dumps(message)


def event(text: str, receptions: int = 1, number: int = 1, age: float = 100) -> dict[str, Any]:
    sent = ago(age)
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"handle-{number}",
                "body": text,
                "attributes": {
                    "ApproximateReceiveCount": str(receptions),
                    "SentTimestamp": str(round(sent.timestamp() * 1000)),
                },
            }
        ]
    }


def job(status: str, *, age: float = 100, **more: Any) -> dict[str, Any]:
    return {
        "AutoMLJobName": JOB,
        "AutoMLJobArn": JOB_ARN,
        "AutoMLJobInputDataConfig": [{"ChannelType": "training"}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/autopilot/abcdefghijkl/"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/readmission-SageMakerExecutionRole",
        "CreationTime": ago(age),
        "LastModifiedTime": ago(1),
        "AutoMLJobStatus": status,
        "AutoMLJobSecondaryStatus": "TrainingModels" if status == "InProgress" else status,
        **more,
    }


def best(value: float = 0.41) -> dict[str, Any]:
    return {
        "CandidateName": "ensemble-3",
        "FinalAutoMLJobObjectiveMetric": {
            "MetricName": "F1macro",
            "StandardMetricName": "F1macro",
            "Value": value,
        },
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": ago(50),
        "LastModifiedTime": ago(1),
    }


def described(aws: StubbedAws, answer: dict[str, Any]) -> None:
    aws["sagemaker"].add_response("describe_auto_ml_job_v2", answer, {"AutoMLJobName": JOB})


def missing(aws: StubbedAws) -> None:
    aws["sagemaker"].add_client_error("describe_auto_ml_job_v2", "ResourceNotFound", "no such job", 400)


def hidden(aws: StubbedAws, seconds: int | object, number: int = 1) -> None:
    expected = {"QueueUrl": QUEUE, "ReceiptHandle": f"handle-{number}", "VisibilityTimeout": seconds}
    aws["sqs"].add_response("change_message_visibility", {}, expected)


def failed(aws: StubbedAws, reason: str | object) -> None:
    expected = {"CallbackToken": TOKEN, "ClientRequestToken": ANY, "FailureReason": reason}
    aws["sagemaker"].add_response("send_pipeline_execution_step_failure", {}, expected)


def stopped(aws: StubbedAws) -> None:
    aws["sagemaker"].add_response("stop_auto_ml_job", {}, {"AutoMLJobName": JOB})


def executing(aws: StubbedAws, status: str = "Executing") -> None:
    answer = {"PipelineExecutionArn": EXECUTION, "PipelineExecutionStatus": status}
    aws["sagemaker"].add_response("describe_pipeline_execution", answer, {"PipelineExecutionArn": EXECUTION})


def kept_request(aws: StubbedAws) -> dict[str, Any]:
    request = {
        "AutoMLJobName": JOB,
        "AutoMLJobInputDataConfig": [{"ChannelType": "training"}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/autopilot/abcdefghijkl/"},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "readmitted"}},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/readmission-SageMakerExecutionRole",
    }
    content = json.dumps(request).encode()
    aws["s3"].add_response(
        "get_object",
        {"Body": StreamingBody(io.BytesIO(content), len(content))},
        {"Bucket": "bucket", "Key": "autopilot/abcdefghijkl/request.json", "ExpectedBucketOwner": ACCOUNT},
    )
    return request


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(1, 1), (400, 20), (2000, 60)],
    ids=["at first often", "a twentieth of the time so far", "at least each minute"],
)
def test_a_running_job_is_looked_at_again(stubbed: StubbedAws, age: float, seconds: int) -> None:
    described(stubbed, job("InProgress", age=age))
    hidden(stubbed, seconds)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == COMES_AGAIN


def test_a_job_that_waited_for_its_place_has_its_whole_time(stubbed: StubbedAws) -> None:
    described(stubbed, job("InProgress", age=100))
    hidden(stubbed, 5)

    answer = check_autopilot.handler(event(body(started=10 * MAX_SECONDS)), None)

    assert answer == COMES_AGAIN


def test_a_completed_job_answers_the_step(stubbed: StubbedAws) -> None:
    described(stubbed, job("Completed", age=100, EndTime=ago(7), BestCandidate=best(0.4123)))
    outputs = {
        "best_candidate": "ensemble-3",
        "objective_metric": "F1macro",
        "objective_value": "0.4123",
        "automl_job_arn": JOB_ARN,
        "seconds": "93",
    }
    stubbed["sagemaker"].add_response(
        "send_pipeline_execution_step_success",
        {},
        {
            "CallbackToken": TOKEN,
            "ClientRequestToken": ANY,
            "OutputParameters": [{"Name": name, "Value": value} for name, value in outputs.items()],
        },
    )

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_a_completed_job_without_a_candidate_fails_the_step(stubbed: StubbedAws) -> None:
    described(stubbed, job("Completed", EndTime=ago(1)))
    failed(stubbed, f"Autopilot job {JOB} Completed: no candidate, and no reason given")

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_a_failed_job_fails_the_step_with_its_reasons(stubbed: StubbedAws) -> None:
    partial = [{"PartialFailureMessage": "3 candidates\n  failed"}]
    described(stubbed, job("Failed", FailureReason="too few rows", PartialFailureReasons=partial))
    failed(stubbed, f"Autopilot job {JOB} Failed: too few rows; 3 candidates failed")

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_a_long_reason_is_cut_to_the_services_length(stubbed: StubbedAws) -> None:
    described(stubbed, job("Failed", FailureReason="x" * 1000))
    reason = f"Autopilot job {JOB} Failed: " + "x" * 1000
    failed(stubbed, reason[:255] + "…")

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_a_job_that_somebody_stopped_fails_the_step(stubbed: StubbedAws) -> None:
    described(stubbed, job("Stopped"))
    failed(stubbed, f"Autopilot job {JOB} Stopped: no candidate, and no reason given")

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_the_deadline_stops_the_job_and_waits_for_what_it_has(stubbed: StubbedAws) -> None:
    age = MAX_SECONDS + check_autopilot.GRACE_SECONDS + 30
    described(stubbed, job("InProgress", age=age))
    stopped(stubbed)
    hidden(stubbed, 1)

    answer = check_autopilot.handler(event(body(started=age)), None)

    assert answer == COMES_AGAIN


def test_a_job_that_is_stopping_for_its_time_is_waited_for(stubbed: StubbedAws) -> None:
    age = MAX_SECONDS + check_autopilot.GRACE_SECONDS + 300
    described(stubbed, job("Stopping", age=age))
    hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body(started=age)), None)

    assert answer == COMES_AGAIN


def test_a_stopped_job_with_a_candidate_answers_the_step(stubbed: StubbedAws) -> None:
    age = MAX_SECONDS + check_autopilot.GRACE_SECONDS + 400
    described(stubbed, job("Stopped", age=age, EndTime=ago(1), BestCandidate=best(0.4123)))
    stubbed["sagemaker"].add_response(
        "send_pipeline_execution_step_success",
        {},
        {"CallbackToken": TOKEN, "ClientRequestToken": ANY, "OutputParameters": ANY},
    )

    answer = check_autopilot.handler(event(body(started=age)), None)

    assert answer == HANDLED


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_does_not_end_though_it_was_stopped_fails_the_step(
    stubbed: StubbedAws, status: str
) -> None:
    age = MAX_SECONDS + check_autopilot.GRACE_SECONDS + check_autopilot.STOP_SECONDS + 30
    described(stubbed, job(status, age=age))
    stopped(stubbed)
    failed(stubbed, ANY)

    answer = check_autopilot.handler(event(body(started=age)), None)

    assert answer == HANDLED


def test_within_the_grace_after_its_limit_a_job_goes_on(stubbed: StubbedAws) -> None:
    described(stubbed, job("InProgress", age=MAX_SECONDS + check_autopilot.GRACE_SECONDS - 30))
    hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == COMES_AGAIN


def test_a_stopping_message_stops_the_job_first(stubbed: StubbedAws) -> None:
    described(stubbed, job("InProgress"))
    stopped(stubbed)
    hidden(stubbed, 1)

    answer = check_autopilot.handler(event(body(status="Stopping")), None)

    assert answer == COMES_AGAIN


def test_a_stopping_message_waits_for_a_job_that_is_on_its_way(stubbed: StubbedAws) -> None:
    described(stubbed, job("Stopping", age=60))
    hidden(stubbed, 3)

    answer = check_autopilot.handler(event(body(status="Stopping")), None)

    assert answer == COMES_AGAIN


@pytest.mark.parametrize("status", ["Stopped", "Completed", "Failed"])
def test_a_stopping_message_is_answered_once_the_job_has_ended(stubbed: StubbedAws, status: str) -> None:
    described(stubbed, job(status))
    failed(stubbed, f"The execution was stopped; Autopilot job {JOB} is {status}")

    answer = check_autopilot.handler(event(body(status="Stopping")), None)

    assert answer == HANDLED


def test_a_job_that_ended_before_it_could_be_stopped_is_no_error(stubbed: StubbedAws) -> None:
    described(stubbed, job("InProgress"))
    stubbed["sagemaker"].add_client_error("stop_auto_ml_job", "ValidationException", "it has ended", 400)
    hidden(stubbed, 1)

    answer = check_autopilot.handler(event(body(status="Stopping")), None)

    assert answer == COMES_AGAIN


def test_a_stopping_message_before_the_job_started_is_answered(stubbed: StubbedAws) -> None:
    missing(stubbed)
    failed(stubbed, f"The execution was stopped before Autopilot job {JOB} had started")

    answer = check_autopilot.handler(event(body(status="Stopping")), None)

    assert answer == HANDLED


def test_a_job_that_found_no_place_is_started_later(stubbed: StubbedAws) -> None:
    missing(stubbed)
    executing(stubbed)
    request = kept_request(stubbed)
    stubbed["sagemaker"].add_response("create_auto_ml_job_v2", {"AutoMLJobArn": JOB_ARN}, request)
    hidden(stubbed, 1)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == COMES_AGAIN


def test_a_job_that_still_finds_no_place_waits_a_minute(
    stubbed: StubbedAws, caplog: pytest.LogCaptureFixture
) -> None:
    missing(stubbed)
    executing(stubbed)
    kept_request(stubbed)
    stubbed["sagemaker"].add_client_error("create_auto_ml_job_v2", "ResourceLimitExceeded", "4 run", 400)
    hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body(started=2 * MAX_SECONDS)), None)

    assert answer == COMES_AGAIN
    assert "for a place among the account's AutoML jobs" in caplog.text


def test_a_job_that_finds_no_place_in_a_day_fails_the_step(stubbed: StubbedAws) -> None:
    missing(stubbed)
    executing(stubbed)
    kept_request(stubbed)
    stubbed["sagemaker"].add_client_error("create_auto_ml_job_v2", "ResourceLimitExceeded", "4 run", 400)
    failed(stubbed, ANY)

    answer = check_autopilot.handler(event(body(started=check_autopilot.QUOTA_SECONDS + 60)), None)

    assert answer == HANDLED


def test_a_job_that_the_service_refuses_fails_the_step(stubbed: StubbedAws) -> None:
    missing(stubbed)
    executing(stubbed)
    kept_request(stubbed)
    stubbed["sagemaker"].add_client_error("create_auto_ml_job_v2", "ValidationException", "no data", 400)
    failed(stubbed, f"Autopilot job {JOB} could not start: no data")

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


def test_a_job_that_nobody_asked_for_fails_the_step(stubbed: StubbedAws) -> None:
    missing(stubbed)
    executing(stubbed)
    stubbed["s3"].add_client_error("get_object", "NoSuchKey", "no such key", 404)
    failed(stubbed, ANY)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


@pytest.mark.parametrize("status", ["Stopping", "Stopped", "Failed"])
def test_no_job_is_started_for_an_execution_that_has_ended(stubbed: StubbedAws, status: str) -> None:
    missing(stubbed)
    executing(stubbed, status)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "AccessDeniedException"])
def test_an_error_of_aws_is_tried_again_later(stubbed: StubbedAws, code: str) -> None:
    stubbed["sagemaker"].add_client_error("describe_auto_ml_job_v2", code, "not now", 400)
    hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == COMES_AGAIN


def test_an_error_that_lasts_beyond_every_deadline_fails_the_step(stubbed: StubbedAws) -> None:
    stubbed["sagemaker"].add_client_error("describe_auto_ml_job_v2", "InternalFailure", "no", 500)
    stopped(stubbed)
    failed(stubbed, ANY)
    lasted = (
        MAX_SECONDS
        + check_autopilot.GRACE_SECONDS
        + check_autopilot.STOP_SECONDS
        + check_autopilot.QUOTA_SECONDS
        + 60
    )

    answer = check_autopilot.handler(event(body(started=lasted)), None)

    assert answer == HANDLED


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_right_that_is_missing_fails_the_step_within_minutes(stubbed: StubbedAws, code: str) -> None:
    stubbed["sagemaker"].add_client_error("describe_auto_ml_job_v2", code, "is not authorized", 400)
    stubbed["sagemaker"].add_client_error("stop_auto_ml_job", code, "is not authorized", 400)
    failed(stubbed, ANY)

    answer = check_autopilot.handler(event(body(started=check_autopilot.DENIED_SECONDS + 60)), None)

    assert answer == HANDLED


def test_a_denied_answer_says_so_in_the_log_at_once(
    stubbed: StubbedAws, caplog: pytest.LogCaptureFixture
) -> None:
    lasted = check_autopilot.DENIED_SECONDS + 60
    described(stubbed, job("Failed", age=60))
    denied = ("send_pipeline_execution_step_failure", "AccessDeniedException", "is not authorized", 400)
    stubbed["sagemaker"].add_client_error(*denied)
    stopped(stubbed)
    stubbed["sagemaker"].add_client_error(*denied)
    hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body(started=lasted)), None)

    assert answer == COMES_AGAIN
    assert "the step cannot be answered" in caplog.text


@pytest.mark.parametrize("code", ["ResourceNotFound", "ConflictException"])
def test_a_step_that_was_answered_before_needs_nothing_more(stubbed: StubbedAws, code: str) -> None:
    described(stubbed, job("Failed"))
    stubbed["sagemaker"].add_client_error("send_pipeline_execution_step_failure", code, "answered", 400)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == HANDLED


@pytest.mark.parametrize(
    ("step_status", "expected"),
    [("Failed", HANDLED), ("Executing", COMES_AGAIN)],
    ids=["the step has its answer", "the step still waits"],
)
def test_a_refused_answer_is_dropped_only_if_the_step_has_one(
    stubbed: StubbedAws, step_status: str, expected: dict[str, Any]
) -> None:
    described(stubbed, job("Failed"))
    stubbed["sagemaker"].add_client_error(
        "send_pipeline_execution_step_failure", "ValidationException", "invalid token", 400
    )
    steps = [
        {"StepName": "StartAutopilot", "StepStatus": "Succeeded", "Metadata": {}},
        {
            "StepName": "WaitForAutopilot",
            "StepStatus": step_status,
            "Metadata": {"Callback": {"CallbackToken": TOKEN}},
        },
    ]
    stubbed["sagemaker"].add_response(
        "list_pipeline_execution_steps",
        {"PipelineExecutionSteps": steps},
        {"PipelineExecutionArn": EXECUTION},
    )
    if expected == COMES_AGAIN:
        hidden(stubbed, 60)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == expected


def test_the_same_answer_has_the_same_token(stubbed: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        stubbed["sagemaker"].client,
        "send_pipeline_execution_step_failure",
        lambda **request: sent.append(request["ClientRequestToken"]),
    )
    for _ in range(2):
        described(stubbed, job("Failed"))

        check_autopilot.handler(event(body()), None)

    assert sent[0] == sent[1]
    assert 32 <= len(sent[0]) <= 128


def test_a_message_near_its_last_reception_is_replaced_by_a_copy(stubbed: StubbedAws) -> None:
    text = body()
    described(stubbed, job("InProgress", age=300))
    stubbed["sqs"].add_response(
        "send_message", {"MessageId": "2"}, {"QueueUrl": QUEUE, "MessageBody": text, "DelaySeconds": 15}
    )

    answer = check_autopilot.handler(event(text, receptions=900), None)

    assert answer == HANDLED


def test_a_visibility_that_cannot_be_set_leaves_the_queues_own(stubbed: StubbedAws) -> None:
    described(stubbed, job("InProgress"))
    stubbed["sqs"].add_client_error("change_message_visibility", "InvalidParameterValue", "expired", 400)

    answer = check_autopilot.handler(event(body()), None)

    assert answer == COMES_AGAIN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[1, 2]",
        "null",
        '{"token": 5}',
        '{"token": "short"}',
        '{"token": Infinity}',
        '{"token": "a\\u0000b\\ud800"}',
        '{"status": "Executing"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
    ],
    ids=lambda text: text[:20],
)
def test_an_unintelligible_message_goes_to_the_dead_letters_with_the_reason(
    stubbed: StubbedAws, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(stubbed["sqs"].client, "send_message", lambda **request: sent.append(request))

    answer = check_autopilot.handler(event(text), None)

    assert answer == HANDLED
    assert (sent[0]["QueueUrl"], sent[0]["MessageBody"]) == (DEAD_LETTERS, text)
    reason = sent[0]["MessageAttributes"]["reason"]["StringValue"]
    assert reason.startswith("not a callback message: ")


@pytest.mark.parametrize(
    ("arguments", "readable"),
    [
        ({"max_seconds": "soon"}, True),
        ({"max_seconds": math.inf}, True),
        ({"max_seconds": math.nan}, True),
        ({"max_seconds": int("9" * 400)}, True),
        ({"max_seconds": "9" * 400}, True),
        ({"max_seconds": -5}, True),
        ({"max_seconds": {}}, True),
        ({"request_uri": "s3://[bucket/key"}, True),
        ({"request_uri": "s3:///key"}, True),
        ({"request_uri": "http://bucket/key"}, True),
        ({"request_uri": "s3://bucket/\ud800\x00"}, True),
        ({"request_uri": None}, True),
        ({"request_uri": ["s3://bucket/key"]}, True),
        ({"automl_job_name": 7}, False),
        ({"automl_job_name": None}, False),
        ({"automl_job_name": "a/b"}, False),
    ],
    ids=lambda value: (
        str(value)[:30].encode("ascii", "backslashreplace").decode() if isinstance(value, dict) else ""
    ),
)
def test_unusable_arguments_also_fail_the_step_and_stop_a_job_whose_name_can_be_read(
    stubbed: StubbedAws, arguments: dict[str, Any], readable: bool
) -> None:
    text = body(**arguments)
    if readable:
        stopped(stubbed)
    stubbed["sqs"].add_response(
        "send_message",
        {"MessageId": "2"},
        {"QueueUrl": DEAD_LETTERS, "MessageBody": text, "MessageAttributes": ANY},
    )
    stubbed["sagemaker"].add_response(
        "send_pipeline_execution_step_failure",
        {},
        {"CallbackToken": TOKEN, "FailureReason": ANY},
    )

    answer = check_autopilot.handler(event(text), None)

    assert answer == HANDLED


@pytest.mark.parametrize("execution", [None, 5, "", "arn:\x00", "a" * 500])
def test_an_unusable_execution_fails_the_step_too(stubbed: StubbedAws, execution: Any) -> None:
    text = json.dumps(json.loads(body()) | {"pipelineExecutionArn": execution})
    stopped(stubbed)
    stubbed["sqs"].add_response("send_message", {"MessageId": "2"})
    stubbed["sagemaker"].add_response(
        "send_pipeline_execution_step_failure", {}, {"CallbackToken": TOKEN, "FailureReason": ANY}
    )

    assert check_autopilot.handler(event(text), None) == HANDLED


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"[1]", b"null"])
def test_a_request_that_cannot_be_read_fails_the_step(stubbed: StubbedAws, content: bytes) -> None:
    missing(stubbed)
    executing(stubbed)
    stubbed["s3"].add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))})
    reasons: list[str] = []
    stubbed["sagemaker"].client.meta.events.register(
        "provide-client-params.sagemaker.SendPipelineExecutionStepFailure",
        lambda params, **_: reasons.append(params["FailureReason"]),
    )
    failed(stubbed, ANY)

    assert check_autopilot.handler(event(body()), None) == HANDLED

    (reason,) = reasons
    assert "request.json is no request for one" in reason


def test_a_request_that_sagemaker_s_api_does_not_know_fails_the_step(
    stubbed: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(stubbed)
    executing(stubbed)
    kept_request(stubbed)
    failed(stubbed, ANY)

    def create(**_: Any) -> None:
        raise ParamValidationError(report='Unknown parameter in input: "Job"')

    monkeypatch.setattr(stubbed["sagemaker"].client, "create_auto_ml_job_v2", create)

    assert check_autopilot.handler(event(body()), None) == HANDLED


def test_a_message_that_breaks_the_function_leaves_the_rest_of_its_batch_alone(
    stubbed: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(wait: check_autopilot.Wait) -> None:
        if wait.max_seconds == 7:
            raise ZeroDivisionError

    monkeypatch.setattr(check_autopilot, "look", look)
    batch = {"Records": event(body(max_seconds="7"))["Records"] + event(body(), number=2)["Records"]}

    assert check_autopilot.handler(batch, None) == COMES_AGAIN


def test_a_reason_has_nothing_that_a_service_refuses() -> None:
    assert check_autopilot.shortened("a\x00b\x1b[31m\ud800\u202e\nc") == "a b [31m c"


def test_of_a_batch_only_what_waits_comes_again(stubbed: StubbedAws) -> None:
    described(stubbed, job("Failed"))
    failed(stubbed, ANY)
    described(stubbed, job("InProgress", age=1))
    hidden(stubbed, 1, number=2)
    batch = {"Records": event(body())["Records"] + event(body(), number=2)["Records"]}

    answer = check_autopilot.handler(batch, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T06:00:00Z",
        "2026-11-24T06:00:00+00:00",
        "1795500000",
        1795500000,
        1795500000.0,
        "1795500000000",
        1795500000000,
    ],
)
def test_times_are_read_as_pipelines_may_write_them(text: object) -> None:
    assert check_autopilot.started(text, sent_at=1.0) == 1795500000


@pytest.mark.parametrize("text", ["yesterday", "", None, [], {}, "nan", "inf", "-5", 12, "1e400", 10**20])
def test_a_start_that_cannot_be_read_is_that_of_the_message(text: object) -> None:
    assert check_autopilot.started(text, sent_at=1795500000.0) == 1795500000.0


def test_the_clock_of_a_message_without_a_readable_start_runs_from_when_it_was_sent(
    stubbed: StubbedAws,
) -> None:
    stubbed["sagemaker"].add_client_error("describe_auto_ml_job_v2", "AccessDeniedException", "no", 400)
    stopped(stubbed)
    failed(stubbed, ANY)
    sent = check_autopilot.DENIED_SECONDS + 60

    answer = check_autopilot.handler(event(body(started_at="soon"), age=sent), None)

    assert answer == HANDLED

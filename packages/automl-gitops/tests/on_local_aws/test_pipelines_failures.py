"""What really failed on the local AWS is shown with its reason and the end of its log."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from executions import Executions, callback_step, fail_step, lambda_step, processing_step

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.names import Names
from automl_gitops.runs import bundle, summary
from automl_gitops.runs.execution import Execution, read
from automl_gitops.runs.summary import Failure
from support.waiting import wait_until

ARGUMENTS = {
    "automl-job-name": "job", "execution-id": "abcdefghijkl", "role-arn": "arn:aws:iam::123456789012:role/r",
    "bucket": "b", "x-test-uri": "s3://b/x/", "threshold": "0.5", "transform-instance-type": "ml.m5.large",
    "transform-instance-count": "1", "message": "/opt/ml/output/message",
}  # fmt: skip


@pytest.fixture
def names(executions: Executions) -> Names:
    return Names(Config.load(), executions.aws.account)


def failure_of(executions: Executions, names: Names, arn: str) -> Failure:
    """The failure of an execution, once the log has arrived, as it does after the step's end."""
    (failure,) = wait_until(
        lambda: summary.find_failures(executions.aws, names, read(executions.sagemaker, names, arn)),
        lambda found: all(tail.lines for one in found for tail in one.tails),
    )
    return failure


def evaluation(executions: Executions, *, broken: str) -> dict[str, Any]:
    """A step that runs the project's own evaluation, of whose modules one raises an error."""
    files = bundle.of_package() | {file.name: file.read_bytes() for file in Path("evaluation").glob("*.py")}
    assert broken in files
    code = executions.code(files | {broken: b'raise KeyError("ward \x1b[31m")\n'})
    arguments = [part for name, value in ARGUMENTS.items() for part in (f"--{name}", value)]
    return processing_step("EvaluateModel", executions.role, code, bundle.ENTRY_POINT, arguments)


def test_an_evaluation_that_raises_has_its_error_as_reason_and_its_traceback_as_log(executions, names):
    execution = executions.start(evaluation(executions, broken="automl_evaluation/slices.py"))
    assert executions.finish(execution) == "Failed"

    failure = failure_of(executions, names, execution)

    job = executions.sagemaker.describe_processing_job(ProcessingJobName=failure.what.rpartition(" ")[2])
    assert job["ExitMessage"].startswith("KeyError: 'ward ")
    assert failure.reason == (
        f"ClientError: AlgorithmError: {' '.join(job['ExitMessage'].split())}, exit code: 1"
    )
    assert "(slices.py, line 1)" in failure.reason
    (tail,) = failure.tails
    assert tail.lines[0] == "Traceback (most recent call last):"
    assert tail.lines[-1].startswith("KeyError: ")
    assert not any("\x1b" in line for line in tail.lines)


def test_a_function_that_raises_is_shown_with_what_it_printed(executions, names):
    source = (
        "def handler(event, context):\n    print('looking for the table')\n    raise ValueError('no table')\n"
    )
    step = lambda_step("StartAutopilot", executions.function(source))
    execution = executions.start(step, fail_step("After", "StartAutopilot"))
    assert executions.finish(execution) == "Failed"

    failure = failure_of(executions, names, execution)

    assert "no table" in failure.reason
    assert "looking for the table" in failure.tails[0].lines


def test_a_wait_that_was_given_up_has_the_reason_that_it_was_given(executions, names):
    queue = executions.queue()
    execution = executions.start(callback_step("WaitForAutopilot", queue))
    token = executions.message(queue)["token"]
    executions.sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=token, FailureReason="Autopilot job x was stopped: it ran for 9000 s"
    )
    assert executions.finish(execution) == "Failed"

    (failure,) = summary.find_failures(executions.aws, names, read(executions.sagemaker, names, execution))

    assert failure.reason == "Autopilot job x was stopped: it ran for 9000 s"
    assert failure.tails[0].what == f"Lambda function {names.function('check-autopilot')}"
    assert "it has left no log" in failure.tails[0].problem


def failing_job(executions: Executions, name: str) -> None:
    """An Autopilot job that ends at once: there are no rows where it looks for them."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": executions.code({}) + "/nothing"}}
    executions.sagemaker.create_auto_ml_job_v2(
        AutoMLJobName=name,
        RoleArn=executions.role,
        AutoMLJobInputDataConfig=[{"ChannelType": "training", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": executions.code({})},
        AutoMLProblemTypeConfig={"TabularJobConfig": {"TargetAttributeName": "target"}},
    )


def test_a_wait_that_cannot_be_answered_says_so_with_the_reason_and_a_way_out(executions, names):
    queue = executions.queue()
    started = lambda_step(
        "StartAutopilot", executions.function("def handler(event, context):\n    return {}\n")
    )
    execution = executions.start(
        started, callback_step("WaitForAutopilot", queue) | {"DependsOn": ["StartAutopilot"]}
    )
    job = names.automl_job(execution.rpartition("/")[2])
    message = executions.message(queue)
    message["arguments"] |= {
        "automl_job_name": job,
        "max_seconds": "60",
        "request_uri": "s3://b/request.json",
    }
    failing_job(executions, job)
    # As the project's function is, but for the right to answer.
    function = executions.function(
        Path("lambdas/check_autopilot.py").read_text(),
        names.function("check-autopilot"),
        ["sagemaker:DescribeAutoMLJobV2", "sqs:*"],
        QUEUE_URL=queue,
        DEAD_LETTER_QUEUE_URL=queue,
    )

    def read_it() -> Execution:
        return read(executions.sagemaker, names, execution)

    ended = wait_until(read_it, lambda found: found.autopilot and found.autopilot.ended)
    assert summary.unanswered(executions.aws, names, ended) is None, "the function has not looked again yet"
    body = json.dumps(message)
    executions.sqs.send_message(QueueUrl=queue, MessageBody=body)
    (received,) = wait_until(lambda: executions.sqs.receive_message(QueueUrl=queue).get("Messages", []))
    sent = {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1"}
    handle = received["ReceiptHandle"]
    record = {"messageId": "m", "receiptHandle": handle, "body": body, "attributes": sent}
    executions.functions.invoke(FunctionName=function, Payload=json.dumps({"Records": [record]}))

    later = datetime.now(UTC) + timedelta(minutes=3)
    # What a function prints reaches its log group after its answer.
    reason = wait_until(
        lambda: summary.unanswered(executions.aws, names, read_it(), later),
        lambda told: told and "it says: " in told,
    )

    assert (
        f"WaitForAutopilot still waits, 3 minutes after Autopilot job {job} ended (Failed), for function"
        in reason
    )
    assert "AccessDeniedException" in reason
    assert "SendPipelineExecutionStepFailure operation" in reason
    assert "an administrator runs `make bootstrap`" in reason
    executions.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    executions.functions.delete_function(FunctionName=function)

"""What really failed on the local AWS is shown with its reason and the end of its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from steps_of import callback, fail, function, processing

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.names import Names
from automl_gitops.runs import failures
from automl_gitops.runs.execution import read
from automl_gitops.runs.failures import Failure
from support.waiting import wait_until

ROOT = Path(__file__).parents[3]
ARGUMENTS = {
    "automl-job-name": "job", "execution-id": "abcdefghijkl", "role-arn": "arn:aws:iam::123456789012:role/r",
    "bucket": "b", "x-test-uri": "s3://b/x/", "threshold": "0.5", "transform-instance-type": "ml.m5.large",
    "transform-instance-count": "1", "message": "/opt/ml/output/message",
}  # fmt: skip


@pytest.fixture
def names(pipelines) -> Names:
    return Names(Config.load(ROOT / "automl.toml"), pipelines.aws.account)


def failure_of(pipelines, names, arn: str) -> Failure:
    """The failure of an execution, once the log has arrived, as it does after the step's end."""
    (failure,) = wait_until(
        lambda: failures.find(pipelines.aws, names, read(pipelines.sagemaker, names, arn)),
        lambda found: all(tail.lines for one in found for tail in one.tails),
    )
    return failure


def evaluation(pipelines, *, broken: str):
    """A step that runs the project's own evaluation, of whose modules one raises an error."""
    bucket = pipelines.create_bucket()
    for file in (ROOT / "evaluation").glob("*.py"):
        content = b'raise KeyError("ward \x1b[31m")\n' if file.name == broken else file.read_bytes()
        pipelines.s3.put_object(Bucket=bucket, Key=f"code/{file.name}", Body=content)
    arguments = [part for name, value in ARGUMENTS.items() for part in (f"--{name}", value)]
    script = ["python3", "/opt/ml/processing/input/code/evaluate.py", *arguments]
    step = processing("EvaluateModel", pipelines.role, script)
    place = {"S3Uri": f"s3://{bucket}/code", "LocalPath": "/opt/ml/processing/input/code"}
    kind = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    step["Arguments"]["ProcessingInputs"] = [{"InputName": "code", "S3Input": place | kind}]
    return step


def test_an_evaluation_that_raises_has_its_error_as_reason_and_its_traceback_as_log(pipelines, names):
    execution = pipelines.start(pipelines.create(evaluation(pipelines, broken="slices.py")))
    assert pipelines.finish(execution) == "Failed"

    failure = failure_of(pipelines, names, execution)

    job = pipelines.sagemaker.describe_processing_job(ProcessingJobName=failure.what.rpartition(" ")[2])
    assert job["ExitMessage"].startswith("KeyError: 'ward ")
    assert failure.reason == (
        f"ClientError: AlgorithmError: {' '.join(job['ExitMessage'].split())}, exit code: 1"
    )
    assert "(slices.py, line 1)" in failure.reason
    (tail,) = failure.tails
    assert tail.lines[0] == "Traceback (most recent call last):"
    assert tail.lines[-1].startswith("KeyError: ")
    assert not any("\x1b" in line for line in tail.lines)


def test_a_function_that_raises_is_shown_with_what_it_printed(pipelines, names):
    source = (
        "def handler(event, context):\n    print('looking for the table')\n    raise ValueError('no table')\n"
    )
    step = function("StartAutopilot", pipelines.create_function(source))
    execution = pipelines.start(pipelines.create(step, fail("After", DependsOn=["StartAutopilot"])))
    assert pipelines.finish(execution) == "Failed"

    failure = failure_of(pipelines, names, execution)

    assert "no table" in failure.reason
    assert "looking for the table" in failure.tails[0].lines


def test_a_wait_that_was_given_up_has_the_reason_that_it_was_given(pipelines, names):
    queue = pipelines.create_queue()
    execution = pipelines.start(pipelines.create(callback("WaitForAutopilot", queue)))
    token = pipelines.message(queue)["token"]
    pipelines.sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=token, FailureReason="Autopilot job x was stopped: it ran for 9000 s"
    )
    assert pipelines.finish(execution) == "Failed"

    (failure,) = failures.find(pipelines.aws, names, read(pipelines.sagemaker, names, execution))

    assert failure.reason == "Autopilot job x was stopped: it ran for 9000 s"
    assert failure.tails[0].what == f"Lambda function {names.function('check-autopilot')}"
    assert "it has left no log" in failure.tails[0].problem

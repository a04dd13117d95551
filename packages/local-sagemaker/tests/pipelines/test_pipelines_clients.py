"""The SageMaker SDK and the aws command line, as they are, against the local AWS."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from steps_of import compare, condition, fail

from support.unique import unique

needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("sagemaker") is None,
    reason="the sagemaker SDK (group: definition) is not installed",
)
needs_cli = pytest.mark.skipif(
    importlib.util.find_spec("awscli") is None, reason="the aws command line (awscli) is not installed"
)
# A process of its own: the SDK takes seconds to import, and reads the region while it does.
SDK = """
import json, sys
import boto3
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline

name, role, queue = sys.argv[1:]
session = PipelineSession(boto_session=boto3.Session(), default_bucket="unused")
limit = ParameterInteger("Limit", default_value=9)
wait = CallbackStep("Wait", queue, {"limit": limit}, [CallbackOutput("x", CallbackOutputTypeEnum.Float)])
x = wait.properties.Outputs["x"]
above = ConditionGreaterThan(x, limit)
tell = FailStep("Tell", error_message=Join(on=" ", values=[x, "is not above", limit.to_string()]))
decide = ConditionStep("Decide", conditions=[above], if_steps=[], else_steps=[tell])
pipeline = Pipeline(name, parameters=[limit], steps=[wait, decide], sagemaker_session=session)
pipeline.upsert(role_arn=role, tags=[{"Key": "stage", "Value": "one"}])
pipeline.upsert(role_arn=role, tags=[{"Key": "stage", "Value": "two"}])


def run(limit):
    execution = pipeline.start(parameters={"Limit": limit})
    sqs = boto3.client("sqs")
    while not (received := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages")):
        pass
    body = json.loads(received[0]["Body"])
    outputs = [{"Name": "x", "Value": "2.5"}]
    sagemaker = boto3.client("sagemaker")
    sagemaker.send_pipeline_execution_step_success(CallbackToken=body["token"], OutputParameters=outputs)
    try:
        execution.wait(delay=1, max_attempts=300)
    except Exception as error:
        assert "terminal failure state" in str(error), error
    members = ("StepName", "StepStatus", "FailureReason")
    steps = [[step.get(member) for member in members] for step in execution.list_steps()]
    return {"status": execution.describe()["PipelineExecutionStatus"], "steps": steps}


arn = pipeline.describe()["PipelineArn"]
tags = boto3.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
print(json.dumps({"runs": [run(1), run(3)], "tags": tags, "version": pipeline.latest_pipeline_version_id}))
"""


def environment(pipelines, **more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | pipelines.aws.environment | more


@needs_sdk
@pytest.mark.slow
def test_the_sdk_creates_starts_follows_and_lists(pipelines):
    command = [sys.executable, "-c", SDK, unique("pipeline"), pipelines.role, pipelines.create_queue()]

    ran = subprocess.run(command, env=environment(pipelines), capture_output=True, text=True, timeout=600)

    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "runs": [
            {"status": "Succeeded", "steps": [["Decide", "Succeeded", None], ["Wait", "Succeeded", None]]},
            {
                "status": "Failed",
                "steps": [
                    ["Tell", "Failed", "2.5 is not above 3"],
                    ["Decide", "Succeeded", None],
                    ["Wait", "Succeeded", None],
                ],
            },
        ],
        "tags": [{"Key": "stage", "Value": "two"}],
        "version": 2,
    }


@needs_cli
def test_the_command_line_lists_the_steps(pipelines):
    name = pipelines.create(condition("Decide", [compare("Equals", 1, 1)], yes=[fail("Reject", "no")]))
    execution = pipelines.start(name)
    pipelines.finish(execution)
    command = [
        sys.executable,
        "-m",
        "awscli",
        "sagemaker",
        "list-pipeline-execution-steps",
        "--output",
        "json",
    ]

    ran = subprocess.run(
        [*command, "--pipeline-execution-arn", execution],
        env=environment(pipelines),
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert ran.returncode == 0, ran.stderr
    steps = json.loads(ran.stdout)["PipelineExecutionSteps"]
    assert [(step["StepName"], step["StepStatus"]) for step in steps] == [
        ("Reject", "Failed"),
        ("Decide", "Succeeded"),
    ]

from __future__ import annotations

import pytest
from steps_of import fail, function, get, join, processing

from support.waiting import wait_until

ANSWER = """
def handler(event, context):
    return {"job": event["name"] + "!", "rows": event["rows"] + 1, "value": 0.5, "ok": True, "besides": [1]}
"""
TYPES = {"job": "String", "rows": "Integer", "value": "Float", "ok": "Boolean"}


def test_a_function_gets_the_arguments_and_its_answer_feeds_later_steps(pipelines):
    arn = pipelines.create_function(ANSWER)
    arguments = {"name": get("Execution.PipelineName"), "rows": get("Parameters.Rows")}
    told = join("|", *(get(f"Steps.Start.OutputParameters['{name}']") for name in TYPES))
    name = pipelines.create(
        function("Start", arn, arguments, TYPES),
        fail("Tell", told),
        parameters=[{"Name": "Rows", "Type": "Integer", "DefaultValue": 6}],
    )

    execution = pipelines.start(name)
    pipelines.finish(execution)
    steps = pipelines.steps(execution)

    assert steps["Tell"]["FailureReason"] == f"{name}!|7|0.5|true"
    assert steps["Start"]["StepStatus"] == "Succeeded"
    assert steps["Start"]["Metadata"]["Lambda"] == {
        "Arn": arn,
        "OutputParameters": [
            {"Name": "job", "Value": f"{name}!"},
            {"Name": "rows", "Value": "7"},
            {"Name": "value", "Value": "0.5"},
            {"Name": "ok", "Value": "true"},
        ],
    }


@pytest.mark.parametrize(
    ("source", "types", "reason"),
    [
        ("raise ValueError('no such table')", {}, "no such table"),
        ("return {}", {"job": "String"}, "answer has no output parameter 'job'"),
        ("return {'job': 3}", {"job": "String"}, "The value '3' of 'job' is not of type String"),
        ("return {'job': True}", {"job": "Integer"}, "The value 'True' of 'job' is not of type Integer"),
        ("return {'job': 'x' * 1025}", {"job": "String"}, "longer than 1024 characters"),
        ("return 'done'", {"job": "String"}, "did not answer with a JSON object"),
    ],
)
def test_a_function_that_fails_or_answers_wrongly_fails_its_step(pipelines, source, types, reason):
    arn = pipelines.create_function(f"def handler(event, context):\n    {source}\n")

    status, steps = pipelines.run(function("Start", arn, types=types), fail("After", DependsOn=["Start"]))

    assert status == "Failed"
    assert list(steps) == ["Start"]
    assert steps["Start"]["FailureReason"].startswith("ClientError: ")
    assert reason in steps["Start"]["FailureReason"]


def marking(mark):
    """A function that says when its process was ready, and by which process it is answered."""
    return f"""
import os, pathlib
pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))

def handler(event, context):
    return {{"process": os.getpid()}}
"""


def test_the_function_of_a_first_step_is_ready_before_an_execution_starts(pipelines, tmp_path):
    mark = tmp_path / "ready"
    arn = pipelines.create_function(marking(mark))
    told = fail("Tell", join("", get("Steps.Start.OutputParameters['process']")))

    name = pipelines.create(function("Start", arn, types={"process": "Integer"}), told)
    ready = wait_until(lambda: mark.exists() and mark.read_text())
    execution = pipelines.start(name)
    pipelines.finish(execution)

    assert pipelines.steps(execution)["Tell"]["FailureReason"] == ready


def test_a_later_function_gets_ready_while_a_job_runs(pipelines, tmp_path):
    mark = tmp_path / "ready"
    arn = pipelines.create_function(marking(mark))
    waits = (
        "import os, sys, time; [time.sleep(0.05) for _ in iter(lambda: os.path.exists(sys.argv[1]), True)]"
    )
    job = processing("Work", pipelines.role, ["python3", "-c", waits, str(mark)])

    status, steps = pipelines.run(job, function("After", arn, DependsOn=["Work"]))

    assert (status, list(steps)) == ("Succeeded", ["Work", "After"])


def test_a_function_without_declared_outputs_may_answer_anything(pipelines):
    arn = pipelines.create_function("def handler(event, context):\n    return None\n")

    status, steps = pipelines.run(function("Start", arn))

    assert status == "Succeeded"
    assert steps["Start"]["Metadata"]["Lambda"]["OutputParameters"] == []


def test_a_function_that_does_not_exist_fails_its_step(pipelines):
    arn = f"arn:aws:lambda:{pipelines.aws.region}:{pipelines.aws.account}:function:no-such-function"

    status, steps = pipelines.run(function("Start", arn))

    assert status == "Failed"
    assert steps["Start"]["FailureReason"].startswith(
        "ClientError: Failed to invoke lambda:Invoke. Error Details: "
    )


def test_a_function_that_the_role_may_not_invoke_fails_its_step(pipelines):
    arn = pipelines.create_function("def handler(event, context):\n    return {}\n")
    role = pipelines.create_role("sagemaker.amazonaws.com", "sqs:*")

    execution = pipelines.start(pipelines.create(function("Start", arn), RoleArn=role))

    assert pipelines.finish(execution) == "Failed"
    assert "lambda:InvokeFunction" in pipelines.steps(execution)["Start"]["FailureReason"]


def test_stopping_waits_for_the_function(pipelines, tmp_path):
    gate = tmp_path / "open"
    source = """
import pathlib, time

def handler(event, context):
    while not pathlib.Path(event["gate"]).exists():
        time.sleep(0.05)
"""
    arn = pipelines.create_function(source)
    name = pipelines.create(function("Start", arn, {"gate": str(gate)}), fail("After", DependsOn=["Start"]))
    execution = pipelines.start(name)
    wait_until(lambda: pipelines.steps(execution).get("Start", {}).get("StepStatus") == "Executing")

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    during = pipelines.describe(execution)["PipelineExecutionStatus"]
    gate.touch()

    assert during == "Stopping"
    assert pipelines.finish(execution) == "Stopped"
    assert list(pipelines.steps(execution)) == ["Start"]

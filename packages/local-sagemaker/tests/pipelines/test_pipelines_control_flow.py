from __future__ import annotations

import uuid
from datetime import UTC

import pytest
from botocore.exceptions import ClientError
from steps_of import callback, compare, condition, fail, get, join

from support.waiting import wait_until

STEPS_FAILED = "Step failure: One or multiple steps failed."
ONE = {"x": "Integer"}


def succeed(pipelines, token, **outputs):
    listed = [{"Name": name, "Value": value} for name, value in outputs.items()]
    pipelines.sagemaker.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=listed)


def refused(call, **parameters):
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return refusal.value.response["Error"]


def test_a_fail_step_fails_the_execution_with_its_message(pipelines):
    parameters = [{"Name": "Limit", "Type": "Float", "DefaultValue": 0.5}]
    message = join(" ", "f1 is under", get("Parameters.Limit"), "in", get("Execution.PipelineName"))
    name = pipelines.create(fail("Reject", message), parameters=parameters)

    execution = pipelines.start(name)
    status, step = pipelines.finish(execution), pipelines.steps(execution)["Reject"]
    described = pipelines.describe(execution)

    assert (status, described["FailureReason"]) == ("Failed", STEPS_FAILED)
    assert step["StepStatus"] == "Failed"
    assert step["FailureReason"] == f"f1 is under 0.5 in {name}"
    assert step["Metadata"] == {"Fail": {"ErrorMessage": f"f1 is under 0.5 in {name}"}}
    assert step["StartTime"] <= step["EndTime"]


def test_a_fail_step_may_have_no_message(pipelines):
    _, steps = pipelines.run(fail("Reject"))

    assert "FailureReason" not in steps["Reject"]
    assert steps["Reject"]["Metadata"] == {"Fail": {"ErrorMessage": ""}}


@pytest.mark.parametrize(("value", "outcome", "taken"), [("5", "True", "Yes"), ("1", "False", "No")])
def test_a_condition_opens_one_branch(pipelines, value, outcome, taken):
    chosen = condition(
        "If", [compare("GreaterThan", get("Parameters.N"), 3)], yes=[fail("Yes")], no=[fail("No")]
    )
    name = pipelines.create(chosen, parameters=[{"Name": "N", "Type": "Integer"}])

    execution = pipelines.start(name, N=value)
    pipelines.finish(execution)
    steps = pipelines.steps(execution)

    assert steps["If"]["StepStatus"] == "Succeeded"
    assert steps["If"]["Metadata"] == {"Condition": {"Outcome": outcome}}
    assert set(steps) == {"If", taken}


def test_all_conditions_of_a_step_must_hold(pipelines):
    both = [compare("Equals", 1, 1), compare("Equals", 1, 2)]

    status, steps = pipelines.run(condition("If", both, yes=[fail("Yes")]))

    assert status == "Succeeded"
    assert set(steps) == {"If"}


def test_branches_nest(pipelines):
    inner = condition("Inner", [compare("Equals", "a", "b")], no=[fail("Deep", "deep")])

    status, steps = pipelines.run(condition("Outer", [compare("Equals", 1, 1)], yes=[inner]))

    assert status == "Failed"
    assert list(steps) == ["Outer", "Inner", "Deep"]


def test_what_depends_on_a_branch_not_taken_never_starts(pipelines):
    queue = pipelines.create_queue()
    chosen = condition("If", [compare("Equals", 1, 2)], yes=[callback("Yes", queue)])

    status, steps = pipelines.run(chosen, fail("After", DependsOn=["Yes"]))

    assert status == "Succeeded"
    assert set(steps) == {"If"}


def test_a_condition_that_cannot_be_evaluated_fails_its_step(pipelines):
    status, steps = pipelines.run(condition("If", [compare("GreaterThan", "a", 1)]))

    assert status == "Failed"
    assert steps["If"]["FailureReason"].startswith("ClientError: Condition GreaterThan cannot compare")


def test_a_condition_outcome_can_be_told(pipelines):
    chosen = condition("If", [compare("Equals", 1, 2)])

    _, steps = pipelines.run(chosen, fail("Tell", join(" ", "outcome:", get("Steps.If.Outcome"))))

    assert steps["Tell"]["FailureReason"] == "outcome: false"


def test_a_callback_message_carries_the_token_and_the_arguments(pipelines):
    queue = pipelines.create_queue()
    arguments = {"rows": get("Parameters.N"), "id": get("Execution.PipelineExecutionId"), "exact": True}
    name = pipelines.create(
        callback("Wait", queue, arguments), parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": 3}]
    )

    execution = pipelines.start(name)
    message = pipelines.message(queue)
    running = pipelines.steps(execution)["Wait"]
    succeed(pipelines, message["token"])

    assert message == {
        "token": running["Metadata"]["Callback"]["CallbackToken"],
        "pipelineExecutionArn": execution,
        "arguments": {"rows": 3, "id": execution.rpartition("/")[2], "exact": True},
        "status": "Executing",
    }
    assert running["StepStatus"] == "Executing"
    assert running["Metadata"]["Callback"]["SqsQueueUrl"] == queue
    assert "EndTime" not in running
    assert pipelines.finish(execution) == "Succeeded"


def test_callback_outputs_feed_later_steps(pipelines):
    queue = pipelines.create_queue()
    types = {"job": "String", "value": "Float", "rows": "Integer", "ok": "Boolean"}
    message = join("|", *(get(f"Steps.Wait.OutputParameters['{name}']") for name in types))
    execution = pipelines.start(pipelines.create(callback("Wait", queue, types=types), fail("Tell", message)))

    succeed(pipelines, pipelines.message(queue)["token"], job="j", value="0.25", rows="7", ok="true")
    pipelines.finish(execution)
    steps = pipelines.steps(execution)

    assert steps["Tell"]["FailureReason"] == "j|0.25|7|true"
    assert steps["Wait"]["Metadata"]["Callback"]["OutputParameters"] == [
        {"Name": "job", "Value": "j"},
        {"Name": "value", "Value": "0.25"},
        {"Name": "rows", "Value": "7"},
        {"Name": "ok", "Value": "true"},
    ]


def test_a_callback_failure_fails_the_step_with_its_reason(pipelines):
    queue = pipelines.create_queue()
    execution = pipelines.start(pipelines.create(callback("Wait", queue), fail("After", DependsOn=["Wait"])))

    pipelines.sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=pipelines.message(queue)["token"], FailureReason="the job ran out of time"
    )

    assert pipelines.finish(execution) == "Failed"
    assert list(pipelines.steps(execution)) == ["Wait"]
    assert pipelines.steps(execution)["Wait"]["FailureReason"] == "the job ran out of time"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, r"Output parameters [] are not those that the callback step declares: [x]"),
        ({"x": "1", "y": "2"}, "Output parameters [x, y] are not those"),
        ({"x": "one"}, "The value 'one' of 'x' is not of type Integer"),
    ],
)
def test_wrong_callback_outputs_are_refused_and_leave_the_step_waiting(pipelines, outputs, message):
    queue = pipelines.create_queue()
    execution = pipelines.start(pipelines.create(callback("Wait", queue, types=ONE)))
    token = pipelines.message(queue)["token"]
    listed = [{"Name": name, "Value": value} for name, value in outputs.items()]

    error = refused(
        pipelines.sagemaker.send_pipeline_execution_step_success, CallbackToken=token, OutputParameters=listed
    )
    waiting = pipelines.steps(execution)["Wait"]["StepStatus"]
    succeed(pipelines, token, x="1")

    assert error["Code"] == "ValidationException"
    assert message in error["Message"]
    assert waiting == "Executing"
    assert pipelines.finish(execution) == "Succeeded"


def test_a_token_is_answered_once(pipelines):
    queue = pipelines.create_queue()
    execution = pipelines.start(pipelines.create(callback("Wait", queue)))
    answer, again = pipelines.message(queue)["token"], uuid.uuid4().hex
    success = pipelines.sagemaker.send_pipeline_execution_step_success

    first = success(CallbackToken=answer, ClientRequestToken=again)
    repeated = success(CallbackToken=answer, ClientRequestToken=again)
    other = refused(pipelines.sagemaker.send_pipeline_execution_step_failure, CallbackToken=answer)

    assert first["PipelineExecutionArn"] == repeated["PipelineExecutionArn"] == execution
    assert other == {
        "Code": "ValidationException",
        "Message": f"Callback token '{answer}' was already answered.",
    }
    assert pipelines.finish(execution) == "Succeeded"


def test_an_unknown_token_is_refused(pipelines):
    error = refused(pipelines.sagemaker.send_pipeline_execution_step_success, CallbackToken="0123456789")

    assert error["Code"] == "ResourceNotFound"


def test_a_callback_without_the_right_to_send_fails(pipelines):
    queue, role = pipelines.create_queue(), pipelines.create_role("sagemaker.amazonaws.com", "s3:GetObject")

    execution = pipelines.start(pipelines.create(callback("Wait", queue), RoleArn=role))
    status = pipelines.finish(execution)

    assert status == "Failed"
    assert pipelines.steps(execution)["Wait"]["FailureReason"].startswith(
        "ClientError: Failed to invoke sqs:SendMessage. Error Details: "
    )


def test_a_role_that_sagemaker_may_not_assume_fails_the_step(pipelines):
    role = pipelines.create_role("lambda.amazonaws.com", "*")

    execution = pipelines.start(pipelines.create(callback("Wait", pipelines.create_queue()), RoleArn=role))

    assert pipelines.finish(execution) == "Failed"
    reason = pipelines.steps(execution)["Wait"]["FailureReason"]
    assert reason.startswith("ClientError: ")
    assert "sts:AssumeRole" in reason


def test_independent_steps_run_at_the_same_time(pipelines):
    queues = [pipelines.create_queue() for _ in range(3)]
    steps = [callback(f"Wait{number}", queue) for number, queue in enumerate(queues)]
    execution = pipelines.start(pipelines.create(*steps))

    tokens = [pipelines.message(queue)["token"] for queue in queues]
    running = pipelines.steps(execution)
    for token in tokens:
        succeed(pipelines, token)

    assert [step["StepStatus"] for step in running.values()] == ["Executing"] * 3
    assert pipelines.finish(execution) == "Succeeded"


def test_parallelism_is_bounded_where_the_pipeline_says_so(pipelines):
    queue = pipelines.create_queue()
    steps = [callback(f"Wait{number}", queue) for number in range(2)]
    name = pipelines.create(*steps, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    execution = pipelines.start(name)

    first = pipelines.message(queue)["token"]
    begun = list(pipelines.steps(execution))
    succeed(pipelines, first)
    succeed(pipelines, pipelines.message(queue)["token"])

    assert begun == ["Wait0"]
    assert pipelines.finish(execution) == "Succeeded"


def test_two_executions_run_at_once(pipelines):
    queue = pipelines.create_queue()
    name = pipelines.create(
        callback("Wait", queue, types=ONE), fail("Tell", get("Steps.Wait.OutputParameters['x']"))
    )
    executions = [pipelines.start(name), pipelines.start(name)]

    tokens = {
        message["pipelineExecutionArn"]: message["token"]
        for message in (pipelines.message(queue) for _ in range(2))
    }
    for number, execution in enumerate(executions):
        succeed(pipelines, tokens[execution], x=str(number))

    assert [pipelines.finish(execution) for execution in executions] == ["Failed", "Failed"]
    assert [pipelines.steps(execution)["Tell"]["FailureReason"] for execution in executions] == ["0", "1"]


def test_a_failure_lets_running_steps_end_and_starts_no_other(pipelines):
    queue = pipelines.create_queue()
    name = pipelines.create(
        callback("Wait", queue), fail("Reject", DependsOn=[]), fail("After", DependsOn=["Wait"])
    )
    execution = pipelines.start(name)
    token = pipelines.message(queue)["token"]
    wait_until(lambda: pipelines.steps(execution)["Reject"]["StepStatus"] == "Failed")

    during = pipelines.describe(execution)["PipelineExecutionStatus"]
    succeed(pipelines, token)

    assert during == "Executing"
    assert pipelines.finish(execution) == "Failed"
    assert {name: step["StepStatus"] for name, step in pipelines.steps(execution).items()} == {
        "Wait": "Succeeded",
        "Reject": "Failed",
    }


def test_stopping_asks_the_callback_again_and_waits_for_its_answer(pipelines):
    queue = pipelines.create_queue()
    name = pipelines.create(callback("Wait", queue, {"a": 1}), fail("After", DependsOn=["Wait"]))
    execution = pipelines.start(name)
    first = pipelines.message(queue)

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    second = pipelines.message(queue)
    during = pipelines.describe(execution)["PipelineExecutionStatus"]
    step = pipelines.steps(execution)["Wait"]["StepStatus"]
    pipelines.sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=second["token"], FailureReason="stopped by a person"
    )

    assert second == first | {"status": "Stopping"}
    assert (during, step) == ("Stopping", "Stopping")
    assert pipelines.finish(execution) == "Stopped"
    assert {name: step["StepStatus"] for name, step in pipelines.steps(execution).items()} == {
        "Wait": "Stopped"
    }


def test_an_ended_execution_is_not_stopped(pipelines):
    execution = pipelines.start(pipelines.create(fail("F")))
    pipelines.finish(execution)

    error = refused(pipelines.sagemaker.stop_pipeline_execution, PipelineExecutionArn=execution)

    assert error["Code"] == "ValidationException"
    assert "its status is Failed" in error["Message"]


def test_a_retry_runs_what_failed_and_keeps_what_succeeded(pipelines):
    first, second = pipelines.create_queue(), pipelines.create_queue()
    name = pipelines.create(callback("One", first), callback("Two", second, DependsOn=["One"]))
    execution, token = pipelines.start(name), uuid.uuid4().hex
    retry = pipelines.sagemaker.retry_pipeline_execution
    succeed(pipelines, pipelines.message(first)["token"])
    early = refused(retry, PipelineExecutionArn=execution)
    pipelines.sagemaker.send_pipeline_execution_step_failure(CallbackToken=pipelines.message(second)["token"])
    pipelines.finish(execution)
    before = pipelines.steps(execution)

    retry(PipelineExecutionArn=execution, ClientRequestToken=token)
    succeed(pipelines, pipelines.message(second)["token"])
    status = pipelines.finish(execution)
    retry(PipelineExecutionArn=execution, ClientRequestToken=token)

    assert early["Code"] == "ValidationException"
    assert status == "Succeeded"
    assert pipelines.steps(execution)["One"] == before["One"]
    assert pipelines.describe(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in pipelines.describe(execution)


def test_execution_variables_have_their_values(pipelines):
    names = ("PipelineArn", "PipelineName", "PipelineExecutionArn", "PipelineExecutionId", "StartDateTime")
    message = join("|", *(get(f"Execution.{name}") for name in names))
    name = pipelines.create(fail("Tell", message))

    execution = pipelines.start(name)
    pipelines.finish(execution)
    told = pipelines.steps(execution)["Tell"]["FailureReason"].split("|")
    began = pipelines.describe(execution)["CreationTime"].astimezone(UTC)

    identifier = execution.rpartition("/")[2]
    assert told[:4] == [execution.removesuffix(f"/execution/{identifier}"), name, execution, identifier]
    assert told[4].startswith(f"{began:%Y-%m-%dT%H:%M:%S}.")
    assert told[4].endswith("Z")


def test_steps_are_listed_last_first_and_in_pages(pipelines):
    execution = pipelines.start(
        pipelines.create(condition("If", [compare("Equals", 1, 1)], yes=[fail("Then")], DisplayName="Is it?"))
    )
    pipelines.finish(execution)
    listing = pipelines.sagemaker.list_pipeline_execution_steps

    listed = listing(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    page = listing(PipelineExecutionArn=execution, MaxResults=1)
    rest = listing(PipelineExecutionArn=execution, MaxResults=1, NextToken=page["NextToken"])

    assert [step["StepName"] for step in listed] == ["Then", "If"]
    assert listed[1]["StepDisplayName"] == "Is it?"
    assert [page["PipelineExecutionSteps"], rest["PipelineExecutionSteps"]] == [listed[:1], listed[1:]]
    assert "NextToken" not in rest


def test_the_role_given_at_the_start_takes_the_place_of_the_pipelines(pipelines):
    queue = pipelines.create_queue()
    powerless = pipelines.create_role("sagemaker.amazonaws.com", "s3:GetObject")
    name = pipelines.create(callback("Wait", queue), RoleArn=powerless)

    started = pipelines.sagemaker.start_pipeline_execution(PipelineName=name, RoleArn=pipelines.role)
    succeed(pipelines, pipelines.message(queue)["token"])

    assert pipelines.finish(started["PipelineExecutionArn"]) == "Succeeded"

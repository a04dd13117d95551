"""Why an execution failed is shown with the end of the log of whatever failed."""

from __future__ import annotations

import datetime
import time
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from making import ACCOUNT, REGION
from markdown_it import MarkdownIt

from automl_gitops.kernel import logs
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.markdown import block, fenced
from automl_gitops.kernel.names import Names
from automl_gitops.runs import summary
from automl_gitops.runs.execution import AutopilotProgress, Execution, Step
from automl_gitops.runs.summary import Failure

ID = "abcdefghijkl"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/hospital/execution/{ID}"
TRANSFORM = f"hospital-{ID}-candidate-1"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def write(aws: Aws, group: str, stream: str, *messages: str, seconds_ago: float = 0) -> None:
    client = aws.client("logs")
    groups = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if group not in [one["logGroupName"] for one in groups]:
        client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    moment = int((time.time() - seconds_ago) * 1000)
    client.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": moment + number, "message": text} for number, text in enumerate(messages)],
    )


def failed(step: Step, autopilot: AutopilotProgress | None = None) -> Execution:
    done = Step("StartAutopilot", "Succeeded", 1, kind="Lambda", function="hospital-start-autopilot")
    return Execution(ARN, "c0ffee", "Failed", None, 10, [done, step], autopilot, {})


@pytest.fixture
def found(aws: Aws, config: Any) -> Any:
    def find(step: Step, autopilot: AutopilotProgress | None = None) -> Failure:
        (only,) = summary.find_failures(aws, Names(config(), ACCOUNT), failed(step, autopilot))
        return only

    return find


def evaluation(reason: str) -> Step:
    return Step("EvaluateModel", "Failed", 9, reason, job="job-7", kind="ProcessingJob")


def test_of_a_processing_job_the_last_lines_of_its_own_log(aws: Aws, found: Any) -> None:
    for stream in ("job-7/algo-1-1", "job-71/algo-1-1"):
        write(aws, logs.PROCESSING, stream, *(f"{stream} {number}\n" for number in range(40)))

    (tail,) = found(evaluation("AlgorithmError: , exit code: 1")).tails

    assert tail.lines == tuple(f"job-7/algo-1-1 {number}" for number in range(10, 40))


def test_of_the_transform_behind_it_the_log_too(aws: Aws, found: Any) -> None:
    write(aws, logs.PROCESSING, "job-7/algo-1-1", "error: transform job failed")
    write(aws, logs.TRANSFORM, f"{TRANSFORM}/i-1", "bucket/part.csv: ClientError: 400")
    write(aws, logs.TRANSFORM, f"{TRANSFORM}1/i-1", "another job's")

    failure = found(
        evaluation(f"AlgorithmError: transform job {TRANSFORM} failed: See job logs, exit code: 1")
    )

    assert [tail.what for tail in failure.tails] == [f"transform job {TRANSFORM}", "processing job job-7"]
    assert failure.tails[0].lines == ("bucket/part.csv: ClientError: 400",)
    assert failure.reason.endswith(
        f"exit code: 1; transform job {TRANSFORM} says: bucket/part.csv: ClientError: 400"
    )


def test_the_execution_gives_the_transform_s_own_reason(aws: Aws, found: Any) -> None:
    write(aws, logs.TRANSFORM, f"{TRANSFORM}/i-1", "400", "row 334: 'n.v.' in column 'x' is not a number")
    step = evaluation(f"AlgorithmError: transform job {TRANSFORM} failed: See job logs, exit code: 1")

    told = summary.explained(failed(step), [found(step)])

    assert told.reason.endswith("row 334: 'n.v.' in column 'x' is not a number")
    assert told.document()["steps"][1]["failure_reason"] == told.steps[1].reason


def test_of_a_function_what_it_printed_while_the_step_ran(aws: Aws, found: Any) -> None:
    group = "/aws/lambda/hospital-register-model"
    write(aws, group, "2026/01/01/[$LATEST]a", "an earlier execution's", seconds_ago=3600)
    write(aws, group, "2026/01/01/[$LATEST]b", "Traceback", "KeyError: 'objective'")
    step = Step(
        "RegisterModel", "Failed", 1, "failed (Unhandled)", kind="Lambda", function="hospital-register-model",
        started=now(), ended=now(),
    )  # fmt: skip

    assert found(step).tails[0].lines == ("Traceback", "KeyError: 'objective'")


def waited(reason: str) -> Step:
    return Step("WaitForAutopilot", "Failed", 60, reason, kind="Callback", started=now(), ended=now())


def test_of_autopilot_its_whole_reason_and_the_logs_of_its_jobs(aws: Aws, found: Any) -> None:
    job = AutopilotProgress(f"hospital-{ID}", "Failed", "Failed", 60, 0, failure_reason="x" * 500)
    write(aws, logs.TRAINING, f"hospital-{ID}-trial-t1-1/algo-1-1", "ValueError: one class")

    failure = found(waited("Autopilot job failed: xx…"), job)

    assert failure.reason == "x" * 500
    assert [tail.lines for tail in failure.tails] == [("ValueError: one class",)]


def test_of_autopilot_s_jobs_a_log_that_may_not_be_read_is_said(
    found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(client: Any, what: str, group: str, prefix: str) -> logs.Tail:
        return logs.Tail(what, group, problem="these credentials may not read its log")

    monkeypatch.setattr(logs, "of_job", denied)
    job = AutopilotProgress(f"hospital-{ID}", "Failed", "Failed", 60, 0, failure_reason="x")

    tails = found(waited("x"), job).tails

    assert [tail.group for tail in tails] == [logs.TRAINING, logs.PROCESSING]
    assert {tail.problem for tail in tails} == {"these credentials may not read its log"}


def test_of_a_wait_that_was_given_up_the_log_of_the_function_that_waited(aws: Aws, found: Any) -> None:
    job = AutopilotProgress(f"hospital-{ID}", "Stopped", "Stopped", 60, 0)
    write(aws, "/aws/lambda/hospital-check-autopilot", "s", "it ran for 9000 s")

    (tail,) = found(waited("Autopilot job was stopped: it ran for 9000 s"), job).tails

    assert (tail.what, tail.lines) == ("Lambda function hospital-check-autopilot", ("it ran for 9000 s",))


def test_a_gate_that_rejects_has_no_log(aws: Aws, config: Any) -> None:
    rejected = Step("RejectModel", "Failed", 0, "The gate rejected the model")

    assert summary.find_failures(aws, Names(config(), ACCOUNT), failed(rejected)) == []


def test_a_log_that_is_not_there_is_said(found: Any) -> None:
    (tail,) = found(evaluation("exit code: 1")).tails

    assert tail.problem == "it has left no log in /aws/sagemaker/ProcessingJobs"
    assert "it has left no log" in block(next(summary.failure_blocks([found(evaluation("x"))])))


def test_a_log_that_may_not_be_read_is_said() -> None:
    client = boto3.client("logs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_log_streams", "AccessDeniedException", "no")

        tail = logs.of_job(client, "processing job x", logs.PROCESSING, "x/")

    assert tail.lines == ()
    assert tail.problem.startswith(
        "these credentials may not read its log in /aws/sagemaker/ProcessingJobs (DescribeLogStreams)"
    )


def test_a_page_without_events_is_not_the_end() -> None:
    client = boto3.client("logs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        stubber.add_response("describe_log_streams", {"logStreams": [{"logStreamName": "x/1"}]})
        stubber.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"})
        stubber.add_response(
            "get_log_events",
            {"events": [{"timestamp": 1, "message": "said"}], "nextBackwardToken": "b/2"},
        )

        assert logs.of_job(client, "x", logs.PROCESSING, "x/").lines == ("said",)


def test_a_failure_comes_back_from_its_document(aws: Aws, found: Any) -> None:
    write(aws, logs.PROCESSING, "job-7/algo-1-1", "KeyError")
    failure = found(evaluation("exit code: 1"))

    assert Failure.parse(failure.document()) == failure


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m", "red and bold"),
        ("\x1b]0;a window's title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b[2J\x1b[H\x1bcgone", "gone"),
        (" 10%\r 50%\r100% done\r", "100% done"),
        ("bell\x07 and back\x08space", "bell? and back?space"),
        ("right\u202eleft", "right?left"),
        ("a\tb", "a   b"),
        ("##[error]not ours", "## [error]not ours"),
        ("größe 🙂", "größe 🙂"),
        ("x" * 400, "x" * 296 + " ..."),
    ],
)  # fmt: skip
def test_a_line_shows_and_does_nothing_else(printed: str, line: str) -> None:
    assert [*logs.shown([printed])] == [line]


def test_a_message_of_several_lines_is_several_lines() -> None:
    assert [*logs.shown(["Traceback\n\n  File x\nKeyError"])] == ["Traceback", "  File x", "KeyError"]


@pytest.mark.parametrize(
    "line", ["```", "`````", "</details>", "<script>alert(1)</script>", "~~~", "@somebody"]
)
def test_nothing_in_a_log_leaves_its_fence(line: str) -> None:
    page = MarkdownIt("commonmark").render(fenced(["before", line, "after"]))

    assert page.count("<pre>") == page.count("</pre>") == 1
    assert page.startswith("<pre>")
    assert page.rstrip().endswith("</pre>")
    assert "<script>" not in page

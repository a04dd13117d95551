"""What is told about executions, and how they are followed."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from making import ACCOUNT

from automl_gitops.commands import runs as commands
from automl_gitops.commands.main import main
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.logs import Tail
from automl_gitops.kernel.names import Names
from automl_gitops.runs.execution import Autopilot, Execution, Step, read
from automl_gitops.runs.follow import changes, follow
from support.stubbed_aws import StubbedAws

ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/hospital/execution/abcdefghijkl"
START = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def at(seconds: float) -> datetime.datetime:
    return START + datetime.timedelta(seconds=seconds)


def state(status: str = "Executing", *steps: Step, seconds: float = 10, **more: Any) -> Execution:
    values = {"failure_reason": None, "autopilot": None, "parameters": {}, **more}
    return Execution(arn=ARN, name="c0ffee", status=status, seconds=seconds, steps=list(steps), **values)


def looks(*states: Execution | Exception) -> Callable[[], Execution]:
    """A look that finds one state after the other."""
    rest = iter(states)

    def look() -> Execution:
        found = next(rest)
        if isinstance(found, Exception):
            raise found
        return found

    return look


@pytest.fixture
def sagemaker() -> Iterator[Stubber]:
    client = boto3.client(
        "sagemaker", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(sagemaker: Stubber, status: str, steps: list[dict[str, Any]]) -> None:
    sagemaker.add_response(
        "describe_pipeline_execution",
        {
            "PipelineExecutionArn": ARN,
            "PipelineExecutionDisplayName": "c0ffee",
            "PipelineExecutionStatus": status,
            "CreationTime": at(0),
            "LastModifiedTime": at(95),
        },
        {"PipelineExecutionArn": ARN},
    )
    sagemaker.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps})


def answer_parameters(sagemaker: Stubber) -> None:
    sagemaker.add_response(
        "list_pipeline_parameters_for_execution",
        {"PipelineParameters": [{"Name": "MaxSeconds", "Value": "60"}]},
    )


def told(name: str, status: str, start: float, end: float | None, **more: Any) -> dict[str, Any]:
    times = {"StartTime": at(start), **({"EndTime": at(end)} if end is not None else {})}
    return {"StepName": name, "StepStatus": status, **times, **more}


def test_an_execution_is_read_with_steps_and_autopilot(sagemaker: Stubber, config) -> None:
    package = [{"Name": "model_package_arn", "Value": "arn:package/1"}]
    answer(
        sagemaker,
        "Succeeded",
        [
            told("StartAutopilot", "Succeeded", 0, 2),
            told(
                "EvaluateModel",
                "Succeeded",
                60,
                80,
                Metadata={"ProcessingJob": {"Arn": "arn:aws:x:processing-job/job-7"}},
            ),
            told(
                "RegisterModel",
                "Succeeded",
                80,
                81.5,
                Metadata={"Lambda": {"Arn": "f", "OutputParameters": package}},
            ),
        ],
    )
    sagemaker.add_response(
        "describe_auto_ml_job_v2",
        {
            "AutoMLJobName": "hospital-abcdefghijkl",
            "AutoMLJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:automl-job/hospital-abcdefghijkl",
            "AutoMLJobInputDataConfig": [
                {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://x"}}}
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://x"},
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/executing",
            "CreationTime": at(1),
            "EndTime": at(51),
            "LastModifiedTime": at(51),
            "AutoMLJobStatus": "Completed",
            "AutoMLJobSecondaryStatus": "Completed",
            "BestCandidate": {
                "CandidateName": "best-1",
                "FinalAutoMLJobObjectiveMetric": {"MetricName": "F1macro", "Value": 0.5},
                "ObjectiveStatus": "Succeeded",
                "CandidateSteps": [],
                "CandidateStatus": "Completed",
                "CreationTime": at(2),
                "LastModifiedTime": at(3),
            },
        },
        {"AutoMLJobName": "hospital-abcdefghijkl"},
    )
    candidate = {
        "CandidateName": "c",
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": at(2),
        "LastModifiedTime": at(3),
    }
    sagemaker.add_response(
        "list_candidates_for_auto_ml_job", {"Candidates": [candidate] * 10, "NextToken": "n"}
    )
    sagemaker.add_response("list_candidates_for_auto_ml_job", {"Candidates": [candidate] * 3})
    answer_parameters(sagemaker)

    document = read(sagemaker.client, Names(config(), ACCOUNT), ARN).document()

    assert document["execution"]["status"] == "Succeeded"
    assert (document["execution"]["id"], document["execution"]["seconds"]) == ("abcdefghijkl", 95)
    assert [(step["name"], step["seconds"]) for step in document["steps"]] == [
        ("StartAutopilot", 2), ("EvaluateModel", 20), ("RegisterModel", 1.5)
    ]  # fmt: skip
    assert document["autopilot"]["candidates"] == 13
    assert document["autopilot"]["seconds"] == 50
    assert document["autopilot"]["best"] == {"name": "best-1", "objective": "F1macro", "value": 0.5}
    assert document["model_package_arn"] == "arn:package/1"
    assert document["steps"][1]["job"] == "job-7"
    assert document["execution"]["parameters"] == {"MaxSeconds": "60"}
    json.dumps(document)


def test_a_job_that_waits_for_a_quota_is_no_error(sagemaker: Stubber, config) -> None:
    answer(
        sagemaker,
        "Executing",
        [told("StartAutopilot", "Succeeded", 0, 2), told("WaitForAutopilot", "Executing", 2, None)],
    )
    sagemaker.add_client_error("describe_auto_ml_job_v2", "ResourceNotFound", "no such job")
    answer_parameters(sagemaker)

    execution = read(sagemaker.client, Names(config(), ACCOUNT), ARN)

    assert execution.autopilot is None
    assert not execution.has_ended


def test_changes_are_told_once() -> None:
    started = Step("StartAutopilot", "Executing", 1)
    done = Step("StartAutopilot", "Succeeded", 3)
    job = Autopilot("j", "InProgress", "ModelTuning", 20, 0)
    better = Autopilot("j", "InProgress", "ModelTuning", 40, 2, "b", "F1macro", 0.4321)
    states = [
        state("Executing", started),
        state("Executing", started),
        state("Executing", done, Step("WaitForAutopilot", "Executing", 0), autopilot=job),
        state("Executing", done, Step("WaitForAutopilot", "Executing", 9), autopilot=better),
        state("Failed", done, Step("WaitForAutopilot", "Failed", 12, "out of time"), autopilot=better),
    ]

    lines = [list(changes(before, now)) for before, now in zip([None, *states], states, strict=False)]

    assert lines == [
        ["StartAutopilot: Executing"],
        [],
        [
            "StartAutopilot: Succeeded after 3 s",
            "WaitForAutopilot: Executing",
            "  Autopilot: ModelTuning (20 s)",
        ],
        ["  Autopilot: ModelTuning, 2 candidates, best F1macro 0.4321 (40 s)"],
        ["WaitForAutopilot: Failed after 12 s: out of time"],
    ]


def test_following_ends_with_the_execution_and_looks_less_often_with_time() -> None:
    waits: list[float] = []
    states = [state(seconds=seconds) for seconds in (0, 90, 6000)] + [state("Stopped")]

    last = follow(looks(*states), Output(), sleep=waits.append)

    assert last.status == "Stopped"
    assert waits == [1.0, 3.0, 15.0]


@pytest.mark.parametrize(("stumbles", "gives_up"), [(4, False), (5, True)])
def test_a_hiccup_of_the_network_does_not_end_the_wait(stumbles: int, gives_up: bool) -> None:
    error = EndpointConnectionError(endpoint_url="https://x")
    look = looks(*[error] * stumbles, state("Succeeded"))

    if gives_up:
        with pytest.raises(EndpointConnectionError):
            follow(look, Output(), sleep=lambda _: None)
    else:
        assert follow(look, Output(), sleep=lambda _: None).status == "Succeeded"


class Command:
    """The command line with an execution that is followed without AWS."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *states: Execution | BaseException) -> None:
        self.stopped: list[str] = []
        rest = iter(states)

        def look(*_: object) -> Execution:
            found = next(rest)
            if isinstance(found, BaseException):
                raise found
            return found

        monkeypatch.setattr(commands, "_read", look)
        monkeypatch.setattr(commands, "locate", lambda *_: ARN)
        monkeypatch.setattr("automl_gitops.runs.follow.time.sleep", lambda _: None)
        monkeypatch.setattr("automl_gitops.kernel.aws.Aws.client", lambda *_: self)

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012"}

    def stop_pipeline_execution(self, **sent: str) -> None:
        self.stopped.append(sent["ClientRequestToken"])


REJECTED = state(
    "Failed", Step("RejectModel", "Failed", 0, "The gate rejected the model: F1macro 0.2 is below 0.3")
)


def test_waiting_for_a_failure_ends_with_its_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Command(monkeypatch, REJECTED)

    status = main(["execution", "--wait", "--json"])

    printed = capsys.readouterr()
    assert status == 1
    assert (
        "error: execution abcdefghijkl failed: RejectModel: The gate rejected the model: F1macro 0.2"
        in printed.err
    )
    assert json.loads(printed.out)["execution"]["status"] == "Failed"


def test_a_failed_jobs_last_words_are_shown_and_are_in_the_document(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = state(
        "Failed", Step("EvaluateModel", "Failed", 9, "exit code: 1", job="job-7", kind="ProcessingJob")
    )
    tail = Tail("processing job job-7", "/aws/sagemaker/ProcessingJobs", ("KeyError: 'x'",))
    monkeypatch.setattr("automl_gitops.kernel.logs.of_job", lambda *_: tail)
    Command(monkeypatch, failed)

    assert main(["execution", "--wait"]) == 1

    printed = capsys.readouterr()
    assert "the end of the log of processing job job-7" in printed.out
    assert "| KeyError: 'x'" in printed.out
    assert "error: execution abcdefghijkl failed: EvaluateModel: exit code: 1" in printed.err

    Command(monkeypatch, failed)

    assert main(["execution", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"][0]["tails"][0]["lines"] == ["KeyError: 'x'"]


def test_looking_at_a_failure_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Command(monkeypatch, REJECTED)

    assert main(["execution"]) == 0
    assert "F1macro 0.2 is below 0.3" in capsys.readouterr().out


def test_interrupting_the_wait_leaves_the_execution_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = Command(monkeypatch, state(), KeyboardInterrupt())

    status = main(["execution", "--wait"])

    assert status == 130
    assert command.stopped == []
    assert "automl stop abcdefghijkl" in capsys.readouterr().out


def test_stop_waits_for_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(monkeypatch, state(), state("Stopping"), state("Stopped"))

    assert main(["stop"]) == 0
    assert len(command.stopped) == 1
    assert len(command.stopped[0]) >= 32


def test_stopping_what_has_ended_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(monkeypatch, state("Succeeded"))

    assert main(["stop"]) == 0
    assert command.stopped == []


@pytest.mark.parametrize(
    ("status", "reason"), [("Failed", "no reason given"), ("Stopped", "somebody stopped it")]
)
def test_an_end_without_a_reason_is_said_as_such(status: str, reason: str) -> None:
    assert state(status).reason == reason


def test_unknown_execution_is_the_users_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = StubbedAws()
    aws["sagemaker"].add_client_error("describe_pipeline_execution", "ResourceNotFound", "none")
    monkeypatch.setattr(commands.Project, "names", Names(commands.Project().config, ACCOUNT))
    monkeypatch.setattr(commands.Project, "aws", aws)

    status = main(["execution", "zzzzzzzzzzzz"])

    assert status == 2
    assert "zzzzzzzzzzzz: the pipeline has no such execution" in capsys.readouterr().err

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
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.logs import Tail
from automl_gitops.kernel.names import Names
from automl_gitops.runs.execution import AutopilotProgress, Execution, Step, overtaken_by, read
from automl_gitops.runs.follow import changes, follow, seconds_of
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
    job = AutopilotProgress("j", "InProgress", "ModelTuning", 20, 0)
    better = AutopilotProgress("j", "InProgress", "ModelTuning", 40, 2, "b", "F1macro", 0.4321)
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


def test_following_for_a_time_ends_with_what_was_seen_last() -> None:
    waits: list[float] = []
    now = iter((100.0, 130.0, 155.0, 160.0))
    states = [state(seconds=seconds) for seconds in (600, 630, 660)]

    last = follow(looks(*states), Output(), seconds=60, sleep=waits.append, clock=lambda: next(now))

    assert (last.status, last.seconds) == ("Executing", 660)
    assert waits == [15.0, 5.0], "the last wait ends with the time"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("300m", 18_000), ("5h", 18_000)])
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "300", "5 h", "-1m", "1h30m", "1e3s"])
def test_another_text_is_no_duration(text: str) -> None:
    with pytest.raises(UserError, match="such as 300m"):
        seconds_of(text)


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
    Command(monkeypatch, state(), REJECTED)

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
    Command(monkeypatch, state(), failed)

    assert main(["execution", "--wait"]) == 1

    printed = capsys.readouterr()
    assert "the end of the log of processing job job-7" in printed.out
    assert "| KeyError: 'x'" in printed.out
    assert "error: execution abcdefghijkl failed: EvaluateModel: exit code: 1" in printed.err

    Command(monkeypatch, failed)

    assert main(["execution", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"][0]["tails"][0]["lines"] == ["KeyError: 'x'"]


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[dict[str, str], str]]:
    """A step of a workflow's run; called, it tells the outputs, and what the run's page says."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "clinic/hospital")

    def told() -> tuple[dict[str, str], str]:
        lines = (tmp_path / "GITHUB_OUTPUT").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines), (tmp_path / "GITHUB_STEP_SUMMARY").read_text()

    return told


REGISTERED = state(
    "Succeeded", Step("RegisterModel", "Succeeded", 1, outputs={"model_package_arn": "arn:x/7"})
)


@pytest.mark.parametrize(
    ("states", "later", "status", "outputs"),
    [
        pytest.param([state(), REGISTERED], None, 0, {"ended": "true", "to-stage": "abcdefghijkl"}, id="newest"),
        pytest.param([REGISTERED, REGISTERED], None, 0, {"ended": "true", "to-stage": "abcdefghijkl"}, id="again"),
        pytest.param([state(), REGISTERED], "mnopqrstuvwx", 0, {"ended": "true"}, id="overtaken"),
        pytest.param([state(), REJECTED], None, 1, {"ended": "true"}, id="rejected"),
        pytest.param([state(), state("Stopped")], None, 1, {"ended": "true"}, id="stopped"),
        pytest.param([state(), state()], None, 0, {"goes-on": "true"}, id="the time is up"),
        pytest.param([state(), state("Stopping")], None, 0, {"goes-on": "true"}, id="stopping"),
    ],
)  # fmt: skip
def test_a_workflow_learns_what_to_do_next(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[], tuple[dict[str, str], str]],
    states: list[Execution],
    later: str | None,
    status: int,
    outputs: dict[str, str],
) -> None:
    Command(monkeypatch, *states)
    monkeypatch.setattr(commands, "overtaken_by", lambda *_: later)

    assert main(["execution", "--wait", "--at-most", "0s", "--", "abcdefghijkl"]) == status

    told, page = step()
    assert told == {"execution": "abcdefghijkl", **outputs}
    assert page.startswith("Not staged: execution mnopqrstuvwx, started after" if later else "")
    assert bool(page) == bool(later)


def test_an_overtaken_version_is_named_to_whoever_wants_it_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Command(monkeypatch, state(), REGISTERED)
    monkeypatch.setattr(commands, "overtaken_by", lambda *_: "mnopqrstuvwx")

    assert main(["execution", "--wait"]) == 0

    printed = capsys.readouterr().out
    assert "execution mnopqrstuvwx, started after abcdefghijkl, has registered a version" in printed
    assert "automl stage --model-package arn:x/7" in printed


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([], None, id="alone"),
        pytest.param([("mnopqrstuvwx", "Succeeded")], "mnopqrstuvwx", id="later, registered"),
        pytest.param([("mnopqrstuvwx", "Executing")], None, id="later, going on"),
        pytest.param([("mnopqrstuvwx", "Failed")], None, id="later, rejected"),
        pytest.param([("x", "Failed"), ("y", "Succeeded")], "y", id="two later"),
    ],
)
def test_a_later_execution_that_registered_a_version_overtakes(
    sagemaker: Stubber, config: Any, others: list[tuple[str, str]], expected: str | None
) -> None:
    base = ARN.removesuffix("abcdefghijkl")
    listed = [*others, ("abcdefghijkl", "Succeeded"), ("earlier", "Succeeded")]
    summaries = [
        {"PipelineExecutionArn": base + name, "PipelineExecutionStatus": one} for name, one in listed
    ]
    sagemaker.add_response("list_pipeline_executions", {"PipelineExecutionSummaries": summaries})

    assert overtaken_by(sagemaker.client, Names(config(), ACCOUNT), ARN) == expected


def test_a_run_that_goes_on_names_the_one_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[], tuple[dict[str, str], str]]
) -> None:
    Command(monkeypatch, state(), REGISTERED)
    monkeypatch.setattr(commands, "overtaken_by", lambda *_: None)

    assert main(["execution", "--wait", "--after-run=4711", "--", "abcdefghijkl"]) == 0

    assert step()[1] == "Goes on from [run 4711](https://github.com/clinic/hospital/actions/runs/4711).\n\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--after-run=x](https://evil)", "--", "abcdefghijkl"], "Invalid value for '--after-run'"),
        (["--after-run=0", "--", "abcdefghijkl"], "Invalid value for '--after-run'"),
        (["--", "$(touch here)"], "'$(touch here)' is no id of an execution"),
        (["--", "--json"], "'--json' is no id of an execution"),
        (["--", "../abcdefghijkl"], "is no id of an execution"),
        (["--", "arn:aws:sagemaker:eu-west-1:1:pipeline/other/execution/abcdefghijkl"], "not an execution of this"),
        (["--", f"{ARN}/x"], "'abcdefghijkl/x' is no id of an execution"),
        (["--at-most", "soon"], "'soon' is no duration"),
    ],
)  # fmt: skip
def test_what_somebody_types_into_the_form_is_refused_before_any_look(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: Callable[[], tuple[dict[str, str], str]],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setattr(commands.Project, "names", Names(commands.Project().config, ACCOUNT))
    monkeypatch.setattr(commands.Project, "aws", StubbedAws())

    assert main(["execution", "--wait", *arguments]) == 2

    assert words in " ".join(capsys.readouterr().err.split())
    assert step() == ({}, "")


@pytest.mark.parametrize("command", ["run", "execution"])
def test_a_time_limit_goes_with_waiting(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--at-most", "5m"]) == 2
    assert "--at-most 5m: says how long to follow" in capsys.readouterr().err


def test_looking_at_a_failure_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Command(monkeypatch, REJECTED)

    assert main(["execution"]) == 0
    assert "F1macro 0.2 is below 0.3" in capsys.readouterr().out


def test_interrupting_the_wait_leaves_the_execution_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = Command(monkeypatch, state(), state(), KeyboardInterrupt())

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


def test_what_is_stuck_is_told_once_and_followed_on(capsys) -> None:
    asked = []

    def stuck(execution: Execution) -> str | None:
        asked.append(execution)
        return "the answer is denied" if len(asked) > 1 else None

    states = [state(), state(), state(), state(), state("Succeeded")]
    last = follow(looks(*states), Output(), stuck=stuck, sleep=lambda seconds: None)

    assert last.status == "Succeeded"
    assert capsys.readouterr().out.count("the answer is denied") == 1
    assert len(asked) == 2

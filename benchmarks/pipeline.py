"""How long a pipeline's execution on the local AWS takes besides the training of Autopilot's job."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from automl_rehearsal.life import Life
from benchmarks.commands import made_project
from benchmarks.figures import Figure

ROWS, TRAINING_SECONDS = 1200, 10
Span = tuple[datetime, datetime]


def figures(work: Path) -> Iterator[Figure]:
    """Measure; the project stays in ``work``."""
    project, life = made_project(work), work / "life"
    shutil.rmtree(life, ignore_errors=True)
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir(project), _unsigned():
        spans = _spans(project, life)
    print(
        "     pipeline, seconds:", ", ".join(f"{name} {_seconds(span):.1f}" for name, span in spans.items())
    )
    seconds = _seconds(spans["execution"]) - _seconds(spans["training"])
    yield Figure.of("pipeline on the local AWS, without what Autopilot's job trains", seconds, "s", "< 4")


def _spans(project: Path, folder: Path) -> dict[str, Span]:
    """When the execution, its steps and the training of Autopilot's job began and ended."""
    with Life(project, folder, None, ROWS, TRAINING_SECONDS, lenient=True) as life:
        sagemaker = life.aws.client("sagemaker")
        life.train()
        (execution,) = sagemaker.list_pipeline_executions(PipelineName=life.names.pipeline)[
            "PipelineExecutionSummaries"
        ]
        arn = execution["PipelineExecutionArn"]
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        (job,) = sagemaker.list_auto_ml_jobs()["AutoMLJobSummaries"]
        began = _began_to_train(life.aws.client("logs"), job["AutoMLJobName"])
    found = {step["StepName"]: (step["StartTime"], step["EndTime"]) for step in steps[::-1]}
    return found | {
        "execution": (execution["StartTime"], max(end for _, end in found.values())),
        "start of the job": (job["CreationTime"], began),
        "training": (began, job["EndTime"]),
        "notice of its end": (job["EndTime"], found["WaitForAutopilot"][1]),
    }


def _began_to_train(logs: Any, job: str) -> datetime:
    """When the job went over to ModelTuning, as its own log says.

    Whoever asks for the status many times a second takes a third of a core from what is measured.
    """
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"]
    events = logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    line = next(event["message"] for event in events if " ModelTuning after " in event["message"])
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone()


def _seconds(span: Span) -> float:
    start, end = span
    return (end - start).total_seconds()


@contextlib.contextmanager
def _unsigned() -> Iterator[None]:
    """Without an account's own keys and settings, which a rehearsal has no use for."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    try:
        yield
    finally:
        os.environ.update(kept)

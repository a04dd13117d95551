"""How long a pipeline's execution on the local AWS takes besides the training of Autopilot's job."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl_gitops.rehearsal.life import Life
from benchmarks.commands import made_project
from benchmarks.figures import Figure
from benchmarks.local_aws import until

ROWS, TRAINING_SECONDS = 1200, 10
LOOK_SECONDS = 0.05
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
        with ThreadPoolExecutor() as beside:
            trains = beside.submit(_begins_to_train, sagemaker)
            life.train()
            began = trains.result()
        (execution,) = sagemaker.list_pipeline_executions(PipelineName=life.names.pipeline)[
            "PipelineExecutionSummaries"
        ]
        arn = execution["PipelineExecutionArn"]
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        (job,) = sagemaker.list_auto_ml_jobs()["AutoMLJobSummaries"]
    found = {step["StepName"]: (step["StartTime"], step["EndTime"]) for step in steps[::-1]}
    return found | {
        "execution": (execution["StartTime"], max(end for _, end in found.values())),
        "start of the job": (job["CreationTime"], began),
        "training": (began, job["EndTime"]),
        "notice of its end": (job["EndTime"], found["WaitForAutopilot"][1]),
    }


def _begins_to_train(sagemaker: Any) -> datetime:
    """Wait until there is a job that no longer starts; which says when that was by nothing else."""
    waiting = ("Starting", "AnalyzingData", "FeatureEngineering")
    until(
        lambda: any(
            job["AutoMLJobSecondaryStatus"] not in waiting
            for job in sagemaker.list_auto_ml_jobs()["AutoMLJobSummaries"]
        ),
        LOOK_SECONDS,
    )
    return datetime.now(UTC)


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

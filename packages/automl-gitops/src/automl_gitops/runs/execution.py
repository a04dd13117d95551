"""A pipeline execution as SageMaker tells of it: its steps, and the Autopilot job that it waits for."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing, listed
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.logs import plain
from automl_gitops.kernel.names import Names

ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


@dataclass(frozen=True)
class Step:
    """A step that has begun. ``seconds`` runs on until it ends; ``outputs`` are those of a Lambda or
    Callback; ``kind`` is what it ran: ProcessingJob, Lambda, Callback, or "" for what runs nothing.
    """

    name: str
    status: str
    seconds: float
    failure_reason: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    job: str | None = None
    kind: str = ""
    function: str = ""
    started: datetime.datetime | None = None
    ended: datetime.datetime | None = None

    @property
    def reason(self) -> str:
        """The failure's reason in one line of characters that only show, without what SageMaker adds where no policy
        of the step tries again.
        """
        told = (self.failure_reason or "").partition("\nRetry not appropriate on execution of step ")[0]
        return plain(" ".join(told.split()))


@dataclass(frozen=True)
class AutopilotProgress:
    """The Autopilot job's progress; ``value`` is the best candidate's objective on Autopilot's own validation
    rows.
    """

    job: str
    status: str
    secondary_status: str
    seconds: float
    candidates: int
    best: str | None = None
    objective: str | None = None
    value: float | None = None
    failure_reason: str = ""
    ended: datetime.datetime | None = None


@dataclass(frozen=True)
class Execution:
    """One execution at one moment."""

    arn: str
    name: str
    status: str
    failure_reason: str | None
    seconds: float
    steps: list[Step]
    autopilot: AutopilotProgress | None
    parameters: dict[str, str]

    @property
    def id(self) -> str:
        """The last part of the ARN, twelve characters."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED

    @property
    def model_package_arn(self) -> str | None:
        """The registered version, where the gate accepted the model."""
        return next(
            (step.outputs["model_package_arn"] for step in self.steps if "model_package_arn" in step.outputs),
            None,
        )

    @property
    def reason(self) -> str:
        """Why the execution did not succeed: by step where steps say so, else what the execution says."""
        by_step = [f"{step.name}: {step.reason}" for step in self.steps if step.failure_reason]
        unsaid = "somebody stopped it" if self.status == "Stopped" else "no reason given"
        return "; ".join(by_step) or self.failure_reason or unsaid

    def document(self) -> dict[str, Any]:
        """The execution as JSON, for `--json`."""
        return {
            "execution": {
                "arn": self.arn,
                "id": self.id,
                "name": self.name,
                "status": self.status,
                "failure_reason": None if self.status != "Failed" else self.reason,
                "seconds": round(self.seconds, 1),
                "parameters": self.parameters,
            },
            "steps": [
                {
                    "name": step.name,
                    "status": step.status,
                    "seconds": round(step.seconds, 1),
                    "failure_reason": step.failure_reason and step.reason,
                    "outputs": step.outputs,
                    "job": step.job,
                }
                for step in self.steps
            ],
            "autopilot": self.autopilot
            and {
                "job": self.autopilot.job,
                "status": self.autopilot.status,
                "secondary_status": self.autopilot.secondary_status,
                "seconds": round(self.autopilot.seconds, 1),
                "candidates": self.autopilot.candidates,
                "best": self.autopilot.best
                and {
                    "name": self.autopilot.best,
                    "objective": self.autopilot.objective,
                    "value": self.autopilot.value,
                },
            },
            "model_package_arn": self.model_package_arn,
        }


def read(sagemaker: Any, names: Names, arn: str) -> Execution:
    """Ask SageMaker for an execution, its steps and its Autopilot job; one that does not exist is a
    `UserError`.
    """
    try:
        told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        raise UserError(
            f"{arn.rsplit('/', 1)[-1]}: the pipeline has no such execution; "
            "`automl execution` shows the newest"
        ) from None
    steps = [
        _step(step)
        for step in listed(
            sagemaker,
            "list_pipeline_execution_steps",
            "PipelineExecutionSteps",
            PipelineExecutionArn=arn,
            SortOrder="Ascending",
        )
    ]
    ended = told.get("LastModifiedTime") if told["PipelineExecutionStatus"] in ENDED else None
    return Execution(
        arn=arn,
        name=told.get("PipelineExecutionDisplayName", ""),
        status=told["PipelineExecutionStatus"],
        failure_reason=told.get("FailureReason"),
        seconds=_seconds(told["CreationTime"], ended),
        steps=steps,
        autopilot=_autopilot(sagemaker, names, arn, steps),
        parameters=_parameters(sagemaker, arn),
    )


def locate(sagemaker: Any, names: Names, given: str | None) -> str:
    """The ARN of an execution that is given by id, by ARN, or not at all: the newest one.

    Raises `UserError` for another project's ARN, for what is no id, and where there is none yet.
    """
    base = names.arn("sagemaker", f"pipeline/{names.pipeline}/execution/")
    if given is not None:
        if given.startswith("arn:") and not given.startswith(base):
            raise UserError(f"{given}: is not an execution of this project ({base}ID)")
        return base + require_id(given.removeprefix(base))
    newest = next(executions(sagemaker, names.pipeline), None)
    if newest is None:
        raise UserError("the pipeline has no execution yet: start one with `automl run`")
    return newest["PipelineExecutionArn"]


def require_id(text: str) -> str:
    """The id of an execution as it was given; `UserError` for a text that is none."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,64}", text):
        raise UserError(
            f"{text!r} is no id of an execution: write its letters and digits, such as abcd1234efgh"
        )
    return text


def overtaken(execution: Execution, later: str) -> str:
    """The sentence for the case that a later execution (by its id) has registered a version already."""
    return (
        f"execution {later}, started after {execution.id}, has registered a version already: that is the one to stage "
        f"and propose; for this one all the same, `automl stage --model-package {execution.model_package_arn}`"
    )


def overtaken_by(sagemaker: Any, names: Names, arn: str) -> str | None:
    """The id of an execution that was started after another one and has registered a version already; `None` where
    there is none, so that the other one's version is the newest.
    """
    for summary in executions(sagemaker, names.pipeline):
        if summary["PipelineExecutionArn"] == arn:
            return None
        if summary["PipelineExecutionStatus"] == "Succeeded":
            return str(summary["PipelineExecutionArn"]).rsplit("/", 1)[-1]
    return None


def of_commit(sagemaker: Any, names: Names, commit: str) -> str | None:
    """The ARN of the newest execution that was started for a commit, `None` where there is none."""
    for summary in executions(sagemaker, names.pipeline):
        if commit and summary.get("PipelineExecutionDisplayName", "").startswith(commit[:12]):
            return summary["PipelineExecutionArn"]
    return None


def executions(sagemaker: Any, pipeline: str) -> Iterator[dict[str, Any]]:
    """Summaries of a pipeline's executions, the newest first; none where there is no pipeline."""
    try:
        yield from listed(
            sagemaker,
            "list_pipeline_executions",
            "PipelineExecutionSummaries",
            PipelineName=pipeline,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
    except ClientError as error:
        if not is_missing(error):
            raise


def _step(told: dict[str, Any]) -> Step:
    metadata = told.get("Metadata", {})
    answered = metadata.get("Lambda") or metadata.get("Callback") or {}
    job = metadata.get("ProcessingJob", {}).get("Arn")
    function = metadata.get("Lambda", {}).get("Arn", "")
    kinds = ("ProcessingJob", "Lambda", "Callback")
    return Step(
        name=told["StepName"],
        status=told["StepStatus"],
        seconds=_seconds(told.get("StartTime"), told.get("EndTime")),
        failure_reason=told.get("FailureReason") or None,
        outputs={item["Name"]: item["Value"] for item in answered.get("OutputParameters", [])},
        job=job.rsplit("/", 1)[-1] if job else None,
        kind=next((kind for kind in kinds if metadata.get(kind)), ""),
        function=function.partition(":function:")[2],
        started=told.get("StartTime"),
        ended=told.get("EndTime"),
    )


def _autopilot(sagemaker: Any, names: Names, arn: str, steps: list[Step]) -> AutopilotProgress | None:
    """The job's progress; `None` before it has started, and without the right to read it."""
    if not any(step.name == "StartAutopilot" and step.status == "Succeeded" for step in steps):
        return None
    job = names.automl_job(arn.rsplit("/", 1)[-1])
    try:
        told = sagemaker.describe_auto_ml_job_v2(AutoMLJobName=job)
        candidates = len(
            list(listed(sagemaker, "list_candidates_for_auto_ml_job", "Candidates", AutoMLJobName=job))
        )
    except ClientError:
        # Progress is for show: a job that waits for a quota does not exist yet, and a reader's role may not
        # list.
        return None
    best = told.get("BestCandidate", {})
    metric = best.get("FinalAutoMLJobObjectiveMetric", {})
    return AutopilotProgress(
        job=job,
        status=told["AutoMLJobStatus"],
        secondary_status=told.get("AutoMLJobSecondaryStatus", ""),
        seconds=_seconds(told["CreationTime"], told.get("EndTime")),
        candidates=candidates,
        best=best.get("CandidateName"),
        objective=metric.get("MetricName"),
        value=metric.get("Value"),
        failure_reason=told.get("FailureReason", ""),
        ended=told.get("EndTime"),
    )


def _parameters(sagemaker: Any, arn: str) -> dict[str, str]:
    operation = "list_pipeline_parameters_for_execution"
    items = listed(sagemaker, operation, "PipelineParameters", PipelineExecutionArn=arn)
    return {item["Name"]: item["Value"] for item in items}


def _seconds(start: datetime.datetime | None, end: datetime.datetime | None) -> float:
    if start is None:
        return 0.0
    return max(((end or datetime.datetime.now(start.tzinfo)) - start).total_seconds(), 0.0)

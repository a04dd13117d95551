"""Pipelines, their executions and the steps of these; kept in memory."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.pipelines.definition import Definition, Step
from local_sagemaker.sagemaker.pipelines.values import Primitive

ENDED = ("Succeeded", "Failed", "Stopped")
lock = threading.RLock()


@dataclass
class Version:
    """One definition that a pipeline had; each update of the definition makes another one."""

    id: int
    definition: Definition
    created: datetime
    last_execution: str | None = None


@dataclass
class Pipeline:
    """A pipeline. It lies where moto keeps its own, so that moto's operations on tags find it."""

    name: str
    arn: str
    display_name: str
    description: str | None
    role_arn: str
    tags: list[dict[str, str]]
    parallelism: dict[str, int] | None
    created: datetime
    modified: datetime
    created_by: dict[str, Any]
    modified_by: dict[str, Any]
    versions: list[Version]
    last_run: datetime | None = None
    executions: dict[str, Execution] = field(default_factory=dict)
    start_tokens: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        """The version that an execution runs unless it names another."""
        return self.versions[-1]

    def describe(self, version: Version) -> dict[str, Any]:
        """What DescribePipeline answers for ``version``."""
        return resources.present(
            {
                "PipelineArn": self.arn,
                "PipelineName": self.name,
                "PipelineDisplayName": self.display_name,
                "PipelineDefinition": version.definition.text,
                "PipelineDescription": self.description,
                "RoleArn": self.role_arn,
                "PipelineStatus": "Active",
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "LastRunTime": self.last_run,
                "CreatedBy": self.created_by,
                "LastModifiedBy": self.modified_by,
                "ParallelismConfiguration": self.parallelism,
            }
        )

    @property
    def pipeline_name(self) -> str:
        """The name, as moto's Search asks for it."""
        return self.name

    def gen_response_object(self) -> dict[str, Any]:
        """What moto's Search shows; of a definition it shows nothing, as the service."""
        shown = self.describe(self.latest) | {"Tags": self.tags}
        return {name: value for name, value in shown.items() if name != "PipelineDefinition"}


@dataclass
class StepRun:
    """One step of one execution, from its start on."""

    name: str
    started: datetime
    status: str = "Starting"
    ended: datetime | None = None
    failure_reason: str | None = None
    attempts: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution. ``changed`` guards everything below it, and is notified of each change."""

    id: str
    arn: str
    pipeline: Pipeline
    version: Version
    role_arn: str
    account: str
    region: str
    display_name: str
    description: str | None
    parallelism: dict[str, int] | None
    parameters: dict[str, Primitive]
    created: datetime
    created_by: dict[str, Any]
    modified_by: dict[str, Any]
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))
    status: str = "Executing"
    failure_reason: str | None = None
    modified: datetime = field(default_factory=resources.now)
    steps: dict[str, StepRun] = field(default_factory=dict)
    retry_tokens: set[str] = field(default_factory=set)
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        """The definition that this execution runs."""
        return self.version.definition

    @property
    def stopping(self) -> bool:
        """Whether somebody stops it."""
        return self.status == "Stopping"

    def update(self, status: str, failure_reason: str | None = None) -> None:
        """Go over to ``status``."""
        with self.changed:
            self.status, self.failure_reason, self.modified = status, failure_reason, resources.now()
            self.changed.notify_all()

    def ready(self) -> list[Step]:
        """The steps that can start now: not yet begun, their branch taken, all they need succeeded."""
        return [
            step
            for step in self.definition.steps.values()
            if step.name not in self.steps and self._may_run(step)
        ]

    def _may_run(self, step: Step) -> bool:
        runs = [self.steps.get(name) for name in step.needs]
        if not all(run and run.status == "Succeeded" for run in runs):
            return False
        branch = step.branch
        return branch is None or self.steps[branch.condition].properties["Outcome"] is branch.outcome


def random_id(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """An identifier as the service makes them up."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def pipelines(caller: Caller) -> dict[str, Pipeline]:
    """All pipelines of the caller's account and region by name."""
    return resources.backend(caller.account, caller.region).pipelines


def find_pipeline(caller: Caller, name_or_arn: str) -> Pipeline:
    """The pipeline of that name or ARN; raises ResourceNotFound."""
    name = name_or_arn.rpartition("/")[2]
    arn = name_or_arn if name_or_arn.startswith("arn:") else resources.arn(caller, "pipeline", name)
    pipeline = pipelines(caller).get(name)
    if pipeline is None or pipeline.arn != arn:
        raise AWSError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
    return pipeline


def find_version(pipeline: Pipeline, number: int | None) -> Version:
    """That version, or the latest; raises ResourceNotFound."""
    if number is None:
        return pipeline.latest
    for version in pipeline.versions:
        if version.id == number:
            return version
    raise AWSError("ResourceNotFound", f"Version {number} of pipeline '{pipeline.arn}' does not exist.")


def find_execution(caller: Caller, arn: str) -> Execution:
    """The execution of that ARN; raises ResourceNotFound."""
    for pipeline in list(pipelines(caller).values()):
        if arn in pipeline.executions:
            return pipeline.executions[arn]
    raise AWSError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")

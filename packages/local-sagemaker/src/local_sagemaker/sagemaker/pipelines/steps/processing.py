"""Processing steps: a processing job is created as the pipeline's role, and followed to its end."""

from __future__ import annotations

import re
import string
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import processing
from local_sagemaker.sagemaker.pipelines import retries, state
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed, StepStopped, api_failure

# How often the job is described while it runs; its end is told.
POLL_SECONDS = 2.0
ENDED = ("Completed", "Failed", "Stopped")


class _AttemptFailed(Exception):  # noqa: N818 - an outcome of an attempt
    """One attempt failed; ``kind`` is the exception type that a retry policy may name."""

    def __init__(self, reason: str, kind: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


def run(context: Context) -> dict[str, Any]:
    """Run the job, again where a policy says so; its description becomes the step's properties."""
    began = time.monotonic()
    policy = retries.Retries(context.step.body.retry_policies, lambda: time.monotonic() - began)
    while True:
        try:
            return _attempt(context)
        except _AttemptFailed as failure:
            delay = policy.wait_before_next(failure.kind)
            if delay is None:
                raise StepFailed(failure.reason + _no_retry(context, failure.kind)) from failure
            _wait(context, delay)
            context.run.attempts += 1


def _attempt(context: Context) -> dict[str, Any]:
    name = job_name(context.execution.id, context.step.name)
    arguments = context.evaluate(context.step.body.arguments, ProcessingJobName=name)
    client = context.client("sagemaker")
    try:
        arn = client.create_processing_job(ProcessingJobName=name, **arguments)["ProcessingJobArn"]
    except (ClientError, BotoCoreError) as error:
        raise _AttemptFailed(
            api_failure("sagemaker:CreateProcessingJob", error), retries.error_type(error)
        ) from error
    context.progress("Executing", ProcessingJob={"Arn": arn})
    job = _follow(context, client, name)
    if job["ProcessingJobStatus"] == "Stopped":
        if context.execution.stopping:
            raise StepStopped("")
        raise StepFailed(f"ClientError: Processing job {name} was stopped")
    if job["ProcessingJobStatus"] == "Failed":
        reason = job.get("FailureReason", "")
        raise _AttemptFailed(f"ClientError: {reason}", retries.failure_type(reason))
    return job


def _follow(context: Context, client: Any, name: str) -> dict[str, Any]:
    """The job's description once it has ended; passes a stop of the execution on to it."""
    passed_on, ended = False, threading.Event()

    def tell() -> None:
        ended.set()
        context.wake()

    caller = Caller(context.execution.account, context.execution.region, "")
    if (created := processing.ProcessingJob.all(caller).get(name)) is not None:
        created.when_ended(tell)
    while True:
        try:
            if context.execution.stopping and not passed_on:
                passed_on = True
                context.progress("Stopping")
                client.stop_processing_job(ProcessingJobName=name)
            job = client.describe_processing_job(ProcessingJobName=name)
        except (ClientError, BotoCoreError) as error:
            raise StepFailed(api_failure("sagemaker:DescribeProcessingJob", error)) from error
        if job["ProcessingJobStatus"] in ENDED:
            return job
        waiting = not passed_on
        context.wait_until(
            lambda: ended.is_set() or (context.execution.stopping and waiting),  # noqa: B023 - used at once
            POLL_SECONDS,
        )


def _wait(context: Context, seconds: float) -> None:
    if context.wait_until(lambda: context.execution.stopping, seconds):
        raise StepStopped("")


def _no_retry(context: Context, kind: str | None) -> str:
    """What the service adds to the reason where no policy applies."""
    if kind is None:
        return ""
    name = kind.replace("SageMaker.", "SAGEMAKER_").replace("Step.", "STEP_")
    return (
        f"\nRetry not appropriate on execution of step with PipelineExecutionArn {context.execution.arn}"
        f" and StepId {context.step.name}. No retry policy configured for the exception type {name}."
    )


def job_name(execution_id: str, step: str) -> str:
    """``pipelines-<execution id>-<step>-<random>``, at most 63 characters, as the service names its jobs."""
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", step)[:29].strip("-")
    random = state.random_id(10, string.ascii_letters + string.digits)
    return "-".join(part for part in ("pipelines", execution_id, readable, random) if part)

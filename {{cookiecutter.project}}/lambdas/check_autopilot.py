"""Wait for the Autopilot job of a pipeline execution. Runs in AWS Lambda, on the callback step's messages.

A message stays in the queue until the step has its answer. While the job runs, each look at it sets when the message
becomes visible again (ChangeMessageVisibility) and reports it as not handled (partial batch response). So waiting costs
one call a minute, and no invocation fails.
"""

import json
import logging
import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)

GRACE_SECONDS = 30 * 60  # the service may take longer than the job's own limit, for its reports
STOP_SECONDS = 30 * 60  # a stopped job may take this long to end; AWS names no limit
DENIED_SECONDS = 10 * 60  # by then a right that was just granted has taken effect
QUOTA_SECONDS = 24 * 3600  # how long a job waits for a place among the account's concurrent jobs
SOONEST, LATEST = 1, 60  # seconds between two looks
LATE = 0.05  # of the time since the start: how much later than a job its step may end, between these two
EARLIEST = 10**9  # seconds since 1970: 2001. A thousand times as much is a time in milliseconds
# After 1,000 receptions the queue moves a message to the dead letters (maxReceiveCount in infrastructure/stack.yaml).
# A copy starts from 1 again. Lambda takes 16 copies in a row for an endless loop: that is ten days here.
MOST_RECEPTIONS = 900
REASON_LENGTH, VALUE_LENGTH = 256, 1024  # SendPipelineExecutionStepFailure, ...StepSuccess
JOB = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}"  # CreateAutoMLJobV2, AutoMLJobName
UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
BUSY = {"ResourceLimitExceeded", "ThrottlingException", "Throttling", "TooManyRequestsException"}
MISSING = {"ResourceNotFound", "ResourceNotFoundException"}
DENIED = {"AccessDenied", "AccessDeniedException"}


class UnintelligibleError(Exception):
    """A message that cannot be understood, now or later. ``token`` (the step's) and ``job`` (the Autopilot job's
    name) are there as far as they could be read.
    """

    def __init__(self, reason: str, token: str | None = None, job: str | None = None) -> None:
        super().__init__(reason)
        self.token = token
        self.job = job


@dataclass(frozen=True)
class Wait:
    """The callback step that asks: its token, and what it waits for."""

    token: str
    execution_arn: str
    stopping: bool
    job: str
    started_at: float  # seconds since 1970
    max_seconds: int
    request_uri: str


@cache
def client(service: str) -> Any:
    """The boto3 client of a service, kept for the next invocation."""
    config = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "max_attempts": 2})
    return boto3.client(service, config=config)


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Handle each message of a batch; returns those that have to come again (partial batch response)."""
    again = [record["messageId"] for record in event["Records"] if not is_handled(record)]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in again]}


def is_handled(record: dict[str, Any]) -> bool:
    """As `is_done`; an error that nobody thought of is that message's alone, which comes again."""
    try:
        return is_done(record)
    except Exception:
        log.exception("message %s comes again", record["messageId"])
        return False


def is_done(record: dict[str, Any]) -> bool:
    """Handle one SQS record; false where it has to come again, at a time that has been set."""
    try:
        wait = read(record["body"], int(record["attributes"]["SentTimestamp"]) / 1000)
        seconds = look(wait)
    except UnintelligibleError as error:
        return set_aside(record, error)
    except (ClientError, BotoCoreError) as error:
        # Most errors of AWS pass. One that does not fails the step at the deadline, and is its reason.
        log.warning("tried again in %d s: %s", LATEST, error)
        seconds = overdue(wait, error)
    return True if seconds is None else come_again(record, seconds)


def read(body: str, sent_at: float) -> Wait:
    """Parse the message of a callback step, which SQS got at ``sent_at`` (seconds since 1970).

    Raises `UnintelligibleError`.
    """
    try:
        message = json.loads(body)
        token = text(message, "token", "[a-zA-Z0-9]{10}")
    except UNREADABLE as error:
        raise UnintelligibleError(f"not a callback message: {type(error).__name__}: {error}") from error
    try:
        arguments = message["arguments"]
        return Wait(
            token=token,
            execution_arn=text(
                message, "pipelineExecutionArn", r"arn:[\w-]+:sagemaker:[\w-]+:\d{12}:[\w/.-]{1,200}"
            ),
            stopping=message.get("status") == "Stopping",
            job=text(arguments, "automl_job_name", JOB),
            started_at=started(arguments.get("started_at"), sent_at),
            max_seconds=int(text({"max_seconds": str(arguments["max_seconds"])}, "max_seconds", r"\d{1,9}")),
            request_uri=text(arguments, "request_uri", r"s3://[a-z0-9.-]{3,63}/[ -~]{1,1024}"),
        )
    except UNREADABLE as error:
        reason = f"the callback's arguments are unusable: {type(error).__name__}: {error}"
        raise UnintelligibleError(reason, token, job_name(message)) from error


def text(values: Any, name: str, pattern: str) -> str:
    """A text of a pattern. Raises one of `UNREADABLE`."""
    value = values[name]
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f"{name} is {str(value)[:60]!r}")
    return value


def job_name(message: dict[str, Any]) -> str | None:
    """The name of the Autopilot job in a message that is otherwise unusable, or none."""
    arguments = message.get("arguments")
    name = arguments.get("automl_job_name") if isinstance(arguments, dict) else None
    return name if isinstance(name, str) and re.fullmatch(JOB, name) else None


def started(text: object, sent_at: float) -> float:
    """When the execution started, in seconds since 1970; where that cannot be read, ``sent_at``.

    AWS does not document how pipelines write the execution variable StartDateTime into a callback's arguments. The
    message is sent within minutes of the start.
    """
    try:
        return seconds_since_1970(text)
    except (ValueError, TypeError, OverflowError):
        log.warning("started_at %r cannot be read: using the time of the message", text)
        return sent_at


def seconds_since_1970(text: object) -> float:
    """A time as ISO 8601, or as seconds or milliseconds since 1970. Raises ValueError, TypeError, OverflowError."""
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    if not EARLIEST <= number < EARLIEST * 1000 * 1000:
        raise ValueError(f"{text} is no time of this century")
    return number if number < EARLIEST * 1000 else number / 1000


def look(wait: Wait) -> int | None:
    """Look at the job once. Returns the seconds until the next look, or none if the step has its answer."""
    job = describe(wait.job)
    if job is None:
        return start(wait)
    status, elapsed = job["AutoMLJobStatus"], time.time() - job["CreationTime"].timestamp()
    running = status in ("InProgress", "Stopping")
    if running and elapsed > wait.max_seconds + GRACE_SECONDS + STOP_SECONDS:
        stop(wait.job)
        fail(
            wait,
            f"Autopilot job {wait.job} does not end: it was stopped {GRACE_SECONDS // 60} min after max_seconds = "
            f"{wait.max_seconds}, and is {status} after {elapsed:.0f} s",
        )
        return None
    if status == "InProgress" and (wait.stopping or elapsed > wait.max_seconds + GRACE_SECONDS):
        # This is not a failure yet: a job that ran out of time is paid for and may have a candidate.
        stop(wait.job)
        return SOONEST
    if running:
        log.info("%s: %s, %s, %.0f s", wait.job, status, job["AutoMLJobSecondaryStatus"], elapsed)
        return int(min(LATEST, max(SOONEST, round(elapsed * LATE))))
    if wait.stopping:
        fail(wait, f"The execution was stopped; Autopilot job {wait.job} is {status}")
        return None
    if status in ("Completed", "Stopped") and job.get("BestCandidate"):
        succeed(wait, job)
        return None
    fail(wait, f"Autopilot job {wait.job} {status}: {reasons(job)}")
    return None


def describe(name: str) -> dict[str, Any] | None:
    """The job, or `None` if it does not exist."""
    try:
        job: dict[str, Any] = client("sagemaker").describe_auto_ml_job_v2(AutoMLJobName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return job


def start(wait: Wait) -> int | None:
    """Create the job that `start_autopilot` could not create, unless nobody waits for it any more."""
    if wait.stopping:
        fail(wait, f"The execution was stopped before Autopilot job {wait.job} had started")
        return None
    execution = client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=wait.execution_arn)
    if execution["PipelineExecutionStatus"] != "Executing":
        # Its Stopping message is on its way or has been answered: nobody would wait for a job started now.
        log.info("%s is not started: the execution is %s", wait.job, execution["PipelineExecutionStatus"])
        return None
    place = urlsplit(wait.request_uri)
    try:
        owner = wait.execution_arn.split(":")[4]
        kept = client("s3").get_object(
            Bucket=place.netloc, Key=place.path.lstrip("/"), ExpectedBucketOwner=owner
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        fail(wait, f"There is no Autopilot job {wait.job}, and no request for one at {wait.request_uri}")
        return None
    try:
        request = dict(json.loads(kept["Body"].read()))
        client("sagemaker").create_auto_ml_job_v2(**request)
    except (*UNREADABLE, ParamValidationError) as error:
        fail(
            wait,
            f"Autopilot job {wait.job} could not start: {wait.request_uri} is no request for one: {error}",
        )
        return None
    except ClientError as error:
        code, waited = error.response["Error"]["Code"], time.time() - wait.started_at
        if code == "ResourceInUse":
            return SOONEST
        if code not in BUSY:
            fail(wait, f"Autopilot job {wait.job} could not start: {error.response['Error']['Message']}")
            return None
        if waited > QUOTA_SECONDS:
            fail(wait, f"No place for Autopilot job {wait.job} in {waited / 3600:.0f} hours: {error}")
            return None
        log.warning(
            "%s has waited %.0f s for a place among the account's AutoML jobs: %s", wait.job, waited, error
        )
        return LATEST
    log.info("%s is started", wait.job)
    return SOONEST


def stop(name: str) -> None:
    """Stop the job; it is no error if it has ended in the meantime."""
    try:
        client("sagemaker").stop_auto_ml_job(AutoMLJobName=name)
    except ClientError as error:
        if not (is_missing(error) or error.response["Error"]["Code"] == "ValidationException"):
            raise


def abandon(name: str) -> None:
    """Try to stop a job that nobody waits for any more: it costs money by the hour."""
    try:
        stop(name)
    except (ClientError, BotoCoreError) as error:
        log.error("Autopilot job %s could not be stopped: %s", name, error)


def overdue(wait: Wait, error: Exception) -> int | None:
    """Fail the step where AWS's error has outlasted every deadline; otherwise look again.

    Waiting does not help against a missing right: the step fails once a new role's rights would have taken effect.
    """
    denied = isinstance(error, ClientError) and error.response["Error"]["Code"] in DENIED
    patience = DENIED_SECONDS if denied else wait.max_seconds + GRACE_SECONDS + STOP_SECONDS + QUOTA_SECONDS
    if time.time() - wait.started_at < patience:
        return LATEST
    abandon(wait.job)
    try:
        fail(wait, f"Autopilot job {wait.job} could not be followed: {error}")
        return None
    except (ClientError, BotoCoreError):
        log.exception("the step cannot be answered")
        return LATEST


def succeed(wait: Wait, job: dict[str, Any]) -> None:
    """Answer the step with the job's best candidate."""
    best = job["BestCandidate"]
    metric = best["FinalAutoMLJobObjectiveMetric"]
    outputs = {
        "best_candidate": best["CandidateName"],
        "objective_metric": metric.get("StandardMetricName") or metric["MetricName"],
        "objective_value": repr(float(metric["Value"])),
        "automl_job_arn": job["AutoMLJobArn"],
        "seconds": str(
            round((job.get("EndTime", job["LastModifiedTime"]) - job["CreationTime"]).total_seconds())
        ),
    }
    log.info("%s: %s", wait.job, outputs)
    answer(
        wait,
        "send_pipeline_execution_step_success",
        OutputParameters=[{"Name": name, "Value": value[:VALUE_LENGTH]} for name, value in outputs.items()],
    )


def fail(wait: Wait, reason: str) -> None:
    """Fail the step with a reason."""
    log.warning("%s", reason)
    answer(wait, "send_pipeline_execution_step_failure", FailureReason=shortened(reason))


def answer(wait: Wait, operation: str, **parameters: Any) -> None:
    """Send an answer; a step keeps its first one. Raises `ClientError` where the answer did not arrive."""
    # The request's token is made from the step's, so that SageMaker takes the same answer twice as one request.
    token = sha256(f"{operation} {wait.token}".encode()).hexdigest()
    try:
        getattr(client("sagemaker"), operation)(
            CallbackToken=wait.token, ClientRequestToken=token, **parameters
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if (
            code in MISSING
            or code == "ConflictException"
            or (code == "ValidationException" and not is_open(wait))
        ):
            log.info("the step was answered before: %s", error)
            return
        raise


def is_open(wait: Wait) -> bool:
    """Whether the step still waits for an answer."""
    pages = client("sagemaker").get_paginator("list_pipeline_execution_steps")
    for page in pages.paginate(PipelineExecutionArn=wait.execution_arn):
        for step in page["PipelineExecutionSteps"]:
            if step.get("Metadata", {}).get("Callback", {}).get("CallbackToken") == wait.token:
                return step["StepStatus"] in ("Starting", "Executing", "Stopping")
    return False


def come_again(record: dict[str, Any], seconds: int) -> bool:
    """Let the message come back after ``seconds``; close to its last reception, a copy takes its place."""
    sqs, queue = client("sqs"), os.environ["QUEUE_URL"]
    if int(record["attributes"]["ApproximateReceiveCount"]) >= MOST_RECEPTIONS:
        sqs.send_message(QueueUrl=queue, MessageBody=record["body"], DelaySeconds=seconds)
        return True
    try:
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
        )
    except (ClientError, BotoCoreError) as error:
        log.warning("the next look is later than planned, after the queue's visibility timeout: %s", error)
    return False


def set_aside(record: dict[str, Any], error: UnintelligibleError) -> bool:
    """Move a message to the dead-letter queue with the reason, and fail its step if the token can be read."""
    log.error("%s: %s", error, record["body"])
    reason = {"DataType": "String", "StringValue": shortened(str(error))}
    client("sqs").send_message(
        QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"],
        MessageBody=record["body"],
        MessageAttributes={"reason": reason},
    )
    if error.job:
        abandon(error.job)
    if error.token:
        try:
            client("sagemaker").send_pipeline_execution_step_failure(
                CallbackToken=error.token, FailureReason=shortened(str(error))
            )
        except (ClientError, BotoCoreError) as refusal:
            log.warning("the step of that message could not be failed: %s", refusal)
    return True


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker says that there is no such job; each operation says it differently."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"].lower()
    return code in MISSING or (
        code == "ValidationException"
        and any(hint in message for hint in ("could not find", "not found", "not exist"))
    )


def reasons(job: dict[str, Any]) -> str:
    """Why a job ended without a model, as the service says it."""
    partial = [part.get("PartialFailureMessage", "") for part in job.get("PartialFailureReasons", [])]
    return (
        "; ".join(filter(None, [job.get("FailureReason"), *partial])) or "no candidate, and no reason given"
    )


def shortened(reason: str) -> str:
    """A reason on one line that can be read, no longer than the service takes."""
    reason = "".join(c if c.isprintable() else " " for c in reason)
    reason = " ".join(reason.split())
    return reason if len(reason) <= REASON_LENGTH else reason[: REASON_LENGTH - 1] + "…"

"""What processing, transform and AutoML jobs have in common: a name that is used once, a status, an end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.utils import utcnow

from local import actors, runtime
from local.bridge import AWSError, Caller
from local.sagemaker.resources import Record, arn, backend, invalid

log = logging.getLogger("local.jobs")

PRINCIPAL = "sagemaker.amazonaws.com"
LONGEST_REASON = 1024


@dataclass(frozen=True)
class Kind:
    """A kind of job: the resource type in its ARN, the prefix of its members, and where moto keeps such."""

    resource: str
    prefix: str
    collection: str
    ended: str
    missing: tuple[str, str]

    def all(self, caller: Caller) -> dict[str, Job]:
        """The caller's jobs of this kind by name."""
        return getattr(backend(caller.account, caller.region), self.collection)

    def find(self, caller: Caller, name: str) -> Job:
        """The job of that name; raises the service's error where there is none."""
        job = self.all(caller).get(name)
        if job is None:
            code, message = self.missing
            raise AWSError(code, message.format(name=name))
        return job


class JobError(Exception):
    """A job's work ends with this FailureReason."""


class Job(Record):
    """A job; ``details`` is what Describe answers. ``stopping`` is set when somebody stops it."""

    work: Any = None  # whatever runs for it, where somebody asks it more than the details

    def __init__(
        self, caller: Caller, kind: Kind, parameters: dict[str, Any], details: dict[str, Any]
    ) -> None:
        self.caller = caller
        self.kind = kind
        self.name: str = parameters[f"{kind.prefix}Name"]
        job_arn = arn(caller, kind.resource, self.name)
        own = {
            f"{kind.prefix}Name": self.name,
            f"{kind.prefix}Arn": job_arn,
            f"{kind.prefix}Status": "InProgress",
            "CreationTime": utcnow(),
            "LastModifiedTime": utcnow(),
        }
        super().__init__(job_arn, details | own, parameters.get("Tags"))
        self.stopping = threading.Event()
        self._lock = threading.Lock()

    @property
    def status(self) -> str:
        """InProgress, Stopping, Completed, Failed or Stopped."""
        return self.details[f"{self.kind.prefix}Status"]

    def describe(self) -> dict[str, Any]:
        """A copy of the details as they are now."""
        with self._lock:
            return dict(self.details)

    def update(self, **members: Any) -> None:
        """Set members of the description."""
        with self._lock:
            self.details.update(members, LastModifiedTime=utcnow())

    def stop(self) -> None:
        """Ask the work to end; nothing happens to a job that has ended."""
        with self._lock:
            if self.details[f"{self.kind.prefix}Status"] == "InProgress":
                self.details.update({f"{self.kind.prefix}Status": "Stopping", "LastModifiedTime": utcnow()})
        self.stopping.set()

    def end(self, status: str, reason: str | None = None, **members: Any) -> None:
        """The job has ended."""
        members |= {f"{self.kind.prefix}Status": status, self.kind.ended: utcnow()}
        if reason is not None:
            members["FailureReason"] = reason[:LONGEST_REASON]
        log.info("%s %s: %s %s", self.kind.resource, self.name, status, reason or "")
        self.update(**members)


def create(caller: Caller, kind: Kind, parameters: dict[str, Any], details: dict[str, Any]) -> Job:
    """Register a new job. Raises ResourceInUse where there is, or was, one of its name."""
    jobs = kind.all(caller)
    job = Job(caller, kind, parameters, details)
    if jobs.setdefault(job.name, job) is not job:
        raise AWSError(
            "ResourceInUse",
            "Job name must be unique within an AWS account and region, and a job with this name already "
            f"exists ({job.arn})",
        )
    return job


def start(job: Job, work: Callable[[Job], None]) -> None:
    """Run ``work`` in a thread: the job is Completed when it returns, or Stopped if somebody stopped it.

    It fails with what JobError says; ``work`` may also end the job itself.
    """
    runtime.current().thread(f"{job.kind.resource} {job.name}", _run, job, work)


def _run(job: Job, work: Callable[[Job], None]) -> None:
    try:
        work(job)
    except JobError as failure:
        job.end("Failed", str(failure))
    except (ClientError, BotoCoreError) as error:
        job.end("Failed", f"ClientError: {error}")
    except Exception as error:
        log.exception("%s %s", job.kind.resource, job.name)
        job.end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
    else:
        if job.status in ("InProgress", "Stopping"):
            job.end("Stopped" if job.stopping.is_set() else "Completed")


def role_credentials(role_arn: str, region: str) -> Mapping[str, str]:
    """A session of a job's role. Raises ValidationException where SageMaker may not assume it."""
    try:
        return actors.credentials(role_arn, PRINCIPAL, region)
    except AWSError:
        raise invalid(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{PRINCIPAL}' to assume the role."
        ) from None

"""What processing, transform and AutoML jobs have in common: a name that is used once, a status, an end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Self

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import runtime
from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.sagemaker.resources import Record, arn, backend, invalid, listed, now
from local_sagemaker.sagemaker.service import operation

log = logging.getLogger("local_sagemaker.jobs")

LONGEST_REASON = 1024


class JobError(Exception):
    """A job's work ends with this FailureReason."""


class Job(Record):
    """A job; ``details`` is what Describe answers. ``stopping`` is set when somebody stops it.

    A class of its own for each kind of jobs says what the kind is called: ``resource`` in ARNs, ``prefix`` in
    members, ``collection`` where moto keeps such, ``ended`` the member with the time of the end, ``missing``
    code and message for a name that there is not.
    """

    resource: ClassVar[str]
    prefix: ClassVar[str]
    collection: ClassVar[str]
    ended: ClassVar[str]
    missing: ClassVar[tuple[str, str]] = (
        "ValidationException",
        "Could not find requested job with name: {name}",
    )

    def __init__(self, caller: Caller, parameters: dict[str, Any]) -> None:
        self.caller = caller
        self.name: str = parameters[f"{self.prefix}Name"]
        job_arn = arn(caller, self.resource, self.name)
        details = {name: value for name, value in parameters.items() if name != "Tags"}
        details |= {
            f"{self.prefix}Arn": job_arn,
            f"{self.prefix}Status": "InProgress",
            "CreationTime": now(),
            "LastModifiedTime": now(),
        }
        super().__init__(job_arn, details, parameters.get("Tags"))
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def run(self) -> None:
        """Do the work: the job is Completed when this returns, or Stopped if somebody stopped it.

        It fails with what JobError says; this may also :meth:`end` the job itself.
        """
        raise NotImplementedError

    @classmethod
    def all(cls, caller: Caller) -> dict[str, Self]:
        """The caller's jobs of this kind by name."""
        return getattr(backend(caller.account, caller.region), cls.collection)

    @classmethod
    def find(cls, caller: Caller, name: str) -> Self:
        """The job of that name; raises the service's error where there is none."""
        job = cls.all(caller).get(name)
        if job is None:
            code, message = cls.missing
            raise AWSError(code, message.format(name=name))
        return job

    @classmethod
    def start(cls, caller: Caller, parameters: dict[str, Any]) -> Self:
        """A new job, running, that describes itself with ``parameters``.

        Raises ResourceInUse where there is, or was, one of its name.
        """
        job = cls(caller, parameters)
        if cls.all(caller).setdefault(job.name, job) is not job:
            raise AWSError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, and a job with this name already "
                f"exists ({job.arn})",
            )
        runtime.current().thread(f"{cls.resource} {job.name}", job._run)
        return job

    @classmethod
    def listed(cls, caller: Caller, parameters: dict[str, Any], order: str = "Descending") -> dict[str, Any]:
        """The answer of the kind's List operation."""
        described = [job.describe() for job in list(cls.all(caller).values())]
        return listed(described, parameters, f"{cls.prefix}Summaries", f"{cls.prefix}Name", order)

    @property
    def status(self) -> str:
        """InProgress, Stopping, Completed, Failed or Stopped."""
        return self.details[f"{self.prefix}Status"]

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("InProgress", "Stopping")

    def describe(self) -> dict[str, Any]:
        """A copy of the details as they are now."""
        with self._lock:
            return dict(self.details)

    def update(self, **members: Any) -> None:
        """Set members of the description."""
        with self._lock:
            self.details.update(members, LastModifiedTime=now())

    def stop(self, **members: Any) -> None:
        """Ask the work to end, and set ``members``; nothing happens to a job that has ended."""
        with self._lock:
            if self.status == "InProgress":
                stopping = {f"{self.prefix}Status": "Stopping", "LastModifiedTime": now()}
                self.details.update(members, **stopping)
        self.stopping.set()

    def end(self, status: str, reason: str | None = None, **members: Any) -> None:
        """The job has ended."""
        members |= {f"{self.prefix}Status": status, self.ended: now()}
        if reason is not None:
            members["FailureReason"] = reason[:LONGEST_REASON]
        log.info("%s %s: %s %s", self.resource, self.name, status, reason or "")
        self.update(**members)
        for tell in self._told:
            tell()

    def when_ended(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` when it ends; at once where it has ended."""
        self._told.append(tell)
        if not self.running:
            tell()

    def _run(self) -> None:
        try:
            self.run()
        except JobError as failure:
            self.end("Failed", str(failure))
        except AWSError as error:  # the role or the model is gone by now
            self.end("Failed", f"ClientError: {error.message}")
        except (ClientError, BotoCoreError) as error:
            self.end("Failed", f"ClientError: {error}")
        except Exception as error:
            log.exception("%s %s", self.resource, self.name)
            self.end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
        else:
            if self.running:
                self.end("Stopped" if self.stopping.is_set() else "Completed")


def answer(kind: type[Job], order: str = "Descending") -> None:
    """Answer the Describe, Stop and List operations of ``kind``; ``order`` is List's default SortOrder."""
    name, words = f"{kind.prefix}Name", kind.resource.replace("-", " ")

    @operation(f"Describe{kind.prefix}")
    def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
        return kind.find(caller, parameters[name]).describe()

    @operation(f"Stop{kind.prefix}")
    def stop(caller: Caller, parameters: dict[str, Any]) -> None:
        job = kind.find(caller, parameters[name])
        if not job.running:
            raise invalid(f"The request was rejected because the {words} is in status {job.status}.")
        job.stop()

    @operation(f"List{kind.prefix}s")
    def list_jobs(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
        return kind.listed(caller, parameters, order)

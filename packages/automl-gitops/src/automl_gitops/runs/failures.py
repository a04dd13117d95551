"""Why an execution failed: each failed step with its job's reason and the end of the log behind it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from automl_gitops.kernel import logs
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.logs import Tail
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.page import Block, Log, Section, Words
from automl_gitops.runs.execution import Execution, Step

# How the evaluation's reason names a batch transform that failed (evaluation/transform.py).
_TRANSFORM = re.compile(r"transform job (\S+) (?:failed|stopped)")
_LAST_LOOKS = timedelta(minutes=10)  # of a function that looks each minute, for hours


@dataclass(frozen=True)
class Failure:
    """A step that failed: what it ran, why it failed, and the logs that say more."""

    step: str
    what: str
    reason: str
    tails: tuple[Tail, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "Failure":
        """From what `document` gave."""
        tails = tuple(Tail(**tail | {"lines": tuple(tail["lines"])}) for tail in document["tails"])
        return cls(**document | {"tails": tails})


def find(aws: Aws, names: Names, execution: Execution) -> list[Failure]:
    """The failures of an execution, in the order of its steps; none where it failed without a job (the gate)."""
    return [
        _failure(aws, names, execution, step)
        for step in execution.steps
        if step.status == "Failed" and step.kind in _LOOKS
    ]


def blocks(failures: Sequence[Failure]) -> Iterator[Block]:
    """What to show of them, a section each."""
    for failure in failures:
        for tail in failure.tails:
            title: Words = f"{failure.step} failed; the end of the log of {tail.what}"
            if tail.lines:
                yield Section(title, (f"CloudWatch Logs, {tail.group}:", Log(tail.lines)), folded=True)
            else:
                yield Section(f"{failure.step} failed; {tail.what}", (f"{tail.problem}.",))


def _failure(aws: Aws, names: Names, execution: Execution, step: Step) -> Failure:
    reason = step.reason or "no reason given"
    what, reason, tails = _LOOKS[step.kind](aws.client("logs"), names, execution, step, reason)
    return Failure(step.name, what, reason, tuple(tails))


_Found = tuple[str, str, list[Tail]]


def _processing(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    what = f"processing job {step.job}"
    tails = [logs.of_job(client, what, logs.PROCESSING, f"{step.job}/")]
    # A batch transform's own reason is often no more than a reference to its log.
    for job in dict.fromkeys(_TRANSFORM.findall(reason)):
        tails.insert(0, logs.of_job(client, f"transform job {job}", logs.TRANSFORM, f"{job}/"))
    return what, reason, tails


def _function(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    what = f"Lambda function {step.function}"
    group = f"/aws/lambda/{step.function}"
    return what, reason, [logs.of_function(client, what, group, step.started, step.ended)]


def _callback(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    """Autopilot's jobs have logs of their own; where it did not fail, the function that waited gave up."""
    job = execution.autopilot
    tails = []
    what = f"Autopilot job {job.job}" if job else "the wait for Autopilot"
    if job and job.status == "Failed":
        reason = job.failure_reason or reason  # a callback's reason is cut at 256 characters
        tails = [
            tail
            for group in (logs.TRAINING, logs.PROCESSING)
            if (tail := logs.of_job(client, what, group, f"{job.job}-")).lines
        ]
    if not tails:
        function = names.function("check-autopilot")
        start = max(filter(None, (step.started, step.ended and step.ended - _LAST_LOOKS)), default=None)
        tails = [
            logs.of_function(
                client, f"Lambda function {function}", f"/aws/lambda/{function}", start, step.ended
            )
        ]
    return what, reason, tails


_LOOKS = {"ProcessingJob": _processing, "Lambda": _function, "Callback": _callback}

"""Processes that wait for the next invocation, as Lambda keeps execution environments warm."""

from __future__ import annotations

import contextlib
import threading
import time

from local_sagemaker import runtime
from local_sagemaker.bridge import AWSError
from local_sagemaker.lambda_ import functions
from local_sagemaker.lambda_.functions import Function
from local_sagemaker.lambda_.process import Process

IDLE_SECONDS = 300
# A process is not kept until its credentials expire.
AGE_SECONDS = 3600

_lock = threading.Lock()
_idle: list[Process] = []


def take(function: Function) -> Process | None:
    """A process that waits, or None where a new one has to be started."""
    with _lock:
        outdated = [p for p in _idle if _outdated(p, function)]
        kept = [p for p in _idle if p not in outdated]
        waiting = next((p for p in kept if p.function == function), None)
        _idle[:] = [p for p in kept if p is not waiting]
    for process in outdated:
        process.kill()
    return waiting


def prepare(arn: str) -> None:
    """Have a process of a function ready for its next invocation, which Lambda may have as well; returns at once.

    What is wrong with the function, or that there is none, its invocation says.
    """
    runtime.current().thread(f"prepare {arn}", _prepare, arn)


def _prepare(arn: str) -> None:
    with contextlib.suppress(AWSError, RuntimeError):  # the latter where the local AWS ends
        _, _, _, region, account, *_ = f"{arn}:::::".split(":")
        function = functions.find(account, region, arn)
        if function.runs:
            give_back(take(function) or Process(function))


def give_back(process: Process) -> None:
    """Let ``process`` wait for the next invocation."""
    with _lock:
        _idle.append(process)


def clear() -> None:
    """Forget all processes, which have ended."""
    with _lock:
        ended, _idle[:] = list(_idle), []
    for process in ended:
        process.kill()


def _outdated(process: Process, function: Function) -> bool:
    now = time.monotonic()
    return (
        not process.alive
        or now - process.used > IDLE_SECONDS
        or now - process.started > AGE_SECONDS
        or (process.function.arn == function.arn and process.function != function)
    )

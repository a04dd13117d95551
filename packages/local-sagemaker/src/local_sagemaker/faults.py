"""Faults on purpose: a call is throttled, fails, or has its connection cut before or after it was carried out.

A plan says which call of which actor, and how. A call is what a program asked for once, whatever number of attempts its
SDK makes of it: AWS's SDKs give the attempts of a call one `amz-sdk-invocation-id`. Only what the gate let pass counts.
"""

from __future__ import annotations

import fnmatch
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from local_sagemaker.bridge import ACTOR, REQUEST, Application, AWSError
from local_sagemaker.wire import Request, respond

log = logging.getLogger("local_sagemaker.faults")

THROTTLED, FAILED, UNAVAILABLE, CUT_BEFORE, CUT_AFTER = KINDS = (
    "throttled",
    "failed",
    "unavailable",
    "cut before",
    "cut after",
)
# Code and status where a service has its own. Source: "Error responses" and "Common errors" in the API references.
_THROTTLED = {
    "s3": ("SlowDown", 503),
    "lambda": ("TooManyRequestsException", 429),
    "sqs": ("RequestThrottled", 400),
}
_FAILED = {"s3": "InternalError"}


@dataclass(frozen=True)
class Fault:
    """What happens to one call: the ``number``-th (from 1) of those that fit.

    ``kind`` is one of :data:`KINDS`: "throttled"; "failed" (500) and "unavailable" (503), without being carried out;
    "cut before" it was carried out, or "cut after" that, its answer lost. Patterns with `*` and `?` say what fits:
    ``actor`` is one of the caller's ARN (of a role's session `arn:aws:sts::*:assumed-role/ROLE/*`), ``operation`` of
    names such as `s3:PutObject`, ``agent`` of the program's user agent. ``attempts``: how many of the call's attempts
    it strikes, 0 for all. Raises ValueError for a kind that there is not.
    """

    kind: str
    number: int = 1
    actor: str = "*"
    operation: str = "*"
    agent: str = "*"
    attempts: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault: one of {', '.join(KINDS)}")
        if self.number < 1 or self.attempts < 0:
            raise ValueError("the number of a call counts from 1, and attempts are 0 (all) or more")

    def fits(self, call: Call) -> bool:
        """Whether a call is one of those that are counted."""
        patterns = ((call.actor, self.actor), (call.operation, self.operation), (call.agent, self.agent))
        return all(fnmatch.fnmatchcase(value, pattern) for value, pattern in patterns)


@dataclass
class Call:
    """A call that was made: by whom (an ARN) and whose program, of what; its attempts, and how many a fault struck."""

    actor: str
    operation: str
    agent: str
    attempts: int = 0
    struck: int = 0


class Plan:
    """Faults that wait for their calls; ``calls`` are those made so far, in order. Safe to use by threads."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.calls: list[Call] = []
        self._faults = tuple(faults)
        self._fitting = [0] * len(faults)
        self._marked: dict[int, Fault] = {}
        self._by_invocation: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *_: object) -> None:
        if _current is self:
            set_current(None)

    @property
    def struck(self) -> bool:
        """Whether a fault met its call."""
        return any(call.struck for call in self.calls)

    def meet(self, actor: str, operation: str, agent: str, invocation: str) -> str | None:
        """Count an attempt of a call; returns the kind of fault that it meets."""
        with self._lock:
            index = self._by_invocation.get(invocation) if invocation else None
            if index is None:
                index = len(self.calls)
                self.calls.append(Call(actor, operation, agent))
                self._by_invocation[invocation] = index
                self._mark(index)
            call, fault = self.calls[index], self._marked.get(index)
            call.attempts += 1
            if fault is None or (fault.attempts and call.struck >= fault.attempts):
                return None
            call.struck += 1
            return fault.kind

    def _mark(self, index: int) -> None:
        for position, fault in enumerate(self._faults):
            if fault.fits(self.calls[index]):
                self._fitting[position] += 1
                if self._fitting[position] == fault.number:
                    self._marked.setdefault(index, fault)


_current: Plan | None = None


def set_current(plan: Plan | None) -> None:
    """Called by :mod:`local_sagemaker.server`."""
    global _current
    _current = plan


class Faults:
    """WSGI application that lets calls meet the faults of the current plan, and hands all others on to ``inner``."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, or do not."""
        plan, request = _current, environ[REQUEST]
        if plan is None:
            return self._inner(environ, start_response)
        agent, invocation = (
            environ.get(f"HTTP_{name}", "") for name in ("USER_AGENT", "AMZ_SDK_INVOCATION_ID")
        )
        kind = plan.meet(environ[ACTOR], request.name, agent, invocation)
        if kind is None:
            return self._inner(environ, start_response)
        log.info("%s meets a fault: %s", request.name, kind)
        if kind == CUT_AFTER:
            deque(self._inner(environ, lambda *_: None), maxlen=0)
        if kind in (CUT_BEFORE, CUT_AFTER):
            with suppress(OSError):
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError(kind)
        _ = request.body  # who still sends it would not read the answer
        return respond(request, _error(kind, request), start_response)


def _error(kind: str, request: Request) -> AWSError:
    if kind == THROTTLED:
        code, status = _THROTTLED.get(request.service, ("ThrottlingException", 400))
        return AWSError(code, "Rate exceeded", status)
    if kind == UNAVAILABLE:
        return AWSError("ServiceUnavailable", "Service is unable to handle request.", 503)
    code = _FAILED.get(request.service, "InternalFailure")
    return AWSError(code, "We encountered an internal error. Please try again.", 500)

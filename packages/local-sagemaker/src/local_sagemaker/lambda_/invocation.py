"""One invocation: a process is found or started, asked, and its answer shaped as Lambda shapes it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from local_sagemaker.bridge import AWSError
from local_sagemaker.lambda_ import logs, pool
from local_sagemaker.lambda_.functions import Function
from local_sagemaker.lambda_.process import Ended, Process

MAX_PAYLOAD = 6 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """``payload`` is JSON text: the function's result or, where ``failed``, its error."""

    payload: str
    failed: bool
    log: str


def invoke(function: Function, event: Any) -> Outcome:
    """Run ``function`` once with ``event``.

    Raises :class:`AWSError` where Lambda itself refuses; an error of the function is an :class:`Outcome`.
    """
    request_id = str(uuid.uuid4())
    process, reusable = pool.take(function), False
    try:
        started = time.monotonic()
        if process is None:
            process = _start(function)
        began = logs.note(process.log, f"START RequestId: {request_id} Version: {function.version}\n")
        # What the import of the handler printed ahead of its first invocation goes with that one.
        offset = 0 if process.cold else began
        answer = _ask(process, request_id, event)
        reusable = answer.pop("reusable", True)
        milliseconds = (time.monotonic() - started) * 1000
        logs.note(
            process.log,
            f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Memory Size: {function.memory} MB\n",
        )
        log = logs.ship(process, offset)
    finally:
        if process and reusable:
            pool.give_back(process)
        elif process:
            process.kill()
    if "error" in answer:
        return Outcome(json.dumps(answer["error"]), True, log)
    if len(answer["result"]) > MAX_PAYLOAD:
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
        return Outcome(_error("Function.ResponseSizeTooLarge", message), True, log)
    return Outcome(answer["result"], False, log)


def _start(function: Function) -> Process:
    if not function.runs:
        message = f"Runtime {function.runtime} cannot run here, only Python can"
        raise AWSError("InvalidRuntimeException", message, 502)
    try:
        return Process(function)
    except AWSError as error:
        message = "The role defined for the function cannot be assumed by Lambda."
        raise AWSError("AccessDeniedException", message, 403) from error


def _ask(process: Process, request_id: str, event: Any) -> dict[str, Any]:
    function = process.function
    try:
        if process.cold:
            start = process.ready()
            if start:
                start["error"]["requestId"] = request_id
                return start | {"reusable": False}
        deadline = time.time() + function.timeout
        request = {"id": request_id, "arn": function.arn, "deadline": deadline, "event": event}
        return process.ask(request, time.monotonic() + function.timeout)
    except TimeoutError:
        message = f"RequestId: {request_id} Error: Task timed out after {function.timeout:.2f} seconds"
        logs.note(process.log, f"{message}\n")
        return {"error": {"errorType": "Sandbox.Timedout", "errorMessage": message}, "reusable": False}
    except Ended as end:
        how = f"exit status {end.status}" if end.status >= 0 else f"signal: {-end.status}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        logs.note(process.log, f"{message}\n")
        return {"error": {"errorType": "Runtime.ExitError", "errorMessage": message}, "reusable": False}


def _error(kind: str, message: str) -> str:
    return json.dumps({"errorType": kind, "errorMessage": message})

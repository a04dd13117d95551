"""What a function's process runs: Python's part of Lambda's runtime. Standard library alone.

Started with two file descriptors, it answers each line of JSON that it reads from the first with one on the
second. The first answer says how the import of the handler went.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any


class Context:
    """The second argument of a handler; attributes as in Lambda's developer guide."""

    client_context = None
    identity = None

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, int((self._deadline - time.time()) * 1000))


class _LogFormat(logging.Formatter):
    """Lambda's own: level, time, request and message, separated by tabs."""

    request_id = ""
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = self.request_id
        return super().format(record)


def main() -> None:
    """Import the handler that ``_HANDLER`` names, then answer requests until there are no more."""
    requests = os.fdopen(int(sys.argv[1]), "rb")
    answers = os.fdopen(int(sys.argv[2]), "wb")

    def send(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    form = _LogFormat(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(form)
    logging.getLogger().addHandler(output)
    handler = _load(os.environ["_HANDLER"])
    send({} if callable(handler) else {"error": handler})
    if not callable(handler):
        return
    for line in requests:
        request = json.loads(line)
        form.request_id = request["id"]
        send(_answer(handler, request))


def _load(name: str) -> Callable[[Any, Context], Any] | dict[str, Any]:
    """The handler, or the error with which its import ended."""
    module_name, _, function_name = name.rpartition(".")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return _failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        return _failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}")
    except Exception as error:
        return _raised(error)
    if not hasattr(module, function_name):
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        return _failure("Runtime.HandlerNotFound", message)
    handler: Callable[[Any, Context], Any] = getattr(module, function_name)
    return handler


def _answer(handler: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    context = Context(request["id"], request["arn"], request["deadline"])
    try:
        result = handler(request["event"], context)
    except Exception as error:
        failure = _raised(error)
        print(
            f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\nTraceback (most recent call last):"
        )
        print("".join(failure["stackTrace"]), end="")
        return {"error": failure | {"requestId": request["id"]}}
    try:
        return {"result": json.dumps(result)}
    except (TypeError, ValueError) as error:
        return {"error": _failure("Runtime.MarshalError", f"Unable to marshal response: {error}")}
    finally:
        sys.stdout.flush()


def _raised(error: Exception) -> dict[str, Any]:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": "",
        "stackTrace": traceback.format_list([f for f in frames if "importlib" not in f.filename]),
    }


def _failure(kind: str, message: str) -> dict[str, Any]:
    print(f"[ERROR] {kind}: {message}")
    return {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": []}


if __name__ == "__main__":
    main()

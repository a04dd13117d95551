"""Callback steps: a message goes to the queue, and the step waits until somebody answers its token."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.sagemaker.pipelines import state, values
from local_sagemaker.sagemaker.pipelines.state import Execution
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed, StepStopped, api_failure
from local_sagemaker.sagemaker.resources import invalid


@dataclass
class Callback:
    """A token that waits for its answer, or has it."""

    execution: Execution
    declared: dict[str, str]
    outputs: dict[str, str] | None = None
    failure: str | None = None
    answered: bool = False
    request: str = ""


_callbacks: dict[str, Callback] = {}


def run(context: Context) -> dict[str, Any]:
    """Send the message, wait for the answer, and return the output parameters as the step's properties.

    When somebody stops the execution, a second message says so, and the wait goes on: the service stops only
    once the token was answered.
    """
    url = context.evaluate(context.step.body.sqs_queue_url)
    arguments = context.evaluate(context.step.body.arguments)
    token = state.random_id(10, string.ascii_letters + string.digits)
    callback = Callback(context.execution, context.step.outputs)
    _callbacks[token] = callback
    metadata = {"CallbackToken": token, "SqsQueueUrl": url}
    context.progress("Executing", Callback=metadata)
    _send(context, url, token, arguments, "Executing")
    context.wait_until(lambda: callback.answered or context.execution.stopping)
    if not callback.answered:
        context.progress("Stopping")
        _send(context, url, token, arguments, "Stopping")
        context.wait_until(lambda: callback.answered)
        raise StepStopped(callback.failure or "")
    if callback.outputs is None:
        raise StepFailed(callback.failure or "")
    listed = [{"Name": name, "Value": text} for name, text in callback.outputs.items()]
    context.progress("Executing", Callback=metadata | {"OutputParameters": listed})
    return {"OutputParameters": _typed(callback.declared, callback.outputs)}


def execution_arn(token: str) -> str | None:
    """The execution whose step waits for ``token``: the resource that IAM is asked about."""
    return _callbacks[token].execution.arn if token in _callbacks else None


def succeed(caller: Caller, tokens: tuple[str, str], outputs: dict[str, str]) -> Execution:
    """End the step well; ``tokens`` are the callback's and the request's, ``outputs`` texts by name.

    The same request token again changes nothing. Raises ResourceNotFound for an unknown callback token, and
    ValidationException for one that was answered, or for outputs that are not those the step declares.
    """

    def give(callback: Callback) -> None:
        _typed(callback.declared, outputs)
        callback.outputs = outputs

    return _answer(caller, tokens, give)


def fail(caller: Caller, tokens: tuple[str, str], reason: str) -> Execution:
    """End the step with a failure; see :func:`succeed`."""
    return _answer(caller, tokens, lambda callback: setattr(callback, "failure", reason))


def _answer(caller: Caller, tokens: tuple[str, str], give: Callable[[Callback], None]) -> Execution:
    token, request = tokens
    callback = _callbacks.get(token)
    home = callback and (callback.execution.account, callback.execution.region)
    if callback is None or home != (caller.account, caller.region):
        raise AWSError("ResourceNotFound", f"Callback token '{token}' does not exist.")
    with callback.execution.changed:
        if callback.answered and request != callback.request:
            raise invalid(f"Callback token '{token}' was already answered.")
        if not callback.answered:
            give(callback)
            callback.answered, callback.request = True, request
            callback.execution.changed.notify_all()
    return callback.execution


def _typed(declared: dict[str, str], texts: dict[str, str]) -> dict[str, values.Primitive]:
    if set(texts) != set(declared):
        raise invalid(
            f"Output parameters [{', '.join(texts)}] are not those that the callback step declares:"
            f" [{', '.join(declared)}]"
        )
    try:
        return {name: values.from_text(name, kind, texts[name]) for name, kind in declared.items()}
    except values.MismatchError as error:
        raise invalid(f"Output parameter of the callback step: {error}") from error


def _send(context: Context, url: str, token: str, arguments: dict[str, Any], status: str) -> None:
    body = {
        "token": token,
        "pipelineExecutionArn": context.execution.arn,
        "arguments": arguments,
        "status": status,
    }
    try:
        context.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))
    except (ClientError, BotoCoreError) as error:
        raise StepFailed(api_failure("sqs:SendMessage", error)) from error

"""Event source mappings: messages of a queue are delivered to a function, in batches.

As Lambda does it: the function's own role receives and deletes; what the function fails to handle stays in
the queue until its visibility timeout ends, and the queue's redrive policy counts how often. Source: Lambda
developer guide, "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.models import EventSourceMapping, lambda_backends
from moto.sqs.models import Queue, sqs_backends

from local_sagemaker import actors, runtime, sqs
from local_sagemaker.authorization import decisions
from local_sagemaker.bridge import AWSError, Caller, check
from local_sagemaker.lambda_ import functions, invocation
from local_sagemaker.lambda_.functions import Function

log = logging.getLogger("local_sagemaker.lambda")
LOOK_SECONDS = 0.1
# After a refusal (a missing right, a deleted function) a mapping rests.
REST_SECONDS = 5.0
CONCURRENCY = 5
RECEIVE_AT_ONCE = 10


class _Deliveries:
    """How many batches of each mapping are under way, and which mappings rest until when."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: Counter[str] = Counter()
        self.receiving: set[str] = set()
        self.rest_until: dict[str, float] = {}


_deliveries = _Deliveries()


def serve() -> None:
    """Look for messages until the local AWS ends."""
    stopping = runtime.current().stopping
    while not stopping.wait(LOOK_SECONDS):
        for mapping in _mappings():
            queue = _queue(mapping)
            if queue is not None and mapping.enabled and sqs.waiting(queue) and _begin(mapping):
                runtime.current().thread(f"mapping-{mapping.uuid[:8]}", _deliver, mapping, queue)


def _mappings() -> list[EventSourceMapping]:
    return [
        mapping
        for regions in list(lambda_backends.values())
        for backend in list(regions.values())
        for mapping in list(backend._event_source_mappings.values())
    ]


def _queue(mapping: EventSourceMapping) -> Queue | None:
    _, _, _, region, account, name = mapping.event_source_arn.split(":", 5)
    queue: Queue | None = sqs_backends[account][region].queues.get(name)
    return queue


def _begin(mapping: EventSourceMapping) -> bool:
    limit = (mapping.scaling_config or {}).get("MaximumConcurrency", CONCURRENCY)
    with _deliveries.lock:
        if (
            mapping.uuid in _deliveries.receiving
            or _deliveries.running[mapping.uuid] >= int(limit)
            or _deliveries.rest_until.get(mapping.uuid, 0) > time.monotonic()
        ):
            return False
        _deliveries.running[mapping.uuid] += 1
        _deliveries.receiving.add(mapping.uuid)
        return True


def _deliver(mapping: EventSourceMapping, queue: Queue) -> None:
    try:
        function = functions.find(mapping.account_id, mapping.region, mapping.function_arn)
        client = actors.client("sqs", function.role, mapping.region, "lambda.amazonaws.com")
        # The URL's host does not matter to the service, its path does.
        url = f"{runtime.current().endpoint_url}/{queue.account_id}/{queue.name}"
        messages = _receive(client, url, mapping.batch_size)
        with _deliveries.lock:
            _deliveries.receiving.discard(mapping.uuid)
        if messages:
            _invoke(mapping, function, client, url, messages)
    except Exception as error:  # of this mapping: nobody waits for it, and it must not be tried without end
        expected = isinstance(error, AWSError | ClientError | BotoCoreError)
        log.warning("mapping %s rests %s s: %s", mapping.uuid, REST_SECONDS, error, exc_info=not expected)
        with _deliveries.lock:
            _deliveries.rest_until[mapping.uuid] = time.monotonic() + REST_SECONDS
    finally:
        with _deliveries.lock:
            _deliveries.receiving.discard(mapping.uuid)
            _deliveries.running[mapping.uuid] -= 1


def _receive(client: Any, url: str, batch_size: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while len(messages) < batch_size:
        received = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(RECEIVE_AT_ONCE, batch_size - len(messages)),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        messages += received
        if len(received) < RECEIVE_AT_ONCE:
            break
    return messages


def _invoke(
    mapping: EventSourceMapping, function: Function, client: Any, url: str, messages: list[dict[str, Any]]
) -> None:
    event = {"Records": [_record(message, mapping) for message in messages]}
    outcome = invocation.invoke(function, event)
    failed = _failures(mapping, outcome, {m["MessageId"] for m in messages})
    done = [m for m in messages if m["MessageId"] not in failed]
    for start in range(0, len(done), RECEIVE_AT_ONCE):
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(done[start : start + RECEIVE_AT_ONCE])
        ]
        client.delete_message_batch(QueueUrl=url, Entries=entries)


def _record(message: dict[str, Any], mapping: EventSourceMapping) -> dict[str, Any]:
    attributes = {
        name: {
            "dataType": value["DataType"],
            "stringValue": value.get("StringValue"),
            "stringListValues": [],
            "binaryListValues": [],
        }
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.event_source_arn,
        "awsRegion": mapping.region,
    }


def _failures(mapping: EventSourceMapping, outcome: invocation.Outcome, identifiers: set[str]) -> set[str]:
    """The messages that stay. An answer that makes no sense means all of them."""
    if outcome.failed:
        return identifiers
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    answer = json.loads(outcome.payload)
    items = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    if not items:  # null, {} and an empty list mean that all went well
        return set()
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return identifiers
    named = {item.get("itemIdentifier") for item in items}
    return named if named <= identifiers else identifiers


@check("lambda", "CreateEventSourceMapping")
@check("lambda", "UpdateEventSourceMapping")
def check_settings(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises InvalidParameterValueException for what would have no effect here."""
    source = parameters.get("EventSourceArn")
    if source and not source.startswith("arn:aws:sqs:"):
        raise _invalid(f"the local AWS delivers messages of SQS queues alone, not of {source}")
    if parameters.get("FilterCriteria"):
        raise _invalid("the local AWS does not filter what a mapping delivers: leave FilterCriteria out")


@check("lambda", "CreateEventSourceMapping")
def check_mapping(caller: Caller, parameters: dict[str, Any]) -> None:
    """What Lambda refuses and moto does not look at, of a queue."""
    source = parameters.get("EventSourceArn") or ""
    queues = sqs_backends[caller.account][caller.region].queues.values()
    queue = next((q for q in queues if q.queue_arn == source), None)
    if queue is None:
        return
    function = functions.find(caller.account, caller.region, parameters["FunctionName"])
    for known in lambda_backends[caller.account][caller.region]._event_source_mappings.values():
        if known.event_source_arn == queue.queue_arn and known.function_arn == function.arn:
            raise AWSError(
                "ResourceConflictException",
                f'An event source mapping with SQS arn (" {queue.queue_arn} ") and function '
                f'(" {function.name} ") already exists. Please update or delete the existing mapping with '
                f"UUID {known.uuid}",
                409,
            )
    visible_again: int = queue.visibility_timeout  # type: ignore[attr-defined]  # moto sets it by its name
    if visible_again < function.timeout:
        raise _invalid(
            f"Queue visibility timeout: {visible_again} seconds is less than Function timeout: "
            f"{function.timeout} seconds"
        )
    size = int(parameters.get("BatchSize") or RECEIVE_AT_ONCE)
    if size > RECEIVE_AT_ONCE and not parameters.get("MaximumBatchingWindowInSeconds"):
        raise _invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    try:
        for needed in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            decisions.require_of_role(function.role, f"sqs:{needed}", queue.queue_arn)
    except AWSError as error:
        message = f"The provided execution role does not have permissions to call {needed} on SQS"
        raise _invalid(message) from error


def _invalid(message: str) -> AWSError:
    return AWSError("InvalidParameterValueException", message)

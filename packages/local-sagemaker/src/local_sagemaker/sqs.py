"""Moto's queues, made safe for several consumers and for attributes set one by one; and their metrics.

Moto's ReceiveMessage gives one message to two consumers that ask at the same moment, and its DeleteMessage
can lose one that is being sent; both happen here, where functions and people poll one queue.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local_sagemaker import clock, runtime
from local_sagemaker.cloudwatch.metrics import STORE, Data, Metric

# A message that becomes visible again wakes nobody, so a long poll looks this often.
LOOK_SECONDS = 0.2

_receive = SQSBackend.receive_message
_delete = Queue.delete_message
_set_attributes = Queue._set_attributes


def receive_message(
    self: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """SQSBackend.receive_message, one consumer at a time."""
    queue = self.get_queue(queue_name)
    end = time.monotonic() + (wait_seconds_timeout or 0)
    while True:
        with queue._messages_lock:
            messages: list[Message] = _receive(
                self, queue_name, count, 0, visibility_timeout, message_attribute_names
            )
            remaining = end - time.monotonic()
            if messages or remaining <= 0 or runtime.current().stopping.is_set():
                return messages
            queue._messages_lock.wait(min(remaining, LOOK_SECONDS))


def delete_message(self: Queue, receipt_handle: str) -> None:
    """Queue.delete_message, not while a message comes in."""
    with self._messages_lock:
        _delete(self, receipt_handle)


def waiting(queue: Any) -> bool:
    """Whether a consumer would get a message now."""
    with queue._messages_lock:
        return bool(queue.messages)


def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
    """Queue._set_attributes, which forgets the policy whenever it is not among the attributes."""
    kept = {} if "Policy" in attributes else {"Policy": self.policy}
    _set_attributes(self, {**attributes, **kept}, now)


def start() -> None:
    """Publish the queues' metrics from now on; called by :mod:`local_sagemaker.server`."""
    runtime.current().thread("sqs-metrics", _publish_for_ever)


def _publish_for_ever() -> None:
    # The real service publishes once a minute, which passes as fast as the periods of alarms do.
    while not runtime.current().stopping.wait(clock.shortened(60)):
        for regions in list(sqs_backends.values()):
            for backend in list(regions.values()):
                for queue in list(backend.queues.values()):
                    _publish(queue)


def _publish(queue: Queue) -> None:
    with queue._messages_lock:
        total, visible = len(queue._messages), len(queue.messages)
    for name, value in (
        ("ApproximateNumberOfMessagesVisible", visible),
        ("ApproximateNumberOfMessagesNotVisible", total - visible),
    ):
        dimensions = [{"Name": "QueueName", "Value": queue.name}]
        metric = Metric.of(queue.account_id, queue.region, "AWS/SQS", name, dimensions)
        STORE.put(metric, Data(Counter({float(value): 1}), unit="Count"), time.time())


SQSBackend.receive_message = receive_message
Queue.delete_message = delete_message
Queue._set_attributes = set_attributes
# Moto itself would hand each message to a mapped function while it is being sent; local_sagemaker.lambda_ does that.
Queue.lambda_event_source_mappings = property(lambda self: {}, lambda self, value: None)  # type: ignore[assignment]  # an attribute of moto's

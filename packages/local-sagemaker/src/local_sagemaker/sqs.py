"""Moto's queues, made safe for several consumers, for attributes set one by one and for many messages; their metrics.

Moto's ReceiveMessage gives one message to two consumers that ask at the same moment, and its DeleteMessage
can lose one that is being sent; both happen here, where functions and people poll one queue. And each of them looks
at every message that is in the queue, so that ten thousand of them cost a hundred million looks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local_sagemaker import clock, runtime
from local_sagemaker.cloudwatch.metrics import STORE, Data, Metric

# A message that becomes visible again wakes nobody, so a long poll looks this often.
LOOK_SECONDS = 0.2

_receive = SQSBackend.receive_message
_delete = Queue.delete_message
_set_attributes = Queue._set_attributes


class Messages:
    """The messages of a queue in the order in which they came, found by any receipt handle that was given out."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._all: dict[Message, None] = dict.fromkeys(messages)
        self._by_id = {message.id: message for message in self._all}
        self._by_handle: dict[str | None, Message] = {}

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._all))  # a copy, since moto counts messages while others come in

    def __len__(self) -> int:
        return len(self._all)

    def append(self, message: Message) -> None:
        """Add the newest."""
        self._all[message] = None
        self._by_id[message.id] = message

    def remove(self, message: Message) -> None:
        """Forget one, and its receipt handles; raises KeyError for one that is not here."""
        del self._all[message], self._by_id[message.id]
        for handle in message.all_receipt_handles:
            self._by_handle.pop(handle, None)

    def given_out(self, copy: Message) -> None:
        """Remember the receipt handle of what a consumer got."""
        self._by_handle[copy.receipt_handle] = self._by_id[copy.id]

    def with_handle(self, receipt_handle: str) -> Message | None:
        """The message that was given out with this handle, or `None`."""
        return self._by_handle.get(receipt_handle)


class _Visible:
    """What a consumer would get now of a queue's messages; looks at no more of them than are asked for."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def __iter__(self) -> Iterator[Message]:
        now = unix_time_millis()  # once, since it is what most of a look costs
        return (one for one in self._messages if one.visible_at < now and one.delayed_until <= now)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


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
            for message in messages:
                _messages(queue).given_out(message)
            remaining = end - time.monotonic()
            if messages or remaining <= 0 or runtime.current().stopping.is_set():
                return messages
            queue._messages_lock.wait(min(remaining, LOOK_SECONDS))


def retained(self: SQSBackend, queue_name: str, message: Message) -> bool:
    """SQSBackend.is_message_valid_based_on_retention_period, without the queue's other attributes, which are counts."""
    # Moto gives both to what it has made, by their names.
    sent: Any = message.sent_timestamp
    queue: Any = self.get_queue(queue_name)
    return bool(sent + 1000 * queue.message_retention_period > unix_time_millis())


def delete_message(self: Queue, receipt_handle: str) -> None:
    """Queue.delete_message, not while a message comes in."""
    with self._messages_lock:
        message = _messages(self).with_handle(receipt_handle)
        if message is None:
            _delete(self, receipt_handle)  # which knows those that were deleted before
            return
        self.pending_messages.discard(message)
        self.deleted_messages.update(filter(None, message.all_receipt_handles))
        _messages(self).remove(message)


def waiting(queue: Any) -> bool:
    """Whether a consumer would get a message now."""
    with queue._messages_lock:
        return bool(queue.messages)


def _delayed(self: Queue) -> int:
    now = unix_time_millis()
    return sum(1 for message in _messages(self) if now < message.delayed_until)


def _in_flight(self: Queue) -> int:
    now = unix_time_millis()
    return sum(1 for message in _messages(self) if now <= message.visible_at)


def _hold(self: Queue, messages: Iterable[Message]) -> None:
    self.__dict__["_messages"] = Messages(messages)


def _messages(self: Queue) -> Messages:
    held: Messages = self.__dict__["_messages"]
    return held


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


Queue._messages = property(_messages, _hold)  # type: ignore[assignment]  # a list of moto's
Queue.messages = property(lambda self: _Visible(_messages(self)))  # type: ignore[assignment]  # a list of moto's
Queue.approximate_number_of_messages_delayed = property(_delayed)  # type: ignore[assignment]  # as are these
Queue.approximate_number_of_messages_not_visible = property(_in_flight)  # type: ignore[assignment]
SQSBackend.receive_message = receive_message
SQSBackend.is_message_valid_based_on_retention_period = retained
Queue.delete_message = delete_message
Queue._set_attributes = set_attributes
# Moto itself would hand each message to a mapped function while it is being sent; local_sagemaker.lambda_ does that.
Queue.lambda_event_source_mappings = property(lambda self: {}, lambda self, value: None)  # type: ignore[assignment]  # an attribute of moto's

"""A queue costs as many looks at its messages as are asked for, however many it holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from local_sagemaker import sqs

MANY = 2000


class Looks:
    """How many messages somebody looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        every = sqs.Messages.__iter__

        def looked_at(messages: sqs.Messages) -> Iterator[Message]:
            for message in every(messages):
                self.count += 1
                yield message

        monkeypatch.setattr(sqs.Messages, "__iter__", looked_at)


@pytest.fixture
def backend() -> SQSBackend:
    return SQSBackend("eu-west-1", "123456789012")


@pytest.fixture
def queue(backend: SQSBackend) -> Queue:
    return backend.create_queue("many")


def send(backend: SQSBackend, count: int) -> None:
    for number in range(count):
        backend.send_message("many", str(number))


def receive(backend: SQSBackend, visibility: int = 30) -> list[Message]:
    return backend.receive_message("many", 10, 0, visibility)


def test_receiving_and_deleting_look_at_no_more_than_they_take(backend, queue, monkeypatch):
    send(backend, MANY)
    looks, seen = Looks(monkeypatch), []
    while sqs.waiting(queue):
        for message in receive(backend):
            seen.append(message.body)
            queue.delete_message(message.receipt_handle)
    assert seen == [str(number) for number in range(MANY)]  # in the order in which they came
    assert looks.count <= 5 * MANY  # where each call looks at all, it is MANY / 10 times MANY
    assert not len(queue.messages)


def test_what_is_in_flight_is_not_given_out_again_and_deleted_by_each_of_its_handles(backend, queue):
    send(backend, 3)
    (first, *_) = received = receive(backend, visibility=0)  # to be seen again at once
    assert len(received) == 3
    again = {message.body: message for message in receive(backend)}
    assert len(again) == 3
    assert receive(backend) == []
    queue.delete_message(first.receipt_handle)  # the older of its two
    queue.delete_message(again[first.body].receipt_handle)  # gone already
    queue.delete_message(again["1"].receipt_handle)
    assert [message.body for message in queue._messages] == ["2"]
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.delete_message("none of this queue's")


def test_what_was_received_too_often_lies_with_the_dead_letters_alone(backend, queue):
    dead = backend.create_queue("dead")
    queue.dead_letter_queue, queue.redrive_policy = dead, {"maxReceiveCount": 1}
    send(backend, 2)
    receive(backend, visibility=0)
    assert receive(backend) == []
    assert not len(queue._messages)
    assert [message.body for message in backend.receive_message("dead", 10, 0, 30)] == ["0", "1"]


def test_a_purged_queue_holds_what_came_after(backend, queue):
    send(backend, 2)
    backend.purge_queue("many")
    send(backend, 1)
    assert [message.body for message in receive(backend)] == ["0"]

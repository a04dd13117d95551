"""Faults on purpose: which calls they meet, what a program sees of them, and what was carried out."""

from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local_sagemaker import Fault, LocalAWS
from local_sagemaker.clients import client


@pytest.fixture
def attempts(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Clients of the administrator that make so many attempts of a call, without a pause between two."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)

    def of_attempts(service: str, number: int) -> Any:
        return client(
            service, local_aws.environment, retries={"mode": "standard", "total_max_attempts": number}
        )

    return of_attempts


def has(client: Any, bucket: str, key: str) -> bool:
    return bool(client.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"])


@pytest.mark.parametrize(
    ("service", "call", "kind", "code", "status"),
    [
        ("s3", "list_buckets", "throttled", "SlowDown", 503),
        ("sagemaker", "list_models", "throttled", "ThrottlingException", 400),
        ("cloudformation", "describe_stacks", "throttled", "ThrottlingException", 400),
        ("lambda", "list_functions", "throttled", "TooManyRequestsException", 429),
        ("sqs", "list_queues", "throttled", "RequestThrottled", 400),
        ("s3", "list_buckets", "failed", "InternalError", 500),
        ("iam", "list_roles", "failed", "InternalFailure", 500),
        ("cloudwatch", "describe_alarms", "unavailable", "ServiceUnavailable", 503),
    ],
)
def test_an_error_has_the_service_s_own_shape(local_aws, attempts, service, call, kind, code, status):
    client = attempts(service, 1)

    with local_aws.faults(Fault(kind)) as plan, pytest.raises(ClientError) as caught:
        getattr(client, call)()

    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert plan.struck
    getattr(client, call)()  # the plan ended with its block


@pytest.mark.parametrize(
    ("kind", "carried_out"),
    [
        ("throttled", False),
        ("failed", False),
        ("unavailable", False),
        ("cut before", False),
        ("cut after", True),
    ],
)
def test_what_is_cut_after_it_was_carried_out_happened_and_nothing_else(
    local_aws, account, attempts, kind, carried_out
):
    bucket, client = account.bucket(), attempts("s3", 1)

    with local_aws.faults(Fault(kind)), pytest.raises((ClientError, ConnectionClosedError)) as caught:
        client.put_object(Bucket=bucket, Key="key", Body=b"x" * 1_000_000)

    assert isinstance(caught.value, ConnectionClosedError) == kind.startswith("cut")
    assert has(client, bucket, "key") is carried_out


def test_it_strikes_one_attempt_or_as_many_as_are_said_or_all(local_aws, account, attempts):
    bucket, client = account.bucket(), attempts("s3", 4)

    with local_aws.faults(Fault("throttled")) as once:
        client.put_object(Bucket=bucket, Key="once", Body=b"")
    with local_aws.faults(Fault("cut before", attempts=3)) as thrice:
        client.put_object(Bucket=bucket, Key="thrice", Body=b"")
    with local_aws.faults(Fault("failed", attempts=0)) as always:
        with pytest.raises(ClientError, match="InternalError"):
            client.put_object(Bucket=bucket, Key="always", Body=b"")
        client.put_object(Bucket=bucket, Key="another", Body=b"")

    made = [
        (call.operation, call.attempts, call.struck) for plan in (once, thrice, always) for call in plan.calls
    ]
    assert made == [
        ("s3:PutObject", 2, 1),
        ("s3:PutObject", 4, 3),
        ("s3:PutObject", 4, 4),
        ("s3:PutObject", 1, 0),
    ]
    assert not has(client, bucket, "always")
    assert has(client, bucket, "another")


def test_it_meets_the_call_of_its_number_of_the_actor_and_operation_that_it_names(
    local_aws, account, allow, attempts
):
    role = account.role(allow("s3:*"))
    name, theirs, ours = role.rpartition("/")[2], account.session("s3", role), attempts("s3", 1)
    bucket = account.bucket()
    fault = Fault(
        "unavailable",
        number=2,
        actor=f"arn:aws:sts::*:assumed-role/{name}/*",
        operation="s3:Put*",
        attempts=0,
    )

    with local_aws.faults(fault) as plan:
        theirs.put_object(Bucket=bucket, Key="1", Body=b"")
        ours.put_object(Bucket=bucket, Key="2", Body=b"")
        theirs.list_objects_v2(Bucket=bucket)
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            theirs.put_object(Bucket=bucket, Key="3", Body=b"")
        theirs.put_object(Bucket=bucket, Key="4", Body=b"")

    assert [call.struck > 0 for call in plan.calls] == [False, False, False, True, False]
    assert [key["Key"] for key in ours.list_objects_v2(Bucket=bucket)["Contents"]] == ["1", "2", "4"]


def test_a_call_that_the_rights_forbid_is_refused_and_not_counted(local_aws, account):
    nobody = account.acting("s3")

    with local_aws.faults(Fault("failed")) as plan, pytest.raises(ClientError, match="AccessDenied"):
        nobody.list_buckets()

    assert plan.calls == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "lost"}, "'lost' is no kind of fault: one of throttled, "),
        ({"kind": "failed", "number": 0}, "from 1"),
    ],
)
def test_a_fault_that_there_is_not_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Fault(**wrong)


FORKS = """
import os, sys
from local_sagemaker import LocalAWS

with LocalAWS() as aws:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="before")["QueueUrl"]
    aws.pause()
    child = os.fork()
    aws.resume() if not child else None
    if child == 0:
        sqs.create_queue(QueueName="fork")
        os._exit(len(sqs.list_queues()["QueueUrls"]))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    aws.resume()
    print(status, [name.rpartition("/")[2] for name in sqs.list_queues()["QueueUrls"]])
"""


def test_a_fork_of_a_paused_one_has_a_state_of_its_own(tmp_path):
    """In a process of its own, since this one has a local AWS that other tests use."""
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", FORKS], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )

    assert done.stdout.strip() == "2 ['before']", done.stderr


def test_it_does_not_pause_while_a_job_is_at_work(local_aws, account, allow, monkeypatch):
    monkeypatch.setattr("local_sagemaker.server.PATIENCE_SECONDS", 0.1)
    release, waits = os.pipe()
    thread = local_aws._runtime.thread("processing-job slow", os.read, release, 1)

    with pytest.raises(RuntimeError, match="still at work: processing-job slow"):
        local_aws.pause()

    os.write(waits, b"x")
    thread.join()
    assert isinstance(local_aws, LocalAWS)
    account.client("sts").get_caller_identity()

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from core_kit import refused, wait_until, zipped

# Keeps what it was given under the message's id and receive count, then does what the message says.
FUNCTION = """
import json, os
import boto3

sqs = boto3.client("sqs")
s3 = boto3.client("s3")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        count = record["attributes"]["ApproximateReceiveCount"]
        key = f"{body['name']}/{count}"
        s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(record).encode())
        if body.get("raise"):
            raise RuntimeError("told to")
        if int(count) <= body.get("fail", 0):
            failed.append({"itemIdentifier": record["messageId"]})
            receipt = {"QueueUrl": os.environ["QUEUE"], "ReceiptHandle": record["receiptHandle"]}
            sqs.change_message_visibility(**receipt, VisibilityTimeout=body["again"])
    return {"batchItemFailures": failed}
"""


@dataclass
class Delivery:
    """A queue with a dead-letter queue, and a function that gets its messages."""

    account: Any
    bucket: str
    queue: str
    dead: str
    function: str
    mapping: str

    def send(self, **body: Any) -> None:
        self.account.client("sqs").send_message(QueueUrl=self.queue, MessageBody=json.dumps(body))

    def seen(self, name: str) -> list[str]:
        """The receive counts with which the function has seen the message."""
        found = self.account.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=f"{name}/")
        return sorted(o["Key"].split("/")[1] for o in found.get("Contents", []))

    def left(self) -> int:
        attributes = self.account.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=["All"]
        )
        return sum(
            int(attributes["Attributes"][name])
            for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        )


@pytest.fixture
def deliver(account):
    def create(visibility=30, max_receives=1000, **mapping) -> Delivery:
        sqs, functions, name = account.client("sqs"), account.client("lambda"), account.name("delivery")
        dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        target = f"arn:aws:sqs:eu-west-1:{account.id}:{name}-dead"
        redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": max_receives})
        attributes = {"VisibilityTimeout": str(visibility), "RedrivePolicy": redrive}
        queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        bucket = account.bucket()
        functions.create_function(
            FunctionName=name,
            Runtime="python3.14",
            Handler="code.handler",
            Role=account.role({"Effect": "Allow", "Action": ["sqs:*", "s3:*"], "Resource": "*"}),
            Code={"ZipFile": zipped(code=FUNCTION)},
            Timeout=min(10, visibility),
            Environment={"Variables": {"BUCKET": bucket, "QUEUE": queue}},
        )
        created = functions.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:eu-west-1:{account.id}:{name}",
            FunctionName=name,
            **{"FunctionResponseTypes": ["ReportBatchItemFailures"]} | mapping,
        )
        return Delivery(account, bucket, queue, dead, name, created["UUID"])

    return create


def test_a_message_is_delivered_and_then_gone(deliver):
    delivery = deliver()

    delivery.send(name="one")
    wait_until(lambda: delivery.seen("one"))
    wait_until(lambda: delivery.left() == 0)

    assert delivery.seen("one") == ["1"]
    record = json.loads(
        delivery.account.client("s3").get_object(Bucket=delivery.bucket, Key="one/1")["Body"].read()
    )
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(delivery.function)
    assert set(record) >= {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
    }


def test_only_the_failed_item_stays_and_comes_back_when_the_function_said(deliver):
    delivery = deliver(BatchSize=10)

    delivery.send(name="bad", fail=2, again=1)
    delivery.send(name="good")
    wait_until(lambda: delivery.seen("bad") == ["1", "2", "3"])
    wait_until(lambda: delivery.left() == 0)

    assert delivery.seen("good") == ["1"]


def test_an_error_of_the_function_leaves_the_batch_to_the_visibility_timeout_and_the_dead_letter_queue(
    deliver,
):
    delivery = deliver(visibility=3, max_receives=2)

    delivery.send(name="bad", **{"raise": True})
    sqs = delivery.account.client("sqs")
    dead = wait_until(lambda: sqs.receive_message(QueueUrl=delivery.dead).get("Messages"))

    # With so short a timeout a slow machine moves the message while the function still starts.
    wait_until(lambda: delivery.seen("bad") == ["1", "2"])
    assert json.loads(dead[0]["Body"])["name"] == "bad"
    assert delivery.left() == 0


def test_without_the_response_type_the_answer_is_not_looked_at(deliver):
    delivery = deliver(FunctionResponseTypes=[])

    delivery.send(name="one", fail=5, again=0)
    wait_until(lambda: delivery.seen("one"))

    wait_until(lambda: delivery.left() == 0)


def test_a_disabled_or_deleted_mapping_delivers_nothing(deliver):
    delivery = deliver()
    client = delivery.account.client("lambda")

    client.update_event_source_mapping(UUID=delivery.mapping, Enabled=False)
    delivery.send(name="while-off")
    other = deliver()
    other.send(name="marker")
    wait_until(lambda: other.seen("marker"))
    while_off = delivery.seen("while-off")
    client.update_event_source_mapping(UUID=delivery.mapping, Enabled=True)
    wait_until(lambda: delivery.seen("while-off"))
    wait_until(lambda: delivery.left() == 0)
    client.delete_event_source_mapping(UUID=delivery.mapping)
    delivery.send(name="gone")
    other.send(name="second-marker")
    wait_until(lambda: other.seen("second-marker"))

    assert while_off == []
    assert delivery.seen("gone") == []


def test_many_messages_come_once_each(deliver):
    delivery = deliver(BatchSize=3)

    for number in range(30):
        delivery.send(name=f"m{number}")
    wait_until(lambda: delivery.left() == 0)

    assert [delivery.seen(f"m{number}") for number in range(30)] == [["1"]] * 30


def test_refusals(deliver, account):
    delivery = deliver()
    client, sqs = account.client("lambda"), account.client("sqs")
    short, other = account.name("queue"), account.name("queue")
    sqs.create_queue(QueueName=short, Attributes={"VisibilityTimeout": "0"})
    sqs.create_queue(QueueName=other)

    def create(queue):
        arn = f"arn:aws:sqs:eu-west-1:{account.id}:{queue}"
        given = {"EventSourceArn": arn, "FunctionName": delivery.function}
        return refused(client.create_event_source_mapping, **given)[1]

    again = create(delivery.queue.split("/")[-1])
    too_short = create(short)
    filters = {"Filters": [{"Pattern": "{}"}]}
    filtered = refused(client.update_event_source_mapping, UUID=delivery.mapping, FilterCriteria=filters)[1]
    stream = f"arn:aws:kinesis:eu-west-1:{account.id}:stream/x"
    streamed = refused(
        client.create_event_source_mapping, EventSourceArn=stream, FunctionName=delivery.function
    )[1]
    role = client.get_function_configuration(FunctionName=delivery.function)["Role"].split("/")[-1]
    account.client("iam").delete_role_policy(RoleName=role, PolicyName="inline")
    without_right = create(other)

    assert delivery.mapping in again
    assert "is less than Function timeout: 10 seconds" in too_short
    assert "leave FilterCriteria out" in filtered
    assert f"SQS queues alone, not of {stream}" in streamed
    assert "does not have permissions to call ReceiveMessage on SQS" in without_right


def test_an_alarm_tells_of_a_message_in_a_queue(account):
    sqs, cloudwatch, name = account.client("sqs"), account.client("cloudwatch"), account.name("queue")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def state():
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

    wait_until(lambda: state() == "OK")
    sqs.send_message(QueueUrl=url, MessageBody="not understood")

    wait_until(lambda: state() == "ALARM")

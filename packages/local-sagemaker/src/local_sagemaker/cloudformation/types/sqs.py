"""AWS::SQS::Queue, AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work

ATTRIBUTES = {
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


class _Queue(ResourceType):
    """Ref is the URL."""

    name = "AWS::SQS::Queue"
    properties = frozenset({*ATTRIBUTES, "QueueName", "Tags"})
    fixed = frozenset({"QueueName"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("QueueName") or work.name(80)
        attributes = {key: _text(new[key]) for key in ATTRIBUTES if key in new}
        tags = work.tag_map(new.get("Tags"))
        url = work.call("sqs", "create_queue", QueueName=name, Attributes=attributes, tags=tags or None)[
            "QueueUrl"
        ]
        work.made = url
        work.attributes = {"Arn": work.arn("sqs", name), "QueueName": name, "QueueUrl": url}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        attributes = {
            key: _text(new[key]) if key in new else default
            for key, default in ATTRIBUTES.items()
            if new.get(key) != old.get(key)
        }
        if attributes:
            work.call("sqs", "set_queue_attributes", QueueUrl=work.made, Attributes=attributes)
        tags = work.tag_map(new.get("Tags"))
        if tags:
            work.call("sqs", "tag_queue", QueueUrl=work.made, Tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("sqs", "delete_queue", QueueUrl=work.made)


class _QueuePolicy(ResourceType):
    """Ref is a generated id."""

    name = "AWS::SQS::QueuePolicy"
    properties = frozenset({"PolicyDocument", "Queues"})
    required = properties

    def create(self, work: Work, new: Properties) -> None:
        work.made = work.name()
        self.update(work, {}, new)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        document = json.dumps(new["PolicyDocument"])
        for url in new["Queues"]:
            work.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": document})
        self._remove(work, [url for url in old.get("Queues", []) if url not in new["Queues"]])

    def delete(self, work: Work, old: Properties) -> None:
        self._remove(work, old["Queues"])

    def _remove(self, work: Work, urls: list[str]) -> None:
        for url in urls:
            work.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": ""})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)

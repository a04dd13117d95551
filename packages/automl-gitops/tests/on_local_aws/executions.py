"""Pipelines of a step or two on the local AWS, whose executions fail for the reason that a test gives them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from support.unique import unique
from support.waiting import wait_until

_ENDED = ("Succeeded", "Failed", "Stopped")
_CODE = "/opt/ml/processing/input/code"


class Executions:
    """Makes pipelines with names of their own, and starts and follows them, on one local AWS."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.sagemaker, self.sqs, self.iam, self.s3, self.functions = (
            aws.client(service) for service in ("sagemaker", "sqs", "iam", "s3", "lambda")
        )
        self.role = self._role("sagemaker.amazonaws.com", "*")

    def function(self, source: str, name: str = "", actions: Sequence[str] = (), **environment: str) -> str:
        """A Lambda function whose module is ``source``, and which may do these actions; returns its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("function.py", source)
        return self.functions.create_function(
            FunctionName=name or unique("function"),
            Runtime="python3.13",
            Timeout=60,
            Environment={"Variables": environment},
            Role=self._role("lambda.amazonaws.com", "logs:*", *actions),
            Handler="function.handler",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]

    def queue(self) -> str:
        """A queue's URL."""
        return self.sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]

    def code(self, files: Mapping[str, bytes]) -> str:
        """The files in a bucket of their own; returns the prefix."""
        bucket, place = unique("bucket"), {"LocationConstraint": self.aws.region}
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        for name, content in files.items():
            self.s3.put_object(Bucket=bucket, Key=f"code/{name}", Body=content)
        return f"s3://{bucket}/code"

    def start(self, *steps: dict[str, Any]) -> str:
        """Start a pipeline of these steps; returns the execution's ARN."""
        name = unique("pipeline")
        definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}
        self.sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=self.role
        )
        return self.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]

    def finish(self, execution: str) -> str:
        """Wait for the end of an execution; returns its status."""

        def status() -> str:
            described = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return described["PipelineExecutionStatus"]

        return wait_until(status, _ENDED.__contains__)

    def message(self, queue: str) -> dict[str, Any]:
        """The next message of the queue, which is deleted."""
        (received,) = wait_until(
            lambda: self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages", [])
        )
        self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
        return json.loads(received["Body"])

    def _role(self, service: str, *actions: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        name = unique("role")
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=_policy(rights))
        return arn


def lambda_step(name: str, function: str) -> dict[str, Any]:
    return {
        "Name": name, "Type": "Lambda", "FunctionArn": function, "Arguments": {}, "OutputParameters": [],
    }  # fmt: skip


def fail_step(name: str, after: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": ""}, "DependsOn": [after]}


def callback_step(name: str, queue: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}


def processing_step(name: str, role: str, code: str, script: str, arguments: list[str]) -> dict[str, Any]:
    """A job that runs ``script`` of the prefix ``code``."""
    source = {"S3Uri": code, "LocalPath": _CODE, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    entry_point = ["python3", f"{_CODE}/{script}", *arguments]
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": role,
            "AppSpecification": {"ImageUri": "scikit-learn", "ContainerEntrypoint": entry_point},
            "ProcessingResources": {"ClusterConfig": cluster},
            "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
        },
    }


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

"""What the tests of pipelines create, start and wait for."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from support.unique import unique
from support.waiting import wait_until

VERSION = "2020-12-01"
ENDED = ("Succeeded", "Failed", "Stopped")


class Pipelines:
    """Makes pipelines with names of their own, and follows what they do, on one local AWS."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.sagemaker, self.sqs, self.iam, self.s3, self.functions = (
            aws.client(service) for service in ("sagemaker", "sqs", "iam", "s3", "lambda")
        )
        self.role = self.create_role("sagemaker.amazonaws.com", "*")

    def create_role(self, service: str, action: str | list[str]) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        name = unique("role")
        policy = {"Effect": "Allow", "Action": action, "Resource": "*"}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=document(policy))
        return arn

    def create_queue(self) -> str:
        return self.sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]

    def create_bucket(self) -> str:
        bucket = unique("bucket")
        place = {"LocationConstraint": self.aws.region}
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        return bucket

    def create_function(self, source: str) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("function.py", source)
        created = self.functions.create_function(
            FunctionName=unique("function"),
            Runtime="python3.13",
            Role=self.create_role("lambda.amazonaws.com", "logs:*"),
            Handler="function.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=900,
        )
        return created["FunctionArn"]

    def create(
        self, *steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **options: Any
    ) -> str:
        name = unique("pipeline")
        self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=definition(*steps, parameters=parameters),
            **({"RoleArn": self.role} | options),
        )
        return name

    def start(self, name: str, **parameters: str) -> str:
        given = [{"Name": key, "Value": value} for key, value in parameters.items()]
        started = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
        return started["PipelineExecutionArn"]

    def describe(self, execution: str) -> dict[str, Any]:
        return self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        """Each step that has begun, by its name, in the order of their start."""
        listed = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution, SortOrder="Ascending"
        )
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}

    def finish(self, execution: str) -> str:
        """Wait for the execution's end; returns its status."""
        return wait_until(lambda: self.describe(execution)["PipelineExecutionStatus"], ENDED.__contains__)

    def run(
        self, *steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Create, start and finish; returns the status and the steps by name."""
        execution = self.start(self.create(*steps, parameters=parameters))
        return self.finish(execution), self.steps(execution)

    def message(self, queue: str) -> dict[str, Any]:
        """The next message of the queue, which is deleted."""
        (received,) = wait_until(lambda: self._receive(queue))
        self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
        return json.loads(received["Body"])

    def _receive(self, queue: str) -> list[dict[str, Any]]:
        return self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages", [])


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
    return json.dumps(
        {"Version": VERSION, "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps)}
    )

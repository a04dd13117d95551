"""A SageMaker that knows one Autopilot job and runs batch transforms by a Python function; S3 is moto's.

Requests are checked against botocore's service model, answers have its shapes, errors the real codes.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

JOB = "shop-abcdefghijkl"
BUCKET = "shop-123456789012-eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/shop-SageMakerExecutionRole"
CHAMPION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/shop/3"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/autogluon:1"

# Rows of inputs, and the environment of the model's last container, to lines of output.
Predict = Callable[[list[list[str]], dict[str, str]], list[str]]


class ModelFaultError(Exception):
    """Raised by a `Predict`: the transform job fails with this reason."""


def container(
    name: str, supported: str = "predicted_label,probability,probabilities,labels"
) -> dict[str, Any]:
    return {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/models/{name}.tar.gz",
        "Environment": {"SAGEMAKER_INFERENCE_SUPPORTED": supported, "KEPT": "yes"},
    }


@dataclass
class FakeSageMaker:
    s3: Any
    problem_type: str
    objective: str
    models: dict[str, Predict]  # by the name of the model data
    containers: list[dict[str, Any]] = field(default_factory=lambda: [container("candidate")])
    champion: dict[str, Any] | None = None
    status: str = "Completed"
    polls: int = 1  # how often a transform is seen in progress
    quota_refusals: int = 0
    deployed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = (
            "".join(word.title() for word in name.split("_")).replace("AutoMl", "AutoML").replace("Ml", "ML")
        )
        handler = object.__getattribute__(self, f"_{name}")

        def call(**request: Any) -> Any:
            validate_parameters(request, MODEL.operation_model(operation).input_shape)
            self.calls.append(name)
            self.requests.append((name, request))
            return handler(request) or {}

        return call

    def _describe_auto_ml_job_v2(self, request: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = {
            "AutoMLJobName": JOB,
            "AutoMLJobArn": f"arn:aws:sagemaker:eu-west-1:123456789012:automl-job/{JOB}",
            "AutoMLJobStatus": self.status,
            "AutoMLProblemTypeConfig": {
                "TabularJobConfig": {"TargetAttributeName": "y", "ProblemType": self.problem_type}
            },
            "AutoMLJobObjective": {"MetricName": self.objective},
            "CreationTime": datetime(2026, 11, 1, tzinfo=UTC),
            "EndTime": datetime(2026, 11, 1, 0, 1, tzinfo=UTC),
        }
        if self.status == "Completed":
            described["BestCandidate"] = self._candidate()
        else:
            described["FailureReason"] = "no candidate trained"
        return described

    def _candidate(self) -> dict[str, Any]:
        return {
            "CandidateName": "best",
            "CandidateStatus": "Completed",
            "InferenceContainers": self.containers,
            "FinalAutoMLJobObjectiveMetric": {"MetricName": self.objective, "Value": 0.75},
            "CandidateProperties": {
                "CandidateArtifactLocations": {"Explainability": f"s3://{BUCKET}/autopilot/explainability"},
                "CandidateMetrics": [{"MetricName": self.objective, "Value": 0.75, "Set": "Validation"}],
            },
        }

    def _list_candidates_for_auto_ml_job(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Candidates": [self._candidate()]}

    def _create_model(self, request: dict[str, Any]) -> None:
        if request["ModelName"] in self.deployed:
            raise error("ValidationException", "Cannot create already existing model", "CreateModel")
        self.deployed[request["ModelName"]] = request.get("Containers") or [request["PrimaryContainer"]]

    def _delete_model(self, request: dict[str, Any]) -> None:
        if self.deployed.pop(request["ModelName"], None) is None:
            raise error("ValidationException", "Could not find model", "DeleteModel")

    def _create_transform_job(self, request: dict[str, Any]) -> None:
        if self.quota_refusals:
            self.quota_refusals -= 1
            raise error("ResourceLimitExceeded", "1 instance is in use of 1", "CreateTransformJob")
        containers = self.deployed[request["ModelName"]]
        self.jobs[request["TransformJobName"]] = {
            "request": request,
            "containers": containers,
            "polls": self.polls,
        }

    def _describe_transform_job(self, request: dict[str, Any]) -> dict[str, Any]:
        job = self.jobs.get(request["TransformJobName"])
        if job is None:
            raise error("ValidationException", "Could not find requested job", "DescribeTransformJob")
        if "status" not in job:
            if job["polls"]:
                job["polls"] -= 1
                return {"TransformJobStatus": "InProgress"}
            self._run(job)
        return {"TransformJobStatus": job["status"], "FailureReason": job.get("reason", "")}

    def _stop_transform_job(self, request: dict[str, Any]) -> None:
        if request["TransformJobName"] not in self.jobs:
            raise error("ValidationException", "Could not find requested job", "StopTransformJob")
        self.jobs[request["TransformJobName"]]["status"] = "Stopped"

    def _describe_model_package(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.champion is None:
            raise error("ValidationException", "ModelPackage does not exist", "DescribeModelPackage")
        return self.champion

    def _run(self, job: dict[str, Any]) -> None:
        """Predict every object below the input prefix."""
        source = job["request"]["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        target = job["request"]["TransformOutput"]["S3OutputPath"]
        bucket, prefix = source.removeprefix("s3://").split("/", 1)
        out_bucket, out_prefix = target.removeprefix("s3://").split("/", 1)
        name = job["containers"][0]["ModelDataUrl"].rpartition("/")[2].removesuffix(".tar.gz")
        try:
            for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
                text = self.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
                lines = self.models[name](
                    list(csv.reader(io.StringIO(text))), job["containers"][-1]["Environment"]
                )
                key = f"{out_prefix}/{item['Key'].removeprefix(prefix)}.out"
                self.s3.put_object(
                    Bucket=out_bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode()
                )
        except ModelFaultError as fault:
            job |= {"status": "Failed", "reason": str(fault)}
        else:
            job["status"] = "Completed"


def error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


MODEL = (
    boto3.session.Session(region_name="eu-west-1")
    .client("sagemaker", aws_access_key_id="unused", aws_secret_access_key="unused")
    .meta.service_model
)

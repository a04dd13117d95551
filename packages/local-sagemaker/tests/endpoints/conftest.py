"""Models whose answers the tests choose, and endpoints that serve them over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker import serving
from support.unique import unique
from support.waiting import wait_until

BUCKET = "endpoint-tests"
ROLE = "EndpointTests"
SETTLED = ("InService", "Failed")


class ChosenPredictor:
    """Stands in for a container: answers as its environment says, without a process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.stopped = False

    @classmethod
    def start(cls, containers: Sequence[Mapping[str, Any]], credentials: Any, region: str) -> ChosenPredictor:
        assert credentials["AWS_SESSION_TOKEN"]
        environment = containers[-1]["Environment"]
        time.sleep(float(environment.get("START_SECONDS", "0")))
        if "STARTS_ONCE_THERE_IS" in environment:
            wait_until(Path(environment["STARTS_ONCE_THERE_IS"]).exists)
        if "ARCHIVE_IS_GONE" in environment:
            raise serving.DownloadError(
                len(containers), containers[-1]["ModelDataUrl"], OSError(environment["ARCHIVE_IS_GONE"])
            )
        if "CANNOT_LOAD" in environment:
            raise serving.ModelError(f"The model could not be loaded. {environment['CANNOT_LOAD']}")
        return cls(environment)

    def predict(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        time.sleep(float(self.environment.get("SECONDS", "0")))
        if self.stopped:
            raise serving.ModelError("the model was stopped")
        if "REFUSES" in self.environment:
            raise serving.BadInput(self.environment["REFUSES"])
        if "FAILS" in self.environment:
            raise serving.ModelError(self.environment["FAILS"])
        return self.environment.get("ANSWER", "yes").encode() + b":" + body, accept or "text/csv"

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def _chosen_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "Predictor", ChosenPredictor)


@pytest.fixture(scope="session")
def role(local_aws) -> str:
    """An execution role that may read the tests' bucket, write captures to it and look at alarms."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    rights = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"arn:aws:s3:::{BUCKET}/*",
            },
            {"Effect": "Allow", "Action": ["cloudwatch:DescribeAlarms", "logs:*"], "Resource": "*"},
        ],
    }
    iam = local_aws.client("iam")
    created = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=ROLE, PolicyName="rights", PolicyDocument=json.dumps(rights))
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": local_aws.region})
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=b"an archive")
    return created["Role"]["Arn"]


class Hosting:
    """Creates what a test hosts, under names of its own."""

    def __init__(self, aws: Any, role: str) -> None:
        self.aws = aws
        self.role = role
        self.sagemaker = aws.client("sagemaker")
        self.runtime = aws.client("sagemaker-runtime")
        self.cloudwatch = aws.client("cloudwatch")

    def name(self, kind: str) -> str:
        return unique(kind)

    def container(self, **environment: str) -> dict[str, Any]:
        return {
            "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/model:1",
            "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
            "Environment": environment,
        }

    def model(self, **environment: str) -> str:
        name = self.name("model")
        container = self.container(**environment)
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.role)
        return name

    def config(self, model: str | None = None, instances: int = 2, **parameters: Any) -> str:
        name = self.name("config")
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model or self.model(),
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": instances,
        }
        self.sagemaker.create_endpoint_config(
            **{"EndpointConfigName": name, "ProductionVariants": [variant]} | parameters
        )
        return name

    def endpoint(self, config: str | None = None, **parameters: Any) -> str:
        name = self.name("endpoint")
        self.sagemaker.create_endpoint(
            EndpointName=name, EndpointConfigName=config or self.config(), **parameters
        )
        return name

    def settled(self, endpoint: str) -> dict[str, Any]:
        """The endpoint's description once nothing is under way."""
        return self.until(endpoint, lambda found: found["EndpointStatus"] in SETTLED)

    def until(self, endpoint: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The endpoint's description once it is so."""
        return wait_until(lambda: self.sagemaker.describe_endpoint(EndpointName=endpoint), reached)

    def running(self, **environment: str) -> str:
        """An endpoint in service whose model answers as ``environment`` says."""
        endpoint = self.endpoint(self.config(self.model(**environment)))
        assert self.settled(endpoint)["EndpointStatus"] == "InService"
        return endpoint

    def ask(self, endpoint: str, body: bytes = b"1", **parameters: Any) -> str:
        answer = self.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType="text/csv", **parameters
        )
        return answer["Body"].read().decode()

    def alarm(self, endpoint: str, metric: str = "Invocation5XXErrors", **parameters: Any) -> str:
        """An alarm on the average of a metric of all the endpoint's fleets, over one minute."""
        name = self.name("alarm")
        dimensions = [
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ]
        defaults = {
            "AlarmName": name,
            "Namespace": "AWS/SageMaker",
            "MetricName": metric,
            "Dimensions": dimensions,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0.02,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }
        self.cloudwatch.put_metric_alarm(**defaults | parameters)
        return name


@pytest.fixture
def hosting(local_aws, role) -> Hosting:
    return Hosting(local_aws, role)


class Load:
    """Requests to an endpoint, one after the other from a few threads, until it ends; keeps each outcome."""

    def __init__(self, hosting: Hosting, endpoint: str, threads: int = 3, pause: float = 0.02) -> None:
        self._hosting = hosting
        self._endpoint = endpoint
        self._pause = pause
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        # When it was sent, and the answer's first word or the error's code.
        self.outcomes: list[tuple[float, str]] = []

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            sent = time.monotonic()
            try:
                outcome = self._hosting.ask(self._endpoint).split(":")[0]
            except self._hosting.runtime.exceptions.ClientError as error:
                outcome = error.response["Error"]["Code"]
            except Exception as error:
                outcome = repr(error)
            self.outcomes.append((sent, outcome))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self.more(10)

    def more(self, requests: int) -> Load:
        """Go on until that many more requests were answered."""
        wanted = len(self.outcomes) + requests
        wait_until(lambda: len(self.outcomes) >= wanted)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def words(self) -> list[str]:
        return [outcome for _, outcome in self.outcomes]


@pytest.fixture
def load(hosting) -> Callable[..., Load]:
    return lambda endpoint, **options: Load(hosting, endpoint, **options)

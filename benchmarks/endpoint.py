"""An endpoint of the local AWS: requests of one row by eight clients, rows of large requests, and a wide table."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np

from benchmarks.figures import Figure
from benchmarks.local_aws import running, until

PROGRAMS = Path(__file__).parent / "programs"
BUCKET = "bench-endpoint"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def figures(work: Path) -> Iterator[Figure]:
    """Measure; nothing stays."""
    with running(work / "aws") as environment:
        made = _Endpoints(boto3.Session(region_name="eu-west-1"), environment)
        rows = made.serve("bench", columns=15)
        one, many = (_ask(work, environment, "bench", rows[:count], 8) for count in (1, 20_000))
        yield Figure.of("requests of one row by 8 clients", one["requests_a_second"], "a second", ">= 300")
        speed = one["requests_a_second"] * one["alone_seconds"]
        yield Figure.of("they are times as many as one client has after another", speed, "", ">= 2")
        yield Figure.of(
            "rows of requests of 20,000", many["requests_a_second"] * 20_000, "a second", ">= 100e3"
        )
        wide_rows = made.serve("wide", columns=400)
        wide = _ask(work, environment, "wide", wide_rows[:1], 8)
        times = one["requests_a_second"] / wide["requests_a_second"]
        yield Figure.of("a row of 400 columns, times one of 15", times, "", "<= 8")
        asked = _run("verify_endpoint", work, environment, "wide", wide_rows[:500])
        yield Figure.of("what verify asks an endpoint of 400 columns", asked["seconds"], "s", "< 8")


class _Endpoints:
    """Trains and serves one model of LightGBM for each table."""

    def __init__(self, session: Any, environment: dict[str, str]) -> None:
        def client(service: str) -> Any:
            return session.client(
                service,
                endpoint_url=environment["AWS_ENDPOINT_URL"],
                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            )

        self._s3, self._sagemaker, iam = client("s3"), client("sagemaker"), client("iam")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=_policy(TRUST))["Role"]
        iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=_policy(ALL))
        self._role = role["Arn"]

    def serve(self, name: str, columns: int) -> list[str]:
        """Put a model behind the endpoint ``name``; returns rows to ask it for."""
        rows, labels = _table(columns)
        header = ",".join([f"column_{number}" for number in range(columns)] + ["label"])
        lines = [header, *(f"{row},{label}" for row, label in zip(rows, labels, strict=True))]
        self._s3.put_object(Bucket=BUCKET, Key=f"{name}.csv", Body="\n".join(lines[:4001]).encode())
        model = self._train(name)
        containers, sagemaker = model["InferenceContainers"], self._sagemaker
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=self._role, Containers=containers)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
        )
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
        return rows

    def _train(self, name: str) -> dict[str, Any]:
        channel = {
            "ChannelType": "training",
            "ContentType": "text/csv;header=present",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}.csv"}},
        }
        tabular = {
            "TargetAttributeName": "label",
            "ProblemType": "BinaryClassification",
            "Mode": "ENSEMBLING",
            "CompletionCriteria": {"MaxCandidates": 1},
        }
        self._sagemaker.create_auto_ml_job_v2(
            AutoMLJobName=name,
            AutoMLJobInputDataConfig=[channel],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{name}"},
            AutoMLProblemTypeConfig={"TabularJobConfig": tabular},
            AutoMLJobObjective={"MetricName": "F1"},
            RoleArn=self._role,
        )
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(self._sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name))
            return found["AutoMLJobStatus"] not in ("InProgress", "Stopping")

        until(ended)
        if found["AutoMLJobStatus"] != "Completed":
            raise RuntimeError(found["FailureReason"])
        best: dict[str, Any] = found["BestCandidate"]
        return best


def _table(columns: int, count: int = 20_000) -> tuple[list[str], list[str]]:
    """Rows as CSV, every fifth column a text, and their labels."""
    random = np.random.RandomState(columns)
    numbers = random.normal(size=(count, columns)).round(4)
    texts = columns // 5
    words = random.randint(0, 20, (count, texts))
    labels = ["yes" if value > 0 else "no" for value in numbers[:, 0] + 0.3 * random.normal(size=count)]
    rows = [
        ",".join([*map(str, row[texts:]), *(f"word {word}" for word in own)])
        for row, own in zip(numbers, words, strict=True)
    ]
    return rows, labels


def _ask(
    work: Path, environment: dict[str, str], name: str, rows: list[str], clients: int
) -> dict[str, float]:
    return _run("ask_endpoint", work, environment, name, rows, str(clients))


def _run(
    program: str, work: Path, environment: dict[str, str], name: str, rows: list[str], *more: str
) -> dict[str, float]:
    body = work / "body.csv"
    body.write_text("\n".join(rows) + "\n")
    ended = subprocess.run(  # noqa: S603 - a program of this folder
        [sys.executable, PROGRAMS / f"{program}.py", name, body, *more],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

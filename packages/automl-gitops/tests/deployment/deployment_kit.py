"""A project with registered versions in an account of the local AWS, without training anything.

Endpoints, alarms, registry and bucket are the local AWS's own. Only the container is replaced: by a rule that
its environment chooses, so that a version can be right, wrong, slow or broken.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.client
import numpy as np
import pytest

from automl_evaluation.layout import (
    AutoMLJob,
    Baseline,
    ClassScores,
    Column,
    Condition,
    Dataset,
    Estimated,
    Evaluation,
    Objective,
    Rows,
    Threshold,
)
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.serving import archives
from automl_gitops.serving.registry import Registry
from automl_gitops.verification import record as records
from automl_gitops.verification.verify import Answers, LoadedVersion, make_verification, note
from local_sagemaker import BadInput, ModelError
from support.unique import unique

ROWS = [[str(index), f"{index / 7:.4f}"] for index in range(60)]
COLUMNS = [
    {"name": "stays", "type": "integer"},
    {"name": "risk", "type": "number"},
    {"name": "target", "type": "text"},
]
SHA256 = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
EXECUTION_ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
    ],
}


class RulePredictor:
    """Answers rows of two numbers by a rule in the environment of its container, without a process.

    ``THRESHOLD``: the label is `yes` where the first value is above it. ``LABEL`` is answered in any case.
    ``FAILS`` and ``CANNOT_LOAD`` are errors, ``SECONDS`` a delay, ``ANSWERS_ANYTHING`` a container that
    refuses nothing, ``CSV_ONLY`` one without JSON, ``REGRESSION`` one that answers numbers. ``CRASHES`` answers
    500 to rows of another length. ``FLOAT32`` is a net, see `_net`. ``PROBABILITIES`` answers those of both classes.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    @classmethod
    def start(cls, containers: Sequence[Mapping[str, Any]], credentials: Any, region: str) -> RulePredictor:
        environment = containers[-1].get("Environment", {})
        if "CANNOT_LOAD" in environment:
            raise ModelError(f"The model could not be loaded: {environment['CANNOT_LOAD']}")
        return cls(environment)

    def predict(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        time.sleep(float(self.environment.get("SECONDS", "0")))
        if "FAILS" in self.environment:
            raise ModelError(self.environment["FAILS"])
        if "ANSWERS_ANYTHING" in self.environment:
            return b"yes,0.9\n", "text/csv"
        if content_type != "text/csv":
            raise BadInput(f"{content_type} is not supported")
        rows = [row for row in csv.reader(io.StringIO(body.decode())) if row]
        if any(len(row) != 2 for row in rows) and "CRASHES" in self.environment:
            raise ModelError("ValueError: 3 columns passed, passed data had 2 columns")
        if any(len(row) != 2 for row in rows):
            raise BadInput("a row has another number of columns than the training data")
        if accept == "application/json" and "CSV_ONLY" not in self.environment:
            keys = ["score"] if "REGRESSION" in self.environment else self._keys
            entries = [dict(zip(keys, answer, strict=True)) for answer in self._answers(rows)]
            return json.dumps({"predictions": entries}).encode(), accept
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._answers(rows))
        return text.getvalue().encode(), "text/csv"

    def _answers(self, rows: Sequence[Sequence[str]]) -> list[list[Any]]:
        if "FLOAT32" in self.environment:
            return [["yes" if score > 0 else "no", repr(float(_sigmoid(score)))] for score in _net(rows)]
        return [self._answer(row) for row in rows]

    def _answer(self, row: Sequence[str]) -> list[Any]:
        if "REGRESSION" in self.environment:
            return [float(row[1]) * float(self.environment["REGRESSION"])]
        label = "yes" if float(row[0]) > float(self.environment.get("THRESHOLD", "30")) else "no"
        probability = round(0.5 + float(row[1]) / 100, 6)
        if "PROBABILITIES" in self.environment:
            return [self.environment.get("LABEL", label), [1 - probability, probability], ["no", "yes"]]
        return [self.environment.get("LABEL", label), probability]

    @property
    def _keys(self) -> list[str]:
        both = ["probabilities", "labels"] if "PROBABILITIES" in self.environment else ["probability"]
        return ["predicted_label", *both]

    def stop(self) -> None:
        """Nothing runs."""


def _net(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """Scores of a net that computes in float32, and adds in an order that the size of the batch suggests."""
    random = np.random.default_rng(0)
    first = random.normal(0, 3, (2, 4096)).astype(np.float32)
    second = random.normal(0, 1, 4096).astype(np.float32)
    inputs = np.array(rows, dtype=np.float32) / np.float32(60)
    terms = np.tanh(inputs @ first) * second
    scores = np.zeros(len(rows), dtype=np.float32)
    for start in range(0, 4096, 1 + len(rows)):
        scores += terms[:, start : start + 1 + len(rows)].sum(axis=1)
    return scores / np.float32(50)


def _sigmoid(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


class World:
    """One project in a folder and in AWS; ``project()`` is what the commands get."""

    def __init__(self, local_aws: Any, folder: Path, deployed: str = "") -> None:
        """``deployed`` is the name of a project whose stacks are there; without it the least is made here."""
        self.aws = local_aws
        self.folder = folder
        self.name = deployed or unique("deploy")
        self.bucket = f"{self.name}-{local_aws.account}-{local_aws.region}"
        self.sagemaker = local_aws.client("sagemaker")
        self.s3 = local_aws.client("s3")
        self.cloudwatch = local_aws.client("cloudwatch")
        self.settings: dict[str, str] = {}
        if not deployed:
            self._deploy()
        self.put(f"datasets/{SHA256}/x_test/part-00000.csv", csv_of(ROWS))
        self.put("autopilot/model.tar.gz", "an archive")
        self.enter()
        self.configure()
        self.name_in_git("")

    def _deploy(self) -> None:
        self.s3.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": self.aws.region}
        )
        versioned = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration=versioned)
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.name)
        self.create_role(self.aws.client("iam"))

    def enter(self) -> None:
        """Make the project's folder the current one."""
        os.chdir(self.folder)

    def create_role(self, iam: Any) -> None:
        """The role that models run as."""
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
        name = f"{self.name}-ServingRole"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps(EXECUTION_ROLE))

    def configure(self, **sections: str) -> None:
        """Write automl.toml; ``sections`` are texts by section, `production_deployment` for
        [production.deployment].
        """
        self.settings |= sections
        defaults = {
            # How fast this machine answers, which does other things beside it, is no matter.
            "verification": "rows = 40\nrequests = 20\nconcurrency = 2\n"
            "max_latency_p50_ms = 60000\nmax_latency_p95_ms = 60000",
            # Most tests look at the endpoint behind its verification.
            "staging": "keep = true",
            "production__deployment": 'policy = "CANARY"\npercent = 10\nwait_seconds = 60',
        }
        lines = [
            f'[project]\nname = "{self.name}"\ndescription = "d"\nregion = "{self.aws.region}"',
            'repository = "owner/name"\n[dataset]\ntarget = "target"',
            '[autopilot]\nproblem_type = "BinaryClassification"\nobjective = "F1"\n[gate]\nminimum = 0.0',
            *(f"[{name.replace('__', '.')}]\n{text}" for name, text in (defaults | self.settings).items()),
        ]
        (self.folder / "automl.toml").write_text("\n".join(lines) + "\n")

    def project(self) -> ServingProject:
        """A new one, as a new process has it."""
        return ServingProject(Config.load(), Output())

    def name_in_git(self, arn: str) -> None:
        """Write environments/production.toml as a merged promotion does."""
        file = self.folder / "environments" / "production.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'model_package_arn = "{arn}"\n')

    def register(
        self,
        *,
        expected: Mapping[str, str] | None = None,
        columns: Sequence[Mapping[str, str]] = COLUMNS,
        threshold: float | None = None,
        **rule: str,
    ) -> str:
        """Register a version whose container follows ``rule``, evaluated as ``expected`` (else the same), with a
        ``threshold`` of yes where one decides.
        """
        execution = unique("execution")
        regression = "REGRESSION" in rule
        outputs = "probabilities,labels" if "PROBABILITIES" in rule else "probability"
        told = {} if regression else {"SAGEMAKER_INFERENCE_OUTPUT": f"predicted_label,{outputs}"}
        containers = [
            {
                "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/autopilot:1",
                "ModelDataUrl": f"s3://{self.bucket}/autopilot/model.tar.gz",
                "Environment": rule | told,
            }
        ]
        predictor = RulePredictor(rule if expected is None else expected)
        answers = (
            ""
            if "FAILS" in predictor.environment
            else predictor.predict(csv_of(ROWS).encode(), "text/csv", "")[0].decode()
        )
        problem_type = "Regression" if regression else "BinaryClassification"
        self.put(f"transforms/{execution}/candidate/part-00000.csv.out", answers)
        self.put(
            f"evaluations/{execution}/evaluation.json",
            _evaluation(problem_type, columns, threshold).dump().decode(),
        )
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": containers,
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            },
            MetadataProperties={"CommitId": COMMIT, "Repository": "owner/name"},
            ModelLifeCycle={"Stage": "Development", "StageStatus": "Registered"},
            CustomerMetadataProperties={
                "evaluation": f"s3://{self.bucket}/evaluations/{execution}",
                "dataset_sha256": SHA256,
                "problem_type": problem_type,
                "repository": "owner/name",
                **({} if threshold is None else {"threshold": str(threshold), "positive_class": "yes"}),
            },
        )["ModelPackageArn"]

    def sign_off(self, arn: str) -> str:
        """Note on a version what a verification by staging leaves, without the endpoint; returns the ARN."""
        project = self.project()
        registry = Registry(project.aws, project.names)
        package = registry.find(arn, "test")
        found = archives.read(project.client("s3"), package)
        record = make_verification(
            project, project.staging, LoadedVersion(package, found, "config"), Answers([])
        )
        note(registry, package, record, records.write(project.aws, self.bucket, record))
        return arn

    def package(self, arn: str) -> dict[str, Any]:
        """What the registry says of a version."""
        return self.sagemaker.describe_model_package(ModelPackageName=arn)

    def endpoint(self, name: str = "production") -> dict[str, Any]:
        """What SageMaker says of an endpoint of the project."""
        return self.sagemaker.describe_endpoint(EndpointName=f"{self.name}-{name}")

    def predict(self, row: Sequence[str], name: str = "production") -> str:
        """The label that an endpoint answers."""
        runtime = self.aws.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(
            EndpointName=f"{self.name}-{name}", ContentType="text/csv", Body=",".join(row)
        )
        return answer["Body"].read().decode().split(",")[0].strip()

    def answer(self, body: str, name: str = "staging") -> str:
        """All that an endpoint answers."""
        runtime = self.aws.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(
            EndpointName=f"{self.name}-{name}", ContentType="text/csv", Body=body
        )
        return answer["Body"].read().decode()

    def objects(self, prefix: str = "") -> list[str]:
        """The keys in the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, key: str) -> Any:
        """A JSON object of the bucket."""
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def parts(self) -> list[str]:
        """Names of the project's models and endpoint configs."""
        models = self.sagemaker.list_models(NameContains=self.name, MaxResults=100)["Models"]
        configs = self.sagemaker.list_endpoint_configs(NameContains=self.name, MaxResults=100)[
            "EndpointConfigs"
        ]
        return sorted([*(m["ModelName"] for m in models), *(c["EndpointConfigName"] for c in configs)])

    def put(self, key: str, text: str) -> None:
        """Write an object into the bucket."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())


def csv_of(rows: Sequence[Sequence[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def _evaluation(
    problem_type: str, columns: Sequence[Mapping[str, str]], threshold: float | None = None
) -> Evaluation:
    classes = None if problem_type == "Regression" else {"no": 40, "yes": 20}
    score = Estimated(0.8, None, None)
    return Evaluation(
        decision="accept",
        reasons=["f1 0.8 is at least 0"],
        reasons_text="f1 0.8 is at least 0",
        problem_type=problem_type,
        objective=Objective("F1", "f1", "maximize", 0.8, None, None, None),
        rows=len(ROWS),
        metrics={"f1": 0.8, "accuracy": 0.9},
        positive_class=None if threshold is None else "yes",
        threshold=None if threshold is None else Threshold(threshold),
        intervals={},
        containers=[],
        outputs=["predicted_label", "probability"],
        automl_job=AutoMLJob("job", "arn", "best", None, []),
        gate=[Condition("minimum", "passed", "f1 0.8 is at least 0")],
        confidence=0.95,
        baseline=Baseline("always no", "no", {}, {}),
        champion=None,
        dataset=Dataset(
            name="rows",
            synthetic=True,
            sha256=SHA256,
            target="target",
            columns=[Column(column["name"], column["type"]) for column in columns],
            rows=Rows(test=len(ROWS)),
            classes=classes,
        ),
        classes=[ClassScores(label, 30, 30, score, score, score) for label in classes or {}],
    )


READS = ("Assume", "Describe", "Get", "Head", "Invoke", "List")


@contextlib.contextmanager
def recorded_writes(stop_after: int | None = None, stop_at: str = "") -> Iterator[list[str]]:
    """The names of operations that botocore sends and that may change something, in order.

    ``stop_after``: the process "is killed" once so many of them have been answered; ``stop_at``: once this
    one has.
    """
    made: list[str] = []
    send = botocore.client.BaseClient._make_api_call

    def record(client: Any, operation: str, parameters: Any) -> Any:
        answer = send(client, operation, parameters)
        # The local AWS uses boto3 too, in threads of its own.
        if threading.current_thread() is caller and not operation.startswith(READS):
            made.append(operation)
            if operation == stop_at or (stop_after is not None and len(made) >= stop_after):
                raise Killed(operation)
        return answer

    caller = threading.current_thread()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", record)
        yield made


class Killed(BaseException):
    """The process ends here; no handler of it runs."""

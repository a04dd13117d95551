"""A bucket, a role and small data sets, and AutoML jobs that are trained once for all tests of a process."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import dataclass, field
from typing import Any

from support.unique import unique
from support.waiting import wait_until

BUCKET = "job-tests"
# What Autopilot takes to explain its best model.
EXPLAINING = [
    {
        "Effect": "Allow",
        "Action": [
            "sagemaker:*Endpoint",
            "sagemaker:*EndpointConfig",
            "sagemaker:*Model",
            "sagemaker:ListTags",
        ],
        "Resource": "*",
    },
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
]


@dataclass
class Site:
    """One account with a bucket, and a role for jobs that may do everything with that bucket."""

    aws: Any
    role: str
    _trained: dict[str, dict[str, Any]] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:  # to make one takes longer than what a wait asks of it
            self._clients[service] = self.aws.client(service)
        return self._clients[service]

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    def name(self, stem: str) -> str:
        return unique(stem)

    def put(self, key: str, content: str | bytes) -> str:
        body = content.encode() if isinstance(content, str) else content
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str) -> bytes:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        return self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, uri: str) -> list[str]:
        prefix = uri.removeprefix(f"s3://{BUCKET}/")
        listed = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def logged(self, group: str, stream_prefix: str) -> str:
        logs = self.client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)[
            "logStreams"
        ]
        events = [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
                "events"
            ]
        ]
        return "\n".join(events)

    def create_automl(self, **changes: Any) -> str:
        """Start an AutoML job; ``changes`` replace members of the request or of its TabularJobConfig."""
        request, tabular = automl_request(self, self.name("automl"), data(SPECIES))
        for name, value in changes.items():
            place = request if name[0].isupper() and name in REQUEST_MEMBERS else tabular
            place.pop(name, None)
            if value is not None:
                place[name] = value
        self.sagemaker.create_auto_ml_job_v2(**request)
        return request["AutoMLJobName"]

    def ended_automl(self, name: str) -> dict[str, Any]:
        return wait_until(
            lambda: self.sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name),
            lambda job: job["AutoMLJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    def candidates(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        name = job["AutoMLJobName"]
        return self.sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=name)["Candidates"]

    def trained(self, kind: str) -> dict[str, Any]:
        """A completed AutoML job's description: SPECIES (three classes), RETURNS (two), PRICE (a number)."""
        if kind not in self._trained:
            settings = TRAINED[kind]
            uri = self.put(f"{kind}/train.csv", data(kind))
            source = channel(uri)
            job = self.ended_automl(
                self.create_automl(
                    AutoMLJobInputDataConfig=[source], TargetAttributeName=TARGETS[kind], **settings
                )
            )
            assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")
            self._trained[kind] = job
        return self._trained[kind]

    def model(self, kind: str, **environment: str) -> str:
        """A model of the best candidate of :meth:`trained`; ``environment`` is the last container's."""
        containers = [dict(c) for c in self.trained(kind)["BestCandidate"]["InferenceContainers"]]
        containers[-1]["Environment"] = containers[-1]["Environment"] | environment
        name = self.name("model")
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, Containers=containers)
        return name


SPECIES, RETURNS, PRICE = "species", "returns", "price"
TARGETS = {SPECIES: "species", RETURNS: "returned", PRICE: "price"}
REQUEST_MEMBERS = (
    "AutoMLJobName",
    "AutoMLJobInputDataConfig",
    "AutoMLJobObjective",
    "AutoMLProblemTypeConfig",
    "DataSplitConfig",
    "ModelDeployConfig",
    "OutputDataConfig",
    "RoleArn",
    "SecurityConfig",
    "Tags",
)
# The candidates end these jobs, after seconds; the time is what a slow machine may take for them.
QUICK = {"MaxCandidates": 4, "MaxAutoMLJobRuntimeInSeconds": 240}
TRAINED: dict[str, dict[str, Any]] = {
    SPECIES: {"CompletionCriteria": QUICK},
    RETURNS: {
        "Mode": "HYPERPARAMETER_TUNING",
        "ProblemType": "BinaryClassification",
        "AutoMLJobObjective": {"MetricName": "F1"},
        "CompletionCriteria": QUICK | {"MaxCandidates": 3},
    },
    # What is asked for says neither type nor objective: both are inferred.
    PRICE: {"ProblemType": None, "AutoMLJobObjective": None, "CompletionCriteria": QUICK},
}


def automl_request(site: Site, name: str, content: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request that trains SPECIES, and its TabularJobConfig."""
    tabular = {
        "TargetAttributeName": TARGETS[SPECIES],
        "Mode": "ENSEMBLING",
        "ProblemType": "MulticlassClassification",
        "CompletionCriteria": QUICK,
    }
    request = {
        "AutoMLJobName": name,
        "AutoMLJobInputDataConfig": [channel(site.put(f"{name}/train.csv", content))],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/automl"},
        "AutoMLJobObjective": {"MetricName": "F1macro"},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": tabular},
        "RoleArn": site.role,
    }
    return request, tabular


def channel(uri: str, kind: str = "training", data_type: str = "S3Prefix") -> dict[str, Any]:
    return {
        "ChannelType": kind,
        "ContentType": "text/csv;header=present",
        "DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}},
    }


ROWS = 640  # the service takes 500 or more to train on


def rows(kind: str, count: int = ROWS, seed: int = 1) -> list[list[str]]:
    """Rows that can be learned from, the target last; its labels are not what a CSV reader makes of them."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        length, colour = round(chance.uniform(1, 9), 2), chance.choice(["red", "blue, light", ""])
        if kind == SPECIES:
            target = "01" if length < 3 else ("1.50" if length < 6 else 'a, "b"')
        elif kind == RETURNS:
            target = str(length + chance.gauss(0, 0.5) > 6)
        else:
            target = repr(round(10 * length + chance.gauss(0, 1), 3))
        missing = "" if chance.random() < 0.05 else str(chance.randint(0, 5))
        made.append([str(length), colour, missing, target])
    return made


def text(records: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(records)
    return buffer.getvalue()


def data(kind: str, count: int = ROWS) -> str:
    return text([["length", "colour", "spots", TARGETS[kind]], *rows(kind, count)])


TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

"""One batch transform: a model made for it, the job, its outputs. The model is deleted whatever happens."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_evaluation.errors import EvaluationError
from automl_evaluation.reading import Part
from automl_evaluation.storage import download, keys, upload

MODEL_NAME_LENGTH = 63
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class TransformContext:
    """What the transforms of one evaluation have in common."""

    sagemaker: Any
    s3: Any
    role_arn: str
    instance_type: str
    instance_count: int
    kms_key: str | None = None
    network: dict[str, list[str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    deadline_seconds: float = 7200
    sleep: Callable[[float], None] = time.sleep

    def upload(self, path: Path, uri: str) -> None:
        """Store what a transform is to read."""
        upload(self.s3, path, uri, self.kms_key)


class TransformFailed(EvaluationError):  # noqa: N818 - the field's word for what happened to the job
    """A transform job did not complete; ``reason`` is the service's."""

    def __init__(self, job: str, status: str, reason: str) -> None:
        """With the job's last status."""
        super().__init__(f"transform job {job} {status}: {reason}")
        self.reason = reason


class Transform:
    """A batch transform of a prefix of CSV parts, split by lines, one output a part.

    Running it again for the same name takes up where the earlier run was: a job in progress is waited for, a
    completed one is used, a failed one is followed by a new one. A context manager: leaving it stops the job
    if it still runs, and deletes the model.
    """

    def __init__(
        self,
        place: TransformContext,
        name: str,
        containers: list[dict[str, Any]],
        input_uri: str,
        output_uri: str,
        lender: "Transform | None" = None,
    ) -> None:
        """Of the objects below ``input_uri``; ``name`` is the model's, and the job's with a number.

        A job of the model of another transform, the ``lender``, makes and deletes none: that one has to outlast it.
        """
        self.place = place
        self._containers, self._lender = containers, lender
        self._input, self._output = input_uri.rstrip("/") + "/", output_uri.rstrip("/")
        self._name = name[:MODEL_NAME_LENGTH]
        self._model: str = lender._model if lender else self._name
        self._has_model = False
        self._job = ""
        self._status = ""
        self._started = time.monotonic()

    def __enter__(self) -> "Transform":
        """Start, so that several run at the same time."""
        try:
            if not self._resumed():
                (self._lender or self)._require_model()
                self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Leave nothing running and nothing behind."""
        self._clean_up()

    def again(self, suffix: str, input_uri: str, output_uri: str) -> "Transform":
        """Of other objects by the same model, which lasts as long as this one; ``suffix`` tells their names apart."""
        return Transform(self.place, f"{self._name}-{suffix}", self._containers, input_uri, output_uri, self)

    def outputs(self, inputs: list[str], folder: Path) -> list[Part]:
        """Wait for the job and fetch what it wrote for the parts ``inputs`` (paths below the input prefix).

        Raises `TransformFailed` with the service's reason, `EvaluationError` after the deadline or where an
        output is missing.
        """
        self._wait()
        written = keys(self.place.s3, self._output)
        missing = [name for name in inputs if f"{name}.out" not in written]
        if missing:
            raise EvaluationError(
                f"transform job {self._job} wrote no output for {missing[0]}"
                + (f" and {len(missing) - 1} more parts" if len(missing) > 1 else "")
            )
        return [
            Part(
                download(self.place.s3, f"{self._output}/{name}.out", folder / f"{name}.out"),
                f"{self._output}/{name}.out",
            )
            for name in inputs
        ]

    def _require_model(self) -> None:
        """Create the model, unless this run did already."""
        if self._has_model:
            return
        request: dict[str, Any] = {"ModelName": self._model, "ExecutionRoleArn": self.place.role_arn}
        request |= (
            {"Containers": self._containers}
            if len(self._containers) > 1
            else {"PrimaryContainer": self._containers[0]}
        )
        if self.place.network:
            request["VpcConfig"] = {
                "Subnets": self.place.network["subnets"],
                "SecurityGroupIds": self.place.network["security_groups"],
            }
        if tags := self._tags():
            request["Tags"] = tags
        # A model of that name is the remnant of a run that was killed; it may be of other containers.
        self._delete_model()
        self.place.sagemaker.create_model(**request)
        self._has_model = True

    def _resumed(self) -> bool:
        """Whether an earlier run's job is of use; otherwise `_job` is a name that is free."""
        attempt = 1
        while True:
            self._job = f"{self._name[: MODEL_NAME_LENGTH - 4]}-{attempt}"
            described = self._described()
            if described is None:
                return False
            if described["TransformJobStatus"] in ("InProgress", "Completed"):
                return True
            attempt += 1

    def _start(self) -> None:
        """Start the job; where the account's quota is used up, wait for it."""
        while True:
            try:
                self.place.sagemaker.create_transform_job(**self._request())
                return
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceLimitExceeded":
                    raise
                print(f"{self._job}: waiting for the quota: {error.response['Error']['Message']}", flush=True)
                self._pause("could not start")

    def _request(self) -> dict[str, Any]:
        output = {"S3OutputPath": self._output, "Accept": "text/csv", "AssembleWith": "Line"}
        resources = {"InstanceType": self.place.instance_type, "InstanceCount": self.place.instance_count}
        if self.place.kms_key:
            output["KmsKeyId"] = self.place.kms_key
            resources["VolumeKmsKeyId"] = self.place.kms_key
        request: dict[str, Any] = {
            "TransformJobName": self._job,
            "ModelName": self._model,
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self._input}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": output,
            "TransformResources": resources,
        }
        if len(self._containers) == 1:
            # Several are told by the first one, which makes more bytes of each row than it gets: asked for more than
            # its own 1 MB, the next one answers 413.
            request["MaxPayloadInMB"] = 6
        if tags := self._tags():
            request["Tags"] = tags
        return request

    def _wait(self) -> None:
        while True:
            described = self._described() or {
                "TransformJobStatus": "Failed",
                "FailureReason": "the job is gone",
            }
            self._status = described["TransformJobStatus"]
            if self._status in ENDED:
                break
            self._pause("is still running")
        if self._status != "Completed":
            reason = described.get("FailureReason") or "no reason given"
            raise TransformFailed(self._job, self._status.lower(), reason)

    def _pause(self, said: str) -> None:
        """Wait a little: the longer it has taken, the longer until the next look."""
        elapsed = time.monotonic() - self._started
        if elapsed > self.place.deadline_seconds:
            raise EvaluationError(
                f"transform job {self._job} {said} after {self.place.deadline_seconds / 60:.0f} minutes"
            )
        self.place.sleep(min(30.0, max(0.1, elapsed / 10)))

    def _described(self) -> dict[str, Any] | None:
        try:
            described: dict[str, Any] = self.place.sagemaker.describe_transform_job(
                TransformJobName=self._job
            )
            return described
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                return None
            raise

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.place.tags.items()]

    def _clean_up(self) -> None:
        if self._job and self._status not in ENDED:
            with contextlib.suppress(ClientError, BotoCoreError):  # not started, or ended by itself
                self.place.sagemaker.stop_transform_job(TransformJobName=self._job)
        if self._lender:
            return
        try:
            self._delete_model()
        except (ClientError, BotoCoreError) as error:  # must not hide what the run ended with
            print(f"warning: the model {self._model} could not be deleted: {error}", flush=True)

    def _delete_model(self) -> None:
        try:
            self.place.sagemaker.delete_model(ModelName=self._model)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
                raise

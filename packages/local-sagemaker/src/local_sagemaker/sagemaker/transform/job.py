"""The work of a transform job: every object of the input through the model, each to an object of its own."""

from __future__ import annotations

import gzip
import time
from typing import Any

from local_sagemaker import serving
from local_sagemaker.sagemaker import jobs, keys, models, roles
from local_sagemaker.sagemaker.logs import Log
from local_sagemaker.sagemaker.resources import now
from local_sagemaker.sagemaker.transform import filters, records
from local_sagemaker.storage import NothingFoundError, Object, Storage

LOG_GROUP = "/aws/sagemaker/TransformJobs"
# The whole reason that the service gives for a record that the container refuses, and for one that it fails
# at.
REFUSED = "ClientError: See job logs for more information"
FAILED = "AlgorithmError: See job logs for more information"
DEFAULT_TIMEOUT = 600


class TransformJob(jobs.Job):
    """A transform job."""

    resource = "transform-job"
    prefix = "TransformJob"
    collection = "transform_jobs"
    ended = "TransformEndTime"

    def run(self) -> None:
        """Transform with the model's role. An object with a record that fails has no output. Raises JobError."""
        request = self.details
        model = models.MODELS.find(self.caller, request["ModelName"])
        credentials = roles.credentials(model.role_arn, self.caller.region)
        volume, output = request["TransformResources"].get("VolumeKmsKeyId"), request["TransformOutput"]
        keys.check_role(model.role_arn, self.caller.region, volume=volume, output=output.get("KmsKeyId"))
        storage = Storage(credentials)
        log = Log(credentials, LOG_GROUP, f"{self.name}/i-local-{int(time.time())}")
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        try:
            items = storage.find(source["S3Uri"], source["S3DataType"])
        except NothingFoundError as error:
            raise jobs.JobError(f"ClientError: {error}") from error
        environment = request.get("Environment", {})
        containers = [c | {"Environment": c.get("Environment", {}) | environment} for c in model.containers]
        try:
            predictor = serving.Predictor.start(containers, credentials, self.caller.region)
        except serving.ModelError as error:
            log.write([str(error)])
            raise jobs.JobError(FAILED) from error
        self.update(TransformStartTime=now())
        try:
            failures = [
                _transform(self, predictor, storage, log, item)
                for item in items
                if not self.stopping.is_set()
            ]
        finally:
            predictor.stop()
        for reason in (FAILED, REFUSED):
            if reason in failures:
                raise jobs.JobError(reason)


def _transform(
    job: TransformJob, predictor: serving.Predictor, storage: Storage, log: Log, item: Object
) -> str | None:
    """Transform one object; None where its output was written or the job stopped, or why it was not."""
    output = job.details["TransformOutput"]
    try:
        answers = _answers(job, predictor, storage.read(item.bucket, item.key))
    except (
        serving.BadInput,
        records.TooLargeError,
        IndexError,
        UnicodeDecodeError,
        gzip.BadGzipFile,
    ) as error:
        log.write([f"{item.bucket}/{item.key}: ClientError: 400", f"{item.bucket}/{item.key}: {error}"])
        return REFUSED
    except serving.ModelError as error:
        place = f"{item.bucket}/{item.key}"
        log.write([f"{place}: Bad HTTP status received from algorithm: 500", f"{place}: {error}"])
        return FAILED
    if not job.stopping.is_set():
        content = records.assemble(answers, output["AssembleWith"])
        storage.write(
            f"{output['S3OutputPath'].rstrip('/')}/{item.name}.out", content, output.get("KmsKeyId")
        )
    return None


def _answers(job: TransformJob, predictor: serving.Predictor, content: bytes) -> list[bytes]:
    request: dict[str, Any] = job.details
    given = request["TransformInput"]
    if given["CompressionType"] == "Gzip":
        content = gzip.decompress(content)
    timeout = request.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT)
    limit = (
        request["MaxPayloadInMB"] or 100
    ) * 1024**2  # 0 is no limit; the service itself has one of 100 MB
    answers = []
    for payload in records.payloads(content, given["SplitType"], request["BatchStrategy"], limit):
        if job.stopping.is_set():
            break
        answers.append(_predict(request, predictor, payload, timeout))
    return answers


def _predict(request: dict[str, Any], predictor: serving.Predictor, payload: bytes, timeout: float) -> bytes:
    processing = request["DataProcessing"]
    before, after = filters.parse(processing["InputFilter"]), filters.parse(processing["OutputFilter"])
    joined = processing["JoinSource"] == "Input"
    sent = payload if before.whole else filters.lines([before(row) for row in filters.rows(payload)])
    content_type = request["TransformInput"].get("ContentType", "")
    answer, _ = predictor.predict(sent, content_type, request["TransformOutput"].get("Accept", ""), timeout)
    if not joined and after.whole:
        return answer
    predicted = filters.rows(answer)
    if joined:
        predicted = [[*row, *new] for row, new in zip(filters.rows(payload), predicted, strict=True)]
    return filters.lines([after(row) for row in predicted])

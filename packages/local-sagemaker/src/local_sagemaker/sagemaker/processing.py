"""Processing jobs: the entry point runs here, in a folder that stands for the container's ``/opt/ml``.

No image is pulled: the program runs with this Python, whatever AppSpecification.ImageUri says.
``/opt/ml/...`` in arguments and environment becomes the job's folder.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from local_sagemaker import runtime
from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import jobs, keys, roles
from local_sagemaker.sagemaker.logs import Log
from local_sagemaker.sagemaker.resources import invalid, now, present
from local_sagemaker.sagemaker.service import operation
from local_sagemaker.storage import NothingFoundError, Object, Storage

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
PROCESSING_ROOT = "/opt/ml/processing/"
DEFAULT_SECONDS = 86_400
# A container gets SIGTERM, and SIGKILL 120 s later; programs that have not gone by now hang.
SECONDS_TO_END = 10.0
# How soon a stop is noticed, and what the program prints is sent; its end is noticed at once.
LOOK_SECONDS = 0.1
LONGEST_MESSAGE = 1024
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_IN_CONTAINER = re.compile(r"(?<![\w/.-])/opt/ml(?=/|$)")
_PYTHON = re.compile(r"(/\S*/)?python(3(\.\d+)?)?")


class ProcessingJob(jobs.Job):
    """A processing job."""

    resource = "processing-job"
    prefix = "ProcessingJob"
    collection = "processing_jobs"
    ended = "ProcessingEndTime"

    def run(self) -> None:
        """Run the program. Raises JobError."""
        volume = _volume_key(self.details)
        output = self.details.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        keys.check_role(self.details["RoleArn"], self.caller.region, volume=volume, output=output)
        container = _Container(self)
        try:
            container.prepare()
            if not self.stopping.is_set():
                container.run()
        finally:
            container.remove()


jobs.answer(ProcessingJob, order="Ascending")


@operation("CreateProcessingJob")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException and ResourceInUse."""
    _check(parameters)
    roles.credentials(parameters["RoleArn"], caller.region)
    keys.check_volume(caller, _volume_key(parameters))
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_SECONDS}}
    return {"ProcessingJobArn": ProcessingJob.start(caller, limit | parameters).arn}


def _volume_key(request: Mapping[str, Any]) -> str | None:
    key: str | None = request["ProcessingResources"]["ClusterConfig"].get("VolumeKmsKeyId")
    return key


def _check(parameters: dict[str, Any]) -> None:
    if "ContainerEntrypoint" not in parameters["AppSpecification"]:
        raise invalid("The local AWS runs no image of its own accord: specify ContainerEntrypoint.")
    for given in parameters.get("ProcessingInputs", []):
        if "S3Input" not in given:
            raise invalid(f"ProcessingInput {given['InputName']}: the local AWS offers S3Input alone.")
        if "LocalPath" not in given["S3Input"]:
            raise invalid(f"ProcessingInput {given['InputName']} requires S3Input.LocalPath.")
        _check_path(given["S3Input"]["LocalPath"])
    for output in parameters.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" not in output:
            raise invalid(f"ProcessingOutput {output['OutputName']}: the local AWS offers S3Output alone.")
        if "LocalPath" in output["S3Output"]:
            _check_path(output["S3Output"]["LocalPath"])


def _check_path(path: str) -> None:
    # What is not below the job's folder would be this machine's own.
    if not f"{path}/".startswith(PROCESSING_ROOT) or ".." in Path(path).parts:
        raise invalid(f"LocalPath {path} must be under /opt/ml/processing.")


class _Container:
    """What stands for the container of one job."""

    def __init__(self, job: ProcessingJob) -> None:
        self._job = job
        request = job.details
        self._request = request
        self._credentials = roles.credentials(request["RoleArn"], job.caller.region)
        self._storage = Storage(self._credentials)
        caller, parent = job.caller, runtime.current().directory / "processing-jobs"
        self._folder = runtime.place(parent, f"{caller.account}/{caller.region}/{job.name}")
        self._root = self._folder / "opt" / "ml"
        stream = f"{job.name}/algo-1-{int(time.time())}"
        self._log = Log(self._credentials, LOG_GROUP, stream)

    def prepare(self) -> None:
        """Make the folders and download the inputs. Raises JobError."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in ("processing", "output", "config"):
            (self._root / name).mkdir(parents=True)
        config = json.dumps(self._request, default=str)
        (self._root / "config" / "processingjobconfig.json").write_text(config, encoding="utf-8")
        for output in self._outputs():
            self._path(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        for given in self._request.get("ProcessingInputs", []):
            self._download(given["S3Input"])

    def run(self) -> None:
        """Run the program, then upload the outputs. Raises JobError where it fails."""
        self._job.update(ProcessingStartTime=now())
        output = self._folder / "log"
        status, ending = self._execute(output)
        members = present({"ExitMessage": self._exit_message()})
        if ending is not None:
            self._job.end("Stopped", ending or None, **members)
        elif status != 0:
            message = members.get("ExitMessage", "")
            self._job.update(**members)
            raise jobs.JobError(f"AlgorithmError: {message}, exit code: {status}")
        else:
            for given in self._outputs():
                self._storage.upload_folder(self._path(given["LocalPath"]), given["S3Uri"], self._key_id())
            self._job.end("Completed", **members)

    def remove(self) -> None:
        """Remove the job's folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _download(self, given: Mapping[str, Any]) -> None:
        folder = self._path(given["LocalPath"])
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for item in self._storage.find(given["S3Uri"], given["S3DataType"]):
                path = _place(item, folder)
                self._storage.download(item, path)
                if given.get("S3CompressionType") == "Gzip" and item.name.endswith(".gz"):
                    _unzip(path)
        except NothingFoundError as error:
            raise jobs.JobError(
                f"ClientError: {error} Please ensure that the bucket exists in the selected region "
                f"({self._job.caller.region}), that objects exist under that S3 prefix, and that the role "
                f'"{self._request["RoleArn"]}" has "s3:ListBucket" permissions on the bucket.'
            ) from error

    def _execute(self, output: Path) -> tuple[int, str | None]:
        """Exit status, and why the program was ended: None where it was not, "" where somebody stopped it."""
        specification = self._request["AppSpecification"]
        words = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
        command = [self._inside(word) for word in words]
        if _PYTHON.fullmatch(words[0]):
            command[0] = sys.executable
        try:
            with output.open("wb") as file:
                process = runtime.current().process(
                    command, self._environment(), cwd=self._folder, stdout=file, stderr=subprocess.STDOUT
                )
        except OSError as error:
            raise jobs.JobError(f"AlgorithmError: {words[0]} cannot be run: {error}") from error
        limit = self._request["StoppingCondition"]["MaxRuntimeInSeconds"]
        deadline = time.monotonic() + limit
        ending = None
        with output.open("rb") as follower:
            while process.poll() is None:
                if self._job.stopping.is_set():
                    ending = ""
                elif time.monotonic() > deadline:
                    ending = f"ClientError: The job ran longer than MaxRuntimeInSeconds, {limit} seconds."
                if ending is not None or runtime.current().stopping.is_set():
                    _end(process)
                    break
                self._log.write(_whole_lines(follower))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_SECONDS)
            self._log.write(_lines(follower.read()))
        return process.wait(), ending

    def _environment(self) -> dict[str, str]:
        declared = self._request.get("Environment", {})
        inside = {name: self._inside(value) for name, value in declared.items()}
        # No region: a processing job's containers are given none, unless the request's Environment has it.
        given = {name: value for name, value in self._credentials.items() if name not in REGIONS}
        # HOME, so that no configuration of this machine's user reaches the program.
        return {"PYTHONUNBUFFERED": "1", "HOME": str(self._folder), **given, **inside}

    def _inside(self, text: str) -> str:
        return _IN_CONTAINER.sub(str(self._root), text)

    def _path(self, path: str) -> Path:
        return Path(self._inside(path))

    def _outputs(self) -> list[dict[str, str]]:
        outputs = self._request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [output["S3Output"] for output in outputs if "LocalPath" in output["S3Output"]]

    def _key_id(self) -> str | None:
        return self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")

    def _exit_message(self) -> str | None:
        path = self._root / "output" / "message"
        if not path.is_file():
            return None
        return path.read_text(encoding="utf-8", errors="replace")[:LONGEST_MESSAGE]


def _whole_lines(follower: BinaryIO) -> list[str]:
    """The lines that have been written since the last look; one that is not finished waits for the next."""
    begun = follower.tell()
    whole, newline, _ = follower.read().rpartition(b"\n")
    follower.seek(begun + len(whole) + len(newline))
    return _lines(whole)


def _lines(text: bytes) -> list[str]:
    return text.decode(errors="replace").splitlines()


def _place(item: Object, folder: Path) -> Path:
    try:
        return runtime.place(folder, item.name)
    except ValueError as error:
        raise jobs.JobError(f"ClientError: {item.uri} cannot be downloaded: {error}.") from error


def _unzip(packed: Path) -> None:
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
    runtime.kill_group(process)

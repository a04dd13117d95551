"""A data set's objects in the project's bucket."""

import hashlib
import json
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing, listed, may_not, no_bucket
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError

MANIFEST = "manifest.json"
_TRANSFER = TransferConfig(multipart_threshold=64 * 2**20, multipart_chunksize=64 * 2**20, max_concurrency=8)


class Store:
    """One data set in a bucket.

    An object appears in S3 as a whole or not at all, and carries its SHA-256 as metadata; the manifest,
    uploaded last, lists them all. So an interrupted upload is finished by the next, and a finished one is
    known by its manifest.
    """

    def __init__(self, s3: Any, bucket: str, sha256: str) -> None:
        self.s3, self.bucket = s3, bucket
        self.prefix = f"datasets/{sha256}"

    def is_complete(self) -> bool:
        """Whether the manifest and all that it lists are there. Raises `UserError` where there is no bucket to use."""
        return not self._look()[0]

    def require(self, push: str) -> None:
        """Raise `UserError` where a training would read what was not uploaded so; ``push`` does that again."""
        fault, other = self._look()
        if fault or other:
            raise UserError(
                f"dataset.lock: {fault or other}: {push if fault else 'delete it'}", file="dataset.lock"
            )

    def _look(self) -> tuple[str, str]:
        """What is not as it was uploaded, and what would be read with it, as a sentence each; "" for nothing.

        A list tells sizes and ETags; an object of another ETag, as a copy may have, is asked for its hash.
        """
        place = f"{self.prefix}/"
        try:
            there = self._list()
        except ClientError as error:
            if may_not(error):  # S3 does not say which of the two
                raise UserError(
                    f"the bucket {self.bucket} is another account's, or these credentials may not use it: nothing was "
                    "sent there; use credentials that may, or rename the project"
                ) from None
            if not is_missing(error):
                raise
            raise no_bucket(self.bucket) from None
        uri = f"s3://{self.bucket}/{place}"
        try:
            del there[MANIFEST]
            body = self.s3.get_object(Bucket=self.bucket, Key=place + MANIFEST)["Body"].read()
            entries = json.loads(body)["objects"].items()
            uploaded = {
                name: (int(entry["bytes"]), entry["sha256"], entry.get("etag")) for name, entry in entries
            }
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return f"{uri}{MANIFEST} is missing or damaged", ""
        read = set()
        for name, (size, sha256, etag) in uploaded.items():
            found = there.pop(name, None)
            if found is None:
                return f"{uri}{name} does not exist", ""
            if found["Size"] != size:
                return f"{uri}{name} has {found['Size']:,} bytes, and {size:,} were uploaded", ""
            if found["ETag"] != etag and (now := self._head(name)) != (size, sha256):
                return f"{uri}{name} was replaced: of sha256 {now and now[1]}, and {sha256} was uploaded", ""
            first, slash, _ = name.partition("/")
            read.add(first + slash)
        other = next((name for name in there if there[name]["Size"] and name.startswith(tuple(read))), "")
        return "", other and f"{uri}{other} was not uploaded, and would be read with the others"

    def upload(self, folder: Path, names: list[str], output: Output) -> int:
        """Upload what is not there yet, then the manifest; returns the number of files that were uploaded."""
        # Who only looks does without what shows progress.
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        objects: dict[str, dict[str, Any]] = {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
            for name in names
        }
        todo = [name for name in names if self._head(name) != tuple(objects[name].values())]
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
            console=output.console, transient=True, disable=not output.live,
        ) as progress:  # fmt: skip
            for name in todo:
                task = progress.add_task(name, total=objects[name]["bytes"])
                self.s3.upload_file(
                    str(folder / name),
                    self.bucket,
                    f"{self.prefix}/{name}",
                    ExtraArgs={"Metadata": {"sha256": objects[name]["sha256"]}, "ContentType": "text/csv"},
                    Config=_TRANSFER,
                    Callback=lambda size, task=task: progress.advance(task, size),
                )
        there = self._list()
        for name, entry in objects.items():
            entry["etag"] = there.get(name, {}).get("ETag")
        self.s3.put_object(
            Bucket=self.bucket,
            Key=f"{self.prefix}/{MANIFEST}",
            Body=json.dumps({"objects": objects}, indent=1, sort_keys=True).encode(),
            ContentType="application/json",
        )
        return len(todo)

    def _list(self) -> dict[str, dict[str, Any]]:
        """What S3 lists of each object, by its name below the prefix."""
        place = f"{self.prefix}/"
        every = listed(self.s3, "list_objects_v2", "Contents", Bucket=self.bucket, Prefix=place)
        return {item["Key"].removeprefix(place): item for item in every}

    def _head(self, name: str) -> tuple[int, str | None] | None:
        try:
            found = self.s3.head_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found["ContentLength"], found.get("Metadata", {}).get("sha256")


def sha256_of(path: Path) -> str:
    """The SHA-256 (hexadecimal) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

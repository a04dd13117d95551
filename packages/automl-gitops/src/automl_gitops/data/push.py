"""`automl data push`: check a file, split it, upload it under the hash of its content, write dataset.lock."""

import hashlib
import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from automl_gitops import __version__
from automl_gitops.data import consistency
from automl_gitops.data.contract import Contract, show_findings
from automl_gitops.data.formats import Dialect
from automl_gitops.data.lock import FILE, DatasetLock, Uris
from automl_gitops.data.prepared import prepare
from automl_gitops.kernel.aws import Aws, is_missing, may_not, no_bucket
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import BUILD, replace_text
from automl_gitops.kernel.names import Names

MANIFEST = "manifest.json"
LAST_PUSH = BUILD / "last_push.json"
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

    def check(self) -> None:
        """Raise `UserError` if the bucket is not there yet."""
        try:
            self.s3.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if may_not(error):  # S3 does not say which of the two
                raise UserError(
                    f"the bucket {self.bucket} is another account's, or these credentials may not use it: nothing was "
                    "sent there; use credentials that may, or rename the project"
                ) from None
            if not is_missing(error):
                raise
            raise no_bucket(self.bucket) from None

    def is_complete(self) -> bool:
        """Whether the manifest and all that it lists are there, with the sizes that it lists."""
        try:
            manifest = self.s3.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{MANIFEST}")["Body"].read()
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return all(
            self._head(name) == (entry["bytes"], entry["sha256"])
            for name, entry in json.loads(manifest)["objects"].items()
        )

    def upload(self, folder: Path, names: list[str], output: Output) -> int:
        """Upload what is not there yet, then the manifest; returns the number of files that were uploaded."""
        objects: dict[str, dict[str, Any]] = {
            name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)}
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
        self.s3.put_object(
            Bucket=self.bucket,
            Key=f"{self.prefix}/{MANIFEST}",
            Body=json.dumps({"objects": objects}, indent=1, sort_keys=True).encode(),
            ContentType="application/json",
        )
        return len(todo)

    def _head(self, name: str) -> tuple[int, str | None] | None:
        try:
            found = self.s3.head_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found["ContentLength"], found.get("Metadata", {}).get("sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class LastPush:
    """What the last push here was given, and the dataset.lock that it wrote: the same again need not be read again.

    ``given`` is a SHA-256 of the file (of ``bytes``), its name, the settings, the contract and this package's version.
    """

    bytes: int
    given: str
    lock: str

    @classmethod
    def of(cls, config: Config, path: Path, lock: str, *more: Any) -> "LastPush":
        """Of a push whose file is hashed now."""
        kept = Contract.load().sha256
        given = [__version__, path.name, repr(more), config.model_dump_json(), kept, _sha256(path)]
        return cls(path.stat().st_size, hashlib.sha256(json.dumps(given).encode()).hexdigest(), lock)

    @classmethod
    def same(cls, config: Config, path: Path, *more: Any) -> DatasetLock | None:
        """The dataset.lock of this folder, where it is of the same push."""
        try:
            last = cls(**json.loads(LAST_PUSH.read_text(encoding="utf-8")))
            text = FILE.read_text(encoding="utf-8")
            fits = (last.bytes, last.lock) == (path.stat().st_size, text)
        except (OSError, ValueError, TypeError):  # none, or a damaged one
            return None
        return DatasetLock.parse(text) if fits and cls.of(config, path, text, *more) == last else None

    def save(self) -> None:
        """Remember it, where that can be."""
        with suppress(UserError):
            replace_text(LAST_PUSH, json.dumps(vars(self)))


@dataclass(frozen=True)
class Pushed:
    """The lock, the number of objects that had to be uploaded, and whether dataset.lock changed."""

    lock: DatasetLock
    uploaded: int
    changed: bool


def push(
    config: Config, path: Path, aws: Aws, output: Output, *, synthetic: bool, dialect: Dialect | None = None
) -> Pushed:
    """Bring a file into S3 and its description into dataset.lock; the same data twice uploads nothing, and takes as
    long as the file's hash.

    Everything is checked before the first call of AWS, and dataset.lock is written last: after an
    interruption the same command finishes the work.
    """
    known = LastPush.same(config, path, synthetic, dialect)
    if known and _is_there(known, config, aws):
        output.say(f"{path} was pushed with these settings, and S3 has all of it")
        for finding in consistency.notices(config, known):
            output.notice(str(finding))
        show_findings(output, known.findings or [])
        return Pushed(known, 0, changed=False)
    begun = _stamp(path)
    prepared = prepare(config, path, output, dialect)
    names = Names(config, aws.account)
    store = Store(aws.client("s3"), names.bucket, prepared.sha256)
    store.check()
    uploaded = 0
    if store.is_complete():
        output.say(f"s3://{names.bucket}/{store.prefix}/ has this data already")
    else:
        with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
            files = prepared.write(Path(folder))
            uploaded = store.upload(Path(folder), files, output)
    lock = prepared.lock(
        config,
        synthetic,
        Uris(
            train_validation=names.s3(store.prefix, "train_validation.csv"),
            validation=names.s3(store.prefix, "validation.csv") if prepared.validates else None,
            x_test=names.s3(store.prefix, "x_test", ""),
            y_test=names.s3(store.prefix, "y_test", ""),
        ),
    )
    changed = lock.save()
    last = LastPush.of(config, path, lock.text(), synthetic, dialect)
    if begun == _stamp(path):  # or else another file was hashed than was read
        last.save()
    return Pushed(lock, uploaded, changed)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes with a file; `None` for one that is not there, which reading it says."""
    with suppress(OSError):
        return path.stat().st_mtime_ns, path.stat().st_size
    return None


def _is_there(lock: DatasetLock, config: Config, aws: Aws) -> bool:
    names = Names(config, aws.account)
    store = Store(aws.client("s3"), names.bucket, lock.sha256)
    return (
        lock.uris.train_validation == names.s3(store.prefix, "train_validation.csv") and store.is_complete()
    )

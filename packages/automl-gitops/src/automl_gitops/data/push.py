"""`automl data push`: check a file, split it, upload it under the hash of its content, write dataset.lock."""

import hashlib
import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_gitops import __version__
from automl_gitops.data import consistency
from automl_gitops.data.contract import Contract, show_findings
from automl_gitops.data.formats import Dialect
from automl_gitops.data.lock import FILE, DatasetLock, Uris
from automl_gitops.data.prepared import prepare
from automl_gitops.data.store import Store, sha256_of
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import BUILD, replace_text
from automl_gitops.kernel.names import Names

LAST_PUSH = BUILD / "last_push.json"
_RULES = 2  # by which rows are split


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
        given = [__version__, _RULES, path.name, repr(more), config.model_dump_json(), kept, sha256_of(path)]
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

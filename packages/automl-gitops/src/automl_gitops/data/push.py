"""`automl data push`: check a file, split it, upload it under the hash of its content, write dataset.lock."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from automl_gitops.data.lock import DatasetLock, Uris
from automl_gitops.data.prepared import prepare
from automl_gitops.data.store import Store
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.names import Names


@dataclass(frozen=True)
class Pushed:
    """The lock, the number of objects that had to be uploaded, and whether dataset.lock changed."""

    lock: DatasetLock
    uploaded: int
    changed: bool


def push(config: Config, path: Path, aws: Aws, output: Output, *, synthetic: bool) -> Pushed:
    """Bring a file into S3 and its description into dataset.lock; the same data twice uploads nothing.

    Everything is checked before the first call of AWS, and dataset.lock is written last: after an
    interruption the same command finishes the work.
    """
    prepared = prepare(config, path, output)
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
            x_test=names.s3(store.prefix, "x_test", ""),
            y_test=names.s3(store.prefix, "y_test", ""),
        ),
    )
    return Pushed(lock, uploaded, lock.save())

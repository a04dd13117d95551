"""`automl data refer`: train on data that already lies in S3, where it lies; only the holdout is read and copied.

Autopilot reads the data itself. Here its objects are listed, the first rows of each are looked at, and dataset.lock
names them by key, size and ETag, so that `run` notices another content.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from automl_gitops.data import consistency
from automl_gitops.data.aside import aside
from automl_gitops.data.contract import Contract, require_unblocked
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.findings.finder import Finder
from automl_gitops.data.findings.show import show
from automl_gitops.data.heads import Heads, check_header
from automl_gitops.data.listing import MOST_BYTES, Listing, look, refusal, require_named, split
from automl_gitops.data.lock import DatasetLock, Rows, Uris
from automl_gitops.data.prepared import FORMAT, Parts, csv_bytes, csv_lines
from automl_gitops.data.profile import Profile, check_rows, check_target, check_types, profile, widest
from automl_gitops.data.push import Pushed, Store
from automl_gitops.data.table import Table
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import write_row
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names

MOST_HOLDOUT_BYTES = 5 * 10**9  # goes through this machine's disk


@dataclass(frozen=True)
class _Holdout:
    """The table of rows that no model sees, what it holds, and rows by label where it has classes."""

    table: Table
    profile: Profile
    classes: dict[str, int] | None
    sha256: str
    finder: Finder
    contract: Contract | None

    def write(self, folder: Path) -> list[str]:
        """Write x_test and y_test below ``folder``; returns the files' relative names."""
        parts = Parts(folder, self.table.columns, self.profile.target.name)
        for batch in self.table.batches():
            parts.add(batch)
        parts.close()
        return parts.files


def refer(config: Config, train_validation: str, test: str, aws: Aws, output: Output) -> Pushed:
    """Check data by reference, copy its holdout into the project's bucket, and write dataset.lock.

    ``train_validation`` is the URI of one CSV object with a header, or of a prefix of such objects, and stays where
    it is; ``test`` is that of one object (CSV, gzipped CSV or Parquet) with the same columns. Running it again on the
    same objects uploads nothing. Raises `UserError` for whatever does not fit, before anything is written.
    """
    _check_addresses(config, train_validation, test)
    s3 = aws.client("s3")
    listing = look(s3, train_validation)
    _check_bucket_and_size(s3, config, listing)
    contract = Contract.load()
    heads = Heads(s3, listing, config, contract, output)
    names = Names(config, aws.account)
    with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
        table = Table.open(_download(s3, test, Path(folder)), test)
        check_header(test, table.columns, train_validation, heads.columns)
        holdout = _prepare(config, contract, table, listing)
        types = widest([heads.types, holdout.profile.types])
        check_types(f"{train_validation} and {test}, as far as they were read", types)
        if table.broken:
            output.notice(f"{test}: {table.broken} values have line breaks; spaces stand for them")
        store = Store(s3, names.bucket, holdout.sha256)
        lock = DatasetLock(
            name=split(train_validation)[1].rstrip("/").rsplit("/", 1)[-1].split(".")[0] or listing.bucket,
            source=train_validation,
            synthetic=False,
            sha256=holdout.sha256,
            target=config.dataset.target,
            rows=Rows(test=holdout.profile.rows),
            columns=holdout.profile.columns(types, has_classes=holdout.classes is not None),
            holdout_classes=holdout.classes,
            uris=Uris(
                train_validation=train_validation,
                x_test=names.s3(store.prefix, "x_test", ""),
                y_test=names.s3(store.prefix, "y_test", ""),
            ),
            reference=listing.reference,
        )
        consistency.require(config, lock)
        for notice in consistency.notices(config, lock):
            output.notice(str(notice))
        findings = holdout.finder.findings(
            holdout.profile.statistics,
            holdout.classes,
            metric=consistency.metric(config, lock),
            rows_are=" of the holdout",
        )
        show(output, findings)
        require_unblocked(holdout.contract, findings)
        kept = holdout.contract.sha256 if holdout.contract else None
        lock = lock.model_copy(update={"findings": findings, "contract": kept})
        store.check()
        uploaded = 0
        if not store.is_complete():
            uploaded = store.upload(Path(folder), holdout.write(Path(folder)), output)
    return Pushed(lock, uploaded, lock.save())


def _check_addresses(config: Config, train_validation: str, test: str) -> None:
    require_named(train_validation, config)
    bucket, key = split(test)
    train_bucket, prefix = split(train_validation)
    if not key or key.endswith("/"):
        raise UserError(f"{test}: is a prefix: the holdout is one object (CSV, gzipped CSV or Parquet)")
    below = key == prefix or (key.startswith(prefix) and (not prefix or prefix.endswith("/")))
    if bucket == train_bucket and below:
        raise UserError(
            f"{test}: is a part of the data to train on ({train_validation}): no model may see the holdout"
        )


def _check_bucket_and_size(s3: Any, config: Config, listing: Listing) -> None:
    try:
        region = s3.head_bucket(Bucket=listing.bucket).get("BucketRegion", config.project.region)
    except ClientError as error:
        raise refusal(error, listing.uri) from None
    if region != config.project.region:
        raise UserError(
            f"{listing.uri}: lies in {region}, and Autopilot reads data of its own region alone "
            f"({config.project.region}, [project] region in automl.toml): copy it there"
        )
    size = listing.reference.bytes
    if size > MOST_BYTES:
        raise UserError(
            f"{listing.uri}: has {size:,} bytes, more than the {MOST_BYTES:,} that Autopilot trains on: refer to less"
        )


def _download(s3: Any, uri: str, folder: Path) -> Path:
    bucket, key = split(uri)
    try:
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        if size > MOST_HOLDOUT_BYTES:
            raise UserError(
                f"{uri}: has {size:,} bytes, more than the {MOST_HOLDOUT_BYTES:,} of a holdout: a random sample of "
                "its rows judges a model as well"
            )
        path = folder / "holdout"
        s3.download_file(bucket, key, str(path))
    except ClientError as error:
        raise refusal(error, uri) from None
    return path


def _prepare(config: Config, contract: Contract | None, table: Table, listing: Listing) -> _Holdout:
    """Read and check the holdout; the hash is of its rows and of the listing that the model is trained on."""
    target = config.dataset.target
    digest = hashlib.sha256(write_row(table.columns))
    finder = Finder.of(config, table.columns)
    checker = Checker(contract, table.columns, table.name, scope="sample") if contract else None

    with aside([finder.see, *([checker.see] if checker else [])]) as look:

        def watch(batch: pa.RecordBatch) -> None:
            look(batch)
            digest.update(csv_bytes(csv_lines(batch.columns)))

        seen = profile(table, target, watch=watch)
    if checker:
        checker.require()
    check_rows(table, seen, "a judgement")
    classes = check_target(config, table, seen)
    identity = {"target": target, "train_validation": listing.reference.sha256, "format": FORMAT}
    digest.update(json.dumps(identity, sort_keys=True).encode())
    return _Holdout(
        table, seen, classes and dict(sorted(classes.items())), digest.hexdigest(), finder, contract
    )

"""`automl data refer`: train on data that already lies in S3, where it lies; only the holdout is read and copied.

Autopilot reads the data itself. Here its objects are listed, the first rows of each are looked at, and dataset.lock
names them by key, size and ETag, so that `run` notices another content.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_evaluation import values
from automl_evaluation.layout import FEWEST_GROUPS
from automl_evaluation.metrics import BINARY
from automl_gitops.data import consistency
from automl_gitops.data.contract import Contract, require_unblocked, show_findings
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.csv_rows import Parts
from automl_gitops.data.findings.finder import Finder
from automl_gitops.data.hashes import dense, distinct
from automl_gitops.data.heads import Heads, check_header
from automl_gitops.data.listing import MOST_BYTES, Listing, look, refusal, require_named, split
from automl_gitops.data.lock import Column, DatasetLock, GroupCounts, Rows, SplitRule, TimeRange, Uris
from automl_gitops.data.prepared import identity, read, require_consistent, tell_line_breaks
from automl_gitops.data.profile import (
    Profile,
    check_columns,
    check_rows,
    check_target,
    check_types,
    check_weight,
    widest,
    without,
)
from automl_gitops.data.push import Pushed
from automl_gitops.data.rules import Keys, require_columns
from automl_gitops.data.rules.overlap import Overlap
from automl_gitops.data.store import Store
from automl_gitops.data.table import Table
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_gitops.kernel.words import quoted

MOST_HOLDOUT_BYTES = 5 * 10**9  # goes through this machine's disk


@dataclass(frozen=True)
class _Holdout:
    """The table of rows that no model sees, its features and target, what it holds, rows by label where it has
    classes, and what the rule reads of it.
    """

    table: Table
    profile: Profile
    classes: dict[str, int] | None
    keys: Keys
    columns: list[str]
    sha256: str
    finder: Finder
    contract: Contract

    def write(self, folder: Path) -> list[str]:
        """Write x_test and y_test below ``folder``; returns the files' relative names."""
        codes = None if self.keys.groups is None else dense(self.keys.groups)
        parts = Parts(folder, self.columns, self.profile.target.name, grouped=codes is not None)
        done = 0
        for batch in self.table.batches():
            parts.add(
                batch.select(self.columns), None if codes is None else codes[done : done + batch.num_rows]
            )
            done += batch.num_rows
        parts.close()
        return parts.files

    def split(self, dataset: DatasetSettings, columns: list[Column]) -> SplitRule | None:
        """What dataset.lock says of the rule: of the holdout alone, since nothing else was counted."""
        if not dataset.rule:
            return None
        groups, times = self.keys.groups, self.keys.times
        begin = times.text(times.values.min()) if times else ""
        return SplitRule(
            **dataset.rule,  # type: ignore[arg-type]
            groups=None if groups is None else GroupCounts(test=len(distinct(groups))),
            times=TimeRange(first=begin, holdout_from=begin, last=times.text(times.values.max()))
            if times
            else None,
            columns=[column for column in columns if column.name in dataset.only_split],
        )


def refer(
    config: Config, train_validation: str, test: str, aws: Aws, output: Output, validation: str | None = None
) -> Pushed:
    """Check data by reference, copy its holdout into the project's bucket, and write dataset.lock.

    ``train_validation`` is the URI of one CSV object with a header, or of a prefix of such objects, and stays where
    it is; so does ``validation``, by which Autopilot compares its candidates in the place of rows of its own choice.
    ``test`` is that of one object (CSV, gzipped CSV or Parquet) with the same columns. Running it again on the
    same objects uploads nothing. Raises `UserError` for whatever does not fit, before anything is written.
    """
    dataset = config.dataset
    if dataset.split:
        raise UserError(
            "automl.toml: [dataset] split is for `automl data push`: of data by reference the addresses say what is "
            "trained on and held out; remove it",
            file="automl.toml",
        )
    _check_addresses(config, train_validation, test, validation)
    s3 = aws.client("s3")
    listings = [look(s3, uri) for uri in (train_validation, validation) if uri]
    for listing in listings:
        _check_bucket_and_size(s3, config, listing)
    contract = Contract.load()
    heads = [Heads(s3, listing, config, contract, output) for listing in listings]
    for listing, others in zip(listings, heads, strict=True):
        check_header(listing.uri, others.columns, train_validation, heads[0].columns)
    check_columns(config, heads[0].columns, train_validation)
    names = Names(config, aws.account)
    with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
        table = Table.open(_download(s3, test, Path(folder)), test)
        require_columns(dataset, table.columns, test)
        features = without(table.columns, dataset.no_features)
        check_header(test, features, train_validation, without(heads[0].columns, dataset.no_features))
        holdout = _prepare(config, contract, table, features, listings)
        listed = [*(one.types for one in heads), holdout.profile.types]
        _check_labels(config, heads, listings[0].uri, holdout)
        types = widest([{name: one[name] for name in features} for one in listed])
        types |= {name: holdout.profile.types[name] for name in dataset.only_split}
        heads_types = widest([{name: one.types[name] for name in features} for one in heads])
        for name, kind in heads_types.items():
            if kind in ("integer", "number") and types[name] == "text" and name != config.dataset.target:
                output.notice(
                    f'column "{name}" has texts in {test}, and numbers alone in the first rows to train on: a model '
                    "that learns a column of numbers refuses them"
                )
        check_types(f"{train_validation} and {test}, as far as they were read", types, dataset.exclude)
        tell_line_breaks(table, output)
        if dataset.rule:
            _check_overlap(Overlap(s3, dataset, heads[0].columns, holdout.keys), listings, dataset, output)
        store = Store(s3, names.bucket, holdout.sha256)
        columns = holdout.profile.columns(types, has_classes=holdout.classes is not None)
        lock = DatasetLock(
            name=split(train_validation)[1].rstrip("/").rsplit("/", 1)[-1].split(".")[0]
            or listings[0].bucket,
            source=train_validation,
            synthetic=False,
            sha256=holdout.sha256,
            target=dataset.target,
            rows=Rows(test=holdout.profile.rows),
            columns=[column for column in columns if column.name in features],
            exclude=dataset.exclude or None,
            weight=dataset.weight,
            holdout_classes=holdout.classes,
            uris=Uris(
                train_validation=train_validation,
                validation=validation,
                x_test=names.s3(store.prefix, "x_test", ""),
                y_test=names.s3(store.prefix, "y_test", ""),
            ),
            reference=listings[0].reference,
            validation_reference=listings[1].reference if validation else None,
            split=holdout.split(dataset, columns),
        )
        require_consistent(config, lock, f"{train_validation} and {test}", output)
        findings = holdout.finder.findings(
            holdout.profile.statistics,
            holdout.classes,
            metric=consistency.metric(config, lock),
            rows_are=" of the holdout",
        )
        show_findings(output, findings)
        require_unblocked(holdout.contract, findings)
        lock = lock.model_copy(update={"findings": findings, "contract": holdout.contract.sha256})
        uploaded = 0
        if not store.is_complete():
            uploaded = store.upload(Path(folder), holdout.write(Path(folder)), output)
    return Pushed(lock, uploaded, lock.save())


def _check_labels(config: Config, heads: list[Heads], uri: str, holdout: _Holdout) -> None:
    """Raise `UserError` where the rows that were read have too many classes, or those to train on too few."""
    if holdout.classes is None:
        return
    labels = sorted({*holdout.classes}.union(*(one.labels for one in heads)))
    of_kind, said = values.kind(labels), f'{uri}: the target "{config.dataset.target}" has'
    classes = {values.key(label, of_kind) for label in labels}
    if config.autopilot.problem_type == BINARY and len(classes) > 2:
        raise UserError(
            f"{said} {len(classes):,} classes with those of the holdout ({', '.join(map(quoted, labels[:5]))}), but "
            f'automl.toml has [autopilot] problem_type = "{BINARY}": correct the rows, or use MulticlassClassification'
        )
    trained = {values.key(label, of_kind) for label in heads[0].labels}
    lacking = [label for label in holdout.classes if values.key(label, of_kind) not in trained]
    if lacking and heads[0].is_whole:
        raise UserError(
            f"{said} no {quoted(lacking[0])}, which the holdout has, and a model predicts only what it learns: add "
            "such rows, or take them out of the holdout"
        )


def _check_overlap(
    overlap: Overlap, listings: list[Listing], dataset: DatasetSettings, output: Output
) -> None:
    """Look whether the parts keep apart, and say how far that was looked at."""
    # Validation rows first: groups of theirs are not to be trained on either.
    overlap.check(listings[::-1])
    size = sum(listing.reference.bytes for listing in listings)
    lacking = without(dataset.rule_columns, overlap.columns)
    if lacking:
        times = dataset.time in lacking
        what = " and ".join(["groups"] * (len(lacking) > times) + ["times"] * times)
        output.notice(
            f"{listings[0].uri}: has no column {', '.join(lacking)}, so that nobody looked whether the {what} of its "
            "rows keep off the holdout"
        )
    if overlap.compares:
        looked = f"{', '.join(overlap.compares)} in {overlap.read:,} of {size:,} bytes of what is trained on"
        if overlap.read < size:
            output.notice(
                f"looked at {looked}: none of them is on the holdout's side; the rest was not looked at"
            )
        else:
            output.say(f"looked at {looked}: none of them is on the holdout's side")


def _check_addresses(config: Config, train_validation: str, test: str, validation: str | None) -> None:
    require_named(train_validation, config)
    key = split(test)[1]
    if not key or key.endswith("/"):
        raise UserError(f"{test}: is a prefix: the holdout is one object (CSV, gzipped CSV or Parquet)")
    if _is_below(test, train_validation):
        raise UserError(
            f"{test}: is a part of the data to train on ({train_validation}): no model may see the holdout"
        )
    if validation:
        require_named(validation, config)
        for one, other in (
            (test, validation),
            (validation, train_validation),
            (train_validation, validation),
        ):
            if _is_below(one, other):
                raise UserError(
                    f"{one}: is a part of {other}: rows to train on, to validate on and to hold out are others"
                )


def _is_below(uri: str, prefix: str) -> bool:
    """Whether one address is the other, or lies below it."""
    (bucket, key), (other, start) = split(uri), split(prefix)
    return bucket == other and (
        key == start or (key.startswith(start) and (not start or start.endswith("/")))
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


def _prepare(
    config: Config, contract: Contract, table: Table, features: list[str], listings: list[Listing]
) -> _Holdout:
    """Read and check the holdout; the hash is of its rows and of the listings that the model is trained on."""
    target, keys = config.dataset.target, Keys(config.dataset, table.name)
    finder = Finder.of(config, table.columns)
    # What no prediction is made from need not be in the holdout.
    unused = [*config.dataset.exclude, *([config.dataset.weight] if config.dataset.weight else [])]
    checker = Checker(contract, table.columns, table.name, scope="sample", without=unused)
    seen, digest, _ = read(table, target, [keys.see, finder.see, checker.see])
    checker.require()
    check_rows(table, seen, "a judgement")
    groups = FEWEST_GROUPS if keys.groups is None else len(distinct(keys.groups))
    if groups < FEWEST_GROUPS:
        raise UserError(
            f"{table.name}: all rows are of one group ([dataset] group), and of one nobody knows how much groups "
            f"differ: hold out rows of at least {FEWEST_GROUPS}"
        )
    check_weight(config, table, seen)
    seen.refuse_cells(config, table.name)
    classes = check_target(config, table, seen)
    hashes = [listing.reference.sha256 for listing in listings]
    trained = dict(zip(("train_validation", "validation"), hashes, strict=False))
    digest.update(json.dumps(identity(config.dataset, **trained), sort_keys=True).encode())
    return _Holdout(
        table,
        seen,
        classes and dict(sorted(classes.items())),
        keys,
        features,
        digest.hexdigest(),
        finder,
        contract,
    )

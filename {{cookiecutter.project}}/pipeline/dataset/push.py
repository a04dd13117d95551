"""`dataset push`: check a file, split it, upload it under the hash of its content, write dataset.lock."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.aws import Aws
from pipeline.config import Config
from pipeline.console import Output
from pipeline.dataset import lines
from pipeline.dataset.lock import Column, DatasetLock, Rows, Uris
from pipeline.dataset.profile import Profile, profile
from pipeline.dataset.split import Split
from pipeline.dataset.store import Store
from pipeline.dataset.table import Table
from pipeline.errors import UserError
from pipeline.names import Names
from pipeline.settings.autopilot import INFER

FORMAT = 1  # of the objects: another number is another hash
PART_ROWS = 200_000  # of x_test and y_test; several parts let several instances work
LEAST_ROWS = 50
AUTOPILOT_ROWS = (
    500  # CreateAutoMLJobV2 wants that many for training (API reference, AutoMLJobInputDataConfig)
)


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


@dataclass(frozen=True)
class Prepared:
    """A checked table: what it holds, the numbers of rows by label (`None`: not stratified), and its hash."""

    table: Table
    profile: Profile
    strata: dict[str | None, int]
    sha256: str
    holdout: float
    seed: int

    @property
    def classes(self) -> dict[str, int] | None:
        """Rows by label, in the labels' order, where the target has classes."""
        if None in self.strata:
            return None
        return {label: count for label, count in sorted(self.strata.items()) if label is not None}

    def split(self) -> Split:
        """A fresh split, at the file's first row."""
        return Split(self.strata, self.holdout, self.seed)

    def write(self, folder: Path) -> list[str]:
        """Write the three parts of the data set below ``folder``; returns the files' relative names in upload
        order.
        """
        target, split = self.profile.target.name, self.split()
        features = [name for name in self.table.columns if name != target]
        parts = _Parts(folder, target)
        with (folder / "train_validation.csv").open("wb") as train:
            train.write(lines.header(self.table.columns))
            for batch in self.table.batches():
                columns = {name: lines.flatten(batch.column(name))[0] for name in self.table.columns}
                test = split.take(batch.column(target))
                rows = lines.lines(list(columns.values()))
                train.write(lines.content(rows.filter(pa.array(~test))))
                holdout = pa.array(test)
                parts.write(
                    lines.lines([columns[name].filter(holdout) for name in features]),
                    lines.lines([columns[target].filter(holdout)]),
                )
        parts.close()
        return ["train_validation.csv", *parts.files]

    def lock(self, config: Config, synthetic: bool, uris: Uris) -> DatasetLock:
        """The content of dataset.lock."""
        test = int(self.split().test_rows.sum())
        return DatasetLock(
            name=self.table.path.name.split(".")[0],
            source=self.table.path.name,
            synthetic=synthetic,
            sha256=self.sha256,
            target=config.dataset.target,
            holdout=self.holdout,
            seed=self.seed,
            rows=Rows(total=self.profile.rows, train_validation=self.profile.rows - test, test=test),
            columns=[Column(name=name, type=kind) for name, kind in self.profile.types.items()],  # type: ignore[arg-type]
            classes=self.classes,
            uris=uris,
        )


class _Parts:
    """x_test and y_test in parts of `PART_ROWS` rows, the same rows in the same order in both."""

    def __init__(self, folder: Path, target: str) -> None:
        self.files: list[str] = []
        self._folder, self._target = folder, target
        self._streams: list[Any] = []
        self._room = 0

    def write(self, x: pa.Array, y: pa.Array) -> None:
        """Add rows, given as lines of either file."""
        done = 0
        while done < len(x):
            if self._room == 0:
                self._next()
            take = min(self._room, len(x) - done)
            for stream, rows in zip(self._streams, (x, y), strict=True):
                stream.write(lines.content(rows.slice(done, take)))
            done, self._room = done + take, self._room - take

    def close(self) -> None:
        """Close the part that is open."""
        for stream in self._streams:
            stream.close()

    def _next(self) -> None:
        self.close()
        part = f"part-{len(self.files) // 2:05}.csv"
        self._streams = []
        for name in (f"x_test/{part}", f"y_test/{part}"):
            file = self._folder / name
            file.parent.mkdir(exist_ok=True)
            self._streams.append(file.open("wb"))
            self.files.append(name)
        self._streams[1].write(lines.header([self._target]))
        self._room = PART_ROWS


def prepare(config: Config, path: Path, output: Output) -> Prepared:
    """Read and check a file; nothing is written. Raises `UserError` for every way in which a table can be
    unfit.
    """
    table = Table.open(path)
    target = config.dataset.target
    if len(table.columns) < 2:
        raise UserError(f"{path}: has one column: give the target and at least one column to predict it from")
    digest, broken = hashlib.sha256(), 0

    def watch(batch: pa.RecordBatch, row: int) -> None:
        nonlocal broken
        flat = [lines.flatten(batch.column(name)) for name in table.columns]
        broken += sum(count for _, count in flat)
        digest.update(lines.content(lines.lines([column for column, _ in flat])))

    digest.update(lines.header(table.columns))
    seen = profile(table, target, watch)
    strata = _check(config, table, seen)
    split = {"target": target, "holdout": config.dataset.holdout, "seed": config.dataset.seed}
    digest.update(
        json.dumps({**split, "stratified": None not in strata, "format": FORMAT}, sort_keys=True).encode()
    )
    if broken:
        output.notice(
            f"{path}: {broken} values have line breaks; a space stands for each, since rows are read by lines"
        )
    train = seen.rows - int(np.round(seen.rows * config.dataset.holdout))
    if train < AUTOPILOT_ROWS:
        output.notice(
            f"{path}: {train} rows are left to train on, and Autopilot asks for at least {AUTOPILOT_ROWS}"
        )
    return Prepared(table, seen, strata, digest.hexdigest(), config.dataset.holdout, config.dataset.seed)


def _check(config: Config, table: Table, seen: Profile) -> dict[str | None, int]:
    """Whether the rows suit the configured problem; returns the strata of the split."""
    path, target, problem = table.path, seen.target, config.autopilot.problem_type
    if seen.rows < LEAST_ROWS:
        raise UserError(
            f"{path}: has {seen.rows} rows, too few for a split: at least {LEAST_ROWS} are needed"
        )
    for name, kind in seen.types.items():
        if kind == "empty":
            raise UserError(f'{path}: column "{name}" has no value in any row: remove it')
    for name in config.evaluation.slices:
        if name not in table.columns:
            raise UserError(
                f'automl.toml: [evaluation] slices names "{name}", which is not a column of {path}'
            )
    if (target.classes is not None and len(target.classes) == 1) or target.least == target.most:
        raise UserError(
            f'{path}: the target "{target.name}" has the same value in all rows: there is nothing to learn'
        )
    if problem == "Regression" and target.no_number:
        row, value = target.no_number
        raise UserError(
            f'{path}: row {row} has "{value}" in the target column "{target.name}", which is no number, but '
            'automl.toml has [autopilot] problem_type = "Regression": correct the row or the problem type'
        )
    if problem == "Regression" or (problem == INFER and target.problem_type == "Regression"):
        return {None: seen.rows}
    return dict(_check_classes(config, table, seen))


def _check_classes(config: Config, table: Table, seen: Profile) -> dict[str, int]:
    path, target, classes = table.path, seen.target, seen.target.classes
    or_number = "" if target.no_number else ', or set [autopilot] problem_type = "Regression" in automl.toml'
    if classes is None:
        raise UserError(
            f'{path}: the target "{target.name}" has too many different values for classes{or_number}'
        )
    if config.autopilot.problem_type == "BinaryClassification" and len(classes) != 2:
        raise UserError(
            f'{path}: the target "{target.name}" has {len(classes)} classes ({_some(classes)}), but '
            'automl.toml has [autopilot] problem_type = "BinaryClassification": use MulticlassClassification'
        )
    lonely = {label: count for label, count in classes.items() if count < 2}
    if lonely:
        raise UserError(
            f'{path}: {len(lonely)} of the {len(classes)} classes of the target "{target.name}" have '
            f"one row ({_some(lonely)}), but one is needed to train and one to test: "
            f"merge or remove them{or_number}"
        )
    return dict(classes)


def _some(labels: Any) -> str:
    names = [str(label) for label in sorted(labels)]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")

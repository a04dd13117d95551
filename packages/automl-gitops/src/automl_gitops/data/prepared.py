"""A checked table and its three parts: train-validation, x_test and y_test."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from automl_gitops.data import consistency, lines
from automl_gitops.data.checks import check
from automl_gitops.data.lock import DatasetLock, Rows, Uris
from automl_gitops.data.parts import Parts
from automl_gitops.data.profile import Profile, profile
from automl_gitops.data.split import Split
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted

FORMAT = 1  # of the objects: another number is another hash
# Until an account says where: a check needs no addresses.
NOWHERE = Uris(train_validation="", x_test="", y_test="")


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
        parts = Parts(folder, self.table.columns, target)
        with (folder / "train_validation.csv").open("wb") as train:
            train.write(lines.header(self.table.columns))
            for batch in self.table.batches():
                test = split.take(batch.column(target))
                train.write(lines.content(lines.lines(batch.filter(pa.array(~test)).columns)))
                parts.add(batch.filter(pa.array(test)))
        parts.close()
        return ["train_validation.csv", *parts.files]

    def lock(self, config: Config, synthetic: bool, uris: Uris = NOWHERE) -> DatasetLock:
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
            columns=self.profile.columns(self.profile.types, has_classes=self.classes is not None),
            classes=self.classes,
            uris=uris,
        )


def prepare(config: Config, path: Path, output: Output) -> Prepared:
    """Read and check a file, by itself and with automl.toml; nothing is written. Raises `UserError` for every way in
    which a table can be unfit.
    """
    table = Table.open(path)
    target = config.dataset.target
    if len(table.columns) < 2:
        raise UserError(f"{path}: has one column: give the target and at least one column to predict it from")
    digest = hashlib.sha256(lines.header(table.columns))
    seen = profile(
        table, target, watch=lambda batch: digest.update(lines.content(lines.lines(batch.columns)))
    )
    strata = check(config, table, seen)
    split = {"target": target, "holdout": config.dataset.holdout, "seed": config.dataset.seed}
    digest.update(
        json.dumps({**split, "stratified": None not in strata, "format": FORMAT}, sort_keys=True).encode()
    )
    if table.broken:
        output.notice(
            f"{path}: line breaks in {counted(table.broken, 'value')}; batch transform reads by lines, so spaces "
            "stand for them"
        )
    prepared = Prepared(table, seen, strata, digest.hexdigest(), config.dataset.holdout, config.dataset.seed)
    lock = prepared.lock(config, synthetic=False)
    consistency.require(config, lock)
    for notice in consistency.notices(config, lock):
        output.notice(str(notice))
    return prepared

"""A checked table and its parts: rows to train on and the holdout, split by a seed and written as CSV."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data import consistency
from automl_gitops.data.aside import aside
from automl_gitops.data.buffers import has_any, text_bytes
from automl_gitops.data.contract import Contract, require_unblocked
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.findings.finder import Finder
from automl_gitops.data.findings.show import show
from automl_gitops.data.lock import PART_ROWS, DataFinding, DatasetLock, Rows, Uris, part
from automl_gitops.data.profile import Profile, check, profile
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import write_row
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted

_SPECIAL = '[",]'


def csv_lines(columns: Sequence[pa.Array]) -> pa.Array:
    """A CSV line, with its line end, for each row of string columns without line breaks; quoted as RFC 4180
    says.
    """
    fields = [_quoted(column) for column in columns]
    if len(fields) == 1:
        # An empty line would be no row at all.
        fields = [pc.if_else(pc.equal(fields[0], ""), '""', fields[0])]
    joined = pc.binary_join_element_wise(*fields, ",") if len(fields) > 1 else fields[0]
    return pc.binary_join_element_wise(joined, "\n", "")


def csv_bytes(array: pa.Array) -> memoryview:
    """The bytes of all strings of an array, one after the other, without a copy."""
    return text_bytes(array).data


def _quoted(column: pa.Array) -> pa.Array:
    if not has_any(column, '",'):
        return column
    special = pc.match_substring_regex(column, _SPECIAL)
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), column)


class Split:
    """Marks the rows of the holdout, batch after batch in the file's order.

    Holds one byte a row. ``strata`` are the numbers of rows by label, or of all rows under the key `None`
    where the holdout is drawn from all alike. Each stratum gives `rows * holdout` rows, rounded so that the
    sum is the rounded share of all (largest remainder), and keeps at least one row on either side.
    """

    def __init__(self, strata: Mapping[str | None, int], holdout: float, seed: int) -> None:
        labels = sorted(strata, key=lambda label: "" if label is None else label)
        sizes = np.array([strata[label] for label in labels], dtype=np.int64)
        self.test_rows = _shares(sizes, holdout)
        self._labels = None if labels == [None] else pa.array(labels)
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._seen = np.zeros(len(labels), dtype=np.int64)
        self._sizes, self._seed = sizes, seed

    @cached_property
    def _chosen(self) -> np.ndarray:
        """The rows of the holdout, by label and rank."""
        chosen = np.zeros(int(self._sizes.sum()), dtype=bool)
        # RandomState's stream is frozen (NEP 19), unlike Generator's: the same seed will give the same rows
        # in years.
        random = np.random.RandomState(self._seed)
        for start, size, test in zip(self._starts, self._sizes, self.test_rows, strict=True):
            chosen[start + random.permutation(size)[:test]] = True
        return chosen

    def take(self, labels: pa.Array) -> np.ndarray:
        """Whether each of the next rows, given by their labels, belongs to the holdout: booleans, shape
        (rows,).
        """
        if self._labels is None:
            codes = np.zeros(len(labels), dtype=np.int64)
        else:
            codes = pc.index_in(labels, self._labels).to_numpy(zero_copy_only=False).astype(np.int64)
        # The rank of a row among those of its label: position in a stable sort minus where the label begins.
        order = np.argsort(codes, kind="stable")
        counts = np.bincount(codes, minlength=len(self._seen))
        begins = np.cumsum(counts) - counts
        ranks = np.empty(len(codes), dtype=np.int64)
        ranks[order] = np.arange(len(codes)) - begins[codes[order]]
        chosen = self._chosen[self._starts[codes] + self._seen[codes] + ranks]
        self._seen += counts
        return chosen


def _shares(sizes: np.ndarray, holdout: float) -> np.ndarray:
    exact = sizes * holdout
    shares = np.floor(exact).astype(np.int64)
    left = round(float(sizes.sum()) * holdout) - int(shares.sum())
    # Ties go to the label that sorts first.
    for index in np.argsort(shares - exact, kind="stable")[: max(left, 0)]:
        shares[index] += 1
    return np.clip(shares, 1, sizes - 1)


class Parts:
    """x_test (no header) and y_test (header) below ``folder``, in parts of `PART_ROWS` rows: the same rows in the
    same order in both.

    ``columns`` are the table's, ``target`` is one of them; ``files`` are the relative names written so far.
    """

    def __init__(self, folder: Path, columns: Sequence[str], target: str) -> None:
        self.files: list[str] = []
        self._folder, self._target = folder, target
        self._features = [name for name in columns if name != target]
        self._streams: list[IO[bytes]] = []
        self._room = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Write rows of string columns."""
        x, y = (csv_lines(batch.select(names).columns) for names in (self._features, [self._target]))
        done = 0
        while done < len(x):
            if self._room == 0:
                self._next()
            take = min(self._room, len(x) - done)
            for stream, rows in zip(self._streams, (x, y), strict=True):
                stream.write(csv_bytes(rows.slice(done, take)))
            done, self._room = done + take, self._room - take

    def close(self) -> None:
        """Close the part that is open."""
        for stream in self._streams:
            stream.close()

    def _next(self) -> None:
        self.close()
        number, self._streams = len(self.files) // 2, []
        for name in (f"x_test/{part(number)}", f"y_test/{part(number)}"):
            file = self._folder / name
            file.parent.mkdir(exist_ok=True)
            self._streams.append(file.open("wb"))
            self.files.append(name)
        self._streams[1].write(write_row([self._target]))
        self._room = PART_ROWS


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
    findings: list[DataFinding]
    contract: str | None  # the hash of the contract that it keeps

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
            train.write(write_row(self.table.columns))
            for batch in self.table.batches():
                test = split.take(batch.column(target))
                train.write(csv_bytes(csv_lines(batch.filter(pa.array(~test)).columns)))
                parts.add(batch.filter(pa.array(test)))
        parts.close()
        return ["train_validation.csv", *parts.files]

    def held_out(self) -> np.ndarray:
        """Whether each row belongs to the holdout: booleans, shape (rows,)."""
        target, split = self.profile.target.name, self.split()
        return np.concatenate([split.take(batch.column(target)) for batch in self.table.batches([target])])

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
            findings=self.findings,
            contract=self.contract,
        )


def prepare(config: Config, path: Path, output: Output) -> Prepared:
    """Read and check a file, by itself and with automl.toml; nothing is written. Raises `UserError` for every way in
    which a table can be unfit.
    """
    table = Table.open(path)
    target = config.dataset.target
    if len(table.columns) < 2:
        raise UserError(f"{path}: has one column: give the target and at least one column to predict it from")
    digest = hashlib.sha256(write_row(table.columns))
    finder = Finder.of(config, table.columns)
    contract = Contract.load()
    checker = Checker(contract, table.columns, table.name) if contract else None

    with aside([finder.see, *([checker.see] if checker else [])]) as look:

        def watch(batch: pa.RecordBatch) -> None:
            look(batch)
            digest.update(csv_bytes(csv_lines(batch.columns)))

        seen = profile(table, target, watch=watch)
    if checker:
        checker.require()
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
    prepared = Prepared(
        table,
        seen,
        strata,
        digest.hexdigest(),
        config.dataset.holdout,
        config.dataset.seed,
        [],
        contract.sha256 if contract else None,
    )
    lock = prepared.lock(config, synthetic=False)
    consistency.require(config, lock)
    for notice in consistency.notices(config, lock):
        output.notice(str(notice))
    findings = finder.findings(
        seen.statistics,
        prepared.classes,
        held_out=prepared.held_out(),
        metric=consistency.metric(config, lock),
    )
    show(output, findings)
    require_unblocked(contract, findings)
    return replace(prepared, findings=findings)

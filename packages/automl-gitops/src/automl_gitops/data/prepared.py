"""A checked table and its parts: rows to train on and the holdout, split by a seed and written as CSV."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data import consistency
from automl_gitops.data.cells import digits_notices, mixture_notices
from automl_gitops.data.contract import Contract, require_unblocked, show_findings
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.csv_rows import (
    Lines,
    OtherTextError,
    Parts,
    SourceText,
    csv_text,
    lines,
    rows_text,
)
from automl_gitops.data.findings.finder import Finder
from automl_gitops.data.formats import Dialect
from automl_gitops.data.lock import (
    Column,
    DataFinding,
    DatasetLock,
    GroupCounts,
    Rows,
    SplitRule,
    TimeRange,
    Uris,
)
from automl_gitops.data.profile import (
    Profile,
    check,
    check_columns,
    check_weight,
    no_weight,
    profile,
    without,
)
from automl_gitops.data.rules import (
    IN_GAP,
    OF_OTHER_SIDE,
    PARTS,
    TEST,
    TRAIN,
    VALIDATE,
    Assigner,
    Assignment,
    Split,
    require_columns,
)
from automl_gitops.data.rules.check import notices, refuse_later_texts, require_whole
from automl_gitops.data.statistics import Encoded, Watch, as_numbers, is_missing
from automl_gitops.data.table import Table, ahead, aside
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import write_row
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import VALIDATION, DatasetSettings
from automl_gitops.kernel.words import counted, unfit_character

FORMAT = 1  # of the objects: another number is another hash
# Until an account says where: a check needs no addresses.
NOWHERE = Uris(train_validation="", x_test="", y_test="")


@dataclass(frozen=True)
class Prepared:
    """A checked table: what it holds, the numbers of rows by label (`None`: not stratified), its hash, and where each
    row belongs if that follows from a rule.
    """

    table: Table
    profile: Profile
    strata: dict[str | None, int]
    sha256: str
    dataset: DatasetSettings
    assigned: Assignment | None
    findings: list[DataFinding]
    contract: str | None  # the hash of the contract that it keeps
    draws_validation: bool = False  # at random, as no rule says which rows
    sizes: Sequence[tuple[int, int]] | None = None  # `SourceText`'s, of all rows

    @property
    def classes(self) -> dict[str, int] | None:
        """Rows by label, in the labels' order, where the target has classes."""
        if None in self.strata:
            return None
        return {label: count for label, count in sorted(self.strata.items()) if label is not None}

    @property
    def columns(self) -> list[str]:
        """Features and target, in the table's order."""
        return without(self.table.columns, self.dataset.no_features)

    @property
    def validates(self) -> bool:
        """Whether validation rows are written apart, instead of being drawn by Autopilot."""
        return self.draws_validation or (self.assigned is not None and self.assigned.rows(VALIDATE) > 0)

    def split(self) -> Split:
        """A fresh split at random, at the file's first row."""
        return Split(self.strata, self.dataset.holdout, self.dataset.seed)

    def validation_split(self) -> Split:
        """The same of the rows that are not held out: as many of each label are validation rows."""
        held_out = self.split().by_label
        left = {label: rows - held_out[label] for label, rows in self.strata.items()}
        return Split(left, VALIDATION, self.dataset.seed)

    def write(self, folder: Path) -> list[str]:
        """Write the parts of the data set below ``folder``; returns the files' relative names in upload order."""
        trained = without(self.table.columns, self.dataset.not_trained_on)
        several = min(len(self.columns) - 1, len(trained)) > 1  # a line of one value may need quotes
        if self.sizes is not None and several:
            with suppress(OtherTextError):
                return self._write(folder, trained, lines(self.table.path, self.table.columns, self.sizes))
        return self._write(folder, trained, self.table.batches(trained, checked=True))

    def _write(
        self, folder: Path, trained: list[str], batches: Iterator[pa.RecordBatch] | Iterator[Lines]
    ) -> list[str]:
        target, columns = self.profile.target.name, self.columns
        codes = self.assigned.group_codes() if self.assigned else None
        names = {TRAIN: "train_validation.csv", **({VALIDATE: "validation.csv"} if self.validates else {})}
        with ExitStack() as stack:
            parts = stack.enter_context(closing(Parts(folder, columns, target, grouped=codes is not None)))
            files = {side: stack.enter_context((folder / name).open("wb")) for side, name in names.items()}
            for file in files.values():
                file.write(write_row(trained))
            done = held_out = 0
            split = self.split() if self.assigned is None else None
            of_rest = self.validation_split() if self.draws_validation else None
            for batch in ahead(batches):
                if split is not None:
                    labels = batch.column(target)
                    sides = np.where(split.take(labels), TEST, TRAIN)
                    if of_rest is not None:
                        rest = labels.filter(pa.array(sides == TRAIN))
                        sides[sides == TRAIN] = np.where(of_rest.take(rest), VALIDATE, TRAIN)
                elif self.assigned is not None:
                    sides = self.assigned.sides[done : done + batch.num_rows]
                for side, file in files.items():
                    file.write(rows_text(batch.select(trained).filter(pa.array(sides == side))))
                test = batch.select(columns).filter(pa.array(sides == TEST))
                parts.add(test, None if codes is None else codes[held_out : held_out + test.num_rows])
                done, held_out = done + batch.num_rows, held_out + test.num_rows
        return [*names.values(), *parts.files]

    def held_out(self) -> np.ndarray:
        """Whether each row belongs to the holdout: booleans, shape (rows,)."""
        if self.assigned is not None:
            return self.assigned.sides == TEST
        target, split = self.profile.target.name, self.split()
        return np.concatenate([split.take(batch.column(target)) for batch in self.table.batches([target])])

    def require_weights(self, name: str) -> None:
        """Raise `UserError` where no row to train on, or that a rule has validate, has a weight above 0."""
        sides = self.assigned.sides if self.assigned else np.where(self.held_out(), TEST, TRAIN)
        columns = (batch.column(name) for batch in self.table.batches([name]))
        known = [as_numbers(pc.if_else(is_missing(one), "0", one)) for one in columns]
        weighs = np.concatenate(known) > 0  # type: ignore[arg-type]
        for side in (TRAIN, VALIDATE):
            if (sides == side).any() and not weighs[sides == side].any():
                raise no_weight(self.table.name, name, PARTS[side])

    def lock(self, config: Config, synthetic: bool, uris: Uris = NOWHERE) -> DatasetLock:
        """The content of dataset.lock."""
        types = {name: self.profile.types[name] for name in (*self.columns, *self.dataset.only_split)}
        columns = self.profile.columns(types, has_classes=self.classes is not None)
        drawn = not self.dataset.split
        return DatasetLock(
            name=self.table.path.name.split(".")[0],
            source=self.table.path.name,
            synthetic=synthetic,
            sha256=self.sha256,
            target=config.dataset.target,
            holdout=self.dataset.holdout if drawn else None,
            seed=self.dataset.seed if drawn else None,
            rows=self._rows(),
            columns=[column for column in columns if column.name in self.columns],
            exclude=self.dataset.exclude or None,
            weight=self.dataset.weight,
            classes=self.classes,
            uris=uris,
            split=describe(self.dataset, self.assigned, columns) if self.assigned else None,
            findings=self.findings,
            contract=self.contract,
        )

    def _rows(self) -> Rows:
        total, validation, left_out = self.profile.rows, None, None
        if self.assigned is not None:
            train, validation, test = (self.assigned.rows(side) for side in PARTS)
            left_out = total - train - validation - test
        else:
            test = int(self.split().test_rows.sum())
            if self.draws_validation:
                validation = int(self.validation_split().test_rows.sum())
            train = total - test - (validation or 0)
        return Rows(total=total, train_validation=train, validation=validation, test=test, left_out=left_out)


def describe(dataset: DatasetSettings, assigned: Assignment, columns: Sequence[Column]) -> SplitRule:
    """What dataset.lock says of a rule."""
    groups = None
    if assigned.groups is not None:
        train, validation, test = (assigned.groups_of(side) for side in PARTS)
        groups = GroupCounts(train_validation=train, validation=validation, test=test)
    reasons = {"gap": IN_GAP, "group": OF_OTHER_SIDE}
    left_out = {reason: rows for reason, side in reasons.items() if (rows := assigned.rows(side))}
    return SplitRule(
        **dataset.rule,  # type: ignore[arg-type]
        groups=groups,
        times=TimeRange(**assigned.times) if assigned.times else None,
        left_out=left_out or None,
        columns=[column for column in columns if column.name in dataset.only_split],
    )


def _has_blank_lines(seen: Profile, dataset: DatasetSettings) -> bool:
    """Whether the one feature has values of blanks."""
    features = [
        seen.statistics[name]
        for name in without(list(seen.statistics), [dataset.target, *dataset.no_features])
    ]
    return len(features) == 1 and any(value.isspace() for value in features[0].counts or ())


def read(table: Table, target: str, watches: Sequence[Watch]) -> tuple[Profile, "hashlib._Hash", SourceText]:
    """One pass over a table, which all ``watches`` see: what it holds, the SHA-256 of its rows as CSV, begun, and what
    of them its file has so.
    """
    digest, source = hashlib.sha256(write_row(table.columns)), SourceText(table)

    def hash_rows(batch: pa.RecordBatch, _: Encoded) -> None:
        text = source.text(batch)
        digest.update(csv_text(batch.columns) if text is None else text)

    with aside([*watches, hash_rows]) as watch:
        return profile(table, target, watch=watch), digest, source


def prepare(config: Config, path: Path, output: Output, dialect: Dialect | None = None) -> Prepared:
    """Read and check a file, by itself and with automl.toml; nothing is written. Raises `UserError` for every way in
    which a table can be unfit.
    """
    table = Table.open(path, dialect=dialect, unused=config.dataset.exclude)
    unfit = unfit_character(path.name)
    if unfit:  # the report and dataset.lock have it
        raise UserError(f"{path}: the file's name has {unfit}: rename it")
    dataset = config.dataset
    target = dataset.target
    require_columns(dataset, table.columns, str(path))
    check_columns(config, table.columns, str(path))
    assigner = Assigner(dataset, str(path)) if dataset.rule else None
    finder = Finder.of(config, table.columns)
    contract = Contract.load()
    checker = Checker(contract, table.columns, table.name)
    seen, digest, source = read(table, target, [one.see for one in (assigner, finder, checker) if one])
    checker.require()
    strata = check(config, table, seen)
    drawn: dict[str, Any] = {} if dataset.split else {"holdout": dataset.holdout, "seed": dataset.seed}
    if not dataset.rule:
        drawn["stratified"] = None not in strata
    if dataset.least_gap:
        drawn["gap"] = "closed"  # once a row exactly as far away was kept
    draws = config.sets_validation_apart and not dataset.rule
    if draws:
        drawn["validation"] = VALIDATION
    if _has_blank_lines(seen, dataset):
        # They were not once, and what lies in S3 under that hash is another content.
        drawn["blank_lines"] = "quoted"
    digest.update(json.dumps(identity(dataset, **drawn), sort_keys=True).encode())
    tell_line_breaks(table, output)
    if table.swallowed:
        output.notice(f"{path}: {table.swallowed}")
    if warning := check_weight(config, table, seen):
        output.notice(warning)
    for sentence in (*mixture_notices(seen.mixtures_of(config)), *digits_notices(seen.numbers_of(config))):
        output.notice(f"{path}: {sentence}")
    assigned = assigner.assign() if assigner else None
    prepared = Prepared(
        table, seen, strata, digest.hexdigest(), dataset, assigned, [], contract.sha256, draws, source.sizes
    )
    if draws:
        _require_every_class(prepared, str(path))
    if dataset.weight:
        prepared.require_weights(dataset.weight)
    if assigned:
        has_classes = prepared.classes is not None
        require_whole(dataset, assigned, str(path), has_classes=has_classes)
        texts = [one.name for one in seen.numbers_of(config) if one.kind == "text"]
        refuse_later_texts(table, texts, assigned.sides)
        for notice in notices(dataset, assigned, has_classes=has_classes):
            output.notice(notice)
    lock = prepared.lock(config, synthetic=False)
    require_consistent(config, lock, str(path), output)
    findings = finder.findings(
        seen.statistics,
        prepared.classes,
        held_out=prepared.held_out(),
        left_out=np.isin(assigned.sides, (IN_GAP, OF_OTHER_SIDE)) if assigned else None,
        metric=consistency.metric(config, lock),
    )
    show_findings(output, findings)
    require_unblocked(contract, findings)
    return replace(prepared, findings=findings)


def tell_line_breaks(table: Table, output: Output) -> None:
    """Say what stands for line breaks within values, where there were some."""
    if table.broken:
        output.notice(
            f"{table.name}: line breaks in {counted(table.broken, 'value')}, the first in row {table.broken_row}; "
            "batch transform reads by lines, so spaces stand for them"
        )


def require_consistent(config: Config, lock: DatasetLock, data: str, output: Output) -> None:
    """Raise `UserError` for what automl.toml and the data set, called ``data``, cannot come to together; say what is
    hardly meant.
    """
    consistency.require(config, lock, data)
    for finding in consistency.notices(config, lock):
        output.notice(str(finding))


def _require_every_class(prepared: Prepared, source: str) -> None:
    """Raise `UserError` where the validation rows that are drawn would lack a class."""
    lacking = [label for label, rows in prepared.validation_split().by_label.items() if rows < 1]
    if lacking:
        raise UserError(
            f'{source}: too few rows of "{lacking[0]}" to hold some out, to train on some and to choose [decision] '
            "threshold on others: give more rows, or a number as threshold"
        )


def identity(dataset: DatasetSettings, **of_parts: Any) -> dict[str, Any]:
    """What makes another data set of the same rows, ``of_parts`` the way in which its parts came to be."""
    named = {"exclude": dataset.exclude, "weight": dataset.weight, "rule": dataset.rule}
    return {
        "target": dataset.target,
        "format": FORMAT,
        **{key: value for key, value in named.items() if value},
        **of_parts,
    }

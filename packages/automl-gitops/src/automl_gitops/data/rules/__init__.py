"""The rules of [dataset] by which rows are split: by group, by time, by both, or as a column of the user's says; and
the split at random, where there is no rule.

Whatever a rule decides is of the rows alone: no chance, and no other row's place in the file. A group's side follows
from its hash, so that it keeps it when the data grow.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.buffers import Growing
from automl_gitops.data.hashes import dense, distinct, group_hashes, is_among, shares
from automl_gitops.data.profile import MOST_CLASSES
from automl_gitops.data.rules.times import Times, latest_from
from automl_gitops.data.statistics import NOTHING, Encoded, is_missing
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import VALIDATION, DatasetSettings
from automl_gitops.kernel.words import meant

SIDES = range(5)
TRAIN, VALIDATE, TEST, IN_GAP, OF_OTHER_SIDE = SIDES  # the last two are left out
PARTS = {TRAIN: "rows to train on", VALIDATE: "validation rows", TEST: "holdout"}
SPLIT_VALUES = ("train", "validation", "test")  # in the order of the parts


@dataclass(frozen=True)
class Assignment:
    """Where each row belongs: ``sides`` (rows,) of uint8.

    ``groups`` are the hashes of the rows' groups, `None` where there are none; ``classes`` rows by label of each part,
    `None` where the target has too many values for classes; ``times`` are first, validation_from, holdout_from and
    last, as text.
    """

    sides: np.ndarray
    groups: np.ndarray | None
    classes: Mapping[int, Mapping[str, int]] | None
    times: Mapping[str, str] | None

    def rows(self, side: int) -> int:
        """Rows of a side."""
        return int(np.count_nonzero(self.sides == side))

    def groups_of(self, side: int) -> int:
        """Groups of a part."""
        return self._of_groups[0][side]

    def group_codes(self) -> np.ndarray | None:
        """A number for the group of each row of the holdout, dense in the order of first appearance."""
        return self._of_groups[1]

    @cached_property
    def _of_groups(self) -> tuple[dict[int, int], np.ndarray | None]:
        """Groups by part, and the codes: both take a look at every row."""
        if self.groups is None:
            return dict.fromkeys(PARTS, 0), None
        groups, sides = self.groups, self.sides
        with ThreadPoolExecutor(2, "groups") as pool:
            codes = pool.submit(lambda: dense(groups[sides == TEST]))
            numbers = pool.map(lambda side: len(distinct(groups[sides == side])), PARTS)
            return dict(zip(PARTS, numbers, strict=True)), codes.result()


def require_columns(dataset: DatasetSettings, columns: list[str], name: str) -> None:
    """Raise `UserError` where a table has no column that the rule names."""
    for column in dataset.rule_columns:
        if column not in columns:
            key = "time" if column == dataset.time else "split" if column == dataset.split else "group"
            hint = meant(column, columns) or f"its columns are {', '.join(columns[:20])}"
            raise UserError(f'{name}: has no column "{column}" ([dataset] {key} in automl.toml); {hint}')


def required_groups(
    batch: pa.RecordBatch, names: Sequence[str], seed: int, source: str, before: int
) -> np.ndarray:
    """The hash of each row's group, uint64. ``before`` rows of ``source`` precede the batch.

    Raises `UserError` for the first row that lacks a value.
    """
    for name in names:
        missing = pc.index(is_missing(batch.column(name)), True).as_py()
        if missing >= 0:
            raise UserError(
                f'{source}: row {before + missing + 1} has no value in the group column "{name}": fill it '
                "(where nothing is known, with a value of the row's own) or remove the row"
            )
    return group_hashes([batch.column(name) for name in names], seed)


class Keys:
    """What a rule reads of each row, batch after batch: groups and times of a table, eight bytes a row for each.

    ``name`` is what messages call the table.
    """

    def __init__(self, dataset: DatasetSettings, name: str) -> None:
        self.name, self.rows = name, 0
        self.times = Times(name, dataset.time, dataset.least_gap) if dataset.time else None
        self._dataset = dataset
        self._groups = Growing(np.uint64)
        # Of rows with blanks around a value of their group: its hash without them, and the row.
        self._bare, self._padded = Growing(np.uint64), Growing(np.int64)

    def see(self, batch: pa.RecordBatch, encoded: Encoded = NOTHING) -> None:
        """Take in a batch of strings. Raises `UserError` for the first row that lacks a group or a time."""
        if self._dataset.group:
            groups = required_groups(batch, self._dataset.group, self._dataset.seed, self.name, self.rows)
            self._groups.add(groups)
            self._see_blanks([batch.column(name) for name in self._dataset.group])
        if self.times and self._dataset.time:
            self.times.see(batch.column(self._dataset.time), self.rows)
        self.rows += batch.num_rows

    def _see_blanks(self, columns: Sequence[pa.Array]) -> None:
        bare = [pc.utf8_trim_whitespace(column) for column in columns]
        differ = [
            pc.not_equal(*pair).to_numpy(zero_copy_only=False) for pair in zip(columns, bare, strict=True)
        ]
        padded = np.flatnonzero(np.logical_or.reduce(differ))
        if len(padded):
            self._bare.add(
                group_hashes([column.take(pa.array(padded)) for column in bare], self._dataset.seed)
            )
            self._padded.add(self.rows + padded + 1)

    def require_one_spelling(self) -> None:
        """Raise `UserError` where blanks around a value alone tell two groups apart, which may be on two sides."""
        bare = self._bare.values
        twice = is_among(bare, distinct(self._groups.values)) if len(bare) else bare
        if twice.any():
            raise UserError(
                f"{self.name}: row {self._padded.values[int(twice.argmax())]} has blanks around its value in [dataset] "
                "group, and other rows have the value without, so that one group may be on two sides: remove the blanks"
            )

    @property
    def groups(self) -> np.ndarray | None:
        """The hash of each row's group, uint64; `None` where rows are not grouped."""
        return self._groups.values if self._dataset.group else None


class Assigner:
    """Reads what the rule of ``dataset`` asks of a table, batch after batch, then says where each row belongs.

    Holds eight bytes a row for the group and as many for the time. ``name`` is what messages call the table.
    """

    def __init__(self, dataset: DatasetSettings, name: str) -> None:
        self._dataset, self._name = dataset, name
        self._rows = 0
        self._keys = Keys(dataset, name)
        self._sides: list[np.ndarray] = []
        self._labels: dict[str, int] | None = {}
        self._codes: list[np.ndarray] = []

    def see(self, batch: pa.RecordBatch, encoded: Encoded = NOTHING) -> None:
        """Take in a batch of strings. Raises `UserError` for the first row that the rule cannot place."""
        self._keys.see(batch)
        if self._dataset.split:
            self._sides.append(self._own(batch.column(self._dataset.split)))
        target = self._dataset.target
        self._see_labels(encoded.get(target, batch.column(target)))
        self._rows += batch.num_rows

    def _own(self, column: pa.Array) -> np.ndarray:
        sides = pc.index_in(column, pa.array(SPLIT_VALUES))
        wrong = pc.index(pc.is_null(sides), True).as_py()
        if wrong >= 0:
            value = column[wrong].as_py()
            what = f'"{value}"' if value else "no value"
            raise UserError(
                f'{self._name}: row {self._rows + wrong + 1} has {what} in the split column "{self._dataset.split}": '
                f"write {', '.join(SPLIT_VALUES[:-1])} or {SPLIT_VALUES[-1]}"
            )
        return np.asarray(sides.to_numpy(zero_copy_only=False)).astype(np.uint8)

    def _see_labels(self, column: pa.Array) -> None:
        if self._labels is None:
            return
        encoded = column.dictionary_encode()
        codes = [
            self._labels.setdefault(label, len(self._labels)) for label in encoded.dictionary.to_pylist()
        ]
        if len(self._labels) > MOST_CLASSES:
            self._labels, self._codes = None, []
            return
        places = encoded.indices.to_numpy(zero_copy_only=False)
        self._codes.append(np.array(codes, dtype=np.uint16)[places])

    def assign(self) -> Assignment:
        """Where each row that was seen belongs. Raises `UserError` where a side would have no row."""
        self._keys.require_one_spelling()
        groups = self._keys.groups
        times = None
        if self._sides:
            sides = np.concatenate(self._sides)
        elif self._keys.times:
            sides, times = self._by_time(self._keys.times, groups)
        else:
            assert groups is not None  # noqa: S101 - there is no other rule
            sides = by_group(groups, self._dataset.holdout)
        classes = None
        if self._labels is not None:
            names, counts = list(self._labels), np.zeros((len(SIDES), len(self._labels)), np.int64)
            done = 0
            for codes in self._codes:
                places = sides[done : done + len(codes)] * np.int64(len(names)) + codes
                counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)
                done += len(codes)
            classes = {part: dict(zip(names, counts[part].tolist(), strict=True)) for part in PARTS}
        return Assignment(sides, groups, classes, times)

    def _by_time(self, read: Times, groups: np.ndarray | None) -> tuple[np.ndarray, dict[str, str]]:
        """The latest rows are held out, the latest of the rest are validation rows; no group stays on two sides."""
        times, sides = read.values, np.full(self._rows, TRAIN, dtype=np.uint8)
        before = np.ones(self._rows, dtype=bool)
        begins: dict[int, np.generic] = {}
        for side, share in ((TEST, self._dataset.holdout), (VALIDATE, VALIDATION)):
            begin = latest_from(times[before], share)
            if begin is None:
                what = "has one and the same time in all rows" if before.all() else "leaves too few rows"
                raise UserError(
                    f'{self._name}: the time column "{self._dataset.time}" {what}{self._because(sides)}, so that there '
                    f"is nothing later to be the {PARTS[side]}: give rows of more times{self._or_no_group(sides)}"
                )
            begins[side] = begin
            chosen = before & (times >= begin)
            sides[chosen] = side
            before &= ~chosen
            close = before & (times >= begin - read.gap)  # type: ignore[operator]
            sides[close] = IN_GAP
            before &= ~close
            if groups is not None:
                shared = before & is_among(groups, distinct(groups[chosen]))
                sides[shared] = OF_OTHER_SIDE
                before &= ~shared
        if not before.any():
            raise UserError(
                f"{self._name}: no row is left to train on before {read.text(begins[VALIDATE])}"
                f"{self._because(sides)}: give more rows{', or a smaller gap' if read.gap else ''}"
                f"{self._or_no_group(sides)}"
            )
        return sides, {
            "first": read.text(times.min()),
            "validation_from": read.text(begins[VALIDATE]),
            "holdout_from": read.text(begins[TEST]),
            "last": read.text(times.max()),
        }

    def _or_no_group(self, sides: np.ndarray) -> str:
        if not (sides == OF_OTHER_SIDE).any():
            return ""
        return "; where groups go on to the last times, more rows do not help: remove group from [dataset]"

    def _because(self, sides: np.ndarray) -> str:
        counts = np.bincount(sides, minlength=5)
        reasons = []
        if counts[IN_GAP]:
            reasons.append(f"{counts[IN_GAP]:,} rows lie in the gap of {self._dataset.gap}")
        if counts[OF_OTHER_SIDE]:
            reasons.append(f"{counts[OF_OTHER_SIDE]:,} are of groups that appear later")
        return f" ({', '.join(reasons)})" if reasons else ""


def by_group(groups: np.ndarray, holdout: float) -> np.ndarray:
    """The side of each row by the hash of its group: uint8. A greater ``holdout`` takes validation rows first, so that
    no group passes from those to train on into the holdout before these are used up.
    """
    places = shares(groups)
    held_out, validate = (
        (places < bound).view(np.uint8) for bound in (holdout, holdout + (1 - holdout) * VALIDATION)
    )
    return held_out + validate  # TRAIN, VALIDATE, TEST: 0, 1, 2


class Split:
    """Marks the rows of the holdout at random, in the classes' shares, batch after batch in the file's order.

    Holds one byte a row. ``strata`` are the numbers of rows by label, or of all rows under the key `None`
    where the holdout is drawn from all alike. Each stratum gives `rows * holdout` rows, rounded so that the
    sum is the rounded share of all (largest remainder), and keeps at least one row on either side.
    """

    def __init__(self, strata: Mapping[str | None, int], holdout: float, seed: int) -> None:
        labels = sorted(strata, key=lambda label: "" if label is None else label)
        sizes = np.array([strata[label] for label in labels], dtype=np.int64)
        self.test_rows = _shares(sizes, holdout)
        self.by_label = {label: int(test) for label, test in zip(labels, self.test_rows, strict=True)}
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

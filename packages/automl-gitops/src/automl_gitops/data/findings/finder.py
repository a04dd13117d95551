"""One pass over a table, and what it tells of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation.metrics import REGRESSION
from automl_gitops.data.buffers import Growing
from automl_gitops.data.findings import KINDS
from automl_gitops.data.findings.columns import (
    Running,
    Twins,
    class_findings,
    column_findings,
    names,
    spelling_findings,
    zero_findings,
)
from automl_gitops.data.findings.equal_rows import EqualRows, equal_rows
from automl_gitops.data.hashes import mix, row_hashes, text_hashes
from automl_gitops.data.lock import DataFinding
from automl_gitops.data.statistics import NOTHING, Encoded, Statistics, as_numbers, is_missing
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.model import INFER
from automl_gitops.kernel.words import counted

LEAK = 0.95  # share of the best constant answer's mistakes that no single column should avoid
LEAK_R2 = 0.99
_LEAST_LOSS = 0.001  # of accuracy or R2, that is worth telling


class Finder:
    """Sees a table's batches, in order, and then tells what is odd.

    Holds 12 bytes a row, 20 where the target may be a quantity, and a sample. ``features`` are the columns that the
    model gets. ``quantity`` is off where the target surely is none. ``rule`` are the keys of [dataset] that split the
    rows.
    """

    def __init__(
        self, features: Sequence[str], target: str, *, quantity: bool = True, rule: Collection[str] = ()
    ) -> None:
        self._features, self._target, self._rule = list(features), target, rule
        self._inputs, self._labels = Growing(np.uint64), Growing(np.uint32)
        self._numbers = Growing(np.float64) if quantity else None
        self._sample = Sample(len(self._features) + 1)
        self._twins, self._running = Twins(self._features), Running(self._features)

    @classmethod
    def of(cls, config: Config, columns: Sequence[str]) -> "Finder":
        """One for a table with these columns, as automl.toml speaks of it."""
        problem, target = config.autopilot.problem_type, config.dataset.target
        quantity = problem in (REGRESSION, INFER)
        others = (target, *config.dataset.no_features)
        features = [name for name in columns if name not in others]
        return cls(features, target, quantity=quantity, rule=config.dataset.rule)

    def see(self, batch: pa.RecordBatch, encoded: Encoded = NOTHING) -> None:
        """Take in the next rows, of string columns without nulls."""
        hashes = (text_hashes(encoded.get(name, batch.column(name))) for name in self._features)
        self._inputs.add(row_hashes(hashes))
        target = batch.column(self._target)
        self._labels.add(text_hashes(encoded.get(self._target, target)).astype(np.uint32))
        if self._numbers is not None:
            numbers = as_numbers(target, whole=False)
            if numbers is None:
                self._numbers = None
            else:
                self._numbers.add(numbers.to_numpy(zero_copy_only=False))
        self._sample.see(batch.select([*self._features, self._target]))
        self._twins.see(batch)
        self._running.see(batch)

    def findings(
        self,
        statistics: Mapping[str, Statistics],
        classes: Mapping[str, int] | None,
        *,
        held_out: np.ndarray | None = None,
        left_out: np.ndarray | None = None,
        metric: str | None = None,
        rows_are: str = "",
    ) -> list[DataFinding]:
        """What there is to tell, in the order of `KINDS`.

        ``classes`` are rows by label (`None`: the target is a quantity), ``held_out`` marks the rows of the holdout and
        ``left_out`` those in no part, (rows,), ``metric`` is the objective, and ``rows_are`` follows "rows" where they
        are not all of the data.
        """
        rows = len(self._inputs)
        if not rows:
            return []
        sample = self._sample.table()
        where = counted(sample.num_rows, "row") + ("" if self._sample.is_whole else " that were looked at")
        with ThreadPoolExecutor(1, "leaks") as pool:
            leaks = pool.submit(lambda: list(self._leaks(sample, where, classes is None)))
            of_rows = list(self._of_rows(rows, classes is None, (held_out, left_out), metric, rows_are))
        spelt = list(spelling_findings(sample, statistics, self._features, where))
        told = [
            *spelt,
            *of_rows,
            *leaks.result(),
            *class_findings(classes, self._target),
            *zero_findings(sample, statistics, self._features, where),
            *column_findings(
                statistics,
                self._features,
                self._running.columns,
                self._twins.groups,
                self._rule,
                [name for one in spelt for name in one.columns],
            ),
        ]
        return sorted(told, key=lambda one: list(KINDS).index(one.kind))

    def _of_rows(
        self,
        rows: int,
        quantity: bool,
        sides: tuple[np.ndarray | None, np.ndarray | None],
        metric: str | None,
        rows_are: str,
    ) -> Iterator[DataFinding]:
        if quantity and self._numbers is None:
            return
        labels = self._numbers if quantity and self._numbers is not None else self._labels
        equal = equal_rows(self._inputs.values, labels.values, *sides)
        held_out = sides[0]
        of_all = f"{counted(rows, 'row')}{rows_are}"
        if equal.held_out_copies and held_out is not None:
            tested = int(held_out.sum())
            yield DataFinding(
                kind="rows_on_both_sides",
                rows=equal.held_out_copies,
                text=f"{equal.held_out_copies:,} of the {counted(tested, 'row')} held out "
                f"{'equals' if equal.held_out_copies == 1 else 'equal'} a row to train on "
                f"({equal.held_out_copies / tested:.1%}): a model may know these by heart, so "
                "that it scores better here than on new rows.",
                advice="Remove the copies."
                if "group" in self._rule
                else "Remove the copies, or keep what belongs together on one side (`[dataset] group`).",
            )
        if equal.copies:
            yield DataFinding(
                kind="duplicate_rows",
                rows=equal.copies,
                text=f"{equal.copies:,} of {of_all} {'is a copy' if equal.copies == 1 else 'are copies'} of an "
                f"earlier one{_such_as(equal.copy)}: what is there twice counts twice, in training and figures.",
                advice="Remove them, unless they are different cases that happen to be equal.",
            )
        bound = _bound(equal, quantity, metric)
        if bound:
            yield DataFinding(
                kind="conflicting_labels",
                rows=equal.conflicting,
                text=f"{equal.conflicting:,} of {of_all} have the same inputs as a row of another label"
                f"{_such_as(equal.conflict)}: no model can have {bound} on all of them.",
                advice="Correct the labels, or add a column that tells such rows apart.",
            )

    def _leaks(self, sample: pa.Table, where: str, quantity: bool) -> Iterator[DataFinding]:
        labels = sample.column(self._target).combine_chunks()
        columns = {name: sample.column(name).combine_chunks() for name in self._features}
        kept = _usable(labels, [*columns.values()])
        labels = labels.take(kept)
        if quantity:
            numbers = as_numbers(labels, whole=False)
            if numbers is None or not len(numbers):
                return
            target = numbers.to_numpy(zero_copy_only=False)
        else:
            target = labels.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        if not len(target):
            return
        predictors = Predictors(target)
        scores = {name: predictors.score(column.take(kept)) for name, column in columns.items()}
        leaks = {
            name: score
            for name, score in scores.items()
            if score and share_of_mistakes_avoided(*score) >= (LEAK_R2 if quantity else LEAK)
        }
        if leaks:
            listed = list(leaks)
            score, baseline = min(leaks.values())
            best = (
                f"R2 {score:.3f}"
                if quantity
                else f"accuracy {score:.1%}, where always the most frequent class has {baseline:.1%}"
            )
            several = len(listed) > 1
            yield DataFinding(
                kind="target_leak",
                columns=listed,
                text=f"{names(listed)} alone {'predict' if several else 'predicts'} the target "
                f"{names([self._target])}{', each' if several else ''} with {best}{' or more' * several} (judged on "
                f"half of {where}): what is known only together with the target makes a model that fails in "
                "production.",
                advice=f"Name {'them' if several else 'it'} in `[dataset] exclude`, unless the value is known when a "
                "prediction is asked for.",
            )


def _usable(labels: pa.Array, columns: Sequence[pa.Array]) -> pa.Array:
    """The rows with a label, each of equal ones once: copies would let any column predict them."""
    hashes = row_hashes(text_hashes(column) for column in (labels, *columns))
    _, first = np.unique(hashes, return_index=True)
    first.sort()
    missing = is_missing(labels).to_numpy(zero_copy_only=False)
    return pa.array(first[~missing[first]])


def _such_as(pair: tuple[int, int] | None) -> str:
    return f", such as rows {pair[0] + 1:,} and {pair[1] + 1:,}" if pair else ""


def _bound(equal: EqualRows, quantity: bool, metric: str | None) -> str:
    """The best score that is left, "" where nearly all is."""
    if not quantity:
        accuracy = equal.best["accuracy"]
        return f"an accuracy above {accuracy:.3f}" if accuracy <= 1 - _LEAST_LOSS else ""
    if equal.best["r2"] > 1 - _LEAST_LOSS:
        return ""
    error = (
        f", or {metric.upper()} below {equal.best[metric]:.4g}," if metric in ("mse", "rmse", "mae") else ""
    )
    return f"R2 above {equal.best['r2']:.3f}{error}"


_MOST_ROWS, _LEAST_ROWS = 50_000, 5_000
_CELLS = 3_000_000
_BYTES = 64 * 2**20
_LONG_TEXT = 100  # bytes a row; of longer ones the beginning is kept
_BEGINNING = 40  # characters


class Sample:
    """All rows of a table of moderate size; of a larger one each with a probability that is halved when they become
    too many. They are the same rows of the same table every time.
    """

    def __init__(self, columns: int) -> None:
        self._most = int(np.clip(_CELLS // columns, _LEAST_ROWS, _MOST_ROWS))
        self._halvings = 0
        self._rows = 0  # of the table, so far
        self._parts: list[tuple[np.ndarray, pa.RecordBatch, int]] = []  # the last is the bytes of the rows

    def see(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        numbers = np.arange(self._rows, self._rows + batch.num_rows, dtype=np.uint64)
        self._rows += batch.num_rows
        self._parts.append(self._thinned(mix(numbers + np.uint64(1)), batch))
        while self._too_much():
            self._halvings += 1
            self._parts = [self._thinned(keys, part) for keys, part, _ in self._parts]

    def table(self) -> pa.Table:
        """The rows, in the file's order; there was a batch."""
        return pa.Table.from_batches([part for _, part, _ in self._parts]).combine_chunks()

    @property
    def is_whole(self) -> bool:
        """Whether no row was left out."""
        return not self._halvings

    def _thinned(self, keys: np.ndarray, batch: pa.RecordBatch) -> tuple[np.ndarray, pa.RecordBatch, int]:
        if self._halvings:
            kept = np.flatnonzero(keys & np.uint64(2**self._halvings - 1) == 0)
            keys, batch = keys[kept], batch.take(pa.array(kept))
        rows = _short(batch)
        return keys, rows, rows.nbytes

    def _too_much(self) -> bool:
        rows = sum(len(keys) for keys, _, _ in self._parts)
        return rows > self._most or sum(size for _, _, size in self._parts) > _BYTES


def _short(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pc.utf8_slice_codeunits(column, 0, _BEGINNING)
        if column.nbytes > _LONG_TEXT * batch.num_rows
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


LEAST_MISTAKES = 10  # of the baseline on the judged half: of fewer nothing can be said
_ROWS_A_VALUE = 10  # on average, for a rule by value


class Predictors:
    """Judges how well a column alone predicts one target: labels as codes (int64), or a quantity (float64); (rows,).

    By a rule that is fitted on one half of the rows and judged on the other, so that an identifier, whose values are
    all new in the other half, predicts nothing.
    """

    def __init__(self, target: np.ndarray) -> None:
        self.target = target
        self._is_quantity = target.dtype == np.float64
        # The halves alternate in a shuffled order, whatever the order of the file.
        self._fit = np.random.RandomState(0).permutation(len(target)) % 2 == 0

    def score(self, column: pa.Array) -> tuple[float, float] | None:
        """R2 of a quantity, or accuracy, and that of the best constant answer (0 for R2): by the best rule, `None`
        where there is no rule to judge.
        """
        missing = is_missing(column)
        rules = [self._by_value(missing)]
        encoded = column.dictionary_encode()
        few = len(encoded.dictionary) * _ROWS_A_VALUE <= len(column)
        if few or (not self._is_quantity and len(encoded.dictionary) <= self.target.max() + 1):
            rules.append(self._by_value(encoded.indices))
        numbers = as_numbers(column.filter(pc.invert(missing)), whole=False)
        if numbers is not None and len(numbers):
            present = np.flatnonzero(~missing.to_numpy(zero_copy_only=False))
            rules.append(self._by_neighbour(present, numbers.to_numpy(zero_copy_only=False)))
        judged = [rule for rule in rules if rule is not None]
        return max(judged, key=lambda one: share_of_mistakes_avoided(*one)) if judged else None

    def _by_value(self, values: pa.Array) -> tuple[float, float] | None:
        """Each value predicts the label that it mostly had, or the mean."""
        codes = values.to_numpy(zero_copy_only=False).astype(np.int64)
        fit, test = self._fit, ~self._fit
        if self._is_quantity:
            counts = np.bincount(codes[fit], minlength=codes.max() + 1)
            sums = np.bincount(codes[fit], self.target[fit], minlength=codes.max() + 1)
            overall = self.target[fit].mean()
            predicted = np.where(counts > 0, sums / np.maximum(counts, 1), overall)[codes[test]]
        else:
            classes = int(self.target.max()) + 1
            pairs, counts = np.unique(codes[fit] * classes + self.target[fit], return_counts=True)
            order = np.argsort(counts, kind="stable")
            answers = np.full(codes.max() + 1, _most_frequent(self.target[fit]))
            answers[pairs[order] // classes] = pairs[order] % classes  # the last, most frequent one stays
            predicted = answers[codes[test]]
        return self._judged(predicted, self.target[fit], self.target[test])

    def _by_neighbour(self, rows: np.ndarray, numbers: np.ndarray) -> tuple[float, float] | None:
        """Each number is predicted from the nearest one; the halves differ in their numbers, so that a person's or
        a group's number says nothing about itself.
        """
        distinct, codes = np.unique(numbers, return_inverse=True)
        if len(distinct) < 2 * LEAST_MISTAKES:
            return None
        fit = (np.random.RandomState(0).permutation(len(distinct)) % 2 == 0)[codes]
        order = np.argsort(numbers[fit], kind="stable")
        known, labels = numbers[fit][order], self.target[rows[fit]][order]
        asked = numbers[~fit]
        right = np.clip(np.searchsorted(known, asked), 1, len(known) - 1)
        nearest = np.where(asked - known[right - 1] <= known[right] - asked, right - 1, right)
        return self._judged(labels[nearest], self.target[rows[fit]], self.target[rows[~fit]])

    def _judged(
        self, predicted: np.ndarray, fitted: np.ndarray, actual: np.ndarray
    ) -> tuple[float, float] | None:
        if not len(fitted) or not len(actual):
            return None
        if self._is_quantity:
            spread = float(np.square(actual - actual.mean()).sum())
            enough = len(actual) > LEAST_MISTAKES and spread > 0
            return (1 - float(np.square(actual - predicted).sum()) / spread, 0.0) if enough else None
        baseline = actual == _most_frequent(fitted)
        if np.count_nonzero(~baseline) < LEAST_MISTAKES:
            return None
        return float((predicted == actual).mean()), float(baseline.mean())


def share_of_mistakes_avoided(score: float, baseline: float) -> float:
    """1 where none of the baseline's mistakes is left (Goodman and Kruskal's lambda; of R2 it is R2 itself)."""
    return (score - baseline) / (1 - baseline)


def _most_frequent(labels: np.ndarray) -> int:
    return int(np.bincount(labels).argmax())

"""How well one column alone predicts the target: by a rule that is fitted on one half of the rows and judged on the
other, so that an identifier, whose values are all new in the other half, predicts nothing.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.statistics import as_numbers, is_missing

LEAST_MISTAKES = 10  # of the baseline on the judged half: of fewer nothing can be said
_ROWS_A_VALUE = 10  # on average, for a rule by value


class Predictors:
    """Judges columns against one target: labels as codes (int64), or a quantity (float64); shape (rows,)."""

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
        return max(judged, key=_gain) if judged else None

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


def _gain(judged: tuple[float, float]) -> float:
    return share_of_mistakes_avoided(*judged)


def share_of_mistakes_avoided(score: float, baseline: float) -> float:
    """1 where none of the baseline's mistakes is left (Goodman and Kruskal's lambda; of R2 it is R2 itself)."""
    return (score - baseline) / (1 - baseline)


def _most_frequent(labels: np.ndarray) -> int:
    return int(np.bincount(labels).argmax())

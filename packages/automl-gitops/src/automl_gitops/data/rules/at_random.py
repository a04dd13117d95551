"""The split where no rule says otherwise: at random, in the classes' shares."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


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

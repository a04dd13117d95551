"""Rows that are not independent: the groups that they come in, such as the visits of one patient.

What is counted, or left out, for an interval is then the group (jackknife.py). Whole groups fall into buckets of
groups, and buckets are left out (P. S. Kott, The delete-a-group jackknife, Journal of Official Statistics 17 (2001)
521-526), so that ten million groups need no more memory than `BUCKETS`; a bucket is one group as long as there are not
more. Of rows without groups, each row counts for a group.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from automl_evaluation.ahead import in_order
from automl_evaluation.counts import DENSE_CELLS, Counts, count, spans
from automl_evaluation.labels import code_type

BUCKETS = 4096
FEWEST_BUCKETS = 64  # however many cells a table has


@dataclass(frozen=True)
class Clusters:
    """The groups of the rows: ``codes`` (rows,) are below ``number``, and every one of these occurs."""

    codes: np.ndarray
    number: int

    def of(self, rows: np.ndarray) -> "Clusters":
        """The groups of some of the rows (a mask or numbers), counted anew."""
        codes = self.codes[rows]
        occurs = np.bincount(codes, minlength=self.number) > 0
        number = int(occurs.sum())
        return Clusters((occurs.cumsum() - 1).astype(code_type(number))[codes], number)

    def in_buckets(self, most: int = BUCKETS) -> "Clusters":
        """Buckets in the place of groups, at most so many."""
        if self.number <= most:
            return self
        return Clusters((self.codes % most).astype(code_type(most)), most)


def tabulate(columns: list[np.ndarray], sizes: list[int], clusters: Clusters | None) -> Counts:
    """`counts.count`, with each bucket's own rows beside the table where there are groups.

    A table of many cells gets fewer buckets, `FEWEST_BUCKETS` at least: intervals are then a little wider.
    """
    table = count(columns, sizes)
    if clusters is None:
        return table
    buckets = clusters.in_buckets(int(np.clip(DENSE_CELLS // len(table.rows), FEWEST_BUCKETS, BUCKETS)))
    whole = count([buckets.codes, *columns], [buckets.number, *sizes])
    cells = np.searchsorted(
        np.ravel_multi_index(table.codes, sizes), np.ravel_multi_index(whole.codes[1:], sizes)
    )
    by_cluster = sparse.csr_array(
        (whole.rows.astype(np.float64), (whole.codes[0], cells)), shape=(buckets.number, len(table.rows))
    )
    return Counts(table.codes, table.rows, by_cluster)


class ClusterSums:
    """Sums over rows of several quantities by bucket.

    Without groups, row ``i`` belongs to bucket ``i`` modulo `BUCKETS`.
    """

    def __init__(self, quantities: int, clusters: Clusters | None = None) -> None:
        """Of so many quantities."""
        self._buckets = clusters.in_buckets() if clusters else None
        self._sums = np.zeros((self._buckets.number if self._buckets else BUCKETS, quantities))
        self._rows = 0

    def add(self, start: int, values: np.ndarray) -> None:
        """Add the quantities of the rows from ``start`` on: (rows, quantities). Chunks come in order."""
        if self._buckets:
            codes, number = self._buckets.codes[start : start + len(values)], self._buckets.number
            for quantity, weights in enumerate(values.T):
                self._sums[:, quantity] += np.bincount(codes, weights=weights, minlength=number)
            return
        whole = len(values) // BUCKETS * BUCKETS
        offset = start % BUCKETS
        if offset:
            raise ValueError(f"a chunk starts at row {start}, which is no multiple of {BUCKETS}")
        self._sums += values[:whole].reshape(-1, BUCKETS, values.shape[1]).sum(axis=0)
        self._sums[: len(values) - whole] += values[whole:]
        self._rows = max(self._rows, start + len(values))

    def add_all(self, rows: int, quantities: Callable[[slice], np.ndarray]) -> None:
        """Add the quantities of all rows, which ``quantities`` gives of a span of them on any thread."""
        for span, values in zip(spans(rows), in_order(quantities, spans(rows)), strict=True):
            self.add(span.start, values)

    @property
    def sums(self) -> np.ndarray:
        """The buckets that have rows (buckets, quantities)."""
        return self._sums if self._buckets else self._sums[: min(self._rows, BUCKETS)]

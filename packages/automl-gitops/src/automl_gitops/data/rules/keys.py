"""What a rule reads of each row: the hash of its group, and its time."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_gitops.data.buffers import Growing
from automl_gitops.data.hashes import distinct, is_among, seeded_hashes
from automl_gitops.data.rules.times import Times
from automl_gitops.data.statistics import NOTHING, Encoded, is_missing
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import DatasetSettings


def group_hashes(
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
    return seeded_hashes([batch.column(name) for name in names], seed)


class Keys:
    """Groups and times of a table, batch after batch: eight bytes a row for each. ``name`` is what messages call it."""

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
            hashes = group_hashes(batch, self._dataset.group, self._dataset.seed, self.name, self.rows)
            self._groups.add(hashes)
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
                seeded_hashes([column.take(pa.array(padded)) for column in bare], self._dataset.seed)
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

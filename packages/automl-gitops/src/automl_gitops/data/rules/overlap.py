"""Whether data that is trained on by reference keeps off its holdout: no group in both, and nothing later than it.

The objects are read as a stream, a few columns of them, up to a number of bytes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from botocore.exceptions import ClientError

from automl_gitops.data.hashes import distinct, is_among
from automl_gitops.data.heads import whole_lines
from automl_gitops.data.listing import Listing, S3Object, refusal
from automl_gitops.data.rules import Keys, required_groups
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import DatasetSettings

MOST_BYTES = 10**9  # of all objects together
_BLOCK = 4 * 2**20  # bytes of an object at a time


class _Groups:
    """Hashes of groups, each once: no more of them are held than twice the different ones."""

    def __init__(self) -> None:
        self._merged = np.empty(0, np.uint64)
        self._added: list[np.ndarray] = []
        self._rows = 0  # of what was added

    def add(self, hashes: np.ndarray) -> None:
        self._added.append(distinct(hashes))
        self._rows += len(self._added[-1])
        if self._rows > len(self._merged):
            self._merge()

    def _merge(self) -> None:
        self._merged, self._added, self._rows = distinct(np.concatenate([self._merged, *self._added])), [], 0

    @property
    def distinct(self) -> np.ndarray:
        """Uint64, in ascending order."""
        self._merge()
        return self._merged


class Overlap:
    """Compares objects with the rows of ``holdout``; ``read`` counts their bytes, and stops at ``most`` of them.

    ``columns`` are the objects' header.
    """

    def __init__(
        self, s3: Any, dataset: DatasetSettings, columns: Sequence[str], holdout: Keys, most: int = MOST_BYTES
    ) -> None:
        self.read, self._most = 0, most
        self._s3, self._dataset, self.columns = s3, dataset, list(columns)
        self._group = dataset.group if dataset.group and {*dataset.group} <= {*columns} else None
        self._time = dataset.time if dataset.time in columns else None
        self._holdout = holdout
        self._others = {holdout.name: distinct(holdout.groups)} if holdout.groups is not None else {}

    @property
    def compares(self) -> list[str]:
        """The columns that the objects have and that are compared."""
        return [*(self._group or ()), *([self._time] if self._time else ())]

    def check(self, listings: Sequence[Listing]) -> None:
        """Raise `UserError` for the first row of a group that another part has too, of none, or that is too late.

        The groups of one listing are not to appear in those after it.
        """
        for number, listing in enumerate(listings, start=1):
            groups = _Groups()
            for item in listing.items:
                if self.compares and self.read < self._most:
                    for hashes in self._check(f"s3://{listing.bucket}/{item.key}", listing, item):
                        if number < len(listings):
                            groups.add(hashes)
            if self._group:
                self._others[listing.uri] = groups.distinct

    def _check(self, uri: str, listing: Listing, item: S3Object) -> Iterator[np.ndarray]:
        """The hashes of the rows' groups, batch after batch."""
        before = 0
        times = self._holdout.times.like(uri) if self._time and self._holdout.times else None
        for batch in self._batches(uri, listing, item):
            if self._group:
                hashes = required_groups(batch, self._group, self._dataset.seed, uri, before)
                self._require_apart(uri, before, hashes, batch)
                yield hashes
            if times and self._holdout.times:
                begin = self._holdout.times.values.min()
                moments = times.parse(batch.column(self._time), before)
                late = moments >= begin - times.gap if times.gap else moments > begin
                if late.any():
                    row = int(np.argmax(late))
                    value = batch.column(self._time)[row]
                    raise UserError(
                        f'{uri}: row {before + row + 1} has "{value}" in "{self._time}", and the '
                        f"holdout ({self._holdout.name}) begins at {self._holdout.times.text(begin)}"
                        f"{f' with a gap of {self._dataset.gap}' if times.gap else ''}: train on earlier rows alone"
                    )
            before += batch.num_rows

    def _require_apart(self, uri: str, before: int, hashes: np.ndarray, batch: pa.RecordBatch) -> None:
        for name, groups in self._others.items():
            shared = is_among(hashes, groups)
            if shared.any():
                row = int(np.argmax(shared))
                value = ", ".join(f'{column} = "{batch.column(column)[row]}"' for column in self._group or ())
                raise UserError(
                    f"{uri}: row {before + row + 1} is of the group {value}, and so are rows of {name}: a group "
                    "belongs in one part as a whole; move its rows"
                )

    def _batches(self, uri: str, listing: Listing, item: S3Object) -> Iterator[pa.RecordBatch]:
        """The compared columns of an object, as far as it may be read."""
        size = min(item.size, self._most - self.read)
        try:
            body = self._s3.get_object(
                Bucket=listing.bucket, Key=item.key, Range=f"bytes=0-{size - 1}", IfMatch=item.etag
            )["Body"]
        except ClientError as error:
            raise refusal(error, uri) from None
        left, header = b"", True
        while block := body.read(_BLOCK):
            self.read += len(block)
            block = left + block
            lines = whole_lines(block)
            left = block[len(lines) :]
            if lines:
                yield from self._parsed(uri, lines, header=header)
                header = False
        if left and size == item.size:
            yield from self._parsed(uri, left, header=header)

    def _parsed(self, uri: str, lines: bytes, *, header: bool) -> Iterator[pa.RecordBatch]:
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(lines),
                read_options=pa.csv.ReadOptions(use_threads=False, column_names=self.columns),
                parse_options=pa.csv.ParseOptions(newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    include_columns=self.compares,
                    column_types=dict.fromkeys(self.compares, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise UserError(f"{uri}: cannot be read as CSV ({' '.join(str(error).split())[:200]})") from None
        yield from table.slice(1 if header else 0).combine_chunks().to_batches()

"""DataProcessing: which fields of a CSV record go to the model, and which come out, by a JSONPath.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

csv.field_size_limit(2**31 - 1)  # a payload has a limit of its own
_WHOLE = re.compile(r"\$(\[\*\])?")
_SLICE = re.compile(r"\$\[(-?\d*):(-?\d*)\]")
_FIELDS = re.compile(r"\$\[(-?\d+(?:\s*,\s*-?\d+)*)\]")


class UnknownFilterError(ValueError):
    """A JSONPath that is not offered here."""


@dataclass(frozen=True)
class Filter:
    """Some fields of a record: a slice or positions."""

    chosen: slice | tuple[int, ...]

    def __call__(self, fields: list[str]) -> list[str]:
        """The fields that the filter lets through. Raises IndexError where there is none at a position."""
        if isinstance(self.chosen, slice):
            return fields[self.chosen]
        return [fields[position] for position in self.chosen]

    @property
    def whole(self) -> bool:
        """Whether everything passes."""
        return self.chosen == slice(None, None)


def parse(path: str) -> Filter:
    """``$``, ``$[*]``, ``$[2:]``, ``$[:-1]``, ``$[0]``, ``$[0,3]``. Raises UnknownFilterError."""
    if _WHOLE.fullmatch(path):
        return Filter(slice(None, None))
    if match := _SLICE.fullmatch(path):
        first, last = (int(bound) if bound else None for bound in match.groups())
        return Filter(slice(first, last))
    if match := _FIELDS.fullmatch(path):
        return Filter(tuple(int(position) for position in match[1].split(",")))
    raise UnknownFilterError(path)


def rows(content: bytes) -> list[list[str]]:
    """The records of a CSV."""
    return list(csv.reader(io.StringIO(content.decode())))


def lines(records: list[list[str]]) -> bytes:
    """A CSV of the records."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    quoting = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for record in records:  # a line of blanks alone would be no record
        (quoting if len(record) == 1 and record[0].isspace() else writer).writerow(record)
    return buffer.getvalue().encode()

"""Writing rows as CSV lines, column by column instead of value by value, which is what makes large files
bearable.
"""

import csv
import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_SPECIAL = '[",]'


def header(columns: Sequence[str]) -> bytes:
    """The header line of these columns."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(columns)
    return text.getvalue().encode()


def lines(columns: Sequence[pa.Array]) -> pa.Array:
    """A CSV line, with its line end, for each row of string columns without line breaks; quoted as RFC 4180
    says.
    """
    fields = [_quoted(column) for column in columns]
    if len(fields) == 1:
        # An empty line would be no row at all.
        fields = [pc.if_else(pc.equal(fields[0], ""), '""', fields[0])]
    joined = pc.binary_join_element_wise(*fields, ",") if len(fields) > 1 else fields[0]
    return pc.binary_join_element_wise(joined, "\n", "")


def content(array: pa.Array) -> memoryview:
    """The bytes of all strings of an array, one after the other, without a copy."""
    if len(array) == 0:
        return memoryview(b"")
    _, offsets, values = array.buffers()
    width = 8 if pa.types.is_large_string(array.type) else 4
    ends = memoryview(offsets).cast("q" if width == 8 else "i")
    return memoryview(values)[ends[array.offset] : ends[array.offset + len(array)]]


def _quoted(column: pa.Array) -> pa.Array:
    special = pc.match_substring_regex(column, _SPECIAL)
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), column)

"""64-bit hashes of texts and of rows, by which equal ones are known. They are good within one process, and never kept.

Among 10 million rows two different ones have the same hash with a probability of 3 in a million.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

_WORD = 8  # bytes that are mixed in at a time
_LONG = 256  # bytes from which a value is hashed by itself: there Python's call costs less than the bytes
# Odd constants of splitmix64 (Steele, Lea and Flood, 2014).
_MIX_1, _MIX_2, _STEP = (
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
    np.uint64(0x9E3779B97F4A7C15),
)
# The bytes of a word that belong to a value of so many bytes.
_MASKS = np.array([(1 << (8 * size)) - 1 for size in range(_WORD + 1)], np.uint64)


def mix(values: np.ndarray) -> np.ndarray:
    """Spread every bit of uint64 values over all bits (splitmix64's finalizer)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= _MIX_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(31)
    return mixed


def text_hashes(column: pa.Array) -> np.ndarray:
    """A hash of each text of a string column without nulls, which may be encoded: uint64, shape (rows,)."""
    if pa.types.is_dictionary(column.type):
        hashes: np.ndarray = text_hashes(column.dictionary)[column.indices.to_numpy(zero_copy_only=False)]
        return hashes
    rows = len(column)
    if not rows:
        return np.zeros(0, np.uint64)
    _, offsets, values = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    ends = np.frombuffer(offsets, kind)[column.offset : column.offset + rows + 1].astype(np.int64)
    first, last = int(ends[0]), int(ends[-1])
    # With a word of zeros behind, so that the last value can be read by words.
    content = np.zeros(last - first + _WORD, np.uint8)
    if last > first:
        content[:-_WORD] = np.frombuffer(values, np.uint8)[first:last]
    words = np.ndarray((last - first + 1,), np.dtype("<u8"), content, strides=(1,))
    starts, sizes = ends[:-1] - first, np.diff(ends)
    hashes = mix(words[starts] & _MASKS[np.minimum(sizes, _WORD)] ^ (sizes.astype(np.uint64) * _STEP))
    if sizes.max() <= _WORD:
        return hashes
    longer = np.flatnonzero((sizes > _WORD) & (sizes < _LONG))
    place = _WORD
    while len(longer):
        left = np.minimum(sizes[longer] - place, _WORD)
        hashes[longer] = mix(hashes[longer] * _STEP ^ (words[starts[longer] + place] & _MASKS[left]))
        place += _WORD
        longer = longer[sizes[longer] > place]
    for row in np.flatnonzero(sizes >= _LONG):
        value = content[starts[row] : starts[row] + sizes[row]].tobytes()
        hashes[row] = np.uint64(hash(value) & 0xFFFFFFFFFFFFFFFF)
    return hashes


def row_hashes(columns: Iterable[np.ndarray]) -> np.ndarray:
    """One hash a row of the hashes of its values, in the columns' order."""
    combined = None
    for hashes in columns:
        if combined is None:
            combined = hashes.copy()
        else:
            combined *= _STEP
            combined ^= hashes  # which are spread already
    assert combined is not None  # noqa: S101 - a table has columns
    return combined

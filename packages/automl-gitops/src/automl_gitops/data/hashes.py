"""64-bit hashes of texts and of rows, the same in years, on any machine and in any batch.

Among ten million different ones two have the same hash with a chance of 3 in a million.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from automl_gitops.data.buffers import ends, text_bytes

_WORD = 8  # bytes that are mixed in at a time
_LONG = 256  # bytes from which a text is hashed by itself: there the call costs less than the bytes
_STEP = np.uint64(0x9E3779B97F4A7C15)
# The bytes of a word that belong to a text of so many bytes.
_MASKS = np.array([(1 << (8 * size)) - 1 for size in range(_WORD + 1)], np.uint64)


def mix(numbers: np.ndarray) -> np.ndarray:
    """Each uint64 spread over all bits: the next of SplitMix64 (Steele, Lea and Flood 2014), a bijection."""
    mixed = numbers + _STEP
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


_OF_SIZES = mix(np.arange(_LONG + 1, dtype=np.uint64))


def text_hashes(column: pa.Array) -> np.ndarray:
    """A hash of each text of a string column without nulls, which may be encoded: uint64, shape (rows,).

    Its length and its bytes, eight at a time in little-endian order, are mixed in one after the other.
    """
    if pa.types.is_dictionary(column.type):
        return text_hashes(column.dictionary)[column.indices.to_numpy(zero_copy_only=False)]
    if not len(column):
        return np.zeros(0, np.uint64)
    bounds = ends(column).astype(np.int64)
    # With a word of zeros behind, so that the last text can be read by words.
    content = np.concatenate((text_bytes(column), np.zeros(_WORD, np.uint8)))
    words = np.ndarray((len(content) - _WORD + 1,), np.dtype("<u8"), content, strides=(1,))
    starts, sizes = bounds[:-1] - bounds[0], np.diff(bounds)
    hashes = _OF_SIZES[np.minimum(sizes, _LONG)]
    left: np.ndarray | slice = slice(None)
    if not (sizes.min() and sizes.max() < _LONG):
        left = np.flatnonzero((sizes > 0) & (sizes < _LONG))
    place, longest = 0, int(sizes[left].max(initial=0))
    while place < longest:
        word = words[starts[left] + place]
        word &= _MASKS[np.minimum(sizes[left] - place, _WORD)]
        word ^= hashes[left]
        hashes[left] = mix(word)
        place += _WORD
        left = np.flatnonzero((sizes > place) & (sizes < _LONG)) if place < longest else left
    for row in np.flatnonzero(sizes >= _LONG):
        text = content[starts[row] : starts[row] + sizes[row]]
        hashes[row] = int.from_bytes(hashlib.blake2b(text.data, digest_size=_WORD).digest(), "little")
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


def group_hashes(columns: Sequence[pa.Array], seed: int) -> np.ndarray:
    """The hash of each row's group, which are its values in these string columns: uint64, shape (rows,). It decides
    the group's side.

    Two groups that share a hash are one group: that puts none on two sides.
    """
    state = mix(np.full(len(columns[0]), seed, dtype=np.uint64))
    for column in columns:
        state = mix(state ^ text_hashes(column))
    return state


def shares(hashes: np.ndarray) -> np.ndarray:
    """Hashes as evenly spread numbers from 0 to below 1: float64."""
    return (hashes >> np.uint64(11)) * 2.0**-53


def is_among(hashes: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Whether each of ``hashes`` is one of ``ordered``, which rise: booleans."""
    if not len(ordered):
        return np.zeros(len(hashes), dtype=bool)
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return ordered[places] == hashes


def distinct(hashes: np.ndarray) -> np.ndarray:
    """The different ones, which rise; `np.unique`'s hash table takes forty times as long on ten million."""
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def dense(hashes: np.ndarray) -> np.ndarray:
    """Numbers in the place of hashes, 0, 1, 2 in the order in which each first appears: int64."""
    return pa.array(hashes).dictionary_encode().indices.to_numpy().astype(np.int64)

"""A hash of a row's group that is the same in years, on any machine and in any batch; it decides the group's side."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = 8  # bytes
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_WORD)], dtype=np.uint64)


def hash_rows(columns: Sequence[pa.Array], seed: int) -> np.ndarray:
    """The hash of each row's values, compared as text: uint64, shape (rows,).

    Of string columns. Of ten million groups two share a hash with a chance of 3 in a million, and are then one group:
    that puts none on two sides.
    """
    state = np.full(len(columns[0]), _mixed(np.array([seed], dtype=np.uint64))[0], dtype=np.uint64)
    for column in columns:
        state = _mixed(state ^ _hash_texts(column))
    return state


def shares(hashes: np.ndarray) -> np.ndarray:
    """Hashes as evenly spread numbers from 0 to below 1: float64."""
    return (hashes >> np.uint64(11)) * 2.0**-53


def is_among(hashes: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Whether each of ``hashes`` is one of ``ordered``, which rise: booleans."""
    if not len(ordered):
        return np.zeros(len(hashes), dtype=bool)
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    among: np.ndarray = ordered[places] == hashes
    return among


def distinct(hashes: np.ndarray) -> np.ndarray:
    """The different ones, which rise; `np.unique`'s hash table takes forty times as long on ten million."""
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    different: np.ndarray = ordered[first]
    return different


def dense(hashes: np.ndarray) -> np.ndarray:
    """Numbers in the place of hashes, 0, 1, 2 in the order in which each first appears: int64."""
    _, first, codes = np.unique(hashes, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    numbers: np.ndarray = ranks[codes]
    return numbers


def _hash_texts(texts: pa.Array) -> np.ndarray:
    """Of each text: its length and its bytes, eight at a time in little-endian order, mixed in one after the other."""
    _, offsets, values = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    starts, lengths = ends[:-1], np.diff(ends)
    content = bytes(values)[: ends[-1]] if values is not None else b""
    # Eight bytes from any byte on; what lies behind a text's end is masked.
    words = np.ndarray(len(content) + 1, "<u8", content + bytes(_WORD), strides=(1,))
    state = _mixed(lengths.astype(np.uint64))
    for done in range(0, int(lengths.max(initial=0)), _WORD):
        rows = np.flatnonzero(lengths > done)
        word, left = words[starts[rows] + done].astype(np.uint64), lengths[rows] - done
        word &= np.where(left < _WORD, _MASKS[np.minimum(left, _WORD - 1)], ~np.uint64(0))
        state[rows] = _mixed(state[rows] ^ word)
    return state


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection, on each number of a Weyl sequence."""
    mixed = numbers + np.uint64(_GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashed: np.ndarray = mixed ^ (mixed >> np.uint64(31))
    return hashed

"""A hash of a row's group that is the same in years, on any machine and in any batch; it decides the group's side."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from automl_gitops.data.hashes import mix, text_hashes


def hash_rows(columns: Sequence[pa.Array], seed: int) -> np.ndarray:
    """The hash of each row's values, compared as text: uint64, shape (rows,).

    Of string columns. Two groups that share a hash are one group: that puts none on two sides.
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
    codes: np.ndarray = pa.array(hashes).dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes

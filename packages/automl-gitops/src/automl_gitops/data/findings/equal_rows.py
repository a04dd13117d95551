"""Rows that are equal, on the same side of the split or not, and equal inputs with different labels."""

from dataclasses import dataclass

import numpy as np

from automl_gitops.data.hashes import is_among

_CHUNK = 2**20  # rows that are looked up at a time


@dataclass(frozen=True)
class EqualRows:
    """Numbers of rows, and pairs of them as examples (counted from 0, the smaller one first).

    ``copies`` equal an earlier row; ``held_out_copies`` of the holdout equal a row to train on (`None`: there is no
    split); ``conflicting`` have the inputs of a row with another label. ``best`` are the scores that no model can
    exceed because of these: the accuracy of classes, or R2, MSE, RMSE and MAE of a quantity, on all rows.
    """

    copies: int
    copy: tuple[int, int] | None
    held_out_copies: int | None
    conflicting: int
    conflict: tuple[int, int] | None
    best: dict[str, float]


def equal_rows(
    inputs: np.ndarray,
    labels: np.ndarray,
    held_out: np.ndarray | None,
    left_out: np.ndarray | None = None,
) -> EqualRows:
    """Compare all rows with each other.

    ``inputs`` are hashes, uint64 (rows,); ``labels`` are hashes too, or float64 where the target is a quantity;
    ``held_out`` marks the rows of the holdout, ``left_out`` those that are neither held out nor trained on:
    booleans, (rows,).
    """
    rows = _with_equal_inputs(inputs)
    rows = rows[np.lexsort((labels[rows], inputs[rows]))]  # stable: equal rows stay in the file's order
    same_inputs, same_labels = (_like_the_one_before(values[rows]) for values in (inputs, labels))
    copy = same_inputs & same_labels
    runs = np.flatnonzero(~copy)  # where rows that are equal begin
    groups = np.flatnonzero(~same_inputs)  # where rows of equal inputs begin
    sizes = np.diff(groups, append=len(rows))
    group_of_run = np.cumsum(~same_inputs)[runs] - 1
    mixed = np.bincount(group_of_run, minlength=len(groups)) > 1
    held_out_copies = None
    if held_out is not None:
        trained = ~held_out if left_out is None else ~(held_out | left_out)
        held_out_copies = _held_out_copies(held_out[rows], trained[rows], runs)
    return EqualRows(
        copies=int(copy.sum()),
        copy=_first_pair(rows, copy),
        held_out_copies=held_out_copies,
        conflicting=int(sizes[mixed].sum()),
        conflict=_first_pair(rows, same_inputs & ~same_labels),
        best=(
            _best_of_quantity(labels, labels[rows], groups, sizes)
            if labels.dtype == np.float64
            else {"accuracy": 1 - _outvoted(runs, len(rows), group_of_run, len(groups)) / len(labels)}
        ),
    )


def _with_equal_inputs(inputs: np.ndarray) -> np.ndarray:
    """The rows, in the file's order, that have the inputs of another row."""
    ordered = np.sort(inputs)
    several = ordered[1:][ordered[1:] == ordered[:-1]]  # more than once where there are more than two
    del ordered
    member = np.zeros(len(inputs), bool)
    for start in range(0, len(inputs), _CHUNK):
        member[start : start + _CHUNK] = is_among(inputs[start : start + _CHUNK], several)
    return np.flatnonzero(member)


def _like_the_one_before(values: np.ndarray) -> np.ndarray:
    alike = np.zeros(len(values), bool)
    alike[1:] = values[1:] == values[:-1]
    return alike


def _first_pair(rows: np.ndarray, later: np.ndarray) -> tuple[int, int] | None:
    """Of the rows marked as ``later``, the first in the file that comes after the one that it is like."""
    places = np.flatnonzero(later)
    if not len(places):
        return None
    pairs = np.sort(np.stack([rows[places - 1], rows[places]]), axis=0)
    one, other = pairs[:, np.lexsort((pairs[0], pairs[1]))[0]]
    return int(one), int(other)


def _held_out_copies(held_out: np.ndarray, trained: np.ndarray, runs: np.ndarray) -> int:
    """Rows of the holdout among equal ones of which another is trained on."""
    if not len(runs):
        return 0
    out, inside = (np.add.reduceat(flags.astype(np.int64), runs) for flags in (held_out, trained))
    return int(out[inside > 0].sum())


def _outvoted(runs: np.ndarray, rows: int, group_of_run: np.ndarray, groups: int) -> int:
    """Rows that do not have the most frequent label of their inputs."""
    sizes = np.diff(runs, append=rows)
    most = np.zeros(groups, np.int64)
    np.maximum.at(most, group_of_run, sizes)
    return rows - int(most.sum())


def _best_of_quantity(
    labels: np.ndarray, values: np.ndarray, groups: np.ndarray, sizes: np.ndarray
) -> dict[str, float]:
    """What always predicting the mean of equal inputs (for MAE their median) scores; ``values`` are sorted within
    groups.
    """
    squared = absolute = 0.0
    if len(groups):
        means = np.add.reduceat(values, groups) / sizes
        squared = float(np.square(values - np.repeat(means, sizes)).sum())
        rank = np.arange(len(values)) - np.repeat(groups, sizes)
        absolute = float((values * np.sign(2 * rank - (np.repeat(sizes, sizes) - 1))).sum())
    total = float(np.square(labels - labels.mean()).sum())
    mse = squared / len(labels)
    return {
        "r2": 1 - squared / total if total > 0 else 1.0,
        "mse": mse,
        "rmse": mse**0.5,
        "mae": absolute / len(labels),
    }

"""Rows to rehearse with: a sample of a file, or made-up rows of the kind that dataset.lock describes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.dataset.hospital import save
from pipeline.dataset.lock import FILE, DatasetLock
from pipeline.dataset.table import Table

SEED = 7
_WORDS = ("a", "b", "c", "d")
_LEAST_OF_A_CLASS = 5


def find_lock(project: Path) -> DatasetLock | None:
    """The project's dataset.lock, `None` where there is none yet."""
    path = project / FILE
    return DatasetLock.load(path) if path.exists() else None


def sample(path: Path, rows: int, folder: Path) -> Path:
    """Some rows of a data set's file, as CSV below ``folder``."""
    batches = [batch.to_pandas() for batch in Table.open(path).batches()]
    made = folder / "sample.csv"
    save(pd.concat(batches, ignore_index=True), made, rows)
    return made


def stand_in(lock: DatasetLock, rows: int, folder: Path) -> Path:
    """So many made-up rows with the columns and, roughly, the class shares of ``lock``, as CSV below ``folder``.

    The target follows from the first columns, with noise, so that there is something to learn.
    """
    random = np.random.default_rng(SEED)
    columns: dict[str, np.ndarray] = {}
    signal = random.normal(0.0, 0.3, rows)
    for place, column in enumerate(lock.features):
        if column.type == "text":
            codes = random.integers(0, len(_WORDS), rows)
            columns[column.name] = np.asarray(_WORDS)[codes]
            strength = codes - 1.5
        else:
            strength = random.normal(0.0, 1.0, rows)
            columns[column.name] = (
                np.round(10 * strength).astype(int) if column.type == "integer" else strength.round(3)
            )
        if place < 3:
            signal += strength
    columns[lock.target] = _target(lock, signal)
    frame = pd.DataFrame({column.name: columns[column.name] for column in lock.columns})
    made = folder / "synthetic-rows.csv"
    save(frame, made, rows)
    return made


def _target(lock: DatasetLock, signal: np.ndarray) -> np.ndarray:
    """The target: a quantity, or labels of about the shares of ``lock``, each often enough to be split."""
    classes = lock.classes or lock.holdout_classes
    if not classes:
        whole = next(column.type for column in lock.columns if column.name == lock.target) == "integer"
        return np.round(100 * signal).astype(int) if whole else signal.round(3)
    shares = np.asarray(list(classes.values()), dtype=float)
    counts = np.maximum(np.floor(shares / shares.sum() * len(signal)).astype(int), _LEAST_OF_A_CLASS)
    counts[np.argmax(counts)] += len(signal) - counts.sum()
    labels = np.empty(len(signal), dtype=object)
    labels[np.argsort(signal, kind="stable")] = np.repeat(list(classes), counts)
    return labels

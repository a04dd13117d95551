"""Made-up rows for a project whose rows are split by a rule, of the kind that dataset.lock describes."""

import math
from collections.abc import Mapping

import numpy as np

from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.rules import VALIDATE
from automl_gitops.data.rules.made_up import ROWS_OF_A_GROUP, Kind, sides
from automl_gitops.data.rules.made_up import columns as rule_columns
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.dataset import DatasetSettings


def by_rule(
    lock: DatasetLock, dataset: DatasetSettings, least: Mapping[int, int], rows: int, most: int, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of the rule, and the part in which it puts each row.

    Of ``rows`` rows, or up to ``most`` where a part would have fewer than its ``least``.
    """
    kind = _kind(lock)
    while True:
        made = rule_columns(dataset, rows, kind, np.random.RandomState(seed))
        placed = sides(dataset, made)
        short = [side for side, wanted in least.items() if np.count_nonzero(placed == side) < wanted]
        if lock.split and lock.split.split and not lock.rows.validation:
            short = [side for side in short if side != VALIDATE]
        if not short or rows >= most:
            return made, placed
        rows = min(math.ceil(1.3 * rows), most)


def _kind(lock: DatasetLock) -> Kind:
    """What ``lock`` knows of the columns by which its rows were split."""
    split = lock.split
    if split is None:
        return Kind()
    of_a_group = lock.rows.test / split.groups.test if split.groups and split.groups.test else ROWS_OF_A_GROUP
    parts = (lock.rows.train_validation or 0, lock.rows.validation or 0, lock.rows.test)
    return Kind(
        rows_of_a_group=of_a_group,
        times=(split.times.first, split.times.last) if split.times else Kind().times,
        parts=parts if lock.rows.total else None,
        integers=frozenset(
            column.name for column in (*split.columns, *lock.columns) if column.type == "integer"
        ),
    )


def not_trained_on(lock: DatasetLock, config: Config) -> float:
    """The share of rows that are not in the object to train on."""
    if (lock.split or lock.rows.validation) and lock.rows.total and lock.rows.train_validation:
        return 1 - lock.rows.train_validation / lock.rows.total
    return 1 - config.training_share if config.sets_validation_apart else config.dataset.holdout

"""Made-up values of the columns by which rows are split, so that made-up rows pass through the same rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from automl_evaluation.values import number
from automl_gitops.data.rules import SPLIT_VALUES, Assigner
from automl_gitops.kernel.settings.dataset import VALIDATION, DatasetSettings

ROWS_OF_A_GROUP = 1.42  # on average, as encounters of a patient in the hospital data
_LEAST_GROUPS = 60  # fewer might leave a side without any
_COARSER = 7  # groups of one column for one of the column before it
_LEAST_TIMES = 20  # gaps between the first time and the last
_SPREAD = 0.01  # of the whole range: the times of one group


@dataclass(frozen=True)
class Kind:
    """What the columns are like: rows of a group on average, the first and the last time as text, rows by value of a
    split column, and the columns whose values are whole numbers.
    """

    rows_of_a_group: float = ROWS_OF_A_GROUP
    times: tuple[str, str] = ("2019-01-01", "2024-06-30")
    parts: tuple[int, int, int] | None = None
    integers: frozenset[str] = field(default_factory=frozenset)


def group_numbers(rows: int, rows_of_a_group: float, random: np.random.RandomState) -> np.ndarray:
    """The number of each row's group; groups have a geometric number of rows, and their rows are anywhere."""
    mean = max(1.0, min(rows_of_a_group, rows / _LEAST_GROUPS))
    sizes = random.geometric(1 / mean, rows)
    return random.permutation(np.repeat(np.arange(rows), sizes)[:rows])


def shared_out(shares: Mapping[str, float], rows: int) -> np.ndarray:
    """Each of the labels in its share of the rows, one label after the other."""
    ends = np.round(np.cumsum(list(shares.values())) * rows).astype(int)
    return np.repeat(np.array(list(shares), dtype=object), np.diff(ends, prepend=0))


def in_order(of: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """``ordered`` values, the first where ``of`` is least."""
    values = np.empty(len(of), dtype=object)
    values[np.argsort(of, kind="stable")] = ordered
    return values


def columns(
    dataset: DatasetSettings, rows: int, kind: Kind, random: np.random.RandomState
) -> dict[str, np.ndarray]:
    """The columns that the rule names, as text; the rows of a group are near each other in time."""
    made: dict[str, np.ndarray] = {}
    groups = group_numbers(rows, kind.rows_of_a_group, random)
    names = list(dataset.group or ())
    for place, name in enumerate(names):
        codes = 100_000 + groups // _COARSER ** (len(names) - 1 - place)
        made[name] = codes.astype(str) if name in kind.integers else np.char.add("k", codes.astype(str))
    if dataset.time:
        begins = random.random_sample(rows)[groups if dataset.group else np.arange(rows)]
        made[dataset.time] = _times(
            dataset, kind, begins * (1 - _SPREAD) + _SPREAD * random.random_sample(rows)
        )
    if dataset.split:
        train, test = 1 - dataset.holdout, dataset.holdout
        parts = kind.parts or (train * (1 - VALIDATION), train * VALIDATION, test)
        shares = {value: part / sum(parts) for value, part in zip(SPLIT_VALUES, parts, strict=True)}
        made[dataset.split] = random.permutation(shared_out(shares, rows))
    return {name: values.astype(object) for name, values in made.items()}


def sides(dataset: DatasetSettings, made: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where the rule puts rows with these columns. Raises `UserError` as `Assigner` does."""
    assigner = Assigner(dataset, "made-up rows")
    target = {dataset.target: np.full(len(next(iter(made.values()))), "x")}
    frame = pd.DataFrame({**{name: made[name] for name in dataset.rule_columns}, **target})
    assigner.see(pa.RecordBatch.from_pandas(frame.astype(str), preserve_index=False))
    return assigner.assign().sides


def _times(dataset: DatasetSettings, kind: Kind, places: np.ndarray) -> np.ndarray:
    """Times at these places, from 0 to 1, of the range; with a gap it is long enough for some."""
    first, last = kind.times
    if number(first) is not None and number(last) is not None:
        numbers = float(first) + (float(last) - float(first)) * places
        whole = first.lstrip("-").isdigit() and last.lstrip("-").isdigit()
        return (np.round(numbers).astype(np.int64) if whole else numbers).astype(str)
    zoned = first.endswith("+00:00")
    start, end = (np.datetime64(text.removesuffix("+00:00").replace(" ", "T"), "s") for text in kind.times)
    least = np.timedelta64(int(_LEAST_TIMES * dataset.least_gap.total_seconds()), "s")
    span = max(end - start, least)
    moments = start + (places * span.astype(float)).astype("timedelta64[s]")
    if not zoned and len(first) == len(last) == len("2024-01-31"):
        return np.datetime_as_string(moments, unit="D")
    texts = np.char.replace(np.datetime_as_string(moments, unit="s"), "T", " ")
    return np.char.add(texts, "+00:00") if zoned else texts

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_gitops.data.rules import Split

LABELS = np.random.RandomState(1).choice(["no", ">30", "<30"], 1000, p=[0.54, 0.35, 0.11])
SIZES = dict(zip(*np.unique(LABELS, return_counts=True), strict=True))


def take(split: Split, labels: np.ndarray, batch: int) -> np.ndarray:
    return np.concatenate(
        [split.take(pa.array(labels[at : at + batch])) for at in range(0, len(labels), batch)]
    )


@pytest.mark.parametrize("holdout", [0.2, 0.25, 1 / 3])
def test_shares_are_kept_in_every_class(holdout: float) -> None:
    chosen = take(Split(SIZES, holdout, 42), LABELS, 100)

    assert chosen.sum() == round(len(LABELS) * holdout)
    for label, size in SIZES.items():
        assert abs(chosen[label == LABELS].sum() - size * holdout) < 1


def test_batches_do_not_matter() -> None:
    chosen = [take(Split(SIZES, 0.2, 42), LABELS, batch) for batch in (1, 7, 1000)]

    assert (chosen[0] == chosen[1]).all()
    assert (chosen[0] == chosen[2]).all()


@given(
    sizes=st.dictionaries(st.text(max_size=3), st.integers(2, 40), min_size=1, max_size=6),
    order=st.integers(0, 2**32 - 1),
    holdout=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(5, 50),
)
@settings(max_examples=100, deadline=None)
def test_every_class_gives_its_share_whatever_the_order_and_the_batches(
    sizes: dict[str, int], order: int, holdout: float, seed: int, batch: int
) -> None:
    rows = np.random.RandomState(order).permutation(
        np.repeat(np.array([*sizes], dtype=object), [*sizes.values()])
    )

    chosen = take(Split(sizes, holdout, seed), rows, batch)

    held_out = Counter(rows[chosen])
    for label, size in sizes.items():
        assert 1 <= held_out[label] <= size - 1
        assert abs(held_out[label] - np.clip(size * holdout, 1, size - 1)) < 1
    if all(1 <= size * holdout <= size - 1 for size in sizes.values()):
        assert chosen.sum() == round(len(rows) * holdout)
    assert (chosen == take(Split(sizes, holdout, seed), rows, len(rows))).all()


def test_seed_decides() -> None:
    first, again, other = (take(Split(SIZES, 0.2, seed), LABELS, 1000) for seed in (42, 42, 43))

    assert (first == again).all()
    assert (first != other).any()


def test_choice_stays_the_same_in_years() -> None:
    """A new release of NumPy must not change the holdout of a data set under the same hash."""
    labels = pa.array(["a", "b"] * 10)

    chosen = Split({"a": 10, "b": 10}, 0.2, 42).take(labels)

    assert np.flatnonzero(chosen).tolist() == [1, 2, 3, 16]


def test_rows_without_classes_are_drawn_from_all() -> None:
    split = Split({None: 1000}, 0.2, 42)

    chosen = split.take(pa.array([str(n) for n in range(1000)]))

    assert chosen.sum() == 200
    # The holdout is spread over the file, not one end of it.
    assert 60 < chosen[:500].sum() < 140


@pytest.mark.parametrize(
    ("size", "holdout", "test"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.01, 1), (10, 0.999, 9)]
)
def test_each_class_keeps_a_row_on_either_side(size: int, holdout: float, test: int) -> None:
    chosen = Split({"rare": size}, holdout, 42).take(pa.array(["rare"] * size))

    assert chosen.sum() == test

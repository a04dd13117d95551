"""What a job reads in its training data: missing values, numbers, and the spellings of a label."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from local_sagemaker.sagemaker.autopilot import data
from local_sagemaker.sagemaker.transform import filters
from local_sagemaker.serving import BadInput, tabular

REQUEST = {
    "target": "y", "weight": None, "problem_type": None, "validation_fraction": 0.2, "least_rows": 20,
    "mode": "ENSEMBLING",
}  # fmt: skip


def prepared(labels: list[str], xs: list[str] | None = None, **changes: Any) -> data.Prepared:
    xs = xs or [str(n) for n in range(len(labels))]
    frame = pd.DataFrame({"x": xs, "y": labels}, dtype=object)
    return data.prepare(frame, changes.pop("validation", None), REQUEST | changes, {})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["1", "1.0", "01", "2"], ["1", "2"]),
        (["True", "True", "TRUE", "false"], ["True", "false"]),
        (["1", "1.0", "x"], ["1", "1.0", "x"]),
        (["yes", "yes ", "Yes"], ["Yes", "yes", "yes "]),
        (["9007199254740992", "9007199254740993"], ["9007199254740992", "9007199254740993"]),
    ],
)
def test_spellings_of_a_label_are_one_class(labels: list[str], expected: list[str]) -> None:
    assert sorted(prepared([labels[0], *labels * 20]).labels) == expected


def test_validation_rows_may_spell_a_label_otherwise() -> None:
    validation = pd.DataFrame({"x": ["1", "2"] * 20, "y": ["1.0", "0.0"] * 20}, dtype=object)

    found = prepared(["1", "0"] * 30, validation=validation)

    assert found.notes == []
    assert found.validation[data.TARGET].tolist() == [1, 0] * 20


def test_rows_without_a_label_are_left_out() -> None:
    found = prepared(["a", "b", "NA", "n/a", "null", ""] * 20)

    assert found.labels == ["a", "b"]
    assert len(found.train) + len(found.validation) == 40


def test_a_missing_value_is_one_in_numbers_and_texts() -> None:
    spelt = list(tabular.MISSING)
    columns = [{"name": "n", "type": "number"}, {"name": "t", "type": "text"}]

    frame = tabular.typed(pd.DataFrame({"n": ["1", *spelt], "t": ["None so", *spelt]}, dtype=object), columns)

    assert frame.isna().sum().tolist() == [len(spelt), len(spelt)]
    assert prepared(["a", "b"] * 20, ["1", "NA", "n/a", "2"] * 10).columns == [
        {"name": "x", "type": "number"}
    ]
    assert prepared(["a", "b"] * 20, ["1", "?", "n/a", "2"] * 10).columns == [{"name": "x", "type": "text"}]


def test_a_text_among_numbers_is_named_and_cut() -> None:
    with pytest.raises(BadInput, match=r"row 2: 'w{99} in column 'n' is not a number"):
        tabular.numbers(pd.Series(["1", "w" * 5000], name="n", dtype=object))


def test_a_filter_keeps_records_of_blanks_and_long_values() -> None:
    records = [[" "], [""], ["w" * 200_000], ["a,b"]]

    assert filters.rows(filters.lines(records)) == records
    assert filters.lines(records[:2]) == b'" "\n""\n'

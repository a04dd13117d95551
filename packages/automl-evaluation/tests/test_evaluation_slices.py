"""Slices: values, bands and one-hot groups of input columns."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_evaluation.errors import EvaluationError
from automl_evaluation.reading import Part
from automl_evaluation.slices import Slicing, read_slicings


def sliced(
    folder: Path, columns: dict[str, list[Any]], wanted: list[str], bands: dict[str, Any] | None = None
) -> list[Slicing]:
    """The slices of one part of these columns."""
    path = folder / "part-00000.csv"
    rows = list(zip(*columns.values(), strict=True))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return read_slicings(
        [Part(path, "x_test/part-00000.csv")], list(columns), wanted, bands or {}, [len(rows)]
    )


def rows_of(slicing: Slicing) -> dict[str, int]:
    return {name: int(slicing.mask(code).sum()) for code, name in enumerate(slicing.names)}


def test_values_of_a_column(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"x": [1, 2, 3, 4], "city": ["b", "a", "", "b"]}, ["city"])

    assert found.kind == "values"
    assert rows_of(found) == {"(missing)": 1, "a": 1, "b": 2}


SPELT = ["NA", "null", "None", "N/A", "?", "", "nan"]


def test_every_spelling_of_a_missing_value_is_one_slice(tmp_path: Path) -> None:
    columns = {"city": ["b", *SPELT, "a", " "], "age": [70, *SPELT, 20, 40]}

    city, age, bands = (
        sliced(tmp_path, columns, [name], edges)[0]
        for name, edges in (("city", {}), ("age", {}), ("age", {"age": [30, 60]}))
    )

    assert rows_of(city) == {"(missing)": 7, '" "': 1, "a": 1, "b": 1}
    assert list(rows_of(age).items()) == [("(missing)", 7), ("20", 1), ("40", 1), ("70", 1)]
    assert rows_of(bands) == {"below 30": 1, "30 to below 60": 1, "60 and above": 1, "(missing)": 7}


@pytest.mark.parametrize("value", ["64_000", "0x1F", "1e400", "\u0663"])
def test_what_no_trainer_reads_as_a_number_is_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(EvaluationError, match="x is no column of numbers"):
        sliced(tmp_path, {"x": [1, 2, value]}, ["x"], {"x": 2})


def test_few_numbers_are_values_in_their_order(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"x": [10, 9, 10, 1]}, ["x"])

    assert list(rows_of(found).items()) == [("1", 1), ("9", 1), ("10", 2)]


def test_rare_values_are_others(tmp_path: Path) -> None:
    names = [f"city {number:02}" for number in range(25) for _ in range(1 + (number < 20))]

    (found,) = sliced(tmp_path, {"city": names}, ["city"])

    assert len(found.names) == 21
    assert rows_of(found)["(others)"] == 5


def test_many_numbers_are_cut_into_four_bands_of_equally_many_rows(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"x": list(range(100))}, ["x"])

    assert found.kind == "bands"
    assert rows_of(found) == {"below 25": 25, "25 to below 50": 25, "50 to below 75": 25, "75 and above": 25}


def test_bands_at_edges(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"age": [5, 30, 59, 60, "", 80]}, ["age"], {"age": [30, 60, 90]})

    assert rows_of(found) == {
        "below 30": 1,
        "30 to below 60": 2,
        "60 to below 90": 2,
        "90 and above": 0,
        "(missing)": 1,
    }


def test_a_number_of_bands(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"x": [1, 1, 1, 1, 1, 1, 2, 3]}, ["x"], {"x": 2})

    assert sum(rows_of(found).values()) == 8
    assert all(rows_of(found).values())


@pytest.mark.parametrize("bands", [2, [5.0]])
def test_one_value_is_one_band(tmp_path: Path, bands: Any) -> None:
    (found,) = sliced(tmp_path, {"x": [3, 3, 3]}, ["x"], {"x": bands})

    assert max(rows_of(found).values()) == 3


def test_one_hot_columns_are_one_set_of_slices(tmp_path: Path) -> None:
    columns = {"race_A": [1, 0, 0, 1], "race_B": [0, 1, 0, 1], "x": [1, 2, 3, 4]}

    (found,) = sliced(tmp_path, columns, ["race_*"])

    assert found.kind == "one-hot"
    assert rows_of(found) == {"A": 1, "B": 1, "(others)": 2}


def test_one_hot_columns_may_be_booleans(tmp_path: Path) -> None:
    (found,) = sliced(tmp_path, {"race_A": ["True", "False"], "race_B": ["false", "true"]}, ["race_*"])

    assert rows_of(found) == {"A": 1, "B": 1}


def test_several_sets_come_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    found = sliced(tmp_path, {"a": ["x", "y"], "b": ["z", "z"]}, ["b", "a"])

    assert [slicing.column for slicing in found] == ["b", "a"]
    assert found[0].codes.tolist() == [0, 0]
    assert found[1].codes.tolist() == [0, 1]


def test_nothing_asked_for_reads_nothing() -> None:
    missing = [Part(Path("/nowhere"), "x")]

    assert read_slicings(missing, ["a"], [], {}, [3]) == []


@pytest.mark.parametrize(
    ("columns", "wanted", "bands", "message"),
    [
        pytest.param({"a": [1]}, ["b"], {}, "the data set has no column b", id="unknown column"),
        pytest.param({"a": [1]}, ["b_*"], {}, r"the data set has no column b_\*", id="unknown group"),
        pytest.param(
            {"a_1": [1], "a_2": [7]},
            ["a_*"],
            {},
            r"a_\* takes in a_2, which is not a 0/1 column",
            id="no group",
        ),
        pytest.param({"a": ["x"]}, ["a"], {"a": 4}, "a is no column of numbers", id="bands of text"),
    ],
)
def test_slices_that_cannot_be(
    tmp_path: Path, columns: dict[str, list[Any]], wanted: list[str], bands: dict[str, Any], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        sliced(tmp_path, columns, wanted, bands)


def test_another_number_of_input_rows_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    path.write_text("1\n2\n")

    with pytest.raises(EvaluationError, match="x_test/part: 2 rows of inputs for 3 labels"):
        read_slicings([Part(path, "x_test/part")], ["a"], ["a"], {}, [3])


def test_every_row_is_in_one_slice_of_a_set(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=5000).round(2).tolist()

    (found,) = sliced(tmp_path, {"x": values}, ["x"], {"x": 7})

    counts = list(rows_of(found).values())
    assert sum(counts) == 5000
    assert max(counts) - min(counts) < 100

from __future__ import annotations

from pathlib import Path

import pytest
from making import table

from automl_gitops.data import profile as profiling
from automl_gitops.data import table as reading
from automl_gitops.data.inspect import inspect
from automl_gitops.data.profile import profile
from automl_gitops.data.table import Table
from automl_gitops.kernel.errors import UserError


def write(path: Path, header: str, *values: str) -> Path:
    path.write_text("\n".join([header, *values]) + "\n")
    return path


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "007"], "integer"),
        (["1", "", "NA"], "integer"),
        (["1", "2.5"], "number"),
        (["1e3", "nan"], "number"),
        (["1", "x"], "text"),
        (["1", "1,5"], "text"),
        (["", "NaN"], "empty"),
        (["99999999999999999999"], "number"),
    ],
)
@pytest.mark.parametrize("block", [16 * 2**20, 16])
def test_type_of_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[str], kind: str, block: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    path = write(tmp_path / "t.csv", "x,y", *(f'"{value}",a' for value in values))

    assert profile(Table.open(path), "y").types == {"x": kind, "y": "text"}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["yes", "no"] * 10, "BinaryClassification"),
        (["0", "1"] * 10, "BinaryClassification"),
        (["0.0", "1.0"] * 10, "BinaryClassification"),
        (["a", "b", "c"] * 10, "MulticlassClassification"),
        ([str(n % 5) for n in range(40)], "MulticlassClassification"),
        ([str(n) for n in range(40)], "Regression"),
        (["1.5", "2.5", "3"], "Regression"),
        ([str(n) for n in range(40)] + ["unknown"], "MulticlassClassification"),
    ],
)
def test_problem_type_suits_the_target(tmp_path: Path, values: list[str], problem: str) -> None:
    path = write(tmp_path / "t.csv", "x,y", *(f"1,{value}" for value in values))

    found = inspect(path)

    assert (found["target"], found["problem_type"]) == ("y", problem)
    assert (found["classes"] is None) == (problem == "Regression")
    assert found["classes"] is None or sum(found["classes"].values()) == found["rows"] == len(values)


def test_too_many_values_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "MOST_CLASSES", 50)
    path = write(tmp_path / "t.csv", "x,y", *(f"1,{n}" for n in range(100)))

    seen = profile(Table.open(path), "y").target

    assert seen.classes is None
    assert (seen.least, seen.most, seen.problem_type) == (0, 99, "Regression")


def test_first_value_that_is_no_number_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 16)
    path = write(tmp_path / "t.csv", "x,y", *(f"1,{n}" for n in range(20)), "1,inf", "1,many")

    assert profile(Table.open(path), "y").target.no_number == (21, "inf")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("labl", 'has no column "labl", the target ([dataset] target in automl.toml); did you mean "label"?'),
        ("zzz", "its columns are age, ward, label"),
    ],
)
def test_wrong_target_gets_the_nearest(tmp_path: Path, target: str, sentence: str) -> None:
    path = table(tmp_path / "t.csv")

    with pytest.raises(UserError) as caught:
        profile(Table.open(path), target)

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [("", "row 3 has no value in the target column"), ("None", 'row 3 has "None", which reads as no value')],
)
def test_missing_label_is_placed(tmp_path: Path, value: str, sentence: str) -> None:
    path = write(tmp_path / "t.csv", "x,y", "1,a", "1,b", f"1,{value}", "1,b")

    with pytest.raises(UserError) as caught:
        profile(Table.open(path), "y")

    assert sentence in str(caught.value)


def test_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has a header but no rows"):
        inspect(write(tmp_path / "t.csv", "x,y"))

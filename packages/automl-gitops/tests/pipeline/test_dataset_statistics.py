"""What dataset.lock and `dataset inspect` know of each column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from making import automl_toml, lenient

from automl_gitops.data import table as reading
from automl_gitops.data.inspect import MOST_LINES, inspect, show
from automl_gitops.data.lock import Column, DatasetLock, Uris
from automl_gitops.data.prepared import prepare
from automl_gitops.data.profile import profile
from automl_gitops.data.rules.times import Times
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError

URIS = Uris(train_validation="s3://b/t.csv", x_test="s3://b/x/", y_test="s3://b/y/")


@pytest.mark.parametrize("rows", [60, 3000], ids=["few values", "many values"])
@pytest.mark.parametrize("value", ["1e400", " -1E+0999 ", "1" * 400])
def test_what_no_float_holds_is_a_text_among_numbers(tmp_path: Path, rows: int, value: str) -> None:
    path = tmp_path / "t.csv"
    values = [*(f"{row}.5" for row in range(rows - 3)), "inf", "1e200", value]
    path.write_text("\n".join(["x,y", *(f"{one},{row % 2}" for row, one in enumerate(values)), ""]))

    mixture = profile(Table.open(path), "y").mixtures["x"]

    assert (mixture.numbers, mixture.texts, mixture.row, mixture.value) == (rows - 1, 1, rows, value)


def column(folder: Path, values: list[object], name: str = "x") -> Column:
    """The entry of a column in dataset.lock."""
    path = folder / "t.csv"
    pd.DataFrame({name: values, "y": np.arange(len(values)) % 2}, dtype=object).to_csv(path, index=False)
    seen = profile(Table.open(path), "y")
    return seen.columns(seen.types, has_classes=True)[0]


@pytest.fixture(params=[8 * 2**20, 700], ids=["one block", "many blocks"])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", request.param)


RANDOM = np.random.RandomState(0)
CASES = {
    "0/1": ([0, 1, 1] * 50, {"distinct": 2, "values": {"0": 50, "1": 100}, "least": 0, "most": 1}),
    "missing": ([5, "", "NA", 7] * 10, {"missing": 20, "distinct": 2, "least": 5, "most": 7}),
    "numbers in their order": ([10, 9, 100] * 9, {"values": {"9": 9, "10": 9, "100": 9}}),
    "fractions": ([0.5, -1.25, 3] * 9, {"type": "number", "least": -1.25, "most": 3.0}),
    "infinite": (["inf", 1.5, 2.5] * 9, {"type": "number", "least": 1.5, "most": 2.5}),
    "int64": ([2**63 - 1, -(2**63)] * 9, {"type": "integer", "least": -(2**63), "most": 2**63 - 1}),
    "a late fraction": ([*range(3000), 0.5], {"type": "number", "least": 0.0, "most": 2999.0}),
    "a late text": ([*range(3000), "n.v."], {"type": "text", "least": None, "length": 4, "distinct": None}),
    "hexadecimal": (["0x1F", "0x20"] * 9, {"type": "text", "least": None}),
    "a rare value": (["a"] * 50 + ["b"] * 4, {"distinct": 2, "values": None}),
    "twenty-one values": ([f"v{n % 21}" for n in range(210)], {"distinct": 21, "values": None}),
    "a thousand values": ([f"v{n % 1000}" for n in range(1500)], {"distinct": 1000}),
    "more": ([f"v{n % 1001}" for n in range(1500)], {"distinct": None, "looks_like": None}),
    "names of letters": (["ä€😀", "a"] * 9, {"length": 3}),
    "long texts": (["x" * 150, "y"] * 9, {"values": None, "length": 150}),
    "one value": (["same"] * 9, {"distinct": 1, "values": {"same": 9}}),
    "days": ([f"2024-01-{n % 28 + 1:02}" for n in range(300)], {"looks_like": "date", "type": "text"}),
    "german days": ([f"{n % 28 + 1}.1.2024" for n in range(99)], {"looks_like": "date"}),
    "american days": ([f"1/{n % 28 + 1}/24" for n in range(99)], {"looks_like": "date"}),
    "moments": ([f"2024-01-02T03:04:{n % 60:02}Z" for n in range(99)], {"looks_like": "date"}),
    "named months": ([f"{n % 28 + 1} March 2024" for n in range(99)], {"looks_like": "date"}),
    "compact days": ([20240101 + n % 28 for n in range(99)], {"looks_like": "date", "type": "integer"}),
    "almost days": ([*[f"2024-01-{n % 28 + 1:02}" for n in range(300)], "later"], {"looks_like": None}),
    "years": ([1950 + n % 70 for n in range(300)], {"looks_like": None}),
    "running number": ([*range(3000, 6000)], {"looks_like": "identifier", "least": None, "distinct": None}),
    "few keys": ([f"k{n:04x}" for n in range(60)], {"looks_like": "identifier", "values": None}),
    "many keys": ([f"k{n:06x}" for n in range(3000)], {"looks_like": "identifier", "length": 7}),
    "keys, one twice": ([f"k{n:06x}" for n in [*range(3000), 0]], {"looks_like": None}),
    "texts that differ": ([f"so much text {n}" for n in range(3000)], {"looks_like": None}),
    "amounts": ([int(x) for x in RANDOM.lognormal(9, 2, 400) * 1000], {"looks_like": None}),
}  # fmt: skip


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("case", CASES)
def test_a_column_is_described(tmp_path: Path, case: str) -> None:
    values, expected = CASES[case]

    found = column(tmp_path, values)

    assert {name: getattr(found, name) for name in expected} == expected
    assert found.missing == sum(value in ("", "NA") for value in values)


@pytest.mark.parametrize(
    ("name", "looks_like"),
    [("patient_nbr", "identifier"), ("CustomerID", "identifier"), ("id", "identifier"), ("paid", None),
     ("number_of_keys", None), ("width", None), ("customer_no", "identifier"), ("Kundennummer", "identifier"),
     ("serialNumber", "identifier"), ("phone number", "identifier"), ("Artikel-Nr.", "identifier"),
     ("number_inpatient", None), ("number", None), ("rooms_number", None), ("week_number", None),
     ("weeknumber", None), ("casino", None)],
)  # fmt: skip
def test_a_name_tells_an_identifier_whose_values_come_twice(
    tmp_path: Path, name: str, looks_like: str | None
) -> None:
    found = column(tmp_path, [int(n) for n in RANDOM.randint(0, 10**7, 2000)] * 2, name)

    assert found.looks_like == looks_like
    assert (found.least is None) == (looks_like is not None)


def test_fractions_are_no_numbers_of_things(tmp_path: Path) -> None:
    found = column(tmp_path, [round(n, 3) for n in RANDOM.lognormal(5, 1, 2000)], "wave_number")

    assert found.looks_like is None


def test_no_single_person_s_value_is_written(tmp_path: Path, config: Callable[..., Config]) -> None:
    secrets = [f"SECRET-{n}" for n in range(4)]
    frame = pd.DataFrame({"diagnosis": ["flu"] * 796 + secrets, "note": [f"about {n}" for n in range(800)]})
    frame["label"] = ["a", "b"] * 400
    frame.to_csv(tmp_path / "t.csv", index=False)

    lock = prepare(config(), tmp_path / "t.csv", Output()).lock(config(), synthetic=False, uris=URIS)

    assert not any(word in lock.text() for word in ("SECRET", "about", "flu"))


def test_what_is_counted_of_columns_makes_no_other_model(
    tmp_path: Path, config: Callable[..., Config]
) -> None:
    frame = pd.DataFrame({"x": range(800), "label": ["a", "b"] * 400})
    frame.to_csv(tmp_path / "t.csv", index=False)
    lock = prepare(config(), tmp_path / "t.csv", Output()).lock(config(), synthetic=False, uris=URIS)

    before = lock.model_copy(update={"columns": [Column(name=c.name, type=c.type) for c in lock.columns]})

    assert lock.plain() == before.plain()
    assert DatasetLock.parse(before.text()) == before


@pytest.mark.parametrize("many", [False, True], ids=["few values", "many values"])
@pytest.mark.parametrize("value", ["-Infinity", " inf", "1e39", "-4" + "0" * 38])
def test_what_no_trainer_holds_is_placed_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool, value: str
) -> None:
    path = tmp_path / "t.csv"
    values = [f"{row if many else row % 9}.5" for row in range(3000)]
    values[2000], values[2003], values[2500], values[2999] = value, value, "inf", "9.9e37"
    values[7] = values[2400] = ""
    path.write_text("\n".join(["x,y", *(f"{one},{row % 2}" for row, one in enumerate(values)), ""]))
    monkeypatch.setattr(reading, "BLOCK", 9000)

    facts = inspect(path)
    settings = automl_toml(
        dataset={"target": "y"}, autopilot={"problem_type": "BinaryClassification", "objective": "F1"}
    )
    with pytest.raises(UserError) as caught:
        prepare(lenient(Config.parse(settings)), path, Output())

    said = f'column "x" has 3 numbers that are infinite or beyond 1e+38 (the first in row 2001: "{value}")'
    assert [notice for notice in facts["notices"] if said in notice]
    assert said in str(caught.value)
    assert "correct them or leave them empty" in str(caught.value)
    assert 'types = {x = "categorical"}' in str(caught.value)
    finite = [9.9e37, *([float(value)] if "nf" not in value else [])]
    assert facts["columns"][0]["least"] == min(0.5, *finite)
    assert facts["columns"][0]["most"] == max(finite)


@pytest.mark.parametrize(
    ("labels", "settings", "positive"),
    [
        (("no", "yes"), "", "yes"),
        (("9", "10"), "", "10"),
        (("no", "yes"), '[decision]\npositive = "no"\n', "no"),
        (("no", "yes"), '[decision]\npositive = "of another table"\n', "yes"),
        (("a", "b", "c"), "", None),
    ],
)
def test_inspect_says_which_of_two_classes_is_the_positive_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    labels: tuple[str, ...],
    settings: str,
    positive: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"1,{label}\n" for label in labels) * 30)
    (tmp_path / "automl.toml").write_text(settings)

    facts = inspect(Path("t.csv"))
    show(Output(), facts)

    assert facts["positive_class"] == positive
    out = capsys.readouterr().out
    assert (f'positive class: "{positive}", ' in out) == (positive is not None)
    assert ("which [decision] positive in automl.toml names" in out) == (f'"{positive}"' in settings)
    assert ("by default the second label" in out) == bool(positive and f'"{positive}"' not in settings)


def test_inspect_takes_the_project_s_target_where_the_table_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("x,y,z\n" + "1,a,2\n2,b,3\n" * 30)
    monkeypatch.chdir(tmp_path)
    targets = []
    for text in (
        None,
        '[dataset]\ntarget = "y"\n',
        '[dataset]\ntarget = "of another table"\n',
        "[dataset",
        "x = 1",
    ):
        if text:
            Path("automl.toml").write_text(text)
        targets.append(inspect(Path("t.csv"))["target"])

    assert targets == ["z", "y", "z", "z", "z"]
    Path("automl.toml").write_text('[dataset]\ntarget = "y"\n')
    assert inspect(Path("t.csv"), "x")["target"] == "x"


def test_a_target_that_is_no_column_is_the_option_s(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,Klinik\n" + "1,a\n2,b\n" * 30)

    with pytest.raises(UserError) as caught:
        inspect(tmp_path / "t.csv", "klinik")

    assert str(caught.value).endswith('has no column "klinik", the target (--target); did you mean "Klinik"?')


def test_inspect_says_what_a_target_of_one_value_is(tmp_path: Path) -> None:
    pd.DataFrame({"x": range(99), "y": ["only"] * 99}).to_csv(tmp_path / "t.csv", index=False)

    found = inspect(tmp_path / "t.csv")

    assert found["problem_type"] is None
    assert "it has one value" in found["reason"]


def test_inspect_shows_a_table_whose_target_has_gaps(tmp_path: Path) -> None:
    pd.DataFrame({"x": range(99), "y": ["a", "b", ""] * 33}).to_csv(tmp_path / "t.csv", index=False)

    found = inspect(tmp_path / "t.csv")

    assert found["problem_type"] == "BinaryClassification"
    assert found["target_missing"] == 33
    assert any("33 rows without a value in the target" in notice for notice in found["notices"])


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("5.1,3.5\n" + "4.9,3.0\n" * 60, "does the file lack its header?"),
        ("x,y\n" + "--,1\n2,0\n" * 60, 'values such as "--" in x'),
        ("x,y\n" + "1,1\n2,1.0\n3,0\n" * 60, '"1", "1.0" are spellings of one class'),
        ("x,y\n" + "".join(f"1,$ {n}\n" for n in range(60)), 'row 1 has "$ 0" in the target "y"'),
        (
            "x,y\n" + "1,0\n" * 60 + "n.v.,1\n",
            'column "x" has 60 numbers and 1 text (row 61: "n.v.")',
        ),
        ("x,e,y\n" + "1,,1\n2,,0\n" * 60, "no value in any row of e"),
    ],
)
def test_inspect_notices_what_to_look_at(tmp_path: Path, text: str, notice: str) -> None:
    (tmp_path / "t.csv").write_text(text)

    assert any(notice in found for found in inspect(tmp_path / "t.csv")["notices"])


@pytest.mark.parametrize(
    "day",
    [
        *("2024-01-{:02}", "2024-01-{:02} 03:04", "2024-01-{:02}T03:04:05.678Z", "202401{:02}"),
        *("2024-01-{:02}T03:04:05+01:00", "{:02}.06.2023", "2024/01/{:02}", "{} March 2024", "2024-1-{}"),
    ],
)
def test_dates_that_a_rule_does_not_take_are_to_be_written_otherwise(tmp_path: Path, day: str) -> None:
    days = [day.format(n % 28 + 1) for n in range(99)]
    pd.DataFrame({"day": days, "y": ["a", "b", "b"] * 33}).to_csv(tmp_path / "t.csv", index=False)
    try:
        Times("t.csv", "day").see(pa.array(days), 0)
    except UserError:
        taken = False
    else:
        taken = True

    facts = inspect(tmp_path / "t.csv")

    notice = next(one for one in facts["notices"] if "day has dates" in one)
    finding = next(one for one in facts["findings"] if one["kind"] == "date")
    assert ("write them as ISO 8601 first (2023-06-04)" not in notice) == taken
    assert ("(`[dataset] time`, once they are ISO 8601: 2023-06-04)" not in finding["advice"]) == taken


@pytest.mark.parametrize("columns", [3, 40, 400])
def test_inspect_fits_a_terminal_of_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    frame = pd.DataFrame(RANDOM.randint(0, 9, (120, columns))).add_prefix("a rather long name of a column ")
    frame["level"] = ["rather long values 😀 1", "rather long values, 2", "c"] * 40
    frame["y"] = [f"class {n % 30}" for n in range(120)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    facts = inspect(tmp_path / "t.csv")

    show(Output(), facts)

    lines = capsys.readouterr().out.splitlines()
    body = [line.rstrip() for line in lines[1:]]
    assert max(len(line) for line in body) <= 80
    assert len(lines) < 70
    assert len(json.loads(json.dumps(facts))["columns"]) == columns + 2
    assert ("--json has them all" in "\n".join(body)) == (columns + 2 > MOST_LINES)

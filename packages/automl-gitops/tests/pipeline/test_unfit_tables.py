"""Tables that would fail once the training is paid: each is refused or read right before, by every reader alike."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import automl_toml, lenient

from automl_evaluation import values
from automl_evaluation.inputs import check_lines, select
from automl_evaluation.reading import Part, batches, read_labels
from automl_evaluation.values import UNKNOWN
from automl_gitops.data import table as reading
from automl_gitops.data.consistency import findings
from automl_gitops.data.formats import Dialect
from automl_gitops.data.inspect import inspect
from automl_gitops.data.prepared import Prepared, prepare
from automl_gitops.data.refusals import written
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import read_rows, write_row
from automl_gitops.kernel.errors import UserError
from automl_gitops.verification.payload import feature_rows
from automl_rehearsal.first_look import FileSeen, Task, Wish, look
from local_sagemaker.sagemaker.transform import records
from local_sagemaker.serving import tabular

BINARY = {"problem_type": "BinaryClassification", "objective": "F1"}
MANY = {"problem_type": "MulticlassClassification", "objective": "F1macro"}
NUMBERS = {"problem_type": "Regression", "objective": "R2"}
INFERRED = {"problem_type": "infer", "objective": None}


def config(autopilot: dict[str, Any], **changes: Any) -> Config:
    return lenient(Config.parse(automl_toml(autopilot=autopilot, **changes)))


def pushed(folder: Path, text: str | bytes, autopilot: dict[str, Any], **options: Any) -> Prepared:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return prepare(config(autopilot, **options.pop("changes", {})), path, Output(), **options)


def refused(folder: Path, text: str | bytes, autopilot: dict[str, Any] = BINARY, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        pushed(folder, text, autopilot, **options)
    return str(caught.value)


def csv_text(values: list[str], header: str = "x,label") -> str:
    return header + "\n" + "".join(f"{n % 7},{value}\n" for n, value in enumerate(values))


TARGETS = [
    pytest.param(
        [f"{n}_000" for n in range(60)], NUMBERS, 'row 1 has "0_000"', "underscores", id="underscores"
    ),
    pytest.param(["7", *["0x1f"] * 60], NUMBERS, 'row 2 has "0x1f"', "write 31", id="hexadecimal"),
    pytest.param([*map(str, range(60)), "64e200"], NUMBERS, 'row 61 has "64e200"', "beyond 1e+38", id="huge"),
    pytest.param(
        [*map(str, range(60)), "-1e39"], NUMBERS, 'row 61 has "-1e39"', "beyond 1e+38", id="no float32"
    ),
    pytest.param([*map(str, range(60)), "1e400"], NUMBERS, 'row 61 has "1e400"', "no number", id="no float"),
    pytest.param([f"$ {n}" for n in range(60)], NUMBERS, 'row 1 has "$ 0"', "a currency sign", id="currency"),
    pytest.param(
        ['"1,234"', *map(str, range(60))], NUMBERS, 'row 1 has "1,234"', "write 1234", id="thousands"
    ),
    pytest.param([f"{n}%" for n in range(60)], NUMBERS, 'row 1 has "0%"', "a percent sign", id="per cent"),
    pytest.param(
        ["1", "0", "1.0"] * 30, BINARY, 'row 1 has "1" and row 3 "1.0"', "one class", id="1 and 1.0"
    ),
    pytest.param(["no", "?"] * 30, BINARY, 'row 2 has "?"', "reads as no value", id="question mark"),
    pytest.param(
        ["TRUE", "True", "FALSE"] * 30, MANY, 'row 1 has "TRUE" and row 2 "True"', "one class", id="TRUE"
    ),
    pytest.param(
        ["0.1", "0.3", "0.30000000000000004"] * 30,
        BINARY,
        'row 2 has "0.3" and row 3 "0.30000000000000004"',
        "one class",
        id="floats",
    ),
    pytest.param(["1", "01.0"] * 30, BINARY, "", "has the same value in all rows", id="one number"),
]


@pytest.mark.parametrize(("labels", "autopilot", "where", "why"), TARGETS)
def test_a_target_that_fails_later_is_refused_with_its_row(
    tmp_path: Path, labels: list[str], autopilot: dict[str, Any], where: str, why: str
) -> None:
    said = refused(tmp_path, csv_text(labels), autopilot)

    assert where in said
    assert why in said


@pytest.mark.parametrize(("labels", "autopilot", "where", "why"), TARGETS)
def test_the_first_look_refuses_it_too(
    tmp_path: Path, labels: list[str], autopilot: dict[str, Any], where: str, why: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(labels))
    problem = autopilot["problem_type"]

    with pytest.raises(UserError) as caught:
        look(Wish(str(path), "label", problem, lenient=True), Task("label", problem))

    # It counts the spellings of a class, and keeps no row of theirs.
    assert re.sub(r"^row \d+ (has .* and )row \d+ ", r"\1", where) in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["9007199254740992", "9007199254740993"], "BinaryClassification"),
        (["18446744073709551616", "18446744073709551617"], "BinaryClassification"),
        (["0.30000000000000001", "0.3", "x"], "MulticlassClassification"),
        (["10%", "20%"], "BinaryClassification"),
    ],
)
def test_labels_are_told_apart_to_the_last_digit(tmp_path: Path, labels: list[str], problem: str) -> None:
    found = pushed(tmp_path, csv_text(labels * 30), INFERRED | {"problem_type": problem})

    assert found.profile.target.problem_type == problem
    assert found.classes == dict.fromkeys(sorted(labels), 30)
    expected = FileSeen(["x", "label"], "label", 30 * len(labels), dict.fromkeys(labels, 30))
    assert look(Wish(str(tmp_path / "t.csv")), Task("label", problem, least=1)) == expected


def test_a_quantity_in_currency_is_no_classes_where_the_problem_is_inferred(tmp_path: Path) -> None:
    said = refused(tmp_path, csv_text([f"$ {n}" for n in range(60)]), INFERRED)

    assert 'row 1 has "$ 0" in the target column "label", a number with a currency sign' in said


def test_an_old_lock_with_two_spellings_is_found_out_by_the_plan(tmp_path: Path) -> None:
    found = pushed(tmp_path, csv_text(["1", "0"] * 30), BINARY)
    old = found.lock(config(MANY), False).model_copy(update={"classes": {"0": 20, "1": 20, "1.0": 20}})

    assert any(
        '"1", "1.0", which are spellings of one class' in str(one) for one in findings(config(MANY), old)
    )


ODD = [
    ("maybe", '"maybe" (1 row, row 4)'),
    ('yes"', '"yes"" (1 row, row 4, with a quote that nothing opens)'),
]


@pytest.mark.parametrize(("label", "placed"), ODD)
@pytest.mark.parametrize(("autopilot", "way"), [(BINARY, "or use MulticlassClassification"), (MANY, "merge")])
def test_one_mistyped_label_is_placed(
    tmp_path: Path, label: str, placed: str, autopilot: dict[str, Any], way: str
) -> None:
    labels = ["yes", "no"] * 30
    labels[3] = label

    said = refused(tmp_path, csv_text(labels), autopilot)

    assert placed in said
    assert "correct " in said
    assert way in said


def test_the_rarest_classes_are_placed_and_the_two_of_most_rows_are_not(tmp_path: Path) -> None:
    labels = [*["yes", "no"] * 30, "ja", "nein", "nein", "jo", "no!", "nope"]

    said = refused(tmp_path, csv_text(labels))

    assert 'correct "ja" (1 row, row 61), "jo" (1 row, row 64), "no!" (1 row, row 65) if mistyped' in said


@pytest.mark.parametrize("row", [3, 58])
def test_a_quote_that_nothing_closes_is_asked_for_where_it_took_the_other_rows(
    tmp_path: Path, row: int
) -> None:
    labels = ["yes", "no"] * 30
    labels[row - 1] = '"yes'

    said = refused(tmp_path, csv_text(labels))

    assert f"row {row} has a line break in a value: is a quote opened that nothing closes?" in said


def test_rows_without_a_label_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 64)
    labels = ["yes", "no"] * 300
    labels[10] = labels[500] = labels[-1] = ""

    said = refused(tmp_path, csv_text(labels))

    assert 'row 11 has no value in the target column "label" (3 of the 600 rows read lack one)' in said


def test_classes_that_differ_by_blanks_or_case_are_noticed(tmp_path: Path) -> None:
    prepared = pushed(tmp_path, csv_text(["yes", "yes ", "no", "No"] * 20), MANY)

    (similar,) = [one.text for one in prepared.findings if one.kind == "similar_classes"]

    assert '("No", "no"; "yes", "yes ")' in similar


@pytest.mark.parametrize("block", [16 * 2**20, 64])
@pytest.mark.parametrize("distinct", [7, 5000])
def test_a_text_among_numbers_is_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, distinct: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    rows = [f"{n % distinct},{'no' if n % 2 else 'yes'}\n" for n in range(2000 if block > 64 else 200)]
    rows[133] = "n.v.,yes\n"

    said = refused(tmp_path, "x,label\n" + "".join(rows))

    assert f'column "x" has {len(rows) - 1:,} numbers and 1 text (row 134: "n.v.")' in said
    assert "correct it or leave it empty" in said


def test_numbers_that_are_names_by_automl_toml_may_have_texts_among_them(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 2}\n" for n in range(300)) + "n.v.,1\n"

    assert 'types = {x = "categorical"}' in refused(tmp_path, "x,label\n" + rows)
    prepared = pushed(tmp_path, "x,label\n" + rows, {**BINARY, "types": {"x": "categorical"}})

    assert prepared.profile.types["x"] == "text"


def test_codes_that_are_mostly_numbers_are_noticed_and_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{'V' if n % 40 == 0 else ''}{n},{n % 2}\n" for n in range(800))

    found = pushed(tmp_path, "x,label\n" + rows, BINARY)

    assert found.profile.types["x"] == "text"
    assert 'column "x" has 780 numbers and 20 texts (the first in row 1: "V0")' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("inf", "an infinite number: if the target is a quantity, correct it"),
        ("7.2 kg", "a number with a unit: if the target is a quantity, write 7.2, and all others so"),
        (
            "(80.19)",
            "a number with parentheses: if the target is a quantity, write -80.19, and all others so",
        ),
    ],
)
def test_classes_that_are_nearly_all_numbers_are_told_as_that(tmp_path: Path, value: str, what: str) -> None:
    values = [f"{row / 7:.6f}" for row in range(700)]
    values[185] = value

    said = refused(tmp_path, csv_text(values), {"problem_type": "MulticlassClassification"})

    assert f'row 186 has "{value}", {what}' in said
    told = inspect(tmp_path / "t.csv")
    assert any(f'row 186 has "{value}" in the target "label"' in one for one in told["notices"])


def test_one_class_in_two_spellings_has_no_positive_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "x,label\n" + "".join(f"{n},{'007' if n % 3 else 7}\n" for n in range(90))
    )

    told = inspect(tmp_path / "t.csv")

    assert (told["problem_type"], told["positive_class"]) == (None, None)
    assert told["reason"] == "it has one value, spelt in several ways, so there is nothing to learn"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"dataset": {"exclude": ["x"]}}, id="excluded"),
        pytest.param({"dataset": {"weight": "x"}}, id="weight"),
        pytest.param({"dataset": {"group": "x"}}, id="group"),
        pytest.param({"autopilot": {"types": {"x": "categorical"}}}, id="names"),
        pytest.param({}, id="a feature"),
    ],
)
def test_an_infinite_number_is_refused_in_a_feature_alone(tmp_path: Path, changes: dict[str, Any]) -> None:
    rows = "".join(
        f"{n % 5}.5,{'inf' if n == 9 else n % 50},{'yes' if n % 3 else 'no'}\n" for n in range(300)
    )
    autopilot = BINARY | changes.pop("autopilot", {})
    used = not changes and "types" not in autopilot

    if used:
        said = refused(tmp_path, "k,x,label\n" + rows, autopilot)
        assert 'column "x" has 1 number that is infinite or beyond 1e+38 (row 10: "inf")' in said
    else:
        pushed(tmp_path, "k,x,label\n" + rows, autopilot, changes=changes)


@pytest.mark.parametrize("value", ["a", "12a"])
def test_a_column_of_texts_is_none_of_numbers(tmp_path: Path, value: str) -> None:
    assert not pushed(tmp_path, csv_text(["yes", "no"] * 30, f"{value},label"), BINARY).profile.mixtures


def test_numbers_may_stand_among_blanks(tmp_path: Path) -> None:
    rows = "".join(f"{' ' if n % 2 else ''}{n}, {n}.5 ,{n % 2}\n" for n in range(60))

    found = pushed(tmp_path, "a,b,label\n" + rows, BINARY)

    assert found.profile.types == {"a": "integer", "b": "number", "label": "integer"}
    frame = pd.read_csv(io.StringIO("a,b,label\n" + rows))
    assert [kind.kind for kind in frame.dtypes] == ["i", "f", "i"]


def points(numbers: list[int]) -> list[str]:
    return [f"{number:,}".replace(",", ".") for number in numbers]


AMOUNTS = [int(x) for x in np.random.RandomState(0).lognormal(6.5, 0.8, 3000) + 20]
ENDING_IN_9 = [amount // 10 * 10 + 9 for amount in AMOUNTS]
MEASURED = [amount / 1000 + 1 for amount in AMOUNTS]
THOUSANDS = {
    "amounts": points(AMOUNTS),
    "few": points(AMOUNTS[:120]),
    "sorted": points(sorted(AMOUNTS)),
    "sorted downwards": points(sorted(AMOUNTS, reverse=True)),
    "ending in 9": points(ENDING_IN_9),
    "with signs and blanks": [f"{'-' if n % 3 else ''}{one} " for n, one in enumerate(points(AMOUNTS))],
    "wide": points([int(10**x) for x in np.random.RandomState(0).uniform(0, 6, 900)]),
}
DECIMALS = {
    "without zeros": [f"{one:.3f}".rstrip("0").rstrip(".") for one in [*MEASURED, *range(900)]],
    "1.5": [*points(AMOUNTS), "1.5"],
    "below one": [*points(AMOUNTS), "0.125"],
    "whole with a point": [*points(AMOUNTS), "12.0"],
    "1412": [*points(AMOUNTS), "1412"],
    "three digits": [f"{one:.3f}" for one in MEASURED],
    "three digits, and codes for gaps": [
        f"{one:.3f}" if n % 9 else ("999", "0", "-1")[n % 3] for n, one in enumerate(MEASURED)
    ],
    "three digits, and whole ones of another source": [
        f"{one * 9:.3f}" if n % 3 else str(round(one * 9)) for n, one in enumerate(MEASURED)
    ],
    "between 100 and 999": [
        f"{one * 50 + 100:.3f}" if n % 3 else str(round(one * 50 + 100)) for n, one in enumerate(MEASURED)
    ],
    "eighths": [f"{n % 400 + n % 8 / 8:.3f}" if n % 8 else str(n % 400) for n in range(3000)],
    "a few whole ones": [f"{one:.3f}" if n > 20 else str(300 + n) for n, one in enumerate(MEASURED)],
    "small whole ones": [f"{one:.3f}" if n % 2 else str(n % 60) for n, one in enumerate(MEASURED)],
    "whole": [str(amount) for amount in AMOUNTS],
    "whole below 1000": [str(amount % 1000) for amount in AMOUNTS],
}


@pytest.mark.parametrize("block", [2**22, 2_000], ids=["one batch", "many batches"])
@pytest.mark.parametrize("case", THOUSANDS)
@pytest.mark.parametrize("problem", [NUMBERS, INFERRED], ids=["Regression", "infer"])
def test_points_between_thousands_are_refused_in_a_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: dict[str, Any], case: str, block: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    values = THOUSANDS[case]
    first = next(n for n, value in enumerate(values) if "." in value)
    shown, whole = values[first].strip(), next(value for value in values if "." not in value).strip()

    said = refused(tmp_path, csv_text(values), problem)

    assert f't.csv: row {first + 1} has "{shown}" in the target column "label" and others "{whole}"' in said
    assert (
        f"write {shown.replace('.', '')}, and all others so; where they are decimal, write {whole}.000"
        in said
    )
    (notice,) = [one for one in inspect(tmp_path / "t.csv")["notices"] if "points between" in one]
    assert notice in said


@pytest.mark.parametrize("block", [2**22, 2_000], ids=["one batch", "many batches"])
@pytest.mark.parametrize("case", DECIMALS)
def test_decimal_points_are_none_between_thousands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, block: int
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)

    assert not pushed(tmp_path, csv_text(DECIMALS[case]), NUMBERS).profile.statistics["label"].thousands
    assert not any("points between" in one for one in inspect(tmp_path / "t.csv")["notices"])


@pytest.mark.parametrize(
    ("share", "told"), [(0.02, True), (0.12, True), (0.4, True), (0.6, False), (1, False)]
)
@pytest.mark.parametrize("text", ["-", "k.A.", "#DIV/0!", "<50", "(123.00)", "123.00-"])
def test_texts_are_told_while_most_rows_have_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, share: float, told: bool
) -> None:
    numbers = [str(n * 37 % 1500 / 4) if n % 500 >= 500 * share else text for n in range(2000)]
    rows = "".join(f"{value},{n % 3 % 2}\n" for n, value in enumerate(numbers))

    pushed(tmp_path, "x,label\n" + "7,1\n" * (share == 1) + rows, BINARY)

    count = numbers.count(text)
    said = f'column "x" has {2000 - count:,} numbers and {count:,} texts (the first in row 1: "{text}")'
    assert (said in " ".join(capsys.readouterr().out.split())) == told


def test_a_feature_that_is_one_number_does_not_vary(tmp_path: Path) -> None:
    rows = "".join(f"{'1' if n % 3 else '1.0'},{n % 2}\n" for n in range(60))

    assert "no column beside the target varies (k)" in refused(tmp_path, "k,label\n" + rows)


def test_bands_of_a_column_of_texts_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{'old' if n % 2 else n},{n % 2}\n" for n in range(60))
    bands = {"evaluation": {"slices": ["age"], "bands": {"age": [30, 60]}}}

    assert 'bands has "age", a column of texts' in refused(tmp_path, "age,label\n" + rows, changes=bands)


def test_one_list_of_missing_values_for_all_readers() -> None:
    trainers = [
        value != UNKNOWN for value in values.MISSING
    ]  # to whom that one is a text, and it is never written
    read = pd.read_csv(io.StringIO("x,y\n" + "".join(f'"{value}",1\n' for value in values.MISSING)))["x"]

    assert read.isna().tolist() == trainers
    assert [value in tabular.MISSING for value in values.MISSING] == trainers
    assert {*tabular.MISSING} < {*values.MISSING}


def x_test(found: Prepared, folder: Path) -> Path:
    folder.mkdir()
    found.write(folder)
    return folder / "x_test" / "part-00000.csv"


def test_every_row_of_blanks_is_predicted(tmp_path: Path) -> None:
    texts = [" ", "p", "", "q", "  "]
    rows = "".join(f"{texts[n % 5]},{'yes' if n % 2 else 'no'}\n" for n in range(100))
    found = pushed(tmp_path, "t,label\n" + rows, BINARY)
    path = x_test(found, tmp_path / "made")
    part, count = Part(path, "x_test/part-00000.csv"), int(found.split().test_rows.sum())

    expected = [value.as_py().decode() for batch in batches(part, 1) for value in batch.column(0)]

    check_lines([part], [count])
    assert len(expected) == count
    assert set(expected) == set(texts)
    read = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)[0].tolist()
    assert read == expected
    (body,) = records.payloads(path.read_bytes(), "Line", "MultiRecord", 10**6)
    sent = tabular.from_csv(body, [{"name": "t", "type": "text"}])["t"]
    assert sent.tolist() == [text or None for text in expected]
    assert [row for _, row in read_rows(path.open(newline=""))] == [[text] for text in expected]
    assert b"".join(write_row([text]) for text in expected) == path.read_bytes()
    select(part, 1, [0], tmp_path / "selected.csv")
    assert (tmp_path / "selected.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("length", [131_073, 400_000])
def test_a_long_cell_is_read_everywhere(tmp_path: Path, length: int) -> None:
    long = "w" * length
    rows = "".join(f"{'w' if n % 9 else long},{n % 5},{'yes' if n % 2 else 'no'}\n" for n in range(60))
    found = pushed(tmp_path, "t,x,label\n" + rows, BINARY)
    path = x_test(found, tmp_path / "made")
    part = Part(path, "x_test/part-00000.csv")

    sizes = [len(value.as_py()) for batch in batches(part, 2) for value in batch.column(0)]

    assert max(sizes) == length
    sent = feature_rows(tmp_path / "t.csv", ["t", "x", "label"], "label")
    assert max(len(row[0]) for row in sent) == length
    assert max(len(row[0]) for _, row in read_rows(path.open(newline=""))) == length
    select(part, 2, [0], tmp_path / "selected.csv")
    assert (tmp_path / "selected.csv").stat().st_size == sum(sizes) + len(sizes)
    expected = FileSeen(["t", "x", "label"], "label", 60, {"yes": 30, "no": 30})
    assert look(Wish(str(tmp_path / "t.csv"), lenient=True), Task("label")) == expected
    labels = read_labels([Part(path.parent.parent / "y_test" / path.name, "y_test")])
    assert labels.place.rows == len(sizes)


def test_a_row_that_no_container_takes_is_refused(tmp_path: Path) -> None:
    rows = [f"w,{n % 5},{'yes' if n % 2 else 'no'}\n" for n in range(60)]
    rows[40] = f"{'ä' * 500_000},1,yes\n"

    said = refused(tmp_path, "t,x,label\n" + "".join(rows))

    assert 'row 41 has 1,000,007 bytes, most of them in the column "t"' in said


def test_the_longest_row_passes_every_reader(tmp_path: Path) -> None:
    rows = [f"w,{n % 5},{'yes' if n % 2 else 'no'}\n" for n in range(60)]
    long = '"' + '""' * 499_990 + '"'
    rows[10:12] = [f"{long},1,yes\n", f"{long},1,no\n"]
    found = pushed(tmp_path, "t,x,label\n" + "".join(rows), BINARY)
    folder = tmp_path / "made"
    folder.mkdir()

    for name in found.write(folder):
        columns = {"t": 3, "x": 2, "y": 1}[name[0]]
        read = list(batches(Part(folder / name, name), columns, header=name[0] != "x"))
        assert sum(batch.num_rows for batch in read) > 10


ROWS = "".join(f'{n % 7}.5;{n};"{"ja" if n % 2 else "schön"}"\n' for n in range(60))
SEMICOLONS = '"x";"z";"label"\n' + ROWS


@pytest.mark.parametrize("mark", [";", "|", "tab"])
def test_another_delimiter_is_named_and_read(tmp_path: Path, mark: str) -> None:
    text = SEMICOLONS.replace(";", "\t" if mark == "tab" else mark)

    said = refused(tmp_path, text, dialect=Dialect())

    assert "--delimiter" not in refused(tmp_path, text)  # where there is no such option
    assert f"add --delimiter {mark if mark == 'tab' else repr(mark)}" in said
    found = pushed(tmp_path, text, BINARY, dialect=Dialect.of(mark, "utf-8"))
    plain = pushed(tmp_path, SEMICOLONS.replace(";", ",").replace('"', ""), BINARY)
    assert found.sha256 == plain.sha256
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert inspect(path, dialect=Dialect.of(mark, "utf-8"))["rows"] == 60
    with pytest.raises(UserError, match="columns are separated by"):
        look(Wish(str(path)), Task())


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("where", ["header", "row"])
def test_another_encoding_is_named_and_read(tmp_path: Path, encoding: str, where: str) -> None:
    text = (
        SEMICOLONS.replace(";", ",").replace('"', "").replace("x", "größe" if where == "header" else "x", 1)
    )

    said = refused(tmp_path, text.encode(encoding), dialect=Dialect())

    assert ("--encoding utf-16" if "16" in encoding else "add --encoding cp1252") in said
    if "16" not in encoding:
        assert ("line 1" if where == "header" else "line 2") in said
        assert ("größe" if where == "header" else "schön") in said
    found = pushed(tmp_path, text.encode(encoding), BINARY, dialect=Dialect.of(",", encoding))
    assert found.sha256 == pushed(tmp_path, text, BINARY).sha256


@pytest.mark.parametrize(
    ("delimiter", "encoding", "said"),
    [
        (";;", "utf-8", "write one character"),
        ('"', "utf-8", "one character"),
        (",", "latin-99", "no encoding"),
    ],
)
def test_what_is_no_delimiter_or_encoding_is_refused(delimiter: str, encoding: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Dialect.of(delimiter, encoding)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$ 8705", ("a currency sign", "8705")),
        ("-$5", ("a currency sign", "-5")),
        ("1,234,567.5", ("commas between thousands", "1234567.5")),
        ("-1.234.567", ("points between thousands", "-1234567")),
        ("1.234.56", None),
        ("0.234.567", None),
        ("1.234,5", ("points between thousands and a decimal comma", "1234.5")),
        ("0,126", ("a decimal comma", "0.126")),
        ("5 000", ("blanks between thousands", "5000")),
        ("10 EUR", ("a currency sign", "10")),
        ("12%", ("a percent sign", "12")),
        ("64_000", ("underscores", "64000")),
        ("0x1F", ("hexadecimal digits", "31")),
        ("12", None),
        ("1,23,4", None),
        ("EUROPE", None),
        ("2020-01-02", None),
        ("", None),
    ],
)
def test_what_a_person_reads_as_a_number(value: str, expected: tuple[str, str] | None) -> None:
    assert written(value) == expected


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1b", "\x7f", "\x85", "\u2028", "\ufffe"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_name_that_nothing_draws_is_refused_with_its_place(tmp_path, character, packed):
    classes = ["yes", "no"] * 40
    classes[70] = f"y{character}es"
    named = csv_text(["yes", "no"] * 40, f"x{character}y,label")
    make = gzip.compress if packed else bytes

    of_column = refused(tmp_path, make(named.encode()))
    of_class = refused(tmp_path, make(csv_text(classes).encode()), MANY)

    unfit = f', "x{ascii(character)[1:-1]}y", has U+{ord(character):04X}'
    if character in "\x85\u2028":
        unfit = " has a line break"
    assert f"the name of column 1{unfit}" in of_column
    if character == "\x00":
        assert r'row 71 has "y\x00es" in the column "label", with the byte 0' in of_class
    else:
        assert re.search(r'row 71 has "y\S+es" in the target column "label", with U\+', of_class)
    assert character not in of_column + of_class


@pytest.mark.parametrize("row", [1, 901])
def test_the_byte_0_in_any_value_is_refused_with_row_and_column(tmp_path, row):
    rows = [f"{n},{'y' * 100},{'yes' if n % 2 else 'no'}" for n in range(1_000)]
    rows[row - 1] = "900,a\x00b,yes"

    report = refused(tmp_path, "n,note,label\n" + "\n".join(rows) + "\n")

    assert rf'row {row} has "a\x00b" in the column "note"' in report


def test_rows_that_went_into_one_value_are_told_loudly(tmp_path, capsys):
    lines = [f"{n},a{n},{'yes' if n % 2 else 'no'}" for n in range(100)]
    lines[0], lines[12] = '0,"Monat,yes', '12,5",no'
    text = "n,note,label\n" + "\n".join(lines) + "\n"

    prepared = pushed(tmp_path, text, BINARY)

    said = "row 1 has a value of 13 lines, with as many delimiters as rows have: is a quote opened that nothing closes?"
    assert prepared.profile.rows == 88
    assert said in " ".join("".join(capsys.readouterr()).split())
    assert f"{said} Then 12 rows went into that value" in inspect(tmp_path / "t.csv")["notices"]


@pytest.mark.parametrize("first", [2**63, 10**30])
def test_whole_numbers_that_lose_their_digits_are_told(tmp_path, capsys, first):
    text = "customer,x,label\n" + "".join(f"{first + n},{n % 7},{'ab'[n % 2]}\n" for n in range(100))
    said = 'column "customer" has whole numbers beyond 64 bits, whose last digits are lost as numbers'

    prepared = pushed(tmp_path, text, MANY)

    assert ["customer"] in [one.columns for one in prepared.findings if one.kind == "identifier"]
    assert said in " ".join("".join(capsys.readouterr()).split())
    assert [one for one in inspect(tmp_path / "t.csv")["notices"] if said in one]
    as_names = {"autopilot": {**MANY, "types": {"customer": "categorical"}}}
    prepare(config(**as_names), tmp_path / "t.csv", Output())
    assert said not in " ".join("".join(capsys.readouterr()).split())


@pytest.mark.parametrize("values", [["1e20", "3e20"], ["1.5", "99999999999999999999"], ["1", str(2**63 - 1)]])
def test_quantities_and_numbers_of_64_bits_lose_no_identity(tmp_path, values):
    text = "x,label\n" + "".join(f"{values[n % 2]},{'ab'[n % 3 == 0]}\n" for n in range(100))
    path = tmp_path / "t.csv"
    path.write_text(text)

    assert not [one for one in inspect(path)["notices"] if "64 bits" in one]


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        (["1", str(2**65)], False),
        (["-1", str(-(2**64))], False),
        (["1", str(2**64 - 1)], True),
        (["1", "1.8e25"], True),
    ],
)
def test_whole_numbers_that_are_texts_to_a_trainer_are_no_quantity(
    tmp_path: Path, values: list[str], fits: bool
) -> None:
    text = csv_text([values[n % 7 == 0] for n in range(100)])
    assert (pd.read_csv(io.StringIO(text))["label"].dtype != object) == fits

    refusal = pytest.raises(UserError, match="beyond 64 bits, which a trainer takes for texts")
    with contextlib.nullcontext() if fits else refusal:
        pushed(tmp_path, text, NUMBERS)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([b"\xff\xfe"] * 100), "binary"),
        (pa.array([bytes(16)[:-1] + b"\xff"] * 100, pa.binary(16)), "fixed_size_binary[16]"),
        (pa.array(range(100), pa.timestamp("us", tz="Mars/City")), "timestamp[us, tz=Mars/City]"),
    ],
    ids=["bytes", "uuid", "time zone"],
)
def test_a_parquet_column_that_is_no_text_is_named(tmp_path: Path, column: pa.Array, kind: str) -> None:
    pq.write_table(pa.table({"x": column, "label": ["a", "b"] * 50}), tmp_path / "t.parquet")

    with pytest.raises(UserError) as caught:
        prepare(config(BINARY), tmp_path / "t.parquet", Output())

    assert f'column "x" holds {kind}, which reads as no text' in str(caught.value)
    assert "write it as text, or remove it, or name it in [dataset] exclude" in str(caught.value)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.5, 2.5]] * 100),
        pa.array([{"a": 1}] * 100),
        pa.array([[("a", 1)]] * 100, pa.map_(pa.string(), pa.int64())),
        pa.array([b"\xff\xfe"] * 100),
    ],
    ids=["list", "struct", "map", "bytes"],
)
def test_what_an_excluded_column_of_parquet_holds_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: pa.Array
) -> None:
    monkeypatch.setattr(reading, "_BATCH", 30)
    columns = {"x": range(100), "y": column, "label": ["a", "b"] * 50}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")

    with pytest.raises(UserError, match=r'column "y" holds .*, or name it in \[dataset\] exclude$'):
        prepare(config(BINARY), tmp_path / "t.parquet", Output())
    without = prepare(config(BINARY, dataset={"exclude": ["y"]}), tmp_path / "t.parquet", Output())

    assert without.columns == ["x", "label"]
    assert without.profile.rows == 100
    assert without.profile.types["x"] == "integer"


@pytest.mark.parametrize("name", ["a\x1b[31m.csv", "a\udcff.csv", "a\u2028.csv"])
def test_a_file_s_name_that_cannot_be_written_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text(csv_text(["yes", "no"] * 40))

    with pytest.raises(UserError, match="the file's name has U\\+"):
        prepare(config(BINARY), path, Output())


def test_letters_of_right_to_left_alphabets_with_their_marks_are_labels(tmp_path):
    prepared = pushed(tmp_path, csv_text(["\u05d0\u200f", "\U0001f468\u200d\U0001f469"] * 40), BINARY)

    assert set(prepared.profile.target.classes) == {"\u05d0\u200f", "\U0001f468\u200d\U0001f469"}


GZIP_HEAD = 10  # bytes


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_damaged_gzip_is_a_sentence_wherever_it_is_damaged(tmp_path, encoding):
    rows = "".join(
        f"{n * 7919 % 1009},{'ja' if n % 2 else 'nein'},Gr\u00fc\u00dfe {n}\n" for n in range(2_000)
    )
    whole = gzip.compress(f"x,label,note\n{rows}".encode(encoding))
    cut = [whole[:size] for size in range(3, len(whole), len(whole) // 12)]
    head, changed = (
        [whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in places]
        for places in (range(2, GZIP_HEAD), range(GZIP_HEAD, len(whole), len(whole) // 12))
    )

    if encoding == "utf-8":
        assert pushed(tmp_path, whole, BINARY).profile.rows == 2_000
    for content in cut + changed:
        refused(tmp_path, content)
    for content in head:  # where only the time may be another one, and the file is whole
        with contextlib.suppress(UserError):
            pushed(tmp_path, content, BINARY)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_first_look_at_a_damaged_gzip_is_a_sentence(tmp_path, encoding):
    rows = "".join(
        f"{n * 7919 % 1009},{'ja' if n % 2 else 'nein'},Gr\u00fc\u00dfe {n}\n" for n in range(2_000)
    )
    whole = gzip.compress(f"x,label,note\n{rows}".encode(encoding))
    for place in range(12, len(whole), len(whole) // 12):
        path = tmp_path / "t.csv.gz"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])

        with pytest.raises(UserError):
            look(Wish(str(path)), Task("label", "BinaryClassification", least=1))

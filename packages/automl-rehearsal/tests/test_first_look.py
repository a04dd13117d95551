"""What `make demo` refuses before a package is installed, and that it needs none for that."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from automl_gitops.data.prepared import prepare
from automl_gitops.data.profile import MANY
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import VALIDATION, DatasetSettings
from automl_gitops.kernel.settings.model import LEAST_TRAINING_ROWS
from automl_rehearsal import first_look
from automl_rehearsal.first_look import FileSeen, Task, Wish, look, of_project, problem_type

SOURCES = sorted(map(str, Path(__file__).parents[2].glob("automl-*/src")))
ROWS = "".join(f"{n},{'yes' if n % 3 else 'no'},{n % 5}\n" for n in range(700))
TABLE = "Age,Hit,Stars\n" + ROWS
SETTINGS = """
[project]
name = "movies"
description = "Predict a hit"
region = "eu-west-1"
repository = "owner/movies"

[dataset]
target = "Hit"

[autopilot]
problem_type = "BinaryClassification"
objective = "F1"

[gate]
minimum = 0.3
"""


def refused(wish: Wish, task: Task = Task()) -> str:  # noqa: B008 - frozen
    with pytest.raises(UserError) as caught:
        look(wish, task)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "movies.csv"
    path.write_text(TABLE)
    return path


@pytest.mark.parametrize(
    "typed", ["binary", "BINARY", "BinaryClassification", "binaryclassification", " Binary "]
)
def test_both_spellings_of_a_problem_type_are_taken_in_any_case(typed: str) -> None:
    assert problem_type(typed) == "BinaryClassification"


@pytest.mark.parametrize("typed", ["foo", "binry", "classification", "'", "2"])
def test_another_problem_type_is_refused_with_what_to_type(typed: str) -> None:
    with pytest.raises(UserError, match="PROBLEM=binary, multiclass or regression"):
        problem_type(typed)


def test_a_table_that_suits_is_seen(table: Path) -> None:
    seen = look(Wish(str(table)), Task())

    assert seen is not None
    assert (seen.columns, seen.target, seen.rows) == (["Age", "Hit", "Stars"], "Stars", 700)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'x,"yes\nno",3,4\n',
            "a quote that is opened in row 701 is not closed in its line, so that the row has 4",
        ),
        ("x,yes,3,4\n", "row 701 has 4 columns instead of 3: quote values that contain commas"),
        (
            "x,NA,3\n",
            'row 701 has "NA", which reads as no value, in the target column "Hit": fill such cells',
        ),
        ('x,"yes,3\n', "cannot be read to its end: is a quote opened that nothing closes?"),
    ],
)
def test_a_row_is_refused_with_the_words_of_a_push(table: Path, line: str, said: str) -> None:
    table.write_text(TABLE + line)

    with pytest.raises(UserError) as caught:
        look(Wish(str(table)), Task("Hit", "BinaryClassification"))

    assert said in str(caught.value)
    if "to its end" not in said:
        with pytest.raises(UserError) as pushed:
            prepare(Config.parse(SETTINGS), table, Output())
        assert said.partition(": fill")[0].partition(" in the target")[0] in str(pushed.value)


def test_gzip_and_a_byte_order_mark_make_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "movies.csv.gz"
    path.write_bytes(gzip.compress(("\ufeff" + TABLE).encode()))

    seen = look(Wish(str(path)), Task("Hit", "BinaryClassification"))

    assert seen is not None
    assert seen.columns[0] == "Age"


def test_a_file_of_another_name_nearby_is_offered(table: Path) -> None:
    assert 'not found: did you mean "movies.csv"?' in refused(Wish(str(table.with_name("movie.csv"))))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "is a folder" in refused(Wish(str(tmp_path)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG image, no CSV"),
        (b"PK\x03\x04", "is a zip archive, no CSV"),
        ("größe,x\n".encode("latin-1"), "ENCODING=cp1252"),
        (b"a;b\n1;2\n", "separated by semicolons: type make demo DATA="),
        (b"a;b\n1;2\n", " DELIMITER=';', or export it with commas"),
        (b"a\tb\n1\t2\n", " DELIMITER=tab, or"),
        (b"a\n1\n", "has one column"),
        (b"a,b,c\n", "has a header but no rows"),
        (b"a,b,a\n1,2,3\n", 'column "a" is there 2 times'),
        (b"a,b,c\n1,2,3\n4,5\n", "row 2 has 2 columns instead of 3"),
        (b"\x1f\x8bnothing", "cannot be read"),
        (b"# Export of 1.1.2024\na,b\n1,2\n", 'its first line, "# Export of 1.1.2024", looks like a title'),
        (b'a,b\n1,2\n\n3,"4"5\n', "line 4 has text behind a closing quote: take out"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    assert sentence in refused(Wish(str(path)))


def test_a_target_that_is_no_column_is_refused_with_the_one_that_was_meant(table: Path) -> None:
    assert 'has no column "hit": did you mean "Hit"?' in refused(Wish(str(table)), Task("hit"))
    assert "its columns are Age, Hit, Stars" in refused(Wish(str(table)), Task("zzzzzz"))


def test_a_target_of_the_same_letters_in_another_form_is_told(table: Path) -> None:
    table.write_text(TABLE.replace("Hit", "e\u0301lan"))

    assert "the same letters in another Unicode form (NFD)?" in refused(Wish(str(table)), Task("\u00e9lan"))


def test_a_problem_type_that_the_target_cannot_have_is_refused(table: Path) -> None:
    assert 'row 1 has "no"' in refused(Wish(str(table)), Task("Hit", "Regression"))
    assert "more than two classes" in refused(Wish(str(table)), Task("Stars", "BinaryClassification"))


@pytest.mark.parametrize("value", ["", "nan", "inf", "1_000", "1e999"])
def test_a_value_that_is_no_number_is_placed(tmp_path: Path, value: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"x,y\n1,2\n3,{value}\n")

    assert "row 2 has" in refused(Wish(str(path)), Task("y", "Regression"))


def test_a_constant_target_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{n},1\n" for n in range(700)))

    assert "nothing to learn" in refused(Wish(str(path)))


@pytest.mark.parametrize(("prefix", "problem"), [("id", ""), ("", "MulticlassClassification")])
def test_a_target_with_another_value_in_each_row_is_refused(
    tmp_path: Path, prefix: str, problem: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{n % 7},{prefix}{n}\n" for n in range(700)))

    way_out = "name another target" if prefix else "take regression, or name another target"
    assert f"nothing to learn: {way_out}" in refused(Wish(str(path)), Task("y", problem))
    if not problem:
        path.write_text("x,y\n" + "".join(f"{n % 7},{n}\n" for n in range(700)))
        look(Wish(str(path)), Task("y", ""))  # numbers, which are predicted as such


def test_too_few_rows_are_refused_with_the_way_to_try_it_nevertheless(table: Path) -> None:
    table.write_text("".join(TABLE.splitlines(keepends=True)[:301]))

    told = refused(Wish(str(table), "Hit", "BinaryClassification"))

    assert "has 300 rows, 240 of them to train on" in told
    assert told.endswith(f"type make demo DATA={table} TARGET=Hit PROBLEM=binary LENIENT=1")
    assert look(Wish(str(table), lenient=True), Task("Hit")) is not None


def test_a_larger_holdout_wants_more_rows(table: Path) -> None:
    assert "350 of them to train on" in refused(Wish(str(table)), Task(holdout=0.5))


@pytest.mark.parametrize(
    ("values", "problem", "said"),
    [
        (["7.2 kg"], "", 'row 1 has "7.2 kg" in the target column "y", a number with a unit'),
        (
            ["1340.97 \u20ac"],
            "",
            "a number with a currency sign, which a trainer takes for a text, so that its",
        ),
        (["1.5", "inf"], "", 'row 2 has "inf" in the target column "y", an infinite number'),
        (["a", "b", "rare"], "", 'has 1 class of one row: "rare" (row 3). A class needs a row to train on'),
        (["1", "0", "2"], "MulticlassClassification", 'of one row: "2" (row 3)'),
    ],
)
def test_a_target_that_its_push_would_refuse_is_refused_so(
    tmp_path: Path, values: list[str], problem: str, said: str
) -> None:
    path = tmp_path / "t.csv"
    of_classes = values[-1] in ("rare", "2")
    others = [values[row % 2] if of_classes else f"{row / 7:.6f}" for row in range(700)]
    rows = [*values, *others]
    path.write_text("x,y\n" + "".join(f"{number % 9},{value}\n" for number, value in enumerate(rows)))

    assert said in refused(Wish(str(path)), Task("y", problem))
    text = SETTINGS.replace('"Hit"', '"y"').replace(
        "BinaryClassification", problem or "MulticlassClassification"
    )
    with pytest.raises(UserError, match=re.escape("of one row")):
        prepare(Config.parse(text.replace('"F1"', '"F1macro"')), path, Output())


def test_numbers_that_are_a_quantity_may_differ(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{row % 9},{row // 2 or 700}\n" for row in range(701)))

    assert look(Wish(str(path)), Task("y")) is not None


def test_columns_without_a_value_are_named_together(table: Path) -> None:
    rows = "".join(f"{row},,{'NA' if row else ''},,{row % 2}\n" for row in range(700))
    table.write_text("x,a,b,c,Hit\n" + rows)

    told = 'columns "a", "b", "c" have no value in any row: remove what is empty'
    assert refused(Wish(str(table))).endswith(told)
    mine = refused(Wish(str(table)), Task("Hit", exclude=("b",)))
    assert mine.endswith(
        '"c" have no value in any row: remove what is empty, or name it in [dataset] exclude: exclude = ["b", "a", "c"]'
    )
    assert look(Wish(str(table)), Task("Hit", exclude=("a", "b", "c"))) is not None


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(9))

    assert "is a Parquet file without its end" in refused(Wish(str(tmp_path / "t.parquet")))


@pytest.mark.parametrize(
    ("flags", "meant"),
    [
        (" -- data=table.csv", "DATA"),
        ("k -- Target=Hit", "TARGET"),
        ("k -- DATA=a.csv PROBLEMS=binary", "PROBLEM"),
    ],
)
def test_a_misspelt_variable_is_not_ignored(flags: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"is no variable of make demo: did you mean {meant}="):
        Wish.of({"MAKEFLAGS": flags})


@pytest.mark.parametrize(
    "flags", ["", "k", " -- DATA=a.csv OUT=build/x", " -- VENV=../.venv PYTHON=python3.12"]
)
def test_make_s_other_variables_are_its_own(flags: str) -> None:
    assert Wish.of({"MAKEFLAGS": flags}) == Wish()


def test_an_ending_that_two_names_share_makes_them_no_more_alike(tmp_path: Path) -> None:
    (tmp_path / "onecol.csv").write_text("a\n")

    assert "did you mean" not in refused(Wish(str(tmp_path / "nope.csv")))


def test_a_command_to_type_survives_the_shell() -> None:
    assert Wish("Jo's table.csv").command(LENIENT="1") == """make demo DATA='Jo'"'"'s table.csv' LENIENT=1"""


@pytest.mark.parametrize(
    ("delimiter", "encoding", "typed"),
    [
        (";", "cp1252", {"DELIMITER": ";", "ENCODING": "cp1252"}),
        ("\t", "utf-16", {"DELIMITER": "tab", "ENCODING": "utf-16"}),
    ],
)
def test_a_table_of_another_dialect_is_read_as_the_variables_say(
    tmp_path: Path, delimiter: str, encoding: str, typed: dict[str, str]
) -> None:
    path = tmp_path / "Größen.csv"
    rows = "".join(f"{n % 70}{delimiter}{'jä' if n % 2 else 'nein'}\n" for n in range(700))
    path.write_text(f"Größe{delimiter}Ziel\n{rows}", encoding=encoding)
    wish = Wish.of({"DATA": str(path), **typed})

    seen = look(wish, Task())

    assert seen == FileSeen(["Größe", "Ziel"], "Ziel", 700, {"jä": 350, "nein": 350})
    assert all(f"{name}=" in wish.command() for name in typed)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"DELIMITER": ";;"}, "DELIMITER=';;': write one character, such as DELIMITER=';'"),
        ({"ENCODING": "latin-99"}, "ENCODING='latin-99': is no encoding that Python knows"),
    ],
)
def test_a_dialect_that_is_none_is_refused(typed: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        Wish.of(typed)


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{'a' * 200_000 if n == 3 else 'b'},{n % 2}\n" for n in range(700)))

    assert look(Wish(str(path)), Task()) is not None


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Wish(target="z"), r'\[dataset\] target = "price": change it there'),
        (Wish(problem="Regression"), r'problem_type = "BinaryClassification": change it there'),
    ],
)
def test_a_project_predicts_what_its_file_says(tmp_path: Path, wish: Wish, sentence: str) -> None:
    file = tmp_path / "automl.toml"
    file.write_text('[dataset]\ntarget = "price"\n[autopilot]\nproblem_type = "BinaryClassification"\n')

    with pytest.raises(UserError, match=sentence):
        of_project(wish, file)
    assert of_project(Wish(), file) == Task("price", "BinaryClassification", metric="f1", exclude=())


@pytest.mark.parametrize("text", ["", "dataset = 3", "[dataset]\ntarget = 7\nholdout = 'x'"])
def test_a_file_that_says_nothing_is_left_to_the_checks_that_follow(tmp_path: Path, text: str) -> None:
    (tmp_path / "automl.toml").write_text(text)

    assert of_project(Wish(), tmp_path / "automl.toml") == Task(metric="f1", exclude=())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", True),
        ('objective = "Recall"\n', True),
        ('objective = "AUC"\n', False),
        ('[decision]\npositive = "nein"\n', False),
    ],
)
def test_a_majority_that_is_positive_by_default_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: str, told: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{number},{'nein' if number % 10 else 'ja'}\n" for number in range(700))
    Path("t.csv").write_text("x,kündigt\n" + rows, "utf-8")
    text = '[dataset]\ntarget = "kündigt"\n[autopilot]\nproblem_type = "BinaryClassification"\n' + more
    Path("automl.toml").write_text(text, "utf-8")

    first_look.main({"DATA": "t.csv"})

    said = 'is of the second label, "nein" (90.0% of the rows): where "ja" is the class to find, write positive = "ja"'
    assert (said in capsys.readouterr().out) == told


def test_a_label_in_a_notice_steers_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = ["z\x1b[2J", "a"]
    rows = "".join(f"{number},{labels[number % 10 == 0]}\n" for number in range(700))
    Path("t.csv").write_text("x,y\n" + rows, "utf-8")
    Path("automl.toml").write_text(
        '[dataset]\ntarget = "y"\n[autopilot]\nproblem_type = "BinaryClassification"\n'
    )

    first_look.main({"DATA": "t.csv"})

    said = capsys.readouterr().out
    assert "names no positive class" in said
    assert "\x1b" not in said


def test_it_wants_as_many_rows_as_the_data_set_s_checks() -> None:
    assert (first_look.LEAST_TRAINING_ROWS, first_look.MANY) == (LEAST_TRAINING_ROWS, MANY)
    assert DatasetSettings.model_fields["holdout"].default == first_look.HOLDOUT
    assert first_look.VALIDATION == VALIDATION


def test_neither_it_nor_the_installation_needs_a_package() -> None:
    """Isolated, without site-packages; a project's `make setup` runs them from the wheels."""
    modules = ("first_look", "install", "supported")
    program = f"import sys; sys.path[:0] = sys.argv[1:]; from automl_rehearsal import {', '.join(modules)}"

    subprocess.run([sys.executable, "-B", "-I", "-S", "-c", program, *SOURCES], check=True)

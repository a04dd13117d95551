"""contract.toml: what it may say, and what is said of rows that are not so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from making import automl_toml, lenient, table

from automl_gitops.commands.main import main
from automl_gitops.data.contract import Contract, draft
from automl_gitops.data.contract.check import MOST_IN_ALL, MOST_OF_A_COLUMN, Checker
from automl_gitops.data.contract.rules import parse_rule
from automl_gitops.data.lock import Column, DatasetLock
from automl_gitops.data.prepared import prepare
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_rehearsal.life import _Unheard

STAYS = """
[table]
keys = [["patient", "admitted"]]

[columns]
patient = { type = "text" }
admitted = { type = "date" }
discharged = { type = "date" }
days = { type = "integer" }
cost = { type = "number" }
state = { type = "text" }
"the ward" = { type = "text" }
"""
TYPES = {name: column.type for name, column in Contract.parse(STAYS).columns.items()}


def violations(text: str, batches: list[dict[str, list[str]]], **how: Any) -> list[str]:
    checker = Checker(Contract.parse(text), list(batches[0]), "t.csv", **how)
    for batch in batches:
        checker.see(pa.RecordBatch.from_pydict(batch))
    return [str(one) for one in checker.violations()]


def of_x(entry: str, *batches: list[str], **how: Any) -> list[str]:
    """What is said of a column x with that entry."""
    return violations(f"[columns]\nx = {{ {entry} }}", [{"x": values} for values in batches], **how)


HOLDS = [
    ('type = "integer"', ["1", "-2", "", "NA", "007"]),
    ('type = "number"', ["1", "-2.5", "1e3", ".5", "nan"]),
    ('type = "text"', ["1", "", "a"]),
    ('type = "date"', ["2024-12-31", "", "2024-01-01T10:00:00", "2024-01-01 10:00"]),
    ('type = "text", values = ["a", "b"]', ["a", "b", "a", ""]),
    ('type = "integer", values = [1, 2]', ["1", "2", "02", ""]),
    ('type = "number", values = [1, 2.5]', ["1.0", "2.50"]),
    ('type = "integer", least = 0, most = 9', ["0", "9", "", "5"]),
    ('type = "number", least = -0.5, most = 1', ["-0.5", "1.0", "1"]),
    (
        'type = "date", least = 2024-01-01, most = 2024-12-31',
        ["2024-01-01", "2024-12-31", "2024-12-31 23:59"],
    ),
    ('type = "text", missing = 0.5', ["a", "", "NA", "b"]),
    ('type = "text", unique = true', ["a", "b", "", "", "NA"]),
    ('type = "text", length = 3', ["äöü", "abc", ""]),
    ('type = "text", pattern = "[A-Z][0-9]+|none"', ["A1", "B22", "none", ""]),
    (r"type = 'text', pattern = '\p{Lu}.*'", ["Ärzte", "A"]),
    ('type = "number", least = -1.5e9', ["9007199254740993", "-3"]),
    ('type = "number", values = [9007199254740993, 0.5]', ["9007199254740993", "0.5"]),
    ('type = "text", unique = true', ["1", "2", "", "4", "NA", "3"]),
]


@pytest.mark.parametrize(("entry", "values"), HOLDS)
def test_rows_that_keep_the_contract(entry: str, values: list[str]) -> None:
    assert of_x(entry, values) == []


BROKEN = [
    ('type = "integer"', ["1", "x", "2.5"], '2 of 3 rows have no whole number, the first is row 2 ("x")'),
    ('type = "number"', [" 5", "+5", "x"], '1 of 3 rows has no number, the first is row 3 ("x")'),
    ('type = "number"', ["1e400", "5"], '1 of 2 rows has no number, the first is row 1 ("1e400")'),
    ('type = "integer"', [" 5", "+5", "x"], '1 of 3 rows has no whole number, the first is row 3 ("x")'),
    ('type = "number", most = 0.5', ["0", "9007199254740993"], 'is above most = 0.5, the first is row 2'),
    ('type = "text", unique = true', ["", "a", "NA", "b", "", "a", "b"], "2 of 7 rows repeat the value of an earlier "
     "row, the first is row 6 (as row 2)"),
    ('type = "integer"', ["1", "2", "0x1F"], '1 of 3 rows has no whole number, the first is row 3 ("0x1F")'),
    ('type = "number"', ["1", "2,5", "inf"], '2 of 3 rows have no number, the first is row 2 ("2,5")'),
    ('type = "date"', ["2024-12-31", "31.12.2024"], "1 of 2 rows has no date such as 2024-12-31, the first is row 2"),
    ('type = "date"', ["2024-13-01"], 'the first is row 1 ("2024-13-01")'),
    ('type = "text", values = ["a"]', ["a", "A", "a "], 'does not list, the first is row 2 ("A")'),
    ('type = "integer", values = [1, 2]', ["1", "3"], 'does not list, the first is row 2 ("3")'),
    ('type = "integer", least = 0', ["0", "-1"], 'is below least = 0, the first is row 2 ("-1")'),
    ('type = "number", most = 1', ["1", "1.0001"], 'is above most = 1, the first is row 2 ("1.0001")'),
    ('type = "date", most = 2024-12-31', ["2025-01-01 00:00"], "1 of 1 row is above most = 2024-12-31"),
    ('type = "date", least = 2024-01-01', ["2023-12-31T23:59"], "is below least = 2024-01-01"),
    ('type = "text", missing = 0.4', ["a", "", "NA", "b"], "2 of 4 rows have no value (50.0%), more than missing ="),
    ('type = "text", unique = true', ["a", "b", "b", "b"], "2 of 4 rows repeat the value of an earlier row, the first "
     "is row 3 (as row 2)"),
    ('type = "text", length = 3', ["abc", "abcd"], "is longer than length = 3 characters, the first is row 2:"),
    ('type = "text", pattern = "[0-9]+"', ["12", "12a"], "does not match the pattern '[0-9]+', the first is row 2:"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "values", "sentence"), BROKEN)
def test_rows_that_break_the_contract(entry: str, values: list[str], sentence: str) -> None:
    (said,) = of_x(entry, values)

    assert said.startswith('t.csv: column "x": ')
    assert sentence in said


def test_rows_are_counted_over_batches() -> None:
    (said,) = of_x('type = "integer", most = 9', ["1"] * 5, ["1", "10"], ["11"] * 3)

    assert (
        '4 of 10 rows are above most = 9, the first is row 7 ("10"): correct the data, or contract.toml'
        in said
    )


def test_a_repeated_value_is_noticed_over_batches() -> None:
    (said,) = of_x('type = "text", unique = true', ["a", ""], ["", "b", "a"])

    assert "1 of 5 rows repeats the value of an earlier row, the first is row 5 (as row 1)" in said


@pytest.mark.parametrize(
    "entry",
    [
        'type = "integer", private = true',
        'type = "integer", unique = true',
        'type = "text", length = 2',
        'type = "text", pattern = "x"',
    ],
)
def test_a_value_that_may_point_at_a_person_is_not_shown(entry: str) -> None:
    (said,) = of_x(entry, ["Jane Doe"])

    assert "the first is row 1:" in said
    assert "Jane" not in said


def test_a_long_value_is_not_shown() -> None:
    assert "row 1:" in of_x('type = "integer"', ["a long text " * 5])[0]


def test_columns_that_are_unique_together() -> None:
    rows = {name: ["a"] * 3 for name in TYPES} | {"admitted": ["2024-01-01", "2024-01-02", "2024-01-01"]}
    rows |= {"discharged": ["2024-01-09"] * 3, "days": ["1"] * 3, "cost": ["1"] * 3}

    (said,) = violations(STAYS, [rows])

    assert 'columns "patient" and "admitted": 1 of 3 rows repeats the value' in said
    assert "row 3 (as row 1), and contract.toml has [table] keys" in said


def test_columns_that_are_not_there_or_not_listed() -> None:
    strict = '[table]\nother_columns = false\n[columns]\na = { type = "text" }\nb = { type = "text" }'

    said = violations(strict, [{"a": ["1"], "c": ["1"]}])

    assert said[0].startswith('t.csv: has no column "b", which contract.toml lists')
    assert 'has 1 column that contract.toml does not list ("c")' in said[1]
    assert violations(strict, [{"a": ["1"]}], without=["b"]) == []


@pytest.mark.parametrize(("key", "rows"), [("least_rows = 3", 2), ("most_rows = 3", 4)])
def test_numbers_of_rows(key: str, rows: int) -> None:
    text = f'[table]\n{key}\n[columns]\nx = {{ type = "text", missing = 0.0 }}'

    assert violations(text, [{"x": ["a"] * 3}]) == []
    assert f"the {key} of contract.toml" in violations(text, [{"x": ["a"] * rows}])[0]


def test_of_a_part_of_the_rows_less_is_judged() -> None:
    text = '[table]\nleast_rows = 9\n[columns]\nx = { type = "text", missing = 0.0 }'
    batches = [{"x": ["a", ""]}]

    assert len(violations(text, batches)) == 2
    assert len(violations(text, batches, scope="sample")) == 1
    assert violations(text, batches, scope="rows") == []


RULES = [
    ("days > 2", {"days": ["3", "2", ""]}, [2]),
    ("0 < days <= 2", {"days": ["1", "2", "3", "0"]}, [3, 4]),
    ("-1 <= cost", {"cost": ["-1.5", "-0.5"]}, [1]),
    ("days < cost", {"days": ["1", "2", "3"], "cost": ["1.5", "1.5", ""]}, [2]),
    ("admitted <= discharged", {"admitted": ["2024-01-02", "2024-01-02 10:00", "2024-01-02"],
                                "discharged": ["2024-01-02", "2024-01-02T09:00", "2024-01-01"]}, [2, 3]),
    ('admitted >= "2024-01-01"', {"admitted": ["2023-12-31", "2024-01-01"]}, [1]),
    ('state != "dead" or days == 0', {"state": ["dead", "dead", "well"], "days": ["0", "1", "1"]}, [2]),
    ('if state == "dead" then days == 0', {"state": ["dead", "dead", "well", ""], "days": ["0", "1", "1", "1"]}, [2]),
    ('if state == "then" then days == 0', {"state": ["then", "now"], "days": ["1", "1"]}, [1]),
    ('if state == "dead" then discharged != ""', {"state": ["dead", "dead"], "discharged": ["", "2024-01-01"]}, [1]),
    ('not (days == 1 and state == "x")', {"days": ["1", "1", "2"], "state": ["x", "y", "x"]}, [1]),
    ("`the ward` == state", {"the ward": ["a", "b"], "state": ["a", "c"]}, [2]),
    ("9007199254740992 < days", {"days": ["9007199254740992", "9007199254740993"]}, [1]),
    ("0.5 < days", {"days": ["9007199254740993", "0"]}, [2]),
    ("days < cost", {"days": ["9007199254740993", "1"], "cost": ["0.5", "1.5"]}, [1]),
    ("cost < 9007199254740993", {"cost": ["0.5", "1e17"]}, [2]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "rows", "broken"), RULES)
def test_rules_between_columns(rule: str, rows: dict[str, list[str]], broken: list[int]) -> None:
    text = STAYS.replace("[table]", f"[table]\nrules = ['{rule}']").replace(
        'keys = [["patient", "admitted"]]', ""
    )
    number = len(next(iter(rows.values())))

    # In batches of one row, and with columns of which the rule says nothing.
    whole = {name: rows.get(name, [""] * number) for name in TYPES}
    said = violations(
        text, [{name: [values[row]] for name, values in whole.items()} for row in range(number)]
    )

    assert len(said) == 1
    breaks = "rows break" if len(broken) > 1 else f"{'rows' if number > 1 else 'row'} breaks"
    assert f'{len(broken)} of {number} {breaks} the rule "{rule}", the first is row {broken[0]}' in said[0]


UNREADABLE = [
    ("days <", "cannot be read"),
    ("days = 3", "equality is =="),
    ("the ward == 'a'", "`backticks`"),
    ("if days == 3", 'is not of the form "if ... then ..."'),
    ("day > 3", 'has "day", which is no column in [columns]; did you mean "days"?'),
    ("days", 'has "days" where a comparison is wanted'),
    ("days + 1 > 3", 'has "days + 1" where a column, a number or a text in quotes is wanted'),
    ("Kunden-Nr > 3", "_ stands in `backticks`"),
    ("`net price` >> 3", 'has "`net price` >> 3" where a comparison is wanted'),
    ("`a b` + `net price` > 3", 'has "`a b` + `net price`" where a column, a number'),
    ("__import__('os').system('true') == 3", "where a column, a number or a text in quotes is wanted"),
    ("days > 3 and open('x')", "where a comparison is wanted"),
    ("[days > 1 for days in state]", "where a comparison is wanted"),
    ("days in (1, 2)", "by something else than <, <=, ==, !=, >= and >"),
    ("days == 'three'", "compares a number with a text"),
    ("state > 3", "compares a text with a number"),
    ("admitted > days", "compares a date with a number"),
    ("admitted > 'yesterday'", "compares a date with a text that is none"),
    ("1 < 2", "compares no column"),
    ("days < ''", "a missing value, by something else"),
    ("days == True", 'has "True" where'),
    ("(" * 500 + "days", "cannot be read"),
    ("not " * 300 + "days > 1", "is nested more than 50 levels deep: make several rules of it"),
    ("days > " + "-" * 300 + "1", "is nested more than 50 levels deep"),
    ("not " * 1500 + "days > 1", ""),
    ("days > " + "-" * 1500 + "1", ""),
    ("days < 99999999999999999999", "has 99999999999999999999, which is no finite number"),
    ("-1e999 < cost", "has -inf, which is no finite number"),
    ("", "cannot be read"),
]


@pytest.mark.parametrize(("text", "sentence"), UNREADABLE)
def test_a_rule_that_cannot_be_judged_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        parse_rule(text, TYPES)

    assert sentence in str(caught.value)


WRONG = [
    (
        'x = { type = "int" }',
        "[columns] \"x\" has type = 'int', which is not one of integer, number, text, date; did",
    ),
    ("x = { least = 3 }", '[columns] "x" has no type (integer, number, text or date)'),
    ("x = 3", '[columns] "x" is not a section'),
    (
        'x = { type = "text", lenght = 3 }',
        '"x" has lenght, which is no key of a column; did you mean length?',
    ),
    ('x = { type = "text", least = 3 }', '[columns] "x" has least = 3, which is for numbers and dates'),
    ('x = { type = "integer", length = 3 }', '"x" has length, which is for type = "text"'),
    ('x = { type = "date", least = 3 }', '"x" has least = 3, which is not a date without quotes'),
    ('x = { type = "integer", least = 3, most = 2 }', '"x" has least = 3 above most = 2'),
    ('x = { type = "integer", values = ["1"] }', "\"x\" has '1' in values, which is no number"),
    ('x = { type = "text", values = [1] }', '"x" has 1 in values, which is no text in quotes'),
    ('x = { type = "text", values = [] }', '"x" has values = [], which is empty'),
    (
        'x = { type = "text", missing = 5 }',
        '"x" has missing = 5, which is above the most allowed, 1; 5 % is 0.05',
    ),
    ('x = { type = "text", pattern = "(" }', '"x" has a pattern that RE2 does not read'),
    ('x = { type = "text", pattern = "(?=x)x" }', "RE2 does not read, which has no look-ahead"),
    ('x = { type = "text", pattern = "a)(b" }', '"x" has a pattern that RE2 does not read'),
    ('x = { type = "number", values = [1, inf] }', '"x" has inf in values, which is no finite number'),
    ('x = { type = "number", most = nan }', '"x" has nan in most, which is no finite number'),
    ('x = { type = "number", least = nan, most = 1 }', '"x" has nan in least, which is no finite number'),
    ('x = { type = "number", most = 99999999999999999999 }', "has 99999999999999999999 in most"),
    ('x = { type = "integer", values = [99999999999999999999] }', "a whole one beyond 64 bits"),
    ('[table]\nkeys = [["y"]]', '[table] keys has "y", which is no column in [columns]: list it there'),
    ('[table]\nrules = ["y > 1"]', "[table] rules: 'y > 1' has \"y\", which is no column"),
    ("[table]\nleast_rows = 3\nmost_rows = 2", "[table] least_rows is above most_rows"),
    ("[table]\nleast_row = 3", "[table] least_row is not a key of this section; did you mean least_rows?"),
    (
        'block = ["target_leek"]',
        'block has "target_leek", which is no kind of finding; did you mean target_leak?',
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_wrong_contract_says_what_is_wrong(text: str, sentence: str) -> None:
    whole = text if text.startswith(("[", "block")) else f"[columns]\n{text}"

    with pytest.raises(UserError) as caught:
        Contract.parse(whole)

    assert str(caught.value).startswith("contract.toml: ")
    assert sentence in str(caught.value)
    assert caught.value.findings[0].line == len(whole.splitlines()) - (
        1 if "least_rows = 3\n" in whole else 0
    )


def test_a_key_of_one_column_is_a_list_in_the_list_of_keys() -> None:
    with pytest.raises(UserError) as caught:
        Contract.parse('[columns]\ny = { type = "text" }\n[table]\nkeys = ["y"]')

    assert str(caught.value).endswith(
        'keys = "y" is not a list in [brackets]: write [["y"]], a list of lists'
    )


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_what_is_said_of_a_value_depends_on_no_other_value(kind: str) -> None:
    values = [" 5", "+5", "-5\t", "x", "1.5", "1e400", "0x1F", "inf", "NaN", "9" * 20, "9" * 400, ".5", "5."]
    entry = f'type = "{kind}"'

    for value in values:
        alone = len(of_x(entry, [value]))
        for other in values:
            both = "".join(of_x(entry, [value, other]))
            assert ("2 of 2" in both or "is row 1" in both) == bool(alone), (value, other, both)


def test_comments_and_order_make_no_other_contract() -> None:
    assert Contract.parse(STAYS).sha256 == Contract.parse(f"# more\n{STAYS}").sha256
    head, columns = STAYS.split("[columns]\n")
    turned = "\n".join(reversed(columns.splitlines()))
    assert Contract.parse(STAYS).sha256 == Contract.parse(f"{head}[columns]\n{turned}").sha256
    assert Contract.parse(STAYS).sha256 != Contract.parse(STAYS.replace("integer", "number")).sha256


def test_all_is_said_at_once_but_not_all_of_a_column() -> None:
    entry = '{ type = "text", values = ["a"], length = 1, pattern = "a", missing = 0.0, unique = true }'
    names = [f"x{number}" for number in range(30)]
    text = "[columns]\n" + "".join(f"{name} = {entry}\n" for name in names)
    checker = Checker(Contract.parse(text), names, "t.csv")
    checker.see(pa.RecordBatch.from_pydict({name: ["bb"] for name in names}))

    with pytest.raises(UserError) as caught:
        checker.require()

    said = str(caught.value).splitlines()
    assert len(said) == MOST_IN_ALL + 1
    assert said[-1] == f"t.csv: {30 * MOST_OF_A_COLUMN - MOST_IN_ALL} more violations of contract.toml"


COLUMNS = [
    Column(name="age", type="integer", missing=3, distinct=90, least=0, most=97),
    Column(name="share", type="number", missing=0, least=-0.5, most=1e300),
    Column(name="the ward", type="text", missing=30, distinct=2, values={"a": 9, 'say "b"': 8}, length=7),
    Column(name="note", type="text", missing=1, length=120),
    Column(name="id", type="text", missing=0, length=8, looks_like="identifier"),
    Column(name="older", type="integer"),
]


def test_a_draft_is_a_contract_that_says_what_was_seen() -> None:
    text = draft(COLUMNS, 1000, "t.csv")

    columns = Contract.parse(text).columns
    assert list(columns) == [column.name for column in COLUMNS]
    assert (columns["age"].least, columns["age"].most, columns["age"].missing) == (0, 97, 0.01)
    assert columns["the ward"].values == ["a", 'say "b"']
    assert (columns["note"].length, columns["note"].missing) == (120, 0.01)
    assert 'id = { type = "text", length = 8, missing = 0.0 } # looks like an identifier' in text
    assert columns["older"].least is columns["older"].missing is None
    assert max(map(len, text.splitlines())) <= 120
    # What is commented out is right too.
    lines = [
        line.removeprefix("# ").partition(" # ")[0] for line in text.splitlines() if line.startswith("# ")
    ]
    for line in lines:
        if line.startswith(("keys = ", "rules = ", "least_rows", "other_columns")):
            names = 'patient = {type = "text"}\nadmitted = {type="date"}\ndischarged = {type="date"}\n'
            Contract.parse(
                f'[table]\n{line}\n[columns]\n{names}state = {{type="text"}}\ndays = {{type="integer"}}'
            )


def test_the_command_writes_a_contract_that_the_file_keeps(folder: Path, config, capsys) -> None:
    path = table(folder / "patients.csv")

    assert main(["data", "contract", str(path)]) == 0

    assert prepare(config(), path, Output()).contract == Contract.load().sha256
    assert (
        '[columns]\nage = { type = "integer", least = 20, most = 89, missing = 0.0 }'
        in Path("contract.toml").read_text()
    )
    assert main(["data", "contract", str(path)]) == 2
    assert "is there already: edit it, or write it anew with --force" in capsys.readouterr().err
    assert main(["data", "contract", str(path), "--force"]) == 0


def test_the_command_reads_what_inspect_reads_and_drafts_no_excluded_column(folder: Path) -> None:
    path = folder / "t.csv"
    path.write_bytes("größe;name;label\n".encode("cp1252") + b"1;x;a\n2;y;b\n" * 30)
    (folder / "automl.toml").write_text(automl_toml(dataset={"exclude": ["name"]}))

    assert main(["data", "contract", str(path), "--delimiter", ";", "--encoding", "cp1252"]) == 0

    assert list(Contract.load().columns) == ["größe", "label"]


def test_the_command_needs_no_file_where_there_is_a_lock(folder: Path, config) -> None:
    prepare(config(), table(folder / "patients.csv"), Output()).lock(config(), synthetic=False).save()

    assert main(["data", "contract"]) == 0

    assert Contract.load().columns["label"].values == ["<30", ">30", "no"]


def test_data_that_breaks_the_contract_is_not_pushed(
    folder: Path, config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(folder / "patients.csv")
    Path("contract.toml").write_text(
        '[columns]\nage = { type = "integer", most = 50 }\nwards = { type = "text" }\n'
    )

    with pytest.raises(UserError) as caught:
        prepare(lenient(config()), path, Output())

    first, second = str(caught.value).splitlines()
    assert first.startswith(f'{path}: has no column "wards"')
    assert "rows are above most = 50, the first is row " in second


def test_findings_stop_a_push_where_the_contract_says_so(folder: Path, config) -> None:
    path = table(folder / "patients.csv")
    Path("contract.toml").write_text('block = ["duplicate_rows"]\n')

    with pytest.raises(
        UserError, match=r'contract.toml: block has "duplicate_rows": \d+ of 800 rows are copies'
    ):
        prepare(config(), path, Output())

    Path("contract.toml").write_text('block = ["target_leak"]\n')
    assert prepare(config(), path, Output()).findings


def test_a_rehearsals_check_leaves_the_findings_to_the_push(folder: Path, config, capsys) -> None:
    assert prepare(config(), table(folder / "patients.csv"), _Unheard()).findings

    assert capsys.readouterr().out == ""


def test_the_contract_makes_no_other_model(folder: Path, config) -> None:
    path = table(folder / "patients.csv")
    before = prepare(config(), path, Output()).lock(config(), synthetic=False)
    Path("contract.toml").write_text('[columns]\nage = { type = "integer" }\n')
    after = prepare(config(), path, Output()).lock(config(), synthetic=False)

    assert (before.contract, after.contract) == (None, Contract.load().sha256)
    assert before.plain() == after.plain()
    assert DatasetLock.parse(after.text()) == after

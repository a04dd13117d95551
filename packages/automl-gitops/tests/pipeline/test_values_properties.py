"""Properties of how values are read: by whatever reads them, the same."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import automl_toml, lenient

from automl_evaluation.labels import Classes
from automl_evaluation.reading import Part, batches, read_labels
from automl_evaluation.values import MISSING, UNKNOWN, number, spellings
from automl_gitops.data.prepared import Parts, prepare
from automl_gitops.data.statistics import as_numbers, is_missing
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import quoted
from local_sagemaker.serving import tabular

# What a file may hold: no other control character than those of a table, which would make it binary.
CELLS = st.text(
    st.one_of(
        st.sampled_from(' \t\n\r",;\'|$é\u2028\u00a0"'), st.characters(exclude_categories=["Cc", "Cs"])
    ),
    max_size=8,
)
ROWS = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(CELLS, min_size=width + 1, max_size=width + 1).filter(
            lambda row: row[-1].strip() and row[-1] not in MISSING
        ),
        min_size=1,
    )
)


def flat(value: str) -> str:
    return re.sub("\r\n|\r|\n", " ", value)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS)
@example(rows=[[" ", "a"], ["", "b"], ['"', " c"], ["\t", "d"], ["?", "e"]])
def test_what_is_pushed_is_read_back(rows: list[list[str]]) -> None:
    names = [f"c{n}" for n in range(len(rows[0]) - 1)]
    expected = [["" if value == UNKNOWN else flat(value) for value in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[*names, "label"], *rows])
        table, parts = Table.open(path), Parts(Path(folder), [*names, "label"], "label")
        for batch in table.batches():
            parts.add(batch)
        parts.close()
        x, y = (Path(folder, name) for name in parts.files)

        inputs = [
            [value.decode() for value in row]
            for batch in batches(Part(x, "x"), len(names))
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
        labels = read_labels([Part(y, "y")])
        frame = pd.read_csv(x, header=None, dtype=str, keep_default_na=False)
        truth = pd.read_csv(y, dtype=str, keep_default_na=False)

    assert inputs == [row[:-1] for row in expected]
    assert [labels.texts[code] for code in labels.codes] == [row[-1] for row in expected]
    assert frame.to_numpy().tolist() == inputs
    assert truth["label"].tolist() == [row[-1] for row in expected]


@given(
    st.lists(st.one_of(st.sampled_from(MISSING), st.from_regex(r"[0-9]{0,3}[-.]?", fullmatch=True))),
    st.integers(0, 2),
)
def test_missing_is_what_is_listed(values: list[str], start: int) -> None:
    column = pa.array(values, pa.string()).slice(start)

    assert is_missing(column).to_pylist() == [value in MISSING for value in values[start:]]


SPELT = [
    "1",
    "1.0",
    "01",
    "+1",
    "1e0",
    "2",
    "2.00",
    "-0",
    "0.0",
    "10",
    "1e1",
    "0.3",
    "0.30000000000000004",
    " 1",
    "True",
    "true",
    "TRUE",
    "x",
    "01x",
    "1e400",
    "1_0",
]


@settings(deadline=None)
@given(labels=st.lists(st.sampled_from(SPELT), min_size=1, unique=True))
@example(labels=["True", "TRUE", "true"])
@example(labels=["1", "1.0", " 1", "01"])
def test_labels_are_equal_by_one_rule(labels: list[str]) -> None:
    classes, local = Classes(labels), tabular.one_spelling(labels)
    groups = {label: group for group in spellings(labels) for label in group}
    read = pd.read_csv(io.StringIO("x,y\n" + "".join(f'"{label}",1\n' for label in labels)))["x"]

    for one, one_read in zip(labels, read, strict=True):
        for other, other_read in zip(labels, read, strict=True):
            same = classes.code(one) == classes.code(other)
            assert same == (one == other or other in groups.get(one, ()))
            assert same == (local[one] == local[other])
            assert same == (one_read == other_read)  # pandas, as the trainers read


@settings(max_examples=500, deadline=None)
@given(text=st.text("0123456789+-.eE_xXinfaINF ,%\t", max_size=7).filter(lambda text: text not in MISSING))
@example(text="1e400")
@example(text="0x1F")
@example(text="64_000")
@example(text=" 5\t")
@example(text="-Infinity")
def test_a_number_is_what_a_trainer_reads_as_one(text: str) -> None:
    read = pd.read_csv(io.StringIO(f'x,y\n"{text}",1\n'), dtype={"y": int})["x"]
    numbers = as_numbers(pa.array([text]))

    assert (number(text) is not None) == (read.dtype.kind in "if")
    assert (numbers is not None) == (number(text) is not None)
    assert numbers is None or float(numbers[0].as_py()) == number(text)


@settings(max_examples=40, deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90))
@example(value="[bold red]x[/bold red]\x1b[31m\n\n::error::injected\u202e")
@example(value="9" * 5000 + "x")
def test_a_value_in_a_message_is_one_short_line(value: str) -> None:
    shown = quoted(value)

    assert len(shown.splitlines()) == 1
    assert shown.isprintable()
    assert len(shown) <= 2 + 60 * 10
    assert shown[1:2] == value[:1] or not value[0].isprintable()


@settings(max_examples=25, deadline=None)
@given(value=CELLS.filter(lambda text: text.strip() and number(text) is None and text not in MISSING))
@example(value="[red]n.v.[/red]")
@example(value="x" * 5000)
def test_a_refusal_names_the_value_as_it_stands(value: str) -> None:
    config = lenient(
        Config.parse(automl_toml(autopilot={"problem_type": "BinaryClassification", "objective": "F1"}))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        rows = [[str(n), "yes" if n % 2 else "no"] for n in range(70)]
        rows[41][0] = value
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["x", "label"], *rows])
        try:
            prepare(config, path, Output())
        except UserError as error:
            said = str(error)

    assert f"1 text (row 42: {quoted(flat(value))})" in said
    assert "\n" not in said
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        Output().notice(said)
    assert shown.getvalue() == f"notice: {said.replace('##[', '## [')}\n"  # else a command to GitHub's runner

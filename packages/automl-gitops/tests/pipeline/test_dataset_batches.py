"""What a pass over a table does once a batch, for all who look at it: read ahead, encode, hash, write."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from automl_evaluation.inputs import csv_lines
from automl_gitops.data.contract import Contract
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.csv_rows import csv_text
from automl_gitops.data.hashes import distinct, text_hashes
from automl_gitops.data.lock import MOST_DISTINCT
from automl_gitops.data.statistics import Statistics, value_counts
from automl_gitops.data.table import ahead, aside

CONTRACT = """
[table]
rules = ["days >= 2", "days <= cost", "if ward == 'a' then days != 3", "ward != ''", "not ward == 'c' or cost > 1"]
[columns]
ward = { type = "text", values = ["a", "b"], missing = 0 }
days = { type = "integer", least = 2, most = 4 }
cost = { type = "number", least = 1.5, unique = true }
code = { type = "text", length = 3, pattern = "[a-z]+" }
admitted = { type = "date", most = 2024-12-30 }
"""
ROWS = {
    "ward": ["a", "b", "", "c", "a", "NA"],
    "days": ["1", "3", "x", "5", "3", ""],
    "cost": ["1", "2.5", "inf", "", "2.5", "7"],
    "code": ["abc", "abcd", "A", "", "x y", "abc"],
    "admitted": ["2024-12-31", "2024-12-30 10:00", "soon", "", "2024-12-31", "2024-01-01"],
}


def numbered(number: int, closed: list[bool]) -> Iterator[pa.RecordBatch]:
    try:
        for row in range(number):
            yield pa.RecordBatch.from_pydict({"row": [row]})
        raise ValueError("the file ends amid a row")
    finally:
        closed.append(True)


def test_an_error_of_the_reader_comes_after_the_batches_before_it() -> None:
    closed: list[bool] = []
    rows = []

    with pytest.raises(ValueError, match="amid a row"):
        rows.extend(batch.column("row")[0].as_py() for batch in ahead(numbered(3, closed)))

    assert closed == [True]


def test_batches_come_in_order_and_a_reader_is_closed_where_nobody_reads_on() -> None:
    closed: list[bool] = []
    rows = []

    for batch in (batches := ahead(numbered(9, closed))):
        rows.append(batch.column("row")[0].as_py())
        if len(rows) == 3:
            break
    batches.close()  # type: ignore[attr-defined]

    assert rows == [0, 1, 2]
    assert closed == [True]


def test_what_a_watch_raises_reaches_whoever_reads() -> None:
    def watch(batch: pa.RecordBatch, _: object) -> None:
        raise ValueError("row 1")

    with pytest.raises(ValueError, match="row 1"), aside([watch]) as look:
        look(pa.RecordBatch.from_pydict({"row": [1]}), {})


@pytest.mark.parametrize("values", [["a", "", " b"], ["a,b", "x", ""], ['"', "", "x"], ["é", "日本", "\t"]])
def test_rows_are_the_same_bytes_whoever_writes_them(values: list[str]) -> None:
    columns = [pa.array(["plain", "1.5", ""]), pa.array(values)]

    for rows in (columns, columns[1:], [column.slice(1, 1) for column in columns]):
        assert bytes(csv_text(rows)) == csv_lines([column.cast(pa.binary()) for column in rows])


def test_a_contract_judges_encoded_columns_as_it_judges_rows() -> None:
    batch = pa.RecordBatch.from_pydict(ROWS)
    encoded = {name: batch.column(name).dictionary_encode() for name in ROWS}

    told = []
    for few in ({}, encoded, {"ward": encoded["ward"]}, {"days": encoded["days"], "code": encoded["code"]}):
        checker = Checker(Contract.parse(CONTRACT), list(ROWS), "t.csv")
        for _ in range(2):
            checker.see(batch, few)
        told.append([str(one) for one in checker.violations()])

    assert len(told[0]) >= 12
    assert told[1:] == [told[0]] * 3


def test_encoded_texts_have_the_hashes_of_their_rows() -> None:
    column = pa.array(["a", "", "long enough for several words", "a"])

    assert (text_hashes(column.dictionary_encode()) == text_hashes(column)).all()


def test_a_column_is_encoded_while_its_values_are_few() -> None:
    few = pa.array([str(number % 7) for number in range(100)])
    statistics = Statistics("x")

    encoded = statistics.see(few)

    assert encoded is not None
    assert encoded.dictionary_decode().equals(few)
    assert value_counts(encoded).tolist() == [15, 15, 14, 14, 14, 14, 14]
    assert statistics.see(pa.array([str(number) for number in range(MOST_DISTINCT + 1)])) is None
    assert statistics.see(few) is None
    assert (statistics.rows, statistics.counts, statistics.kind) == (MOST_DISTINCT + 201, None, "integer")


@pytest.mark.parametrize("values", [[], [3], [5, 2, 5, 2**64 - 1, 0, 2]])
def test_distinct_hashes_rise(values: list[int]) -> None:
    assert distinct(np.array(values, np.uint64)).tolist() == sorted(set(values))

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset import lines, table
from pipeline.dataset.table import Table
from pipeline.errors import UserError


def rows(path: Path) -> list[list[str]]:
    read = Table.open(path)
    return [list(row.values()) for batch in read.batches() for row in batch.to_pylist()]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a,b\n1,x\n", [["1", "x"]], id="plain"),
        pytest.param("a,b\r\n1,x\r\n", [["1", "x"]], id="windows line ends"),
        pytest.param("\ufeffa,b\n1,x", [["1", "x"]], id="byte order mark, no last line end"),
        pytest.param("a,b\n007,1.50\n", [["007", "1.50"]], id="numbers stay as written"),
        pytest.param('a,b\n"1,5","say ""x"""\n', [["1,5", 'say "x"']], id="quotes"),
        pytest.param("a,b\n,\n", [["", ""]], id="empty values"),
        pytest.param("a,b\n1,x\n\n2,y\n", [["1", "x"], ["2", "y"]], id="empty line"),
        pytest.param('a,b\n1,"two\nlines"\n', [["1", "two lines"]], id="line break in a value"),
        pytest.param("größe,b\n1,ÿ\n", [["1", "ÿ"]], id="umlauts"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_csv_values_are_the_files_text(
    tmp_path: Path, text: str, expected: list[list[str]], compress: bool
) -> None:
    content = text.encode()
    path = write(tmp_path / "any.name", gzip.compress(content) if compress else content)

    assert rows(path) == expected


def test_rows_survive_the_borders_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_BLOCK", 64)
    expected = [[str(n), f'"{n}", and more'] for n in range(200)]
    text = io.StringIO()
    csv.writer(text).writerows([["n", "text"], *expected])

    assert rows(write(tmp_path / "t.csv", text.getvalue())) == expected


def test_a_gzip_file_of_several_members(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))

    assert rows(path) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("compress", [False, True])
def test_arrow_opens_the_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool) -> None:
    """A thread of Arrow's that lets go of a file of Python's after the interpreter's end aborts the process."""
    given, open_csv = [], pa.csv.open_csv
    monkeypatch.setattr(
        pa.csv, "open_csv", lambda file, **options: given.append(file) or open_csv(file, **options)
    )
    content = b"a,b\n1,2\n"

    assert rows(write(tmp_path / "t", gzip.compress(content) if compress else content)) == [["1", "2"]]

    assert [isinstance(file, pa.NativeFile) and not isinstance(file, pa.PythonFile) for file in given] == [
        True
    ]


def test_line_breaks_are_counted(tmp_path: Path) -> None:
    read = Table.open(write(tmp_path / "t.csv", 'a,b\n"1\n","x\r\ny"\n2,z\n'))

    for _ in range(2):
        list(read.batches())

    assert read.broken == 2


def test_parquet_has_the_values_of_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], "Int64"),
            "real": [0.1, 1e-9],
            "flag": [True, False],
            "kind": pd.Categorical(["<30", "no"]),
            "day": pd.to_datetime(["2020-01-02", "2020-01-03"]),
        },
        index=[5, 6],
    )
    frame.to_parquet(tmp_path / "t.parquet")

    read = rows(tmp_path / "t.parquet")

    assert [row[:4] for row in read] == [["1", "0.1", "true", "<30"], ["", "1e-9", "false", "no"]]
    assert read[0][4].startswith("2020-01-02")


REFUSED = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b"\n\n", "is empty", id="only line ends"),
    pytest.param(b"a,a\n1,2\n", 'column "a" is there 2 times', id="duplicate column"),
    pytest.param(b"a,,c\n1,2,3\n", "column 2 has no name", id="column without name"),
    pytest.param(b'a,"b\nc"\n1,2\n', "the name of column 2 has a line break", id="name of two lines"),
    pytest.param(b"a;b\n1;2\n", "separated by semicolons", id="semicolons"),
    pytest.param(b"a\tb\n1\t2\n", "separated by tabs", id="tabs"),
    pytest.param(b"PK\x03\x04rest", "export the table as CSV", id="workbook"),
    pytest.param("größe,b\n1,2\n".encode("latin-1"), "is not UTF-8", id="header in another encoding"),
    pytest.param("a,b\n1,größe\n".encode("latin-1"), "is not UTF-8", id="value in another encoding"),
    pytest.param(b"a,b\n1,2\n3\n", "row 2 has 1 column instead of 2", id="short row"),
    pytest.param(b"a,b\n1,2\n3,4\n5,6,7\n", "row 3 has 3 columns instead of 2", id="long row"),
    pytest.param(gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:60], "cannot be read", id="half a gzip file"),
    pytest.param(b"PAR1 but no more", "cannot be read", id="half a parquet file"),
]


@pytest.mark.parametrize(("content", "sentence"), REFUSED)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = write(tmp_path / "t.csv", content)

    with pytest.raises(UserError, match=r"t\.csv: ") as caught:
        rows(path)

    assert sentence in str(caught.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv: not found"):
        Table.open(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        Table.open(tmp_path)


def test_nested_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [[1, 2]], "b": [1]}), tmp_path / "t.parquet")

    with pytest.raises(UserError, match='column "a" holds list'):
        Table.open(tmp_path / "t.parquet")


def test_lines_read_back_as_the_values() -> None:
    random = np.random.RandomState(3)
    letters = np.array(list('ab,"; \u00e4\u20ac'))
    values = [["".join(random.choice(letters, random.randint(0, 6))) for _ in range(3)] for _ in range(500)]
    columns = [pa.array(list(column), pa.string()) for column in zip(*values, strict=True)]

    text = bytes(lines.content(lines.lines(columns))).decode()

    assert list(csv.reader(io.StringIO(text))) == values


def test_a_line_is_never_empty() -> None:
    column = pa.array(["", "x"])

    assert bytes(lines.content(lines.lines([column]))) == b'""\nx\n'


def test_content_of_a_slice_is_its_own() -> None:
    array = pa.array(["one", "two", "three"]).slice(1, 1)

    assert bytes(lines.content(array)) == b"two"

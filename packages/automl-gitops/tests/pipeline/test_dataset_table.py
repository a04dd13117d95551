from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automl_gitops.data import csv_rows, table
from automl_gitops.data.buffers import text_bytes
from automl_gitops.data.formats import Dialect
from automl_gitops.data.table import Table
from automl_gitops.kernel.errors import UserError


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
    monkeypatch.setattr(table, "BLOCK", 64)
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
    pytest.param(b'"x";"z"\n"1";"2"\n', "separated by semicolons", id="semicolons, quoted"),
    pytest.param(b"x;z\n1,5;2,5\n", "separated by semicolons", id="semicolons, decimal commas"),
    pytest.param(b"name, first;z\n1;2\n", "separated by semicolons", id="semicolons, comma in a name"),
    pytest.param(b"a|b\n1|2\n", "separated by bars", id="bars"),
    pytest.param(b",a\n1,2\n", "to_csv(index=False)", id="index of pandas"),
    pytest.param(
        b"a,b\n1,2\n" * 9 + b"3," + b'"' + b"x\n" * 9_000_000,
        "row 18 is one of more than 4 MB: is a quote opened that nothing closes",
        id="open quote",
    ),
    pytest.param("größe,b\n1,2\n".encode("latin-1"), "is not UTF-8", id="header in another encoding"),
    pytest.param("a,b\n1,größe\n".encode("latin-1"), "is not UTF-8", id="value in another encoding"),
    pytest.param(
        b"a,b\n1,2\n3\n", "row 2 has 1 column instead of 2: a value or a delimiter is missing", id="short row"
    ),
    pytest.param(
        b"# Export of 1.1.2024\na,b\n1,2\n",
        'its first line, "# Export of 1.1.2024", looks like a title, as the next has 2 columns: take it out',
        id="title",
    ),
    pytest.param(
        b"Export,,\na,b,c\n1,2,3\n", 'its first line, "Export", looks like a title', id="title of Excel"
    ),
    pytest.param(
        b"a,b\n1,2\n3,4\n5,6,7\n",
        "row 3 has 3 columns instead of 2: quote values that contain commas",
        id="long row",
    ),
    pytest.param(
        b'a,b\n1,2\n3,4\n"5,6\n7,8\n',
        "a quote that is opened in row 3 is not closed in its line, so that the row has 1 column instead of 2: close",
        id="quote before a row",
    ),
    pytest.param(
        b"a,b\n" + b"1,2\n" * 9 + b'"' + b"x" * 500 + b",3\n4,5\n",
        "a quote that is opened in row 10 is not closed",
        id="quote before a long row",
    ),
    pytest.param(
        b'a,b\n1,2\n"3,4', "a quote that is opened in row 2 is not closed", id="quote before the last row"
    ),
    pytest.param(
        b'a,b\n1,2\n"3\n3",4,5\n',
        "instead of 2: close it or take it out, or quote values that contain commas",
        id="line break and comma",
    ),
    pytest.param(
        b'a,b\n1,2\n5" pipe,x,3\n', "row 2 has 3 columns instead of 2: quote values", id="inches and a comma"
    ),
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
    with pytest.raises(UserError, match="is a folder: give one file of it"):
        Table.open(tmp_path)


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    content = io.BytesIO()
    write(content)
    return content.getvalue()


def zipped(**files: bytes) -> bytes:
    def write(content: io.BytesIO) -> None:
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)

    return written(write)


def tarred(name: str, content: bytes) -> bytes:
    def write(file: io.BytesIO) -> None:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

    return written(write)


FRAME = pd.DataFrame({"a": range(50), "b": "x"})
CSV = FRAME.to_csv(index=False).encode()
WORKBOOK = {"[Content_Types].xml": b"<Types/>", "xl/worksheets/sheet1.xml": b"<worksheet/>"}
KNOWN = {
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a JPEG image"),
    "gif": (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "a GIF image"),
    "tiff": (b"II*\x00\x08\x00\x00\x00", "a TIFF image"),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a WebP image"),
    "mp4": (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "a video or image"),
    "zip": (zipped(**{"table.csv": CSV}), "a zip archive, no CSV, CSV.gz or Parquet file: unpack it"),
    "xlsx": (zipped(**WORKBOOK), "an Excel workbook"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office file"),
    "numpy": (written(lambda file: np.save(file, np.arange(9))), "a NumPy array"),
    "numpy archive": (written(lambda file: np.savez(file, a=np.arange(9))), "a NumPy archive"),
    "pickle": (pickle.dumps(FRAME), "a Python pickle"),
    "feather": (written(lambda file: FRAME.to_feather(file)), "an Arrow (Feather) file"),
    "orc": (written(lambda file: FRAME.to_orc(file, index=False)), "an ORC file"),
    "bzip2": (bz2.compress(CSV), "compressed with bzip2"),
    "xz": (lzma.compress(CSV), "compressed with xz"),
    "zstd": (pa.compress(CSV, "zstd", asbytes=True), "compressed with zstd"),
    "tar.gz": (tarred("table.csv", CSV), "gzip around what is a tar archive"),
    "parquet.gz": (gzip.compress(written(FRAME.to_parquet)), "gzip around what is a Parquet file"),
    "gz.gz": (gzip.compress(gzip.compress(CSV)), "gzip around what is compressed again"),
    "json.gz": (gzip.compress(b'[{"a": 1}]'), "gzip around what is JSON"),
    "pdf": (b"%PDF-1.7\n1 0 obj", "a PDF document"),
    "html": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is HTML, no CSV"),
    "table in html": (b"<table border=1><tr><td>a,b</td></tr></table>", "is HTML, no CSV"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><rows/>', "is XML, no CSV"),
    "json": (b'[\n  {"a": 1, "b": 2}\n]', "is JSON, no CSV"),
    "json lines": (b'{"a": 1, "b": 2}\n{"a": 2, "b": 3}\n', "is JSON, no CSV"),
    "utf-16": (CSV.decode().encode("utf-16"), "is text in UTF-16"),
    "utf-16 without a mark": (CSV.decode().encode("utf-16-be"), "is text in UTF-16"),
    "sqlite": (b"SQLite format 3\x00" + bytes(100), "an SQLite database"),
    "elf": (b"\x7fELF\x02\x01\x01\x00" + bytes(60), "a program"),
    "noise": (np.random.RandomState(1).bytes(3000), "is binary"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "run `git lfs pull`"),
}


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_what_is_given_by_mistake_is_called_by_its_kind(tmp_path: Path, kind: str, name: str) -> None:
    content, sentence = KNOWN[kind]

    with pytest.raises(UserError) as caught:
        Table.open(write(tmp_path / name, content))

    said = str(caught.value)
    assert said.startswith(f"{tmp_path / name}: is ")
    assert sentence in said
    assert "\n" not in said


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UserError, match="no file that can be read twice"):
        Table.open(tmp_path / "pipe")


@pytest.mark.parametrize(
    "header", ["ORC_ID,b", "RDX,b", "age,ftype", "<30,b", "{x},b", "[id],b", "GIF87,b", "x;y,b", "BZh9,PK"]
)
def test_a_header_that_begins_like_another_kind_is_a_header(tmp_path: Path, header: str) -> None:
    assert rows(write(tmp_path / "t.csv", f"{header}\n1,2\n")) == [["1", "2"]]


def test_nested_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [[1, 2]], "b": [1]}), tmp_path / "t.parquet")

    with pytest.raises(UserError, match='column "a" holds list'):
        Table.open(tmp_path / "t.parquet")


def test_lines_read_back_as_the_values() -> None:
    random = np.random.RandomState(3)
    letters = np.array(list('ab,"; \u00e4\u20ac'))
    values = [["".join(random.choice(letters, random.randint(0, 6))) for _ in range(3)] for _ in range(500)]
    columns = [pa.array(list(column), pa.string()) for column in zip(*values, strict=True)]

    text = bytes(csv_rows.csv_text(columns)).decode()

    assert list(csv.reader(io.StringIO(text))) == values


def test_a_line_is_never_empty() -> None:
    column = pa.array(["", "x"])

    assert bytes(csv_rows.csv_text([column])) == b'""\nx\n'


def test_the_first_row_with_a_line_break_is_known(tmp_path: Path) -> None:
    """Between two quotes that nothing closes rows go away: what is left of them is one value."""
    lines = [f"{row},b{row}\n" for row in range(20)]
    lines[7] = '7,"b7\n'
    lines[12] = '12,"\n'
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(lines))

    table = Table.open(path)

    assert sum(batch.num_rows for batch in table.batches()) == 15
    assert (table.broken, table.broken_row) == (1, 8)
    assert table.swallowed.startswith(
        "row 8 has a value of 6 lines, with as many delimiters as rows have: is a quote"
    )
    assert table.swallowed.endswith("Then 5 rows went into that value")


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r\n")])
@pytest.mark.parametrize("packed", [False, True])
def test_rows_between_a_stray_quote_and_the_next_are_refused(
    tmp_path: Path, place: int, delimiter: str, end: str, packed: bool
) -> None:
    lines = [[f"a{row}", f"b{row}", f"c{row}"] for row in range(30)]
    lines[7][place] = '"Month'
    lines[12][place] = '5"x8"'
    text = end.join(delimiter.join(line) for line in (["a", "b", "c"], *lines)).encode()
    path = write(tmp_path / "t.csv", gzip.compress(text) if packed else text)

    with pytest.raises(UserError) as caught:
        list(Table.open(path, dialect=Dialect(delimiter)).batches())

    assert 'row 8 has text behind a closing quote, which closes the one before "Month": take out' in str(
        caught.value
    )


@pytest.mark.parametrize(
    "text", ["Dear all,\nso, it ends", "one,\ntwo,\nthree", "x\ny", "1,2\n3\n4", ",,\n,,\n,,"]
)
def test_texts_of_several_lines_are_no_rows(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "t.csv", f'a,b,c\n1,"{text}",2\n'.encode())

    table = Table.open(path)

    assert [batch.num_rows for batch in table.batches()] == [1]
    assert (table.broken, table.swallowed) == (1, "")


def test_content_of_a_slice_is_its_own() -> None:
    array = pa.array(["one", "two", "three"]).slice(1, 1)

    assert text_bytes(array).tobytes() == b"two"

"""Rows that are cut out of a CSV file are what parsing and writing them gives."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import automl_toml, lenient

from automl_gitops.data import csv_rows as cut
from automl_gitops.data import table as tables
from automl_gitops.data.csv_rows import Lines, OtherTextError, SourceText, csv_text, lines, rows_text
from automl_gitops.data.prepared import prepare
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output

NAMES = ["a", "b", "c", "d"]
# As they stand in a file, the first ones far more often than those that cannot be cut out.
PLAIN = ["1", "-2.5", "x y", '"1"', '"x y"', "", '""', "\u00e9", "what?"]
OTHERS = ["?", '"?"', '"x,y"', '"x""y"', 'x"y', '"x\ny"', '"x\ry"', '"x\r\ny"', '"x"y', '"\n"']
ROWS = st.lists(
    st.lists(st.sampled_from(PLAIN), min_size=4, max_size=4),
    min_size=1,
    max_size=40,
)
ODD = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 3), st.sampled_from(OTHERS)), max_size=2)


@settings(max_examples=200, deadline=None)
@given(
    ROWS,
    ODD,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
    st.integers(16, 90),
)
@example([["1", "1", "1", "1"]], [], "\n", 0, True, 16)  # the header is as long as the row
@example([["1", "", '"x"', "2"]] * 9, [], "\n", None, True, 30)
@example([["1", "", '"x"', "2"]] * 9, [(8, 0, '"\n"')], "\n", 2, False, 30)
def test_what_is_cut_out_is_what_is_written(
    values: list[list[str]], odd: list[Any], end: str, blank: int | None, ended: bool, block: int
) -> None:
    rows = [list(row) for row in values]
    for row, column, value in odd:
        rows[row % len(rows)][column] = value
    texts = [",".join(row) for row in ([*map('"{}"'.format, NAMES)], *rows)]
    if blank is not None:
        texts.insert(min(blank, len(texts)), "")
    random = np.random.RandomState(len(texts))
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for module in (tables, cut):
            patch.setattr(module, "BLOCK", max(block, *(len(text.encode()) + 2 for text in texts)))
        path = Path(folder, "t.csv")
        path.write_bytes((end.join(texts) + (end if ended else "")).encode())
        table = Table.open(path)
        source, batches = SourceText(table), list(table.batches())
        taken = [source.text(batch) for batch in batches]
        written = [bytes(csv_text(batch.columns)) for batch in batches]

        assert all(text in (None, own) for text, own in zip(taken, written, strict=True))
        plain = not odd and blank is None
        if plain and end == "\n":
            assert taken == written
        if source.sizes is not None and blank is None:
            pieces = list(lines(path, NAMES, source.sizes))
            for piece, batch in zip(pieces, batches, strict=True):
                chosen = pa.array(random.rand(batch.num_rows) < 0.6)
                for names in (NAMES, ["b", "c"], ["a", "c"], ["a", "d"], ["c", "d"]):
                    mine, theirs = (rows.select(names).filter(chosen) for rows in (piece, batch))
                    assert bytes(rows_text(mine)) == bytes(rows_text(theirs))
                    assert bytes(rows_text(mine.slice(1, 2))) == bytes(rows_text(theirs.slice(1, 2)))
                assert piece.filter(chosen).column("c").equals(batch.filter(chosen).column("c"))


def configuration(folder: Path, **dataset: Any) -> Config:
    path = folder / "automl.toml"
    path.write_text(automl_toml(dataset={"target": "label", **dataset}))
    return lenient(Config.load(path))


@pytest.mark.parametrize("group", [None, "g"])
def test_a_push_cuts_its_parts_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str | None
) -> None:
    rows = [f'{n % 700},"ward {n % 7}",{n % 13},{"yes" if n % 3 else "no"}\n' for n in range(3000)]
    path = tmp_path / "t.csv"
    path.write_text("g,w,x,label\n" + "".join(rows))
    changes = {"group": group} if group else {}
    prepared = prepare(configuration(tmp_path, **changes), path, Output())
    folders = [tmp_path / "cut", tmp_path / "parsed"]
    for folder in folders:
        folder.mkdir()

    parsed = dataclasses.replace(prepared, sizes=None).write(folders[1])
    monkeypatch.setattr(Table, "batches", None)
    files = prepared.write(folders[0])

    assert files == parsed
    assert all((folders[0] / name).read_bytes() == (folders[1] / name).read_bytes() for name in files)


def test_a_file_that_has_changed_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    table = Table.open(path)
    source = SourceText(table)
    for batch in table.batches():
        source.text(batch)
    assert source.sizes == [(2, 8)]

    for text in ("a,b\n1,2\n3,45\n", "a,b\n1,2\n", "a,b\n1,2\n3;4\n"):
        path.write_text(text)
        with pytest.raises(OtherTextError):
            list(lines(path, table.columns, source.sizes))
    path.unlink()
    with pytest.raises(OtherTextError):
        list(lines(path, table.columns, source.sizes))


def test_a_row_that_a_carriage_return_ends_is_not_cut_out(tmp_path: Path) -> None:
    """The end that is lacking and the empty line have one byte and one row in all."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\r3,4\n\n")
    table = Table.open(path)
    source = SourceText(table)

    assert [(batch.num_rows, source.text(batch)) for batch in table.batches()] == [(2, None)]


def test_a_line_of_one_column_keeps_its_end() -> None:
    piece = Lines.of(b"1,2\n3,4\n", ["a", "b"], 2)

    assert [bytes(piece.select([name]).csv()) for name in ("a", "b")] == [b"1\n3\n", b"2\n4\n"]
    assert bytes(piece.csv()) == b"1,2\n3,4\n"

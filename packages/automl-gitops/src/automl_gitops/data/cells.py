"""Cells that do not fit: a text among numbers, a class spelt in two ways, a row too long; each said with its row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tomlkit

from automl_evaluation import values as reading
from automl_gitops.data.buffers import has_any
from automl_gitops.data.refusals import in_target
from automl_gitops.data.statistics import Mixture, Statistics
from automl_gitops.data.table import Table
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted, quoted, unfit_character

_FEW, _FEW_SHARE = 3, 0.01  # texts that may all be held out, so that the model learns a column of numbers
_NUMBERS_TO_A_TEXT = 20


def refuse_mixtures(source: str, mixtures: Mapping[str, Mixture]) -> None:
    """Raise `UserError` for a column of numbers with very few texts.

    A trainer that meets none of them takes the column for numbers, and the model then refuses the row that has one;
    a trainer that meets one takes every number for a word.
    """
    for name, mixture in mixtures.items():
        few = max(_FEW, _FEW_SHARE * mixture.numbers)
        if mixture.texts <= few and mixture.texts * _NUMBERS_TO_A_TEXT <= mixture.numbers:
            raise UserError(f"{source}: {_said(name, mixture)}: correct it or leave it empty{or_names(name)}")


def or_names(column: str) -> str:
    """The other way out of a text among numbers."""
    types = tomlkit.inline_table()
    types.add(column, "categorical")
    return (
        "; if the values are no quantities but names, say so in automl.toml: [autopilot] types = "
        + types.as_string()
    )


def mixture_notices(mixtures: Mapping[str, Mixture]) -> Iterator[str]:
    """Sentences about columns of numbers with fewer texts, which a trainer takes for texts."""
    for name, mixture in mixtures.items():
        yield f"{_said(name, mixture)}: it is read as a column of texts; correct them, or leave empty what is no value"


def _said(name: str, mixture: Mixture) -> str:
    where = ("row" if mixture.texts == 1 else "the first in row") + f" {mixture.row}: {quoted(mixture.value)}"
    return f'column "{name}" has {counted(mixture.numbers, "number")} and {counted(mixture.texts, "text")} ({where})'


def refuse_infinite(source: str, columns: Iterable[Statistics]) -> None:
    """Raise `UserError` for a number that is infinite to a trainer, which computes in float32."""
    for seen in columns:
        for sentence in infinite_notices([seen]):
            raise UserError(f"{source}: {sentence}{or_names(seen.name)}")


def infinite_notices(columns: Iterable[Statistics]) -> Iterator[str]:
    """Sentences about such numbers."""
    for seen in columns:
        if seen.too_large and seen.kind == "number":
            (row, value), several = seen.too_large, seen.rows_too_large > 1
            where = f"{'the first in ' if several else ''}row {row}: {quoted(value)}"
            what, it = ("numbers that are", "them") if several else ("number that is", "it")
            yield (
                f'column "{seen.name}" has {seen.rows_too_large:,} {what} infinite or beyond {reading.GREATEST:g} '
                f"({where}), at which a training or its predictions fail: correct {it} or leave {it} empty"
            )


def digits_notices(columns: Iterable[Statistics]) -> Iterator[str]:
    """Sentences about whole numbers that no number of a trainer tells apart."""
    for seen in columns:
        if seen.loses_digits:
            yield (
                f'column "{seen.name}" has whole numbers beyond 64 bits, whose last digits are lost as numbers'
                f"{or_names(seen.name)}, or name it in [dataset] exclude"
            )


def refuse_spellings(table: Table, target: str, classes: Mapping[str, int]) -> None:
    """Raise `UserError` where labels are one class to a trainer and several in the file; ``classes`` are rows by
    label.
    """
    groups = reading.spellings(classes)
    if not groups:
        return
    first = _first_rows(table, target, groups[0])
    (one, row), (other, other_row) = sorted(first.items(), key=lambda entry: entry[1])[:2]
    more = f"; so are {counted(len(groups) - 1, 'other class', 'other classes')}" if len(groups) > 1 else ""
    raise UserError(
        f"{table.name}: row {row} has {quoted(one)} and row {other_row} {quoted(other)} in the target column "
        f'"{target}", which are two spellings of one class{more}: write it alike in all rows '
        f"({counted(classes[one], 'row')} and {classes[other]:,})"
    )


def refuse_unfit_labels(table: Table, target: str, classes: Mapping[str, int]) -> None:
    """Raise `UserError` for a class whose name has a control character."""
    for label in classes:
        unfit = unfit_character(label)
        if unfit:
            row = _first_rows(table, target, [label])[label]
            raise UserError(f"{table.name}: {in_target(row, label, target)}, with {unfit}: take it out")


def placed(table: Table, target: str, classes: Mapping[str, int]) -> str:
    """Classes of few rows, each with their number and the first one: `"maybe" (1 row, row 4)`."""
    first = _first_rows(table, target, list(classes))
    places = []
    for label, rows in classes.items():
        where = f"{counted(rows, 'row')}, {'row' if rows == 1 else 'the first row'} {first[label]}"
        stray = ", with a quote that nothing opens" if label.count('"') % 2 else ""
        places.append(f"{quoted(label)} ({where}{stray})")
    return ", ".join(places)


def refuse_nulls(source: str, batch: pa.RecordBatch, row: int) -> None:
    """Raise `UserError` for a value with the byte 0, at which readers in C end it; ``row`` rows came before."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if has_any(column, "\0"):
            place = pc.index(pc.greater_equal(pc.find_substring(column, "\0"), 0), True).as_py()
            value = quoted(column[place].as_py())
            raise UserError(
                f'{source}: row {row + place + 1} has {value} in the column "{name}", with the byte 0, at which many '
                "readers end a value: take it out"
            )


def refuse_long_rows(source: str, batch: pa.RecordBatch, row: int) -> None:
    """Raise `UserError` for a row that no container takes; ``row`` rows came before."""
    most = reading.LONGEST_ROW
    sizes = np.full(len(batch), batch.num_columns)  # the separators and the line's end
    for column in batch.columns:
        for size in (pc.binary_length(column), pc.count_substring(column, '"')):
            sizes += size.to_numpy()
    long = int(np.argmax(sizes))
    if sizes[long] > most:
        name = max(batch.schema.names, key=lambda one: len(batch.column(one)[long].as_py()))
        raise UserError(
            f"{source}: row {row + long + 1} has {sizes[long]:,} bytes, most of them in the column "
            f'"{name}", and a model takes rows of {most:,}: shorten the value'
        )


def _first_rows(table: Table, name: str, labels: Sequence[str]) -> dict[str, int]:
    """The first row (from 1) of each label, in another pass over the file."""
    rows: dict[str, int] = {}
    before = 0
    for batch in table.batches():
        for label in labels:
            place = pc.index(batch.column(name), label).as_py()
            if place >= 0:
                rows.setdefault(label, before + place + 1)
        if len(rows) == len(labels):
            break
        before += batch.num_rows
    return rows

"""What names, values and order of columns show, as far as it needs no comparison of rows."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation.values import MISSING
from automl_gitops.data.lock import DataFinding
from automl_gitops.data.refusals import are_written_numbers, written
from automl_gitops.data.statistics import Statistics
from automl_gitops.kernel.words import counted

NEARLY = 0.995  # share of the rows with one and the same value
_MOST_NAMES = 5
_FEW, _MOST_SPELT = 20, 2_000  # rows whose texts are looked at one by one
_LEADING_ZERO = "^[+-]?0[0-9]"
_PANDAS_INDEX = re.compile(r"Unnamed: \d+(_level_\d+)?|__index_level_\d+__")


class Twins:
    """Columns that are equal in every row so far, as groups of two or more."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.groups = [list(columns)]

    def see(self, batch: pa.RecordBatch) -> None:
        """Take the groups apart that this batch takes apart."""
        self.groups = [part for group in self.groups for part in _alike(batch, group) if len(part) > 1]


def _alike(batch: pa.RecordBatch, names: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = []
    for name in names:
        column = batch.column(name)
        home = next((part for part in parts if batch.column(part[0]).equals(column)), None)
        if home is None:
            parts.append([name])
        else:
            home.append(name)
    return parts


class Running:
    """Columns that number the rows from 0 or 1, in the file's order."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._rows = 0
        self._starts: dict[str, int] = {}
        self._columns = list(columns)

    @property
    def columns(self) -> list[str]:
        """Those that have gone on so far."""
        return self._columns

    def see(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        if not self._rows:
            first = {name: batch.column(name)[0].as_py() for name in self._columns}
            self._starts = {name: int(value) for name, value in first.items() if value in ("0", "1")}
        self._columns = [
            name for name in self._starts if name in self._columns and self._goes_on(batch, name)
        ]
        self._rows += batch.num_rows

    def _goes_on(self, batch: pa.RecordBatch, name: str) -> bool:
        try:
            numbers = batch.column(name).cast(pa.int64()).to_numpy()
        except pa.ArrowInvalid:
            return False
        first = self._rows + self._starts[name]
        return bool((numbers == np.arange(first, first + batch.num_rows)).all())


def column_findings(
    statistics: Mapping[str, Statistics],
    features: Sequence[str],
    index: Sequence[str],
    twins: list[list[str]],
    rule: Collection[str],
    written_numbers: Collection[str] = (),
) -> Iterator[DataFinding]:
    """What is odd about the columns that a model gets; ``rule`` are the keys of [dataset] that split the rows, and
    ``written_numbers`` columns of numbers, whatever they look like.
    """
    inputs = [statistics[name] for name in features]
    indices = [name for name in features if name in index or _PANDAS_INDEX.fullmatch(name)]
    if indices:
        yield DataFinding(
            kind="index",
            columns=indices,
            text=f"{names(indices)} {_be(indices)} an index of the file's rows: it says nothing about new rows, and "
            "where the file is sorted it gives the label away.",
            advice="Write the file without its index (pandas: `to_csv(index=False)`).",
        )
    known = {*indices, *written_numbers}
    identifiers = [one.name for one in inputs if one.looks_like == "identifier" and one.name not in known]
    if identifiers:
        yield DataFinding(
            kind="identifier",
            columns=identifiers,
            text=f"{names(identifiers)} {'look' if len(identifiers) > 1 else 'looks'} like an identifier: a model "
            "that learns it by heart fails on new rows.",
            advice="Name it in `[dataset] exclude`, unless it says something.",
        )
    recurring = [one.name for one in inputs if one.looks_like_group]
    if recurring and not {"group", "split"} & {*rule}:
        yield DataFinding(
            kind="recurring_identifier",
            columns=recurring,
            text=f"{names(recurring)} {'look' if len(recurring) > 1 else 'looks'} like an identifier of which several "
            "rows have the same value: such rows are not independent, and where they are on both sides of the split "
            "figures flatter.",
            advice="Keep them on one side (`[dataset] group`).",
        )
    constant = [one.name for one in inputs if one.is_constant]
    if constant:
        yield DataFinding(
            kind="constant",
            columns=constant,
            text=f"{names(constant)} {_be(constant)} the same in all rows: nothing can be learned from that.",
            advice="Name it in `[dataset] exclude`.",
        )
    for one in inputs:
        others = _others(one)
        if others and others <= (1 - NEARLY) * one.rows:
            yield DataFinding(
                kind="nearly_constant",
                columns=[one.name],
                rows=others,
                text=f"{names([one.name])} is the same in all but {others:,} of {counted(one.rows, 'row')}: so few "
                "teach a model little, and chance may stand for a rule.",
                advice="Name it in `[dataset] exclude`, unless these rows matter.",
            )
    for group in twins:
        if not set(group) <= set(constant):
            yield DataFinding(
                kind="equal_columns",
                columns=group,
                text=f"{names(group)} are equal in every row: one of them says nothing new, their importance is "
                "shared out by chance, and whoever asks the model has to send all.",
                advice="Keep one.",
            )
    for group in _similar(statistics):
        yield DataFinding(
            kind="similar_names",
            columns=group,
            text=f"The names {names(group)} differ only in case or blanks: whoever sends rows will confuse them.",
            advice="Rename them, or keep one.",
        )
    for one in inputs:
        if one.kind == "text" and one.counts:
            like = sum(map(len, _similar(one.counts)))
            if like:
                yield DataFinding(
                    kind="similar_values",
                    columns=[one.name],
                    text=f"{like:,} of the {len(one.counts):,} different values of {names([one.name])} differ from "
                    "another only in case or blanks: to a model they are different ones.",
                    advice="Write them alike.",
                )
    dates = [one.name for one in inputs if one.looks_like == "date"]
    as_times = (
        "" if all(statistics[name].are_times for name in dates) else ", once they are ISO 8601: 2023-06-04"
    )
    if dates:
        yield DataFinding(
            kind="date",
            columns=dates,
            text=f"{names(dates)} {'hold dates' if len(dates) > 1 else 'holds dates'}: rows of tomorrow lie beyond "
            "all that a model has learned of them"
            + (
                "."
                if {"time", "split"} & {*rule}
                else ", and a random holdout, which is not of tomorrow, does not show it."
            ),
            advice=(
                "Give"
                if "time" in rule or all(statistics[name].missing for name in dates)  # which no time may be
                else f"Hold out the latest rows (`[dataset] time`{as_times}), and give"
            )
            + " what recurs in their place (month, weekday, days since an event).",
        )


def class_findings(classes: Mapping[str, int] | None, target: str) -> Iterator[DataFinding]:
    """Labels that are hardly meant as different ones; dataset.lock names all of them anyway."""
    groups = list(_similar(classes or ()))
    if groups:
        shown = "; ".join(", ".join(f'"{label}"' for label in group) for group in groups[:_MOST_NAMES])
        rows = sum((classes or {})[label] for group in groups for label in group)
        yield DataFinding(
            kind="similar_classes",
            columns=[target],
            rows=rows,
            text=f"Classes of the target {names([target])} differ only in case or blanks ({shown}"
            f"{'; ...' if len(groups) > _MOST_NAMES else ''}): they are trained and judged as different ones.",
            advice="Write them alike.",
        )


def zero_findings(
    sample: pa.Table, statistics: Mapping[str, Statistics], features: Sequence[str], where: str
) -> Iterator[DataFinding]:
    """Codes that are read as numbers; ``where`` says which rows the sample has."""
    rows = {
        name: pc.sum(pc.match_substring_regex(sample.column(name), _LEADING_ZERO)).as_py() or 0
        for name in features
        if statistics[name].kind in ("integer", "number")
    }
    codes = [name for name, number in rows.items() if number]
    if codes:
        most = max(rows[name] for name in codes)
        yield DataFinding(
            kind="leading_zeros",
            columns=codes,
            rows=most,
            text=f"{names(codes)} {'have' if len(codes) > 1 else 'has'} numbers with leading zeros ({most:,} of "
            f"{where}): read as numbers they lose them, and codes get an order and a distance.",
            advice="Where they are codes, say so: `[autopilot] types`, categorical.",
        )


def spelling_findings(
    sample: pa.Table, statistics: Mapping[str, Statistics], features: Sequence[str], where: str
) -> Iterator[DataFinding]:
    """Numbers with signs that no trainer reads, or reads otherwise; ``where`` says which rows the sample has, of which
    2,000 do.
    """
    for name in features:
        points = statistics[name].thousands
        if not points:
            continue
        yield DataFinding(
            kind="written_numbers",
            columns=[name],
            rows=points.rows,
            text=f"{names([name])} has numbers with points between thousands, it seems, of the shape "
            f"{_shape(points.value)} beside {_shape(points.whole)} ({counted(points.rows, 'row')}): to a trainer "
            "they are decimals.",
            advice="Write them as plain numbers, such as 9999, or decimals with all digits, such as "
            f"{_shape(points.whole)}.000.",
        )
    if sample.num_rows > _MOST_SPELT:
        some = np.linspace(0, sample.num_rows - 1, _MOST_SPELT).astype(np.int64)
        sample, where = sample.take(pa.array(some)), f"{counted(_MOST_SPELT, 'row')} that were looked at"
    for name in features:
        if statistics[name].kind != "text" or not _may_be_numbers(sample.column(name)):
            continue
        rows = {one["values"]: one["counts"] for one in sample.column(name).value_counts().to_pylist()}
        texts = {value: count for value, count in rows.items() if value not in MISSING and written(value)}
        if not texts or not are_written_numbers(rows.keys() - {*MISSING}):
            continue
        first = max(texts, key=lambda value: texts[value])
        signs, plain = written(first) or ("", "")
        yield DataFinding(
            kind="written_numbers",
            columns=[name],
            rows=sum(texts.values()),
            text=f"{names([name])} has numbers with {signs}, of the shape {_shape(first)} ({sum(texts.values()):,} of "
            f"{where}): to a trainer they are {counted(len(texts), 'text')}, without order and distance.",
            advice=f"Write them as plain numbers, such as {_shape(plain)}, unless they are codes.",
        )


def _may_be_numbers(column: pa.ChunkedArray) -> bool:
    """What a few values say, since most columns are settled by these."""
    few = [value for value in column[:_FEW].unique().to_pylist() if value not in MISSING]
    return are_written_numbers(few)


def _shape(value: str) -> str:
    """A number without what it is: its digits are nines."""
    return re.sub("[0-9]", "9", re.sub("0[xX].*", "0x9", value))


def names(columns: Sequence[str]) -> str:
    """The first few names, in quotes."""
    shown = [f'"{name}"' for name in columns[:_MOST_NAMES]]
    more = len(columns) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _be(columns: Sequence[str]) -> str:
    return "are" if len(columns) > 1 else "is"


def _others(column: Statistics) -> int:
    """Rows without the most frequent value (or without a gap, where most have one); 0 of a constant, and where nobody
    counted.
    """
    frequent = max((column.counts or {}).values(), default=0)
    return column.rows - max(frequent, column.missing)


def _similar(texts: Iterable[str]) -> list[list[str]]:
    """Groups of two or more texts that differ only in case or blanks."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault("".join(text.split()).casefold(), []).append(text)
    return [sorted(group) for group in groups.values() if len(group) > 1]

"""What a table holds, found in one pass over its file, and whether that suits the configured problem."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation import values as reading
from automl_gitops.data.cells import (
    placed,
    refuse_infinite,
    refuse_long_rows,
    refuse_mixtures,
    refuse_nulls,
    refuse_spellings,
    refuse_unfit_labels,
)
from automl_gitops.data.lock import Column
from automl_gitops.data.refusals import (
    are_written_numbers,
    in_target,
    misread,
    missing_target,
    without_values,
)
from automl_gitops.data.statistics import (
    WIDTHS,
    Mixture,
    Statistics,
    Watch,
    as_numbers,
    is_missing,
    value_counts,
)
from automl_gitops.data.table import Table, ahead
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.model import INFER
from automl_gitops.kernel.words import counted, meant, quoted, some

MANY = 20  # different whole numbers above which a target reads as a quantity, not as classes
MOST_CLASSES = 10_000


@dataclass
class Target:
    """What one pass saw of the target column. ``classes`` is `None` where there were too many values for
    classes.
    """

    name: str
    classes: Counter[str] | None = field(default_factory=Counter)
    whole: bool = True  # every number has no fraction
    least: float = math.inf
    most: float = -math.inf
    # The first row (from 1) and value that is not a finite number, or one that no trainer holds.
    no_number: tuple[int, str] | None = None
    too_large: tuple[int, str] | None = None

    def see(self, column: pa.Array, row: int, encoded: pa.DictionaryArray | None = None) -> None:
        """Take in a batch, which may be ``encoded`` already; ``row`` rows came before."""
        if encoded is None and self.classes is not None:
            encoded = column.dictionary_encode()
        if self.no_number is None and len(column):
            self._see_numbers(column, column if encoded is None else encoded.dictionary, row)
        if self.classes is not None and encoded is not None:
            for label, rows in zip(
                encoded.dictionary.to_pylist(), value_counts(encoded).tolist(), strict=True
            ):
                self.classes[label] += rows
            if len(self.classes) > MOST_CLASSES:
                self.classes = None

    def _see_numbers(self, column: pa.Array, values: pa.Array, row: int) -> None:
        """``values`` are those of the column, in the order in which each first appears."""
        numbers = as_numbers(values)
        if numbers is None or not (
            pa.types.is_integer(numbers.type) or pc.all(pc.is_finite(numbers)).as_py()
        ):
            self.no_number = _row_and_value(column, values[_first_no_number(values)], row)
            return
        bounds = pc.min_max(numbers).as_py()
        self.least, self.most = min(self.least, bounds["min"]), max(self.most, bounds["max"])
        if self.too_large is None and max(-self.least, self.most) > reading.GREATEST:
            index = pc.index(pc.greater(pc.abs(numbers), reading.GREATEST), True).as_py()
            self.too_large = _row_and_value(column, values[index], row)
        self.whole = self.whole and bool(pc.all(pc.equal(numbers, pc.round(numbers))).as_py())

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value, however it is spelt."""
        if not self.classes:
            return False
        groups = reading.spellings(self.classes)
        return len(self.classes) == 1 or [len(self.classes)] == [len(group) for group in groups]

    @property
    def misread(self) -> tuple[int, str, str, str] | None:
        """The first row and value that a person would read as a number and no trainer does, what it is, and the way
        out; of a target whose other values are numbers, too, or are written so.
        """
        if self.no_number is None:
            return None
        row, value = self.no_number
        found = misread(value) if self.classes is None or are_written_numbers(self.classes) else None
        return (row, value, *found) if found else None

    @property
    def problem_type(self) -> str | None:
        """What suits the values: numbers are a quantity if they have fractions or are many, else classes. One value
        suits nothing.
        """
        if self.is_constant:
            return None
        if self.no_number is None and (
            self.classes is None or len(self.classes) > (MANY if self.whole else 2)
        ):
            return "Regression"
        if self.classes is not None and len(self.classes) == 2:
            return "BinaryClassification"
        return "MulticlassClassification"


@dataclass
class Profile:
    """Rows, what was seen of each column by its name, and the target."""

    rows: int
    statistics: dict[str, Statistics]
    target: Target

    @property
    def types(self) -> dict[str, str]:
        """The type of each column: `integer`, `number`, `text`, or `empty` if no row has a value."""
        return {name: seen.kind for name, seen in self.statistics.items()}

    @property
    def mixtures(self) -> dict[str, Mixture]:
        """The columns of numbers with a few texts among them, without the target."""
        mixtures = {name: seen.mixture for name, seen in self.statistics.items() if name != self.target.name}
        return {name: mixture for name, mixture in mixtures.items() if mixture}

    def mixtures_of(self, config: Config) -> dict[str, Mixture]:
        """Those of features that automl.toml does not call anything else than numbers."""
        others = _no_numbers(config)
        return {name: mixture for name, mixture in self.mixtures.items() if name not in others}

    def refuse_cells(self, config: Config, source: str) -> None:
        """Raise `UserError` for values of such features at which a training or its model fails."""
        refuse_mixtures(source, self.mixtures_of(config))
        refuse_infinite(source, self.numbers_of(config))

    def numbers_of(self, config: Config) -> list[Statistics]:
        """The features that are numbers where they look so."""
        others = {*_no_numbers(config), self.target.name}
        return [seen for name, seen in self.statistics.items() if name not in others]

    def columns(self, types: Mapping[str, str], *, has_classes: bool) -> list[Column]:
        """The entries of dataset.lock for the columns of ``types``, which may be wider than what was seen here."""
        target = self.target.name
        return [
            seen.column(types[name], is_target=name == target, has_classes=has_classes and name == target)
            for name, seen in self.statistics.items()
            if name in types
        ]


def _no_numbers(config: Config) -> set[str]:
    """The columns that are no features, or no numbers as automl.toml says."""
    settled = {name for name, kind in config.autopilot.types.items() if kind != "numeric"}
    return settled.union(config.dataset.no_features)


def profile(
    table: Table,
    target: str,
    watch: Watch = lambda batch, encoded: None,
    *,
    whole_target: bool = True,
    named: str = "[dataset] target in automl.toml",
) -> Profile:
    """Read a table once. ``watch`` gets each batch, and those of its columns that have few values also encoded;
    ``named`` is what names the target.

    Raises `UserError` where the target is not a column or, unless ``whole_target`` is off, has a missing value, and
    where there are no rows.
    """
    if target not in table.columns:
        hint = meant(target, table.columns) or f"its columns are {', '.join(table.columns[:20])}"
        raise UserError(f'{table.name}: has no column "{target}", the target ({named}); {hint}')
    seen, rows = Target(target), 0
    statistics = {name: Statistics(name) for name in table.columns}
    for batch in ahead(table.batches()):
        if table.has_control:
            refuse_nulls(table.name, batch, rows)
        labels = batch.column(target)
        columns = zip(table.columns, batch.columns, strict=True)
        few = {name: one for name, column in columns if (one := statistics[name].see(column)) is not None}
        if whole_target and statistics[target].missing:
            _refuse_missing(table, labels, target, rows)
        if (
            4 * sum(one.length for one in statistics.values()) >= reading.LONGEST_ROW
        ):  # bytes of a letter in UTF-8
            refuse_long_rows(table.name, batch, rows)
        if statistics[target].missing:
            seen.see(labels.filter(pc.invert(is_missing(labels))), rows)
        else:
            seen.see(labels, rows, few.get(target))
        watch(batch, few)
        rows += batch.num_rows
    if rows == 0:
        raise UserError(f"{table.name}: has a header but no rows")
    return Profile(rows, statistics, seen)


def widest(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The narrowest types that suit several tables of the same columns, from the types in each."""
    return {name: max((types[name] for types in listed), key=WIDTHS.index) for name in listed[0]}


def _refuse_missing(table: Table, labels: pa.Array, target: str, row: int) -> None:
    """Raise `UserError` for the first of the labels that is none, and say how many are in the whole table."""
    missing = pc.index(is_missing(labels), True).as_py()
    value = labels[missing].as_py()
    rows = lacking = 0
    for batch in table.batches([target]):
        rows += batch.num_rows
        lacking += pc.sum(is_missing(batch.column(target))).as_py()
    lack = "lacks" if lacking == 1 else "lack"
    how_many = f" ({lacking:,} of the {rows:,} rows read {lack} one)"
    raise UserError(f"{table.name}: {missing_target(row + missing + 1, value, target, how_many)}")


def _row_and_value(column: pa.Array, value: pa.Scalar, row: int) -> tuple[int, str]:
    """Where a value of the column first stands; ``row`` rows came before."""
    return row + pc.index(column, value).as_py() + 1, value.as_py()


def _first_no_number(column: pa.Array) -> int:
    """The place of the first value that is not a finite number; there is one."""
    form = pc.match_substring_regex(column, rf"^[ \t]*{reading.FINITE}[ \t]*$")
    place = pc.index(form, False).as_py()
    if place >= 0:
        return place
    numbers = pc.utf8_trim(column, characters=reading.BLANKS).cast(pa.float64())
    return pc.index(pc.is_finite(numbers), False).as_py()


LEAST_ROWS = 50
_FEW = 3  # classes of few rows that a message places


def check(config: Config, table: Table, seen: Profile) -> dict[str | None, int]:
    """Whether the rows suit the configured problem; returns the strata of the split."""
    check_rows(table, seen, "a split")
    dataset = config.dataset
    types = {name: kind for name, kind in seen.types.items() if name not in dataset.exclude}
    check_types(table.name, types, dataset.exclude)
    seen.refuse_cells(config, table.name)
    classes = check_target(config, table, seen)
    if classes is None:
        return {None: seen.rows}
    lonely = {label: count for label, count in classes.items() if count < 2}
    if lonely:
        hint, few = table.hint, dict(sorted(lonely.items())[:_FEW])
        raise UserError(
            f'{table.name}: the target "{seen.target.name}" has {counted(len(lonely), "class", "classes")} of one row: '
            f"{placed(table, seen.target.name, few)}{', ...' if len(lonely) > _FEW else ''}. A class needs a row "
            "to train on and one to test: correct the row, merge small classes or remove them"
            f"{_or_number(seen.target)}{hint}"
        )
    return dict(classes.items())  # of strata, whose key may be none


def check_rows(table: Table, seen: Profile, purpose: str) -> None:
    """Raise `UserError` where there are fewer than `LEAST_ROWS` rows."""
    if seen.rows < LEAST_ROWS:
        raise UserError(
            f"{table.name}: has {counted(seen.rows, 'row')}, too few for {purpose}: at least {LEAST_ROWS} are "
            f"needed{table.hint}"
        )


def check_types(source: str, types: Mapping[str, str], exclude: Sequence[str]) -> None:
    """Raise `UserError` where columns of ``source`` have no value at all; ``exclude`` is that of [dataset]."""
    if empty := [name for name, kind in types.items() if kind == "empty"]:
        raise UserError(f"{source}: {without_values(empty, exclude)}")


def check_columns(config: Config, columns: Sequence[str], source: str) -> None:
    """Raise `UserError` where a column that [dataset] names is not there, or none is left to predict from."""
    dataset = config.dataset
    for name in (*dataset.exclude, *([dataset.weight] if dataset.weight else [])):
        if name not in columns:
            key = "weight" if name == dataset.weight else "exclude"
            hint = meant(name, columns) or "remove it there"
            if set("*?[") & {*name}:
                hint = f"{key} takes no patterns: name each column"
            raise UserError(
                f'{source}: has no column "{name}", which [dataset] {key} in automl.toml names; {hint}'
            )
    if len(without(columns, dataset.no_features)) < 2:
        beside = f" beside those of [dataset] exclude and weight ({_some(dataset.no_features)})"
        raise UserError(
            f"{source}: has one column{beside if dataset.no_features else ''}: give the target and at least one column "
            "to predict it from"
        )


def without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """The names that are not among ``others``."""
    return [name for name in names if name not in others]


def check_weight(config: Config, table: Table, seen: Profile) -> str:
    """A notice about rows whose weight is missing, "" where there are none; raises `UserError` where one is no number
    from 0 on.
    """
    name = config.dataset.weight
    if name is None or name not in seen.statistics:  # a holdout need not have it
        return ""
    weights = seen.statistics[name]
    if weights.kind == "text" or (weights.least is not None and weights.least < 0):
        what = "texts" if weights.kind == "text" else f"numbers below 0 (the least is {weights.least:g})"
        raise UserError(
            f'{table.name}: the column of weights, "{name}", has {what}: a weight is a number from 0 on, and Autopilot '
            "leaves other rows out; correct them, or remove [dataset] weight from automl.toml"
        )
    if not weights.missing:
        return ""
    return f'{table.name}: {counted(weights.missing, "row")} without a weight in "{name}": Autopilot leaves them out'


def no_weight(source: str, name: str, part: str) -> UserError:
    """That no row of a part counts."""
    return UserError(
        f'{source}: the column of weights, "{name}", has no number above 0 in the {part}, at which a training fails: '
        "correct them, or remove [dataset] weight from automl.toml"
    )


def check_number(config: Config, table: Table, seen: Profile) -> None:
    """Raise `UserError` where the problem is a regression and a row of the target is no number, or too large."""
    target, problem = seen.target, config.autopilot.problem_type
    of_classes = target.classes is not None and len(target.classes) <= MANY
    if target.misread and (problem == "Regression" or (problem == INFER and not of_classes)):
        row, value, what, way = target.misread
        raise UserError(
            f"{table.name}: {in_target(row, value, target.name)}, {what}, which a trainer takes for a text: {way}"
        )
    if problem == "Regression" and target.no_number:
        row, value = target.no_number
        raise UserError(
            f"{table.name}: {in_target(row, value, target.name)}, which is no number, "
            'but automl.toml has [autopilot] problem_type = "Regression": correct the row or the problem type'
        )
    if "Regression" not in (problem, problem == INFER and target.problem_type):
        return
    if points := seen.statistics[target.name].thousands:
        raise UserError(f"{table.name}: {points.said(target.name)}")
    if target.too_large:
        row, value = target.too_large
        raise UserError(
            f"{table.name}: {in_target(row, value, target.name)}, beyond {reading.GREATEST:g}, which a trainer cannot "
            "hold: correct the row, or take a larger unit"
        )
    if seen.statistics[target.name].loses_digits and max(target.most / 2, -target.least) > 2**63:
        raise UserError(
            f'{table.name}: the target "{target.name}" has whole numbers beyond 64 bits, which a trainer takes for '
            "texts: take a larger unit, or write them with an exponent"
        )


def check_target(config: Config, table: Table, seen: Profile) -> dict[str, int] | None:
    """Whether the target suits the configured problem; returns rows by label, `None` for a quantity."""
    target, problem = seen.target, config.autopilot.problem_type
    if target.is_constant:
        raise UserError(
            f'{table.name}: the target "{target.name}" has the same value in all rows, so there is nothing to '
            "learn: give rows of two classes or more, or another [dataset] target in automl.toml"
        )
    check_number(config, table, seen)
    if problem == "Regression" or (problem == INFER and target.problem_type == "Regression"):
        return None
    classes = target.classes
    if classes is None:
        raise UserError(
            f'{table.name}: the target "{target.name}" has more than {MOST_CLASSES:,} different values, too many for '
            f"classes: name a column of classes as the target{_or_number(target)}"
        )
    refuse_unfit_labels(table, target.name, classes)
    refuse_spellings(table, target.name, classes)
    if problem == "BinaryClassification" and len(classes) != 2:
        hint = table.hint
        rare = sorted(classes, key=lambda label: (classes[label], label))[:-2][:_FEW]
        raise UserError(
            f'{table.name}: the target "{target.name}" has {len(classes):,} classes ({_some(classes)}), but '
            'automl.toml has [autopilot] problem_type = "BinaryClassification": correct '
            f"{placed(table, target.name, {label: classes[label] for label in rare})} if mistyped, "
            f"or use MulticlassClassification{hint}"
        )
    return dict(classes)


def _or_number(target: Target) -> str:
    if target.misread:
        row, value, what, way = target.misread
        return f"; row {row} has {quoted(value)}, {what}: if the target is a quantity, {way}"
    return "" if target.no_number else ', or set [autopilot] problem_type = "Regression" in automl.toml'


def _some(labels: Iterable[str]) -> str:
    return some(quoted(label, 40)[1:-1] for label in sorted(labels))

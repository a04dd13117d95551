"""`automl data inspect`: what a file holds, and which target and problem type suit it; needs no configuration."""

import contextlib
import json
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.table import Table as Grid
from rich.text import Text

from automl_evaluation import values
from automl_gitops.data import uci
from automl_gitops.data.cells import digits_notices, infinite_notices, mixture_notices
from automl_gitops.data.findings import KINDS
from automl_gitops.data.findings.finder import Finder
from automl_gitops.data.formats import Dialect
from automl_gitops.data.positive import PositiveClass, of_classes
from automl_gitops.data.profile import MANY, MOST_CLASSES, Profile, Target, profile
from automl_gitops.data.statistics import Statistics
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import FILE
from automl_gitops.kernel.console import Output, printed
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted, quoted

MOST_FREQUENT = 5
_UNKNOWN = {"-", "--", "."}  # as some write a missing value


def inspect(path: Path, target: str | None = None, dialect: Dialect | None = None) -> dict[str, Any]:
    """Facts of a file as a JSON document.

    `file`, `format`, `rows`; `columns`, each with `name`, `type`, `missing` (rows), `missing_share`, `distinct` (null
    above 1,000), `least` and `most` (of numbers), `frequent` (rows by value, most frequent first; null above 1,000
    different ones), `length` (characters of the longest text), `looks_like` (`"date"`, `"identifier"`, `"constant"` or
    null); `target` (unless given automl.toml's, or else the last column); `target_missing` (rows); `problem_type`, null
    where the target has one value; `reason` for it, a sentence; `classes` (rows by label, null for a quantity), the
    `positive_class` of two and whether automl.toml names it (`positive_named`), `least` and `most` of a quantity;
    `notices`, sentences; `findings`, as dataset.lock has them, but for those of a split; and `prepare`: `"hospital"`
    for UCI's file, from which `dataset prepare-hospital` makes the example, otherwise null.
    """
    table = Table.open(path, dialect=dialect)
    if len(table.columns) == 1:
        raise UserError(f"{path}: has one column: give the target and at least one column to predict it by")
    source = uci.is_source(table.columns)
    name = (
        target
        or _configured("dataset", "target", table.columns)
        or (uci.TARGET if source else table.columns[-1])
    )
    finder = Finder([column for column in table.columns if column != name], name)
    seen = profile(table, name, finder.see, whole_target=False, named="--target")
    problem = seen.target.problem_type
    classes = seen.target.classes if problem != "Regression" else None
    labels = classes if classes and problem else ()
    positive = of_classes(labels, _configured("decision", "positive", labels))
    return {
        "file": str(path),
        "format": table.format,
        "rows": seen.rows,
        "columns": [_column(column) for column in seen.statistics.values()],
        "target": name,
        "target_missing": seen.statistics[name].missing,
        "problem_type": problem,
        "reason": _reason(seen.target),
        "classes": None if classes is None else dict(sorted(classes.items())),
        "positive_class": positive and positive.label,
        "positive_named": positive and positive.named,
        "least": seen.target.least if problem == "Regression" else None,
        "most": seen.target.most if problem == "Regression" else None,
        "notices": list(_notices(seen, table)),
        "findings": [
            one.model_dump(mode="json", exclude_none=True)
            for one in finder.findings(
                seen.statistics, None if problem == "Regression" else seen.target.classes or {}
            )
        ],
        "prepare": "hospital" if source else None,
    }


def _configured(section: str, key: str, known: Collection[str]) -> str | None:
    """A key of automl.toml, if it names something of this table."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        named = tomllib.loads(FILE.read_text(encoding="utf-8"))[section][key]
        return named if named in known else None
    return None


def _column(seen: Statistics) -> dict[str, Any]:
    frequent = seen.counts and sorted(seen.counts.items(), key=lambda entry: (-entry[1], seen.order(entry)))
    return {
        "name": seen.name,
        "type": seen.kind,
        "missing": seen.missing,
        "missing_share": round(seen.missing / seen.rows, 6),
        "distinct": seen.distinct,
        "least": seen.least,
        "most": seen.most,
        "frequent": None if seen.counts is None else dict((frequent or [])[:MOST_FREQUENT]),
        "length": seen.length,
        "looks_like": "constant" if seen.is_constant else seen.looks_like,
    }


def _reason(target: Target) -> str:
    """Why the problem type suits the target."""
    classes, problem = target.classes, target.problem_type
    if problem is None:
        if not classes:
            return "it has no value"
        several = ", spelt in several ways" if len(classes) > 1 else ""
        return f"it has one value{several}, so there is nothing to learn"
    if problem == "Regression":
        if classes is not None and len(classes) <= MANY:
            return "its numbers have fractions, so they are a quantity"
        many = f"more than {MOST_CLASSES:,}" if classes is None else f"{len(classes):,}"
        return f"it has {many} different numbers, so they are a quantity"
    if classes is None:
        return f"it has more than {MOST_CLASSES:,} different values that are no numbers: too many for classes"
    kind = "texts" if target.no_number else "numbers"
    return f"it has {len(classes):,} different {kind}, each a class"


def _notices(seen: Profile, table: Table) -> list[str]:
    """What to look at before a push."""
    notices, target = [table.swallowed] if table.swallowed else [], seen.target.name
    missing = seen.statistics[target].missing
    if missing:
        notices.append(
            f'{counted(missing, "row")} without a value in the target "{target}": fill or remove them'
        )
    empty = [name for name, kind in seen.types.items() if kind == "empty"]
    if empty:
        notices.append(f"no value in any row of {_some(empty)}: remove what is empty")
    unknown = {one.name: one.counts.keys() & _UNKNOWN for one in seen.statistics.values() if one.counts}
    columns = [name for name, placeholders in unknown.items() if placeholders]
    if columns:
        example = min(unknown[columns[0]])
        notices.append(
            f'values such as "{example}" in {_some(columns)}: they read as a value; leave empty what is missing'
        )
    notices += mixture_notices(seen.mixtures)
    notices += infinite_notices(seen.statistics.values())
    notices += digits_notices(one for one in seen.statistics.values() if one.name != target)
    if points := seen.statistics[target].thousands:
        notices.append(points.said(target))
    notices += _labels(seen.target)
    for one in seen.statistics.values():
        if one.looks_like_group and one.name != target:
            notices.append(
                f"{one.name} has several rows of the same value: with [dataset] group = {json.dumps(one.name)} in "
                "automl.toml they are trained on or held out together"
            )
        elif one.looks_like == "date" and one.name != target and not one.missing:
            notices.append(
                f"{one.name} has dates: with [dataset] time = {json.dumps(one.name)} the latest rows are held out"
                + ("" if one.are_times else "; write them as ISO 8601 first (2023-06-04)")
            )
    names = [name.strip() for name in table.columns]
    if len(names) > 1 and all(values.number(name) is not None for name in names) and not _is_running(names):
        notices.append("all names of columns are numbers: does the file lack its header?")
    return notices


def _labels(target: Target) -> Iterator[str]:
    """What is odd about the target's values."""
    if target.misread:
        row, value, what, way = target.misread
        yield f'row {row} has {quoted(value)} in the target "{target.name}", {what}: {way}'
    classes = target.classes if target.problem_type != "Regression" else None
    for group in values.spellings(classes or ()):
        yield f"{_some([quoted(label) for label in group])} are spellings of one class: write it alike"


def _is_running(names: list[str]) -> bool:
    """As pandas names columns that have no names: 0, 1, 2."""
    return names in ([str(number + first) for number in range(len(names))] for first in (0, 1))


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


MOST_LINES = 40  # columns that are shown one by one
_FIRST = 12  # of more than these
_NAME, _VALUES = 22, 28  # cells; with types, shares and gaps a line of 80
_CLASSES = 12
_LINE = 76


def show(output: Output, facts: dict[str, Any]) -> None:
    """Print the facts of `inspect`."""
    columns = facts["columns"]
    output.say(
        f"{facts['file']}: {counted(facts['rows'], 'row')}, {counted(len(columns), 'column')} ({facts['format']})"
    )
    shown = columns if len(columns) <= MOST_LINES else columns[:_FIRST]
    output.console.print(_table(shown, facts["rows"]), soft_wrap=False)
    if len(shown) < len(columns):
        output.say(f"and {len(columns) - len(shown):,} more; --json has them all. Of all {len(columns):,}:")
        for line in _summary(columns, facts["rows"]):
            output.say(f"  {line}")
    for line in _target(facts):
        output.say(line)
    for notice in facts["notices"]:
        output.notice(notice)
    for line in _findings(facts["findings"]):
        output.say(line)


def _table(columns: Sequence[dict[str, Any]], rows: int) -> Grid:
    table = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, justify in (
        ("column", "left"), ("type", "left"), ("missing", "right"), ("distinct", "right"), ("values", "left")
    ):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for column in columns:
        distinct = column["distinct"]
        table.add_row(
            Text(_cut(printed(column["name"]), _NAME)),
            column["type"],
            share(column["missing"], rows) if column["missing"] else "",
            "> 1,000" if distinct is None else f"{distinct:,}",
            Text(_cut(printed(_values(column, rows)), _VALUES)),
        )
    return table


def _values(column: dict[str, Any], rows: int) -> str:
    looks, frequent = column["looks_like"], column["frequent"]
    if looks == "constant":
        return f"constant: {next(iter(frequent))}"
    if looks:
        return f"looks like {'a date' if looks == 'date' else 'an identifier'}"
    few = column["distinct"] is not None and column["distinct"] <= 2
    if column["least"] is not None and not few:
        return f"{_number(column['least'])} to {_number(column['most'])}"
    if frequent and next(iter(frequent.values())) > 1:
        present = rows - column["missing"]
        return ", ".join(f"{value} {share(count, present)}" for value, count in frequent.items())
    return f"up to {counted(column['length'], 'character')}" if column["length"] else ""


def _summary(columns: Sequence[dict[str, Any]], rows: int) -> Iterator[str]:
    types = Counter(column["type"] for column in columns)
    yield "types: " + ", ".join(f"{number:,} {kind}" for kind, number in types.most_common())
    missing = sorted((c for c in columns if c["missing"]), key=lambda c: -c["missing"])
    if missing:
        yield f"missing values: in {len(missing):,}, most in " + _names(missing, rows)
    else:
        yield "missing values: none"
    for what, looks in (
        ("constant", "constant"), ("look like dates", "date"), ("look like identifiers", "identifier")
    ):  # fmt: skip
        alike = [column for column in columns if column["looks_like"] == looks]
        if alike:
            yield f"{what}: {len(alike):,}, such as {_names(alike)}"


def _names(columns: Sequence[dict[str, Any]], rows: int = 0) -> str:
    return ", ".join(
        _cut(column["name"], _NAME) + (f" ({share(column['missing'], rows)})" if rows else "")
        for column in columns[:3]
    )


def _target(facts: dict[str, Any]) -> Iterator[str]:
    problem, classes = facts["problem_type"], facts["classes"]
    yield f'target "{facts["target"]}": {problem or "no problem to solve"}'
    yield f"  {facts['reason']}"
    if problem == "Regression":
        yield f"  {_number(facts['least'])} to {_number(facts['most'])}"
    elif classes:
        total = sum(classes.values())
        first = sorted(classes.items(), key=lambda entry: (-entry[1], entry[0]))
        for label, count in first[:_CLASSES]:
            yield f"  {_cut(label, _NAME)}  {counted(count, 'row')}, {share(count, total)}"
        if len(first) > _CLASSES:
            rest = first[_CLASSES:]
            yield (
                f"  and {counted(len(rest), 'class', 'classes')} more, the rarest with {counted(rest[-1][1], 'row')}"
            )
        if facts["positive_class"] is not None:
            yield f"  {PositiveClass(_cut(facts['positive_class'], _NAME), facts['positive_named'])}"


def _findings(findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each; what they say at length is in the JSON."""
    if findings:
        yield "findings (--json says more):"
    for kind in dict.fromkeys(one["kind"] for one in findings):
        alike = [one for one in findings if one["kind"] == kind]
        columns = [name for one in alike for name in one["columns"]]
        about = ", ".join(columns) or counted(alike[0]["rows"], "row")
        yield "  " + _cut(f"{KINDS[kind]}: {about}", _LINE)


def share(part: int, whole: int) -> str:
    """A share in per cent, never rounded to nothing or to all."""
    value = 100 * part / max(whole, 1)
    if 0 < value < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < value < 100 else f"{value:.1f}%"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _cut(text: str, width: int) -> str:
    return (
        text
        if cell_len(text) <= width
        else set_cell_size(text, width - 1).rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    )

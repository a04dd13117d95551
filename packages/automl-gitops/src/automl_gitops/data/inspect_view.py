"""What `dataset inspect` shows in a terminal: a line a column, or a summary where there are many."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.words import counted

MOST_LINES = 40  # columns that are shown one by one
_FIRST = 12  # of more than these
_NAME, _VALUES = 22, 28  # cells; with types, shares and gaps a line of 80
_CLASSES = 12


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


def _table(columns: Sequence[dict[str, Any]], rows: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, justify in (
        ("column", "left"), ("type", "left"), ("missing", "right"), ("distinct", "right"), ("values", "left")
    ):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for column in columns:
        distinct = column["distinct"]
        table.add_row(
            Text(_cut(column["name"], _NAME)),
            column["type"],
            share(column["missing"], rows) if column["missing"] else "",
            "> 1,000" if distinct is None else f"{distinct:,}",
            Text(_cut(_values(column, rows), _VALUES)),
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
        found = [column for column in columns if column["looks_like"] == looks]
        if found:
            yield f"{what}: {len(found):,}, such as {_names(found)}"


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

"""A first contract.toml, of what was seen in a table: for a person to edit."""

import math
import re
import textwrap
from collections.abc import Iterator, Sequence

import tomlkit

from automl_gitops.data.findings import KINDS
from automl_gitops.data.lock import Column

_HEAD = """\
# What the data has to be like: checked before a push or a reference uploads anything. Delete what does not matter.
# The bounds below are what {source} showed: widen them to what can be.
#
# A column has a type (integer, number, text, date) and, as needed: values = ["a", "b"]; least = 0, most = 120 (of dates
# 2024-12-31); missing = 0.05, the share of rows that may lack it; unique = true; of texts length = 40 (characters at
# most) and pattern = "[A-Z][0-9]+" (as a whole); private = true, so that no message shows a value.

{kinds}
block = []

[table]
# least_rows = {least_rows} # as there were; most_rows is the other bound
# keys = [["patient", "admitted"]] # columns that are unique together
# rules = ["admitted <= discharged", "if state == 'dead' then days == 0"] # a missing value breaks none; x == "" is one
# In rules a column whose name is more than letters, digits and _ stands in backticks: "`Kunden-Nr` > 0".
# other_columns = false # no column but those below

[columns]
"""
_WIDTH = 118


def draft(columns: Sequence[Column], rows: int, source: str) -> str:
    """The text of the file; ``rows`` are what the columns' numbers are about."""
    kinds = textwrap.fill(
        f"Findings that stop a push, of {', '.join(KINDS)}:",
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
    )
    head = _HEAD.format(source=source, kinds=kinds, least_rows=rows)
    return head + "".join(f"{_key(column.name)} = {_entry(column, rows)}\n" for column in columns)


def _entry(column: Column, rows: int) -> str:
    keys = dict(_keys(column, rows))
    comment = f" # looks like {_LOOKS[column.looks_like]}" if column.looks_like else ""
    return "{ " + ", ".join(f"{key} = {value}" for key, value in keys.items()) + " }" + comment


_LOOKS = {"date": "a date", "identifier": "an identifier"}


def _keys(column: Column, rows: int) -> Iterator[tuple[str, str]]:
    yield "type", tomlkit.item(column.type).as_string()
    # A number has a range; few values of a text are names of something. dataset.lock leaves rare ones out.
    if column.type == "text" and column.values:
        yield "values", "[" + ", ".join(tomlkit.item(value).as_string() for value in column.values) + "]"
    elif column.type != "text" and column.least is not None and column.most is not None:
        yield "least", tomlkit.item(column.least).as_string()
        yield "most", tomlkit.item(column.most).as_string()
    elif column.type == "text" and column.length and column.looks_like != "date":
        yield "length", str(column.length)
    if column.missing is not None:
        # Rounded up to whole per cents.
        yield "missing", f"{math.ceil(100 * column.missing / rows) / 100:g}" if column.missing else "0.0"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else tomlkit.item(name).as_string()

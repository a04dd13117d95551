"""contract.toml: what the data has to be like; a file of its own, so that automl.toml stays short, and optional.

No library for such checks is used: pandera and its like want a table as a whole, as a frame of pandas or Polars, and
name neither the row of the file nor the way out.
"""

import datetime
import hashlib
import json
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from automl_gitops.data.contract.rules import Rule, is_representable, parse_rule
from automl_gitops.data.findings import KINDS
from automl_gitops.data.lock import Column, DataFinding
from automl_gitops.kernel.config import parse_toml, read_text
from automl_gitops.kernel.config_errors import complaint, describe, line_of, telling
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import Finding, UserError
from automl_gitops.kernel.settings import SettingsSection
from automl_gitops.kernel.words import counted, meant, nearest

FILE = Path("contract.toml")
_MOST_SHOWN = 10
Bound = int | float | datetime.date


class ColumnContract(SettingsSection):
    """What the values of a column have to be: of a type, one of ``values``, from ``least`` to ``most`` (numbers and
    dates), of ``length`` characters at most and as a whole of a ``pattern`` (texts; RE2's syntax), each one once
    (``unique``). A share of ``missing`` values is allowed. Values of a ``private`` column are never shown.
    """

    type: Literal["integer", "number", "text", "date"]
    values: list[str | int | float] | None = Field(default=None, min_length=1)
    least: Bound | None = None
    most: Bound | None = None
    missing: float | None = Field(default=None, ge=0, le=1)
    unique: bool = False
    length: int | None = Field(default=None, ge=1)
    pattern: str | None = None
    private: bool = False

    @model_validator(mode="after")
    def _suits_the_type(self) -> "ColumnContract":
        if self.type != "text":
            for key in ("length", "pattern"):
                if getattr(self, key) is not None:
                    raise ValueError(f'has {key}, which is for type = "text"')
        for key in ("least", "most"):
            bound = getattr(self, key)
            if bound is not None and (
                self.type == "text" or isinstance(bound, datetime.date) != self.is_date
            ):
                wanted = (
                    "a date without quotes, such as 2024-12-31" if self.is_date else "for numbers and dates"
                )
                raise ValueError(f"has {key} = {bound}, which is {'not ' * self.is_date}{wanted}")
        if self.least is not None and self.most is not None and self.least > self.most:  # type: ignore[operator]
            raise ValueError(f"has least = {self.least} above most = {self.most}")
        texts = self.type in ("text", "date")
        wrong = next((one for one in self.values or () if isinstance(one, str) != texts), None)
        if wrong is not None:
            raise ValueError(
                f"has {wrong!r} in values, which is no {'text in quotes' if texts else 'number'}"
            )
        for key, numbers in (("least", [self.least]), ("most", [self.most]), ("values", self.values or [])):
            for number in numbers:
                if isinstance(number, int | float) and not is_representable(number):
                    raise ValueError(
                        f"has {number} in {key}, which is no finite number, or a whole one beyond 64 bits"
                    )
        if self.pattern is not None:
            _require_pattern(self.pattern, self.whole_pattern)
        return self

    @property
    def whole_pattern(self) -> str:
        """The pattern of a value as a whole."""
        return f"^(?:{self.pattern})$"

    @property
    def is_date(self) -> bool:
        """Whether its values are dates."""
        return self.type == "date"


def _require_pattern(*patterns: str) -> None:
    """Raise `ValueError` for a regular expression that RE2 does not read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for pattern in patterns:
        try:
            pc.match_substring_regex(pa.array([""]), pattern)
        except pa.ArrowInvalid as error:
            reason = str(error).removeprefix("Invalid regular expression: ")
            raise ValueError(
                f"has a pattern that RE2 does not read, which has no look-ahead and no back-references ({reason})"
            ) from None


class TableContract(SettingsSection):
    """What holds for the table: numbers of rows, columns that are unique together, rules that hold in each row, and
    whether there may be columns of which nothing is said.
    """

    least_rows: int | None = Field(default=None, ge=1)
    most_rows: int | None = Field(default=None, ge=1)
    keys: list[list[str]] = Field(default_factory=list)
    rules: list[str] = Field(default_factory=list)
    other_columns: bool = True


class Contract(SettingsSection):
    """The whole file; ``block`` are the kinds of findings that stop a push."""

    block: list[str] = Field(default_factory=list)
    table: TableContract = Field(default_factory=TableContract)
    columns: dict[str, ColumnContract] = Field(default_factory=dict)
    _rules: list[Rule] = PrivateAttr(default_factory=list)

    @classmethod
    def load(cls, path: Path = FILE) -> "Contract":
        """Read and check the file; where there is none, nothing is asked for. All that is wrong with it is one
        `UserError`.
        """
        return cls.parse(read_text(path), path.name) if path.exists() else cls()

    @classmethod
    def parse(cls, text: str, file: str = FILE.name) -> "Contract":
        """Check the text of a file that is called ``file`` in messages."""
        try:
            contract = cls.model_validate(parse_toml(text, file))
        except ValidationError as error:
            raise UserError.of(
                [
                    Finding(_sentence(file, item), file, line_of(text, item["loc"]))
                    for item in telling(cls, error.errors())
                ]
            ) from None
        contradictions = list(contract._contradictions())
        types = {name: column.type for name, column in contract.columns.items()}
        for rule in contract.table.rules:
            try:
                contract._rules.append(parse_rule(rule, types))
            except ValueError as error:
                contradictions.append((("table", "rules"), f"[table] rules: {rule!r} {error}"))
        wrong = [Finding(f"{file}: {sentence}", file, line_of(text, key)) for key, sentence in contradictions]
        if wrong:
            raise UserError.of(wrong)
        return contract

    @property
    def rules(self) -> list[Rule]:
        """The rules between columns, as they were read."""
        return self._rules

    @property
    def sha256(self) -> str | None:
        """The hash (hexadecimal) of what it says, whatever its comments and the order of its keys and columns; `None`
        where it says nothing.
        """
        content = self.model_dump(mode="json", exclude_defaults=True)
        if not content:
            return None
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _contradictions(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for kind in self.block:
            if kind not in KINDS:
                near = nearest(kind, KINDS)
                hint = f"did you mean {near}?" if near else f"there are {', '.join(KINDS)}"
                yield ("block",), f'block has "{kind}", which is no kind of finding; {hint}'
        if (self.table.least_rows or 0) > (self.table.most_rows or float("inf")):
            yield ("table", "least_rows"), "[table] least_rows is above most_rows"
        for key in self.table.keys:
            for name in key:
                if name not in self.columns:
                    hint = meant(name, self.columns) or "list it there"
                    yield (
                        ("table", "keys"),
                        f'[table] keys has "{name}", which is no column in [columns]: {hint}',
                    )


def show_findings(output: Output, findings: Sequence[DataFinding]) -> None:
    """A line for each of the first ones, and where to find what to do."""
    for one in findings[:_MOST_SHOWN]:
        output.notice(one.text)
    if findings:
        more = len(findings) - _MOST_SHOWN
        shown = f"{more:,} more findings" if more > 0 else counted(len(findings), "finding")
        stops = f"what {FILE} has in `block` stops a push; " if FILE.exists() else ""
        output.say(f"{shown}; {stops}after a push `automl data show` says what to do")


def require_unblocked(contract: Contract, findings: Sequence[DataFinding]) -> None:
    """Raise one `UserError` of the findings that the contract does not let pass."""
    blocking = [one for one in findings if one.kind in contract.block]
    if blocking:
        raise UserError.of(
            [
                Finding(f'{FILE}: block has "{one.kind}": {one.text} {one.advice}', FILE.name)
                for one in blocking
            ]
        )


def _sentence(file: str, error: Any) -> str:
    place = error["loc"]
    if place[0] != "columns" or len(place) < 2:
        return describe(Contract, file, error)
    where = f'{file}: [columns] "{place[1]}"'
    if len(place) == 2:
        return f"{where} {complaint(error)}"
    key = str(place[2])
    if error["type"] == "missing":
        return f"{where} has no {key} (integer, number, text or date)"
    if error["type"] == "extra_forbidden":
        near = nearest(key, ColumnContract.model_fields)
        known = ", ".join(ColumnContract.model_fields)
        return f"{where} has {key}, which is no key of a column; " + (
            f"did you mean {near}?" if near else f"there are {known}"
        )
    return f"{where} has {key} = {error['input']!r}, which {complaint(error)}"


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
# other_columns = false # no column but those below; list those that [dataset] names, too

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

"""dataset.lock: which data the model is made from; `automl data push` or `refer` writes it."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from automl_gitops.kernel.config import parse_toml, read_text
from automl_gitops.kernel.config_errors import in_words, line_of
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replace_text
from automl_gitops.kernel.words import counted

FILE = Path("dataset.lock")
_PUSH = "run `automl data push FILE`"
_MEND = f"it is not to be edited by hand: take it from Git, or {_PUSH}"
_OF_CONTENT = re.compile(r"/datasets/([0-9a-f]{64})/")
_CONFLICT = f"take one side as a whole (`git checkout --ours dataset.lock` or `--theirs`), or {_PUSH} again"
NOT_COUNTED = "not counted"
MOST_DISTINCT = 1_000  # different values of a column that are counted
MOST_VALUES = 20  # different values of a column that are named
PART_ROWS = 200_000  # of the holdout in one file: several files let several instances work


def part(number: int) -> str:
    """The name of a file of the holdout, counted from 0."""
    return f"part-{number:05}.csv"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(_Entry):
    """A column of the data set; `integer` and `number` columns hold nothing else but missing values, as far as
    the rows were read.

    The rest is what was counted in all rows, or in the holdout's of data by reference, and absent in older files:
    ``missing`` rows without a value; ``distinct`` values, absent above `MOST_DISTINCT`; ``values``, rows by value of
    at most `MOST_VALUES`, absent where one is so rare that it might point at a person, and for the target where
    `classes` has them; ``least`` and ``most`` of numbers, absent for identifiers; ``length``, the longest text's in
    characters.
    """

    name: str
    type: Literal["integer", "number", "text"]
    missing: int | None = Field(default=None, ge=0)
    distinct: int | None = Field(default=None, ge=0)
    values: dict[str, int] | None = None
    least: int | float | None = None
    most: int | float | None = None
    length: int | None = Field(default=None, ge=0)
    looks_like: Literal["date", "identifier"] | None = None


class DataFinding(_Entry):
    """What a person would want to know of the data before paying for a training: what it is and what it costs
    (``text``), and what to do. ``kind`` is one of `automl_gitops.data.findings.KINDS` of the version that wrote it,
    ``columns`` and ``rows`` are what it is about. No value of a column is in it, but for the target's classes.
    """

    kind: str
    columns: list[str] = Field(default_factory=list)
    rows: int | None = None
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.text} {self.advice}"


class Rows(_Entry):
    """Numbers of rows; `total` is the sum of the others. `None` is what nobody counted, or what no rule made."""

    total: int | None = None
    train_validation: int | None = None
    validation: int | None = None
    test: int
    left_out: int | None = None


class GroupCounts(_Entry):
    """Numbers of groups in each part."""

    train_validation: int | None = None
    validation: int | None = None
    test: int


class TimeRange(_Entry):
    """Times as text: the first and the last of all rows, and those from which on rows are validation and holdout."""

    first: str
    validation_from: str | None = None
    holdout_from: str
    last: str


class SplitRule(_Entry):
    """The keys of [dataset] by which rows were split, and what came of them.

    ``left_out`` are rows in no part, by reason: `gap`, or `group` where it appears in a later part. ``columns`` are
    those of the rule that are no features.
    """

    group: list[str] | None = None
    time: str | None = None
    gap: str | None = None
    split: str | None = None
    also_features: list[str] | None = None
    groups: GroupCounts | None = None
    times: TimeRange | None = None
    left_out: dict[str, int] | None = None
    columns: list[Column] = Field(default_factory=list)

    @property
    def rule(self) -> dict[str, str | list[str]]:
        """The keys of [dataset] that are set, as `DatasetSettings.rule` has them."""
        keys = {"group", "time", "gap", "split", "also_features"}
        return self.model_dump(include=keys, exclude_none=True)

    def __str__(self) -> str:
        by = [f"by group ({', '.join(self.group)})"] if self.group else []
        by += [f"by time ({self.time}{f', gap of {self.gap}' if self.gap else ''})"] if self.time else []
        return " and ".join(by) or f"by the column {self.split}"


class Uris(_Entry):
    """S3 URIs: the object (or the prefix of objects) to train on, the same to validate on where a rule or somebody
    chose its rows, and the prefixes of the holdout's parts.
    """

    train_validation: str
    validation: str | None = None
    x_test: str
    y_test: str


class Reference(_Entry):
    """The objects to train on where they stay in somebody else's bucket: how many, their bytes, and the SHA-256
    (hexadecimal) of their listing.
    """

    objects: int
    bytes: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    def __str__(self) -> str:
        return f"{counted(self.objects, 'object')} of {counted(self.bytes, 'byte')}"


class DatasetLock(_Entry):
    """What `automl data push` made, or `automl data refer`: then there is a ``reference``, and no split and no count.

    ``columns`` are the features and the target in the file's order; ``exclude`` and ``weight`` name columns that are
    neither, of which the weight is in the data to train on alone. ``classes`` counts all rows by label,
    ``holdout_classes`` those of the holdout where it alone was counted; a quantity has neither. ``split`` is there
    where a rule decided about the rows. ``findings`` are absent in older files; ``contract`` is the hash of the
    contract.toml that the rows kept, absent where there was none.
    """

    name: str
    source: str
    synthetic: bool
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    target: str
    holdout: float | None = None
    seed: int | None = None
    rows: Rows
    columns: list[Column]
    exclude: list[str] | None = None
    weight: str | None = None
    classes: dict[str, int] | None = None
    holdout_classes: dict[str, int] | None = None
    uris: Uris
    reference: Reference | None = None
    validation_reference: Reference | None = None
    split: SplitRule | None = None
    findings: list[DataFinding] | None = None
    contract: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _is_whole(self) -> "DatasetLock":
        counted = (self.rows.total, self.rows.train_validation)
        drawn = (self.holdout, self.seed) if not (self.split and self.split.split) else ()
        if self.reference is None and None in (*counted, *drawn):
            raise ValueError("lacks the split or a number of rows")
        return self

    @classmethod
    def load(cls, path: Path = FILE) -> "DatasetLock":
        """Read the file; where it is missing or damaged a `UserError` says how to make it."""
        if not path.exists():
            raise UserError(f"{path}: not found: {_PUSH} (`automl data example` makes a file to try)")
        return cls.parse(read_text(path), path.name)

    @classmethod
    def parse(cls, text: str, file: str = FILE.name) -> "DatasetLock":
        """Check the text of a file that is called ``file`` in messages.

        An older one has no checksum, so that only what contradicts itself is seen.
        """
        try:
            document = parse_toml(text, file, _CONFLICT)
        except UserError as error:
            mend = "" if str(error).endswith(_CONFLICT) else f"; {_MEND}"
            raise UserError(f"{error}{mend}", file=file, line=error.line) from None
        checksum = document.pop("checksum", None)
        try:
            lock = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            line = line_of(text, first["loc"])
            raise UserError(f"{file}: {in_words(first)}; {_MEND}", file=file, line=line) from None
        if checksum is not None and checksum == lock.checksum:
            return lock
        wrong = lock._contradiction()
        if not wrong and checksum is not None:
            wrong = "checksum: is not that of the other lines: one was changed"
        if wrong:
            mend = _MEND.replace("push FILE", "refer") if lock.reference else _MEND
            raise UserError(f"{file}: {wrong}; {mend}", file=file)
        return lock

    @property
    def checksum(self) -> str:
        """SHA-256 (hexadecimal) of all that the file says; a key added later is None by default, for older files."""
        facts = json.dumps(self.model_dump(exclude_none=True), sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()

    def _contradiction(self) -> str:
        """What does not fit with what else the file says; "" where all does."""
        rows, uris = self.rows, self.uris
        parts = [one or 0 for one in (rows.train_validation, rows.validation, rows.test, rows.left_out)]
        if rows.total is not None and rows.total != sum(parts):
            return f"rows.total: is {rows.total}, but the parts have {sum(parts)} rows"
        for key, classes, there in (
            ("classes", self.classes, rows.total),
            ("holdout_classes", self.holdout_classes, rows.test),
        ):
            if classes and there is not None and sum(classes.values()) != there:
                return f"{key}: have {sum(classes.values())} rows, but there are {there}"
        for uri in (uris.x_test, uris.y_test, *([] if self.reference else [uris.train_validation])):
            named = _OF_CONTENT.search(uri)
            if named and named[1] != self.sha256:
                return f'sha256: is "{self.sha256}", but uris has {uri}'
        return ""

    def text(self) -> str:
        """The file's text: deterministic, one column a line, so that a change of the schema reads well in a
        diff.
        """
        document = tomlkit.document()
        command = "refer" if self.reference else "push"
        document.add(tomlkit.comment(f"Written by `automl data {command}`; not to be edited by hand."))
        values: dict[str, Any] = self.model_dump(exclude_none=True)
        for key in [key for key, value in values.items() if not isinstance(value, (dict, list))]:
            document.add(key, values[key])
        document.add("checksum", self.checksum)
        if self.exclude:
            document.add("exclude", self.exclude)
        for key in ("columns", "findings"):
            if key in values:
                document.add(key, _lines(getattr(self, key)))
        for key in ("rows", "uris", "reference", "validation_reference", "classes", "holdout_classes"):
            if key in values:
                document.add(key, _table(values[key]))
        if self.split:
            split = _table(
                {key: value for key, value in values["split"].items() if not isinstance(value, dict)}
            )
            split["columns"] = _lines(self.split.columns)
            for key in ("groups", "times", "left_out"):
                if key in values["split"]:
                    split.add(key, _table(values["split"][key]))
            document.add("split", split)
        return tomlkit.dumps(document)

    def save(self, path: Path = FILE) -> bool:
        """Write the file as a whole or not at all; tells whether its text changed."""
        return replace_text(path, self.text())

    @property
    def counted_rows(self) -> int:
        """The rows that the columns' numbers are about: all, or those of the holdout."""
        return self.rows.test if self.rows.total is None else self.rows.total

    @property
    def with_classes(self) -> list[Column]:
        """The columns, the target's values among them."""
        classes = self.classes or self.holdout_classes
        return [
            column.model_copy(update={"values": classes})
            if column.name == self.target and classes
            else column
            for column in self.columns
        ]

    def plain(self) -> dict[str, Any]:
        """As a JSON document without what is only known about the columns and rows: what was counted in the same data
        makes no other model.
        """
        columns = [{"name": column.name, "type": column.type} for column in self.columns]
        unset = {key for key in ("exclude", "weight") if getattr(self, key) is None}
        document = {
            **self.model_dump(mode="json", exclude={"findings", "contract", *unset}),
            "columns": columns,
        }
        split = document.pop("split")
        if document["validation_reference"] is None:
            del document["validation_reference"]
        for part in ("validation", "left_out"):
            if document["rows"][part] is None:
                del document["rows"][part]
        if document["uris"]["validation"] is None:
            del document["uris"]["validation"]
        if split is not None:
            document["split"] = {
                key: value for key, value in split.items() if key not in ("columns", "times")
            }
        return document

    @property
    def features(self) -> list[Column]:
        """The columns that the model gets, in the order of x_test."""
        return [column for column in self.columns if column.name != self.target]


def _lines(entries: Sequence[_Entry]) -> Any:
    """An array with a line for each entry."""
    lines = tomlkit.array()
    for entry in entries:
        lines.append(_inline(entry.model_dump(exclude_none=True)))
    return lines.multiline(True)


def _inline(values: dict[str, Any]) -> Any:
    table = tomlkit.inline_table()
    for key, value in values.items():
        table.add(key, _inline(value) if isinstance(value, dict) else value)
    return table


def _table(values: dict[str, Any]) -> Any:
    table = tomlkit.table()
    table.update(values)
    return table

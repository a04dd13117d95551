"""dataset.lock: which data the model is made from; `python -m pipeline dataset push` writes it."""

from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.config import parse_toml, read_text
from pipeline.errors import UserError
from pipeline.files import replace_text

FILE = Path("dataset.lock")
_PUSH = "run `python -m pipeline dataset push FILE`"
_MEND = f"it is not to be edited by hand: take it from Git, or {_PUSH}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(_Entry):
    """A column of the data set; `integer` and `number` columns hold nothing else but missing values."""

    name: str
    type: Literal["integer", "number", "text"]


class Rows(_Entry):
    """Numbers of rows; `total` is the sum of the other two."""

    total: int
    train_validation: int
    test: int


class Uris(_Entry):
    """S3 URIs: one object to train on, and the prefixes under which the parts of the holdout lie."""

    train_validation: str
    x_test: str
    y_test: str


class DatasetLock(_Entry):
    """What `dataset push` made. ``columns`` are in the file's order; ``classes`` counts rows by label, where
    there are.
    """

    name: str
    source: str
    synthetic: bool
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    target: str
    holdout: float
    seed: int
    rows: Rows
    columns: list[Column]
    classes: dict[str, int] | None = None
    uris: Uris

    @classmethod
    def load(cls, path: Path = FILE) -> "DatasetLock":
        """Read the file; where it is missing or damaged a `UserError` says how to make it."""
        if not path.exists():
            raise UserError(
                f"{path}: not found: {_PUSH} (`python -m pipeline dataset example` makes a file to try)"
            )
        return cls.parse(read_text(path), path.name)

    @classmethod
    def parse(cls, text: str, file: str = FILE.name) -> "DatasetLock":
        """Check the text of a file that is called ``file`` in messages."""
        try:
            document = parse_toml(text, file)
        except UserError as error:
            raise UserError(f"{error}; {_MEND}", file=file, line=error.line) from None
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{file}: {place}: {first['msg'].lower()}; {_MEND}", file=file) from None

    def text(self) -> str:
        """The file's text: deterministic, one column a line, so that a change of the schema reads well in a
        diff.
        """
        document = tomlkit.document()
        document.add(
            tomlkit.comment("Written by `python -m pipeline dataset push`; not to be edited by hand.")
        )
        values: dict[str, Any] = self.model_dump(exclude={"rows", "columns", "classes", "uris"})
        for key, value in values.items():
            document.add(key, value)
        columns = tomlkit.array()
        for column in self.columns:
            columns.append(_inline(column.model_dump()))
        document.add("columns", columns.multiline(True))
        document.add("rows", _table(self.rows.model_dump()))
        document.add("uris", _table(self.uris.model_dump()))
        if self.classes is not None:
            document.add("classes", _table(self.classes))
        return tomlkit.dumps(document)

    def save(self, path: Path = FILE) -> bool:
        """Write the file as a whole or not at all; tells whether its text changed."""
        return replace_text(path, self.text())

    @property
    def features(self) -> list[Column]:
        """The columns that the model gets, in the order of x_test."""
        return [column for column in self.columns if column.name != self.target]


def _inline(values: dict[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _table(values: dict[str, Any]) -> Any:
    table = tomlkit.table()
    table.update(values)
    return table

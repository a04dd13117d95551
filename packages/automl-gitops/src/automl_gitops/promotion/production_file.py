"""environments/production.toml: which model package production serves, and on what grounds."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from automl_gitops.kernel import git
from automl_gitops.kernel.config import parse_toml, read_text
from automl_gitops.kernel.config_errors import describe, line_of
from automl_gitops.kernel.environments import PRODUCTION_CONFLICT, PRODUCTION_FILE
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replace_text
from automl_gitops.kernel.words import nearest

FILE = PRODUCTION_FILE
SOURCE = f"{FILE.as_posix()}: model_package_arn"  # how messages speak of what it names
_HEAD = (
    "The model package that production serves. Changed by promotion pull requests: merging one approves it,",
    "reverting it goes back. model_package_arn and archives decide; the rest says what the reviewer saw.",
)
_VERSION = re.compile(r"/(\d+)$")


def uncommitted() -> str:
    """That the file in the folder is not what Git names, with the way out; "" where it is, or where there is no Git."""
    if git.is_committed(FILE) is not False:
        return ""
    return (
        f"{FILE.as_posix()}: has changes that are not committed, and production serves what Git names: commit "
        f"them, or drop them with `git checkout -- {FILE.as_posix()}`"
    )


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class VerificationSummary(_Section):
    """What staging found: outcome, who signed it off, when (ISO 8601), in which run; and the record."""

    outcome: str = ""
    by: str = ""
    at: str = ""
    run: str = ""
    record: str = ""


class ProductionFile(_Section):
    """The file's content; an empty ARN means that nothing is in production yet."""

    model_package_arn: str
    version: int = 0
    commit: str = ""
    dataset_sha256: str = ""
    previous_model_package_arn: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    archives: dict[str, str] = Field(default_factory=dict)
    verification: VerificationSummary = Field(default_factory=VerificationSummary)

    @classmethod
    def load(cls, path: Path = FILE) -> "ProductionFile":
        """Read and check the file; what is wrong with it is a `UserError`."""
        return cls.parse(read_text(path), path.as_posix())

    @classmethod
    def parse(cls, text: str, file: str = FILE.as_posix()) -> "ProductionFile":
        """Check the text of a file that is called ``file`` in messages."""
        document = parse_toml(text, file, PRODUCTION_CONFLICT)
        try:
            content = cls.model_validate(document)
        except ValidationError as error:
            # A key that is missing is most often one that is misspelt, and that says more.
            first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
            raise UserError(_sentence(file, first), file=file, line=line_of(text, first["loc"])) from None
        found = _VERSION.search(content.model_package_arn)
        if content.version and found and int(found[1]) != content.version:
            raise UserError(
                f"{file}: version = {content.version}, but model_package_arn names version {found[1]}: "
                "one of the two was edited by hand, so revert that",
                file=file,
                line=line_of(text, ("version",)),
            )
        return content

    def text(self) -> str:
        """The file's text, the same for the same content."""
        document = tomlkit.document()
        for line in _HEAD:
            document.add(tomlkit.comment(line))
        values = self.model_dump(exclude={"metrics", "archives", "verification"})
        for key, value in values.items():
            if value or key == "model_package_arn":
                document.add(key, value)
        for name in ("metrics", "archives", "verification"):
            section = {key: value for key, value in self.model_dump()[name].items() if value != ""}
            if section:
                table = tomlkit.table()
                table.update(section)
                document.add(name, table)
        return tomlkit.dumps(document)

    def save(self, path: Path = FILE) -> bool:
        """Write the file as a whole or not at all; tells whether its text changed."""
        return replace_text(path, self.text())


def _sentence(file: str, error: Mapping[str, Any]) -> str:
    """One of pydantic's findings; what differs from automl.toml is that the file's first lines are in no
    section.
    """
    place = error["loc"]
    if error["type"] == "extra_forbidden" and len(place) == 1:
        near = nearest(place[0], ProductionFile.model_fields)
        return f"{file}: {place[0]} is not a key of this file" + (f"; did you mean {near}?" if near else "")
    if place[0] == "metrics" and len(place) > 1:
        return f"{file}: [metrics] {place[1]} = {error['input']!r} is not a number"
    return describe(ProductionFile, file, error)

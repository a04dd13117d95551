"""automl.toml: read, checked as a whole before anything else happens, and typed from here on."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from pipeline.config_errors import describe, line_of, telling
from pipeline.errors import UserError
from pipeline.settings.autopilot import LOWER_IS_BETTER, Autopilot
from pipeline.settings.base import Section
from pipeline.settings.dataset import Dataset
from pipeline.settings.evaluation import Evaluation
from pipeline.settings.gate import Gate
from pipeline.settings.prices import Prices
from pipeline.settings.production import Production
from pipeline.settings.project import Project
from pipeline.settings.security import Encryption, Network
from pipeline.settings.staging import Staging
from pipeline.settings.verification import Verification

FILE = Path("automl.toml")
# What people do most often, by the beginning of what tomllib says.
_HINTS = {
    "Invalid value": 'a text stands in "quotes"',
    "Cannot overwrite a value": "a key stands once in a section",
    "Cannot declare": "a section stands once",
    "Invalid statement": "a line is [section], key = value or # a comment",
}


class Config(Section):
    """The whole of automl.toml. Sections that may be left out have their defaults; `encryption` and `network`
    are off.
    """

    project: Project
    dataset: Dataset
    autopilot: Autopilot
    gate: Gate
    evaluation: Evaluation = Field(default_factory=Evaluation)
    staging: Staging = Field(default_factory=Staging)
    production: Production = Field(default_factory=Production)
    verification: Verification = Field(default_factory=Verification)
    prices: Prices = Field(default_factory=Prices)
    encryption: Encryption | None = None
    network: Network | None = None

    @classmethod
    def load(cls, path: Path = FILE) -> "Config":
        """Read and check the file. Everything that is wrong with it is one `UserError`, a sentence a line."""
        return cls.parse(read_text(path), path.name)

    @classmethod
    def parse(cls, text: str, file: str = FILE.name) -> "Config":
        """Check the text of a file that is called ``file`` in messages."""
        document = parse_toml(text, file)
        try:
            config = cls.model_validate(document)
        except ValidationError as error:
            found = telling(cls, error.errors())
            sentences = [describe(cls, file, item) for item in found]
            raise UserError("\n".join(sentences), file=file, line=line_of(text, found[0]["loc"])) from None
        for section, key, complaint in _contradictions(config):
            raise UserError(f"{file}: [{section}] {complaint}", file=file, line=line_of(text, (section, key)))
        return config


def read_text(path: Path) -> str:
    """The text of a file of the project; a missing or unreadable one is a `UserError`."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the command in the project's folder") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8", file=path.name
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """The document in a TOML text; a mistake in it is a `UserError` with line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        hint = next((f"; {hint}" for start, hint in _HINTS.items() if told.startswith(start)), "")
        raise UserError(
            f"{file}: not valid TOML: {told[0].lower()}{told[1:]}{hint}", file=file, line=_place(text, told)
        ) from None


def _place(text: str, message: str) -> int | None:
    """The line in tomllib's message, `(at line 3, column 7)` or `(at end of document)`."""
    if "(at line " in message:
        return int(message.split("(at line ")[1].split(",")[0])
    return text.count("\n") + 1 if "end of document" in message else None


def _contradictions(config: Config) -> Iterator[tuple[str, str, str]]:
    """What is wrong between sections: section, key, and the rest of the sentence."""
    metric, gate = config.autopilot.metric, config.gate
    if metric is not None:
        wanted = "maximum" if metric in LOWER_IS_BETTER else "minimum"
        given = "minimum" if gate.minimum is not None else "maximum"
        if wanted != given:
            better = "less" if wanted == "maximum" else "more"
            complaint = f"does not fit {metric}, of which {better} is better: use {wanted}"
            yield "gate", given, f"{given} = {gate.threshold:g} {complaint}"
    region = config.encryption.region if config.encryption else None
    if region not in (None, config.project.region):
        complaint = f"is in {region}, but the project is in {config.project.region}: use a key there"
        yield "encryption", "kms_key", f"kms_key {complaint}"
    if config.dataset.target in config.evaluation.slices:
        complaint = f'names the target "{config.dataset.target}": name input columns'
        yield "evaluation", "slices", f"slices {complaint}"

"""automl.toml: read, checked as a whole before anything else happens, and typed from here on."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError

from automl_evaluation.metrics import BINARY, METRICS, metric_of
from automl_gitops.kernel.config_errors import describe, line_of, line_of_error, sections, telling
from automl_gitops.kernel.errors import Finding, UserError
from automl_gitops.kernel.settings import SettingsSection
from automl_gitops.kernel.settings.account import Encryption, Network, Prices, ProjectSettings
from automl_gitops.kernel.settings.dataset import VALIDATION, DatasetSettings
from automl_gitops.kernel.settings.endpoints import Production, Staging, Verification
from automl_gitops.kernel.settings.model import (
    INFER,
    AutopilotSettings,
    DecisionSettings,
    EvaluationSettings,
    Gate,
)

FILE = Path("automl.toml")
_STACK = Path("infrastructure/stack.yaml")
# What people do most often, by the beginning of what tomllib says.
_HINTS = {
    "Invalid value": 'a text stands in "quotes"',
    "Cannot overwrite a value": "a key stands once in a section",
    "Cannot declare": "a section stands once",
    "Invalid statement": "a line is [section], key = value or # a comment",
    "Expected '=' after a key": 'a line is [section], key = value or # a comment; a key with blanks stands in "quotes"',
    "Expected ']'": "a section is [name], on its line",
    "Expected newline or end of document": "one value a line; a number has a decimal point and no %: 0.2",
    "Illegal character": "a text ends on its line, with the quote that it began with",
    "Unclosed array": "a list ends with ], and commas stand between its values",
    "Unclosed inline table": "a table ends with }, on its line",
    "Cannot mutate immutable": "a table in { } is written in one place",
}
# The same by what stands at the place.
_HINTS_AT = {
    "True": "it is true, in lower case",
    "False": "it is false, in lower case",
    "None": "leave the key out",
    "null": "leave the key out",
    ".": "a number begins with a digit: 0.2",
    "\u201c": 'quotes are straight: "text"',
    "\u201e": 'quotes are straight: "text"',
    "\u2018": 'quotes are straight: "text"',
    ":": "between a key and its value stands =, not :",
}
_DEEPEST = 50  # levels
_CONFLICT = re.compile(r"^(<{7}|>{7}|\|{7})( .*)?$|^={7}$", re.MULTILINE)
_SIDES = "keep one side of what lies between <<<<<<< and >>>>>>>, and remove these lines and ======="


class Config(SettingsSection):
    """The whole of automl.toml. Sections that may be left out have their defaults; `encryption` and `network`
    are off.
    """

    project: ProjectSettings
    dataset: DatasetSettings
    autopilot: AutopilotSettings
    gate: Gate
    decision: DecisionSettings = Field(default_factory=DecisionSettings)
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)
    staging: Staging = Field(default_factory=Staging)
    production: Production = Field(default_factory=Production)
    verification: Verification = Field(default_factory=Verification)
    prices: Prices = Field(default_factory=Prices)
    encryption: Encryption | None = None
    network: Network | None = None
    _text: str = PrivateAttr(default="")
    _file: str = PrivateAttr(default=FILE.name)

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
            findings = [
                Finding(describe(cls, file, item), file, line_of_error(text, item))
                for item in telling(cls, error.errors())
            ]
            raise UserError.of(findings) from None
        config._text, config._file = text, file
        findings = [config.finding(key, sentence) for key, sentence in _contradictions(config)]
        if findings:
            raise UserError.of(findings)
        return config

    @property
    def sets_validation_apart(self) -> bool:
        """Whether validation rows are set apart when data are pushed, in the place of some that Autopilot draws."""
        return bool(self.dataset.rule_columns) or self.decision.on_validation

    @property
    def training_share(self) -> float:
        """About this share of the rows is in the object that is trained on."""
        return (1 - self.dataset.holdout) * (1 - VALIDATION if self.sets_validation_apart else 1)

    def finding(self, key: tuple[str, ...], sentence: str) -> Finding:
        """A sentence about the key at a path such as `("gate", "minimum")`, which begins with the file and the key's
        section.
        """
        known = sections(type(self))
        section = next(key[:size] for size in range(len(key) - 1, -1, -1) if key[:size] in known)
        line = line_of(self._text, key) if self._text else None
        return Finding(f"{self._file}: [{'.'.join(section)}] {sentence}", self._file, line)


def not_found(path: Path) -> UserError:
    """Of a file that every project has; in a project's folder it was deleted."""
    folder = path.parent if path.name == FILE.name else Path()
    others = {folder / FILE, folder / _STACK} - {path}
    way = "run the command in the project's folder"
    if any(other.exists() for other in others):
        way = f"take it from Git: `git checkout -- {path.as_posix()}`"
    return UserError(f"{path}: not found; {way}")


def read_text(path: Path) -> str:
    """The text of a file of the project, without the mark (BOM) that editors on Windows begin it with; a missing or
    unreadable one is a `UserError`.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise not_found(path) from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8", file=path.name
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def parse_toml(text: str, file: str, conflict: str = _SIDES) -> dict[str, Any]:
    """The document in a TOML text; a mistake in it is a `UserError` with line and column.

    ``conflict`` is the way out where Git left both sides of a merge in it.
    """
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
        if _is_deep(document):
            raise RecursionError
        return document
    except RecursionError:
        raise UserError(
            f"{file}: is nested more than {_DEEPEST} levels deep: take out the brackets around brackets",
            file=file,
        ) from None
    except ValueError as error:  # tomllib's own, or Python's of a number with thousands of digits
        marker = _CONFLICT.search(text.replace("\r\n", "\n"))
        if marker:
            line = text.replace("\r\n", "\n").count("\n", 0, marker.start()) + 1
            raise UserError(
                f'{file}: line {line}, "{marker[0]}", is of a merge conflict that Git left: {conflict}',
                file=file,
                line=line,
            ) from None
        told = str(error)
        raise UserError(
            f"{file}: not valid TOML: {told[0].lower()}{told[1:]}{_hint(text, told)}",
            file=file,
            line=_place(text, told),
        ) from None


def _is_deep(document: dict[str, Any]) -> bool:
    """Whether anything is below so many levels that what reads it, step by step, would run out of them."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            for inner in (
                value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            )
        ]
    return bool(level)


def _hint(text: str, told: str) -> str:
    """The way out of what tomllib told."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", told)
    if place:
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        there = lines[int(place[1]) - 1][int(place[2]) - 1 :]
        for start, hint in _HINTS_AT.items():
            if there.startswith(start):
                return f"; {hint}"
    return next((f"; {hint}" for start, hint in _HINTS.items() if told.startswith(start)), "")


def _place(text: str, message: str) -> int | None:
    """The line in tomllib's message, `(at line 3, column 7)` or `(at end of document)`."""
    if "(at line " in message:
        return int(message.split("(at line ")[1].split(",")[0])
    return text.count("\n") + 1 if "end of document" in message else None


def _contradictions(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong between sections, whatever is done: a key, and the sentence after its section.

    What is found out only because something is to be trained is `data.consistency`'s: a mistake in the gate does
    not keep anybody from going back to an earlier version.
    """
    objective, gate = config.autopilot.metric, config.gate
    problem, decision = config.autopilot.problem_type, config.decision
    if decision.positive is not None and problem not in (BINARY, INFER):
        complaint = (
            f'is of two classes, but [autopilot] problem_type = "{problem}": remove it, or use {BINARY}'
        )
        yield ("decision", "positive"), f'positive = "{decision.positive}" {complaint}'
    if objective is not None:
        wanted = "maximum" if METRICS[metric_of(objective)].less_is_better else "minimum"
        given = "minimum" if gate.minimum is not None else "maximum"
        if wanted != given:
            better = "less" if wanted == "maximum" else "more"
            complaint = f"does not fit {objective}, of which {better} is better: use {wanted}"
            yield ("gate", given), f"{given} = {gate.threshold:g} {complaint}"
    dataset, autopilot = config.dataset, config.autopilot
    if dataset.weight and autopilot.mode != "ENSEMBLING":
        complaint = f'needs ENSEMBLING mode, but [autopilot] mode = "{autopilot.mode}": change one of the two'
        yield ("dataset", "weight"), f'weight = "{dataset.weight}" {complaint}'
    if dataset.weight and objective == "BalancedAccuracy":
        complaint = (
            "does not go with BalancedAccuracy, which has its own: take another objective, or remove it"
        )
        yield ("dataset", "weight"), f'weight = "{dataset.weight}" {complaint}'
    for name in autopilot.types:
        if name in (dataset.target, *dataset.no_features):
            role = "the target" if name == dataset.target else "no feature"
            yield ("autopilot", "types", name), f'types has "{name}", which is {role}: remove it'
    for name in (*dataset.exclude, *([dataset.weight] if dataset.weight else ())):
        if name in config.evaluation.slices:
            yield ("evaluation", "slices"), f'slices names "{name}", which is no feature: name input columns'
    region = config.encryption.region if config.encryption else None
    if region not in (None, config.project.region):
        complaint = f"is in {region}, but the project is in {config.project.region}: use a key there"
        yield ("encryption", "kms_key"), f"kms_key {complaint}"
    if config.dataset.target in config.evaluation.slices:
        complaint = f'names the target "{config.dataset.target}": name input columns'
        yield ("evaluation", "slices"), f"slices {complaint}"
    for name in config.dataset.only_split:
        if name in config.evaluation.slices:
            complaint = (
                f'names "{name}", which splits the rows: to keep it as a feature, name it in also_features'
            )
            yield ("evaluation", "slices"), f"slices {complaint}"

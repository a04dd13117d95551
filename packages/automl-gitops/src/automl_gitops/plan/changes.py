"""How two commits differ, each difference at its path: settings, data set, CloudFormation templates, pipeline steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from automl_gitops.data.lock import DatasetLock


@dataclass(frozen=True)
class Change:
    """A value that is another one, new (``before`` is `None`), or gone (``after`` is `None`)."""

    path: str
    before: Any
    after: Any

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, "before": self.before, "after": self.after}


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The differences, in the order of ``before`` and then of what is new; paths look like `a.b[0].c`."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}" if path else str(key)
            yield from changes(before.get(key), after.get(key), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, f"{path}[{index}]")
    else:
        yield Change(path, before, after)


def key_changes(before: Any, after: Any) -> Iterator[Change]:
    """The same of TOML: a section that is new or gone is a difference for each of its keys."""
    for change in changes(before, after):
        yield from _keys(change)


def _keys(change: Change) -> Iterator[Change]:
    section = change.after if change.before is None else change.before if change.after is None else None
    if not isinstance(section, dict) or not section:
        yield change
        return
    for one in changes(change.before or {}, change.after or {}, change.path):
        yield from _keys(one)


@dataclass(frozen=True)
class Schema:
    """Columns that are new, gone, or of another type (name: before, after), and whether their order changed.

    ``unreadable`` are the features that a model of before reads as numbers and that hold texts after.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    retyped: dict[str, tuple[str, str]] = field(default_factory=dict)
    reordered: bool = False
    target: tuple[str, str] | None = None
    unreadable: list[str] = field(default_factory=list)

    @property
    def keeps_champion(self) -> bool:
        """Whether a model of before can be compared on rows of after: all that it reads is there."""
        return not self.removed and not self.target

    @property
    def only_retyped(self) -> bool:
        """Whether a model of before reads rows of after as they are."""
        return not (self.added or self.removed or self.reordered or self.target or self.unreadable)

    @property
    def sentences(self) -> list[str]:
        """Each difference in a few words."""
        sentences = []
        if self.target:
            sentences.append(f"target {self.target[0]} becomes {self.target[1]}")
        if self.added:
            sentences.append(f"new: {', '.join(self.added)}")
        if self.removed:
            sentences.append(f"gone: {', '.join(self.removed)}")
        sentences += [f"{name}: {before} becomes {after}" for name, (before, after) in self.retyped.items()]
        if self.reordered:
            sentences.append("the columns have another order")
        return sentences


@dataclass(frozen=True)
class DataChange:
    """Two locks; either may be missing."""

    before: DatasetLock | None
    after: DatasetLock | None

    @property
    def changed(self) -> bool:
        """Whether the model would be made of other data."""
        return (self.before and self.before.sha256) != (self.after and self.after.sha256)

    @property
    def schema(self) -> Schema:
        """The columns' differences; none where there is nothing to compare."""
        if not self.before or not self.after:
            return Schema()
        had = {column.name: column.type for column in self.before.columns}
        has = {column.name: column.type for column in self.after.columns}
        common = [name for name in had if name in has]
        return Schema(
            added=[name for name in has if name not in had],
            removed=[name for name in had if name not in has],
            retyped={name: (had[name], has[name]) for name in common if had[name] != has[name]},
            reordered=common != [name for name in has if name in had],
            target=None
            if self.before.target == self.after.target
            else (self.before.target, self.after.target),
            unreadable=[
                name
                for name in common
                if name != self.before.target and had[name] != has[name] and has[name] == "text"
            ],
        )

    @property
    def shares(self) -> list[tuple[str, float | None, float | None]]:
        """Label, share before, share after; of a label that one side lacks the share is `None`.

        Of data by reference it is the share in the holdout.
        """
        had, has = _shares(self.before), _shares(self.after)
        return [(label, had.get(label), has.get(label)) for label in dict.fromkeys((*had, *has))]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "changed": self.changed,
            "rows": [lock and lock.rows.model_dump() for lock in (self.before, self.after)],
            "sha256": [lock and lock.sha256 for lock in (self.before, self.after)],
            "split": [lock and lock.split and lock.split.rule for lock in (self.before, self.after)],
            "schema": self.schema.sentences,
            "findings": [
                one.model_dump(mode="json", exclude_none=True)
                for one in (self.after and self.after.findings) or ()
            ],
            "class_shares": [{"label": label, "before": a, "after": b} for label, a, b in self.shares],
        }


def _shares(lock: DatasetLock | None) -> dict[str, float]:
    classes = lock and (lock.classes or lock.holdout_classes)
    if not classes:
        return {}
    total = sum(classes.values())
    return {label: count / total for label, count in classes.items()}


FOLDER = "infrastructure"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, `!Sub x` as `{"!Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {f"!{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str) -> dict[str, Any]:
    """A template as a document; one that is not YAML is empty, since linting is the linter's."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def template_changes(before: Path, after: Path) -> dict[str, list[Change]]:
    """By template: its differences, a resource that is new or gone as one; paths begin with its name."""
    names = sorted({path.name for folder in (before, after) for path in (folder / FOLDER).glob("*.yaml")})
    by_template = {name: document_changes(_read(before, name), _read(after, name)) for name in names}
    return {name: listed for name, listed in by_template.items() if listed}


def document_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The differences of two templates' documents."""
    listed: list[Change] = []
    for section in ("Parameters", "Conditions", "Resources", "Outputs"):
        had, has = before.get(section) or {}, after.get(section) or {}
        for name in dict.fromkeys((*had, *has)):
            place = name if section == "Resources" else f"{section}.{name}"
            if name in had and name in has:
                listed += changes(had[name], has[name], place)
            else:
                kind = (had.get(name) or has.get(name) or {}) if section == "Resources" else {}
                word = kind.get("Type", "there")
                listed.append(Change(place, word, None) if name in had else Change(place, None, word))
    return listed


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return parse((folder / FOLDER / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def step_changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Change]]:
    """Differences under `Parameters`, under each step's name, and under `Pipeline` for the rest."""
    by_step = {"Parameters": list(changes(_parameters(before), _parameters(after)))}
    had, has = dict(_steps(before["Steps"])), dict(_steps(after["Steps"]))
    for name in dict.fromkeys((*had, *has)):
        if name in had and name in has:
            by_step[name] = list(changes(had[name], has[name]))
        else:
            by_step[name] = [Change("the step itself", *(("there", None) if name in had else (None, "new")))]
    by_step["Pipeline"] = list(changes(_rest(before), _rest(after)))
    return {place: listed for place, listed in by_step.items() if listed}


def _rest(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key not in ("Parameters", "Steps")}


def _parameters(definition: dict[str, Any]) -> dict[str, Any]:
    return {entry["Name"]: entry.get("DefaultValue") for entry in definition.get("Parameters", [])}


def _steps(listed: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Name and content of each step, those in a condition's branches as steps of their own."""
    steps: list[tuple[str, Any]] = []
    for step in listed:
        content = {key: value for key, value in step.items() if key != "Name"}
        arguments = dict(content.get("Arguments") or {})
        for branch in ("IfSteps", "ElseSteps"):
            inner = arguments.get(branch)
            if inner:
                steps += _steps(inner)
                arguments[branch] = [one["Name"] for one in inner]
        steps.append((step["Name"], {**content, "Arguments": arguments}))
    return steps

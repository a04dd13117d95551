"""How the CloudFormation templates differ, resource by resource."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from automl_gitops.plan.changes import Change, changes

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
    except yaml.YAMLError:
        return {}
    return document if isinstance(document, dict) else {}


def template_changes(before: Path, after: Path) -> dict[str, list[Change]]:
    """By template: its differences, a resource that is new or gone as one; paths begin with its name."""
    names = sorted({path.name for folder in (before, after) for path in (folder / FOLDER).glob("*.yaml")})
    found = {name: document_changes(_read(before, name), _read(after, name)) for name in names}
    return {name: listed for name, listed in found.items() if listed}


def document_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The differences of two templates' documents."""
    found: list[Change] = []
    for section in ("Parameters", "Conditions", "Resources", "Outputs"):
        had, has = before.get(section) or {}, after.get(section) or {}
        for name in dict.fromkeys((*had, *has)):
            place = name if section == "Resources" else f"{section}.{name}"
            if name in had and name in has:
                found += changes(had[name], has[name], place)
            else:
                kind = (had.get(name) or has.get(name) or {}) if section == "Resources" else {}
                word = kind.get("Type", "there")
                found.append(Change(place, word, None) if name in had else Change(place, None, word))
    return found


def _read(folder: Path, name: str) -> dict[str, Any]:
    path = folder / FOLDER / name
    return parse(path.read_text(encoding="utf-8")) if path.exists() else {}

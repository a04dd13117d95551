"""Templates: read from YAML or JSON, and checked before anything is done."""

from __future__ import annotations

import contextlib
import functools
import pickle
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import yaml

from local_sagemaker.bridge import AWSError

SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
}
PSEUDO_PARAMETERS = {
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
MAX_BYTES = 51_200
# A value that the service would fetch from SSM or Secrets Manager.
DYNAMIC = re.compile(r"\{{2}resolve:")
# Resources that need CAPABILITY_IAM, each with the property that makes it CAPABILITY_NAMED_IAM.
IAM_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "-",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref``), and dates left as the texts that policies want."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the one kind that is left
        value = loader.construct_mapping(node, deep=True)
    if tag in ("Ref", "Condition"):
        return {tag: value}
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def invalid(message: str) -> AWSError:
    """CloudFormation's usual error."""
    return AWSError("ValidationError", message)


def parse(text: str) -> dict[str, Any]:
    """Read a template; raises ValidationError with CloudFormation's words where it is none."""
    try:
        document = pickle.loads(_read(text))  # noqa: S301 - what was just pickled
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid(f"Template format error: YAML not well-formed.{place}") from error
    except yaml.YAMLError as error:
        raise invalid("Template format error: YAML not well-formed.") from error
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    unknown = [str(name) for name in document if name not in SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    if not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    _check_resources(document)
    return document


@functools.lru_cache(maxsize=32)
def _read(text: str) -> bytes:
    """The document, pickled: reading is dear, and one deployment sends the same text several times."""
    return pickle.dumps(yaml.load(text, Loader=_Loader))  # noqa: S506 - a SafeLoader


def _check_resources(template: dict[str, Any]) -> None:
    resources, conditions = template["Resources"], template.get("Conditions", {})
    known = {*resources, *template.get("Parameters", {}), *PSEUDO_PARAMETERS}
    for name, body in resources.items():
        if not isinstance(body, dict) or "Type" not in body:
            place = f"Template format error: [/Resources/{name}]"
            raise invalid(f"{place} Every Resources object must contain a Type member.")
    dynamic = next((value for value in _texts(template) if DYNAMIC.search(value)), None)
    if dynamic:
        raise invalid(f"the local AWS does not offer dynamic references: {dynamic}")
    exported = [name for name, body in (template.get("Outputs") or {}).items() if "Export" in body]
    if exported:
        raise invalid(f"the local AWS does not offer exports: leave Export of output {exported[0]} out")
    for section in ("Resources", "Outputs"):
        for body in (template.get(section) or {}).values():
            missing = sorted({*references(body), *depends_on(body)} - known)
            if missing:
                raise invalid(
                    f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the "
                    f"{section} block of the template"
                )
            condition = body.get("Condition")
            if condition and condition not in conditions:
                raise invalid(
                    f"Template format error: Unresolved condition dependency {condition} in the {section} "
                    "block of the template"
                )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def references(value: Any) -> Iterator[str]:
    """The names that ``value`` refers to by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::Sub":
                text, own = (inner, {}) if isinstance(inner, str) else inner
                yield from (name.split(".")[0] for name in substitutions(text) if name not in own)
                yield from references(list(own.values()))
            else:
                yield from references(inner)


def substitutions(text: str) -> list[str]:
    """The names in ``text`` that Fn::Sub replaces; ``${!Name}`` is a literal."""
    names = []
    for part in text.split("${")[1:]:
        name, closed, _ = part.partition("}")
        if closed and not name.startswith("!"):
            names.append(name.strip())
    return names


def depends_on(body: dict[str, Any]) -> list[str]:
    """What a resource's DependsOn names."""
    names = body.get("DependsOn", [])
    return names if isinstance(names, list) else [names]


def order(resources: dict[str, Any]) -> list[str]:
    """The resources' names, each after those it needs; raises ValidationError for a circle."""
    needs = {
        name: [n for n in (*references(body), *depends_on(body)) if n in resources and n != name]
        for name, body in resources.items()
    }
    sorter = TopologicalSorter(needs)
    with contextlib.suppress(CycleError):  # the service names the circle and all that waits for it
        sorter.prepare()
    done: list[str] = []
    while ready := sorter.get_ready():
        done += ready
        sorter.done(*ready)
    waiting = [name for name in needs if name not in done]
    if waiting:
        raise invalid(f"Circular dependency between resources: [{', '.join(waiting)}]")
    return done


def capabilities(template: dict[str, Any]) -> str | None:
    """The capability that a template needs, if any."""
    needed = None
    for body in template["Resources"].values():
        if body["Type"] in IAM_NAMES:
            if IAM_NAMES[body["Type"]] in (body.get("Properties") or {}):
                return "CAPABILITY_NAMED_IAM"
            needed = "CAPABILITY_IAM"
    return needed

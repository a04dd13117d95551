"""Intrinsic functions of templates."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.cloudformation import parameters
from local_sagemaker.cloudformation.template import invalid

NO_VALUE = object()


@dataclass
class Scope:
    """What the functions of one stack's template look up.

    ``resource`` gives the physical id of a logical one, ``attribute`` a resource's attribute.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    pseudo: Mapping[str, Any]
    resource: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    _conditions: dict[str, bool] = field(default_factory=dict)

    def condition(self, name: str) -> bool:
        """The value of the condition ``name``."""
        if name not in self._conditions:
            declared = self.template.get("Conditions", {})
            if name not in declared:
                raise invalid(f"Template error: unresolved condition dependency {name}")
            self._conditions[name] = _truth(evaluate(declared[name], self))
        return self._conditions[name]

    def active(self, body: Mapping[str, Any]) -> bool:
        """Whether a resource or an output exists under its condition."""
        return "Condition" not in body or self.condition(body["Condition"])

    def ref(self, name: str) -> Any:
        """What Ref gives."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return parameters.value_of(self.parameters[name], self.template["Parameters"][name])
        return self.resource(name)


def evaluate(value: Any, scope: Scope) -> Any:
    """``value`` with its functions carried out, and without what is ``AWS::NoValue``."""
    if isinstance(value, list):
        items = [evaluate(one, scope) for one in value]
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Condition" and isinstance(argument, str):
            return scope.condition(argument)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](argument, scope)
        if name.startswith("Fn::"):
            raise invalid(f"Template error: {name} is not known")
    members = {key: evaluate(inner, scope) for key, inner in value.items()}
    return {key: member for key, member in members.items() if member is not NO_VALUE}


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _get_att(argument: Any, scope: Scope) -> Any:
    name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
    return scope.attribute(name, evaluate(attribute, scope))


def _sub(argument: Any, scope: Scope) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else argument
    values = {name: evaluate(inner, scope) for name, inner in own.items()}

    def replace(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in values:
            return _text(values[name])
        if "." in name and not name.startswith("AWS::"):
            return _text(scope.attribute(*name.split(".", 1)))
        return _text(scope.ref(name))

    return re.sub(r"\$\{([^}]*)\}", replace, text)


def _join(argument: Any, scope: Scope) -> str:
    separator, values = argument
    return str(separator).join(_text(v) for v in evaluate(values, scope))


def _if(argument: Any, scope: Scope) -> Any:
    name, yes, no = argument
    return evaluate(yes if scope.condition(name) else no, scope)


def _select(argument: Any, scope: Scope) -> Any:
    index, values = evaluate(argument, scope)
    try:
        return values[int(index)]
    except IndexError:
        raise invalid(
            f"Template error: Fn::Select cannot select nonexistent value at index {index}"
        ) from None


def _split(argument: Any, scope: Scope) -> list[str]:
    separator, text = evaluate(argument, scope)
    return str(text).split(separator)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, first, second = evaluate(argument, scope)
    try:
        return scope.template["Mappings"][name][first][second]
    except KeyError:
        raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None


def _equals(argument: Any, scope: Scope) -> bool:
    first, second = evaluate(argument, scope)
    return _text(first) == _text(second)


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(_text(evaluate(argument, scope)).encode()).decode()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": lambda argument, scope: scope.ref(argument),
    "Fn::And": lambda argument, scope: all(_truth(evaluate(one, scope)) for one in argument),
    "Fn::Base64": _base64,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Not": lambda argument, scope: not _truth(evaluate(argument[0], scope)),
    "Fn::Or": lambda argument, scope: any(_truth(evaluate(one, scope)) for one in argument),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}

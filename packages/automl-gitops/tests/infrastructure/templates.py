"""The templates as a test reads them: parsed, conditions taken as true, references resolved to plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint.decode.cfn_yaml

FOLDER = Path("infrastructure")
PROJECT = "readmission"
VALUES: dict[str, Any] = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "Project": PROJECT,
    "OidcSubjectPrefix": "repo:owner/name",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "EndpointInstanceTypes": "ml.m5.large",
    "ProjectAccount": "123456789012",
    "FunctionArns": [
        f"arn:aws:lambda:eu-west-1:123456789012:function:{PROJECT}-{name}"
        for name in ("check-autopilot", "register-model", "start-autopilot")
    ],
    "FunctionLogArns": [
        f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/{PROJECT}-{name}{spelling}"
        for name in ("check-autopilot", "register-model", "start-autopilot")
        for spelling in ("", ":*")
    ],
    "DataScientistArns": ["arn:aws:iam::123456789012:user/anna"],
    # As many and as long as automl.toml takes.
    "DataBucketArns": [f"arn:aws:s3:::{'lake-' * 12}{number:03}" for number in range(10)],
}


@cache
def load(name: str) -> dict[str, Any]:
    """A template of infrastructure/, with the functions in their long form."""
    return cfnlint.decode.cfn_yaml.load(str(FOLDER / name))


def resources(template: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The properties of all resources of one type, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def plain(value: Any, template: Mapping[str, Any]) -> Any:
    """``value`` with every function resolved, every condition being true."""
    if isinstance(value, list):
        return [plain(entry, template) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        (function, argument), *_ = value.items()
        if function == "Fn::If":
            return plain(argument[1], template)
        if function == "Fn::Sub":
            return re.sub(r"\$\{([\w:.]+)\}", lambda match: _reference(match[1], template), argument)
        if function == "Fn::Join":
            return argument[0].join(plain(argument[1], template))
        if function == "Fn::Split":
            return plain(argument[1], template).split(argument[0])
        if function == "Ref":
            return _reference(argument, template)
        if function == "Fn::GetAtt":
            return _reference(".".join(argument) if isinstance(argument, list) else argument, template)
    return {key: plain(entry, template) for key, entry in value.items()}


def _reference(name: str, template: Mapping[str, Any]) -> Any:
    if name in VALUES:
        return VALUES[name]
    resource = template["Resources"][name.split(".")[0]]
    properties = plain(resource["Properties"], template)
    if resource["Type"] == "AWS::IAM::Role":
        return f"arn:aws:iam::123456789012:role/{properties['RoleName']}"
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        return f"arn:aws:iam::123456789012:policy/{properties['ManagedPolicyName']}"
    return f"<{name}>"


def policy_documents(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every identity policy with a name that a failing test can show."""
    for name, properties in resources(template, "AWS::IAM::ManagedPolicy").items():
        yield name, plain(properties["PolicyDocument"], template)
    for name, properties in resources(template, "AWS::IAM::Role").items():
        for policy in properties.get("Policies", []):
            yield f"{name}.{policy['PolicyName']}", plain(policy["PolicyDocument"], template)


def as_list(value: Any) -> list[Any]:
    """What a policy gives as one or several."""
    return value if isinstance(value, list) else [value]

"""What a policy grants was used, and what was used is granted: the rest stands in unused.toml, by its reason.

Used is what each role called in the life of infrastructure/calls.json (`make calls`) and in the tests of uses.json
(record_uses.py), by action. On which resources, test_permissions.py and test_other_projects.py say.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from templates import FOLDER, as_list, load, plain, resources

HERE = Path(__file__).parent
FILES = ("bootstrap.yaml", "services.yaml", "people.yaml", "hosting.yaml")
HOSTING = "hosting-"  # before the name of a role of hosting.yaml
# Whose part a role of a hosting account takes, where staging or production lies there.
SIBLINGS = {
    "hosting-PlanRole": "PlanRole",
    "hosting-StagingRole": "RetrainRole",
    "hosting-ProductionRole": "PromoteRole",
    "hosting-TeardownRole": "TeardownRole",
    "hosting-ServingRole": "ServingRole",
}
Actions = dict[str, set[str]]


@cache
def granted() -> Actions:
    """The actions that each role's policies allow, every condition of the templates being true."""
    found: Actions = {}
    for file in FILES:
        managed = _managed(file) if file == "hosting.yaml" else _managed("bootstrap.yaml") | _managed(file)
        for name, properties in resources(load(file), "AWS::IAM::Role").items():
            role = plain(properties, load(file))
            own = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
            found[f"{HOSTING if file == 'hosting.yaml' else ''}{name}"] = {
                action
                for document in [*own, *(managed[arn] for arn in role["ManagedPolicyArns"])]
                for statement in document["Statement"]
                if statement["Effect"] == "Allow"
                for action in as_list(statement["Action"])
            }
    return found


def _managed(file: str) -> dict[str, Any]:
    policies = plain(list(resources(load(file), "AWS::IAM::ManagedPolicy").values()), load(file))
    return {
        f"arn:aws:iam::123456789012:policy/{policy['ManagedPolicyName']}": policy["PolicyDocument"]
        for policy in policies
    }


@cache
def used() -> Actions:
    """The actions that each role called."""
    roles = json.loads((FOLDER / "calls.json").read_text("utf-8"))["roles"]
    found = {role: {call["action"] for call in calls} for role, calls in roles.items()}
    for roles in uses().values():
        for role, actions in roles.items():
            found.setdefault(role, set()).update(actions)
    return found


@cache
def uses() -> dict[str, dict[str, list[str]]]:
    """By test and role, as record_uses.py wrote them."""
    content: dict[str, dict[str, list[str]]] = json.loads((HERE / "uses.json").read_text("utf-8"))
    return content


@cache
def reasons() -> dict[str, dict[str, Any]]:
    """The groups of unused.toml, each with `why`, `source` and `grants`, of all `actions` to each of `roles`."""
    return tomllib.loads((HERE / "unused.toml").read_text("utf-8"))


def of_reason(*names: str) -> Actions:
    """The actions of these groups by role."""
    found: Actions = {}
    for name in names:
        for grant in reasons()[name]["grants"]:
            for role in grant["roles"]:
                found.setdefault(role, set()).update(grant["actions"])
    return found


@cache
def handled(*steps: str) -> set[str]:
    """What CloudFormation asks for in these steps of the resources of stack.yaml, by the schemas of their types."""
    kinds = {resource["Type"] for resource in load("stack.yaml")["Resources"].values()}
    schemas = [PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema for kind in kinds]
    return {
        action
        for schema in schemas
        for step in steps
        for action in (schema["handlers"] | schema).get(step, {}).get("permissions", [])
    }


@pytest.mark.parametrize("role", granted())
def test_what_is_granted_is_used_or_has_a_reason(role: str) -> None:
    told = of_reason(*reasons()).get(role, set())
    unused = granted()[role] - used().get(role, set())

    assert sorted(unused - told) == [], "granted, but neither used in a test nor in unused.toml"
    assert sorted(told - unused) == [], "in unused.toml, but used by now or no longer granted"


@pytest.mark.parametrize("role", granted())
def test_what_is_used_is_granted(role: str) -> None:
    assert used().get(role, set()) - granted()[role] == set()


def test_every_role_that_acted_or_has_a_reason_is_one_of_the_templates() -> None:
    assert used().keys() | of_reason(*reasons()).keys() <= granted().keys()
    assert SIBLINGS.keys() == {role for role in granted() if role.startswith(HOSTING)}


def test_each_exception_has_one_reason_with_its_source() -> None:
    exceptions = Counter(
        (role, action)
        for group in reasons().values()
        for grant in group["grants"]
        for role in grant["roles"]
        for action in grant["actions"]
    )

    assert [one for one, times in exceptions.items() if times > 1] == []
    assert [name for name, group in reasons().items() if not (group["why"] and group["source"])] == []


@pytest.mark.parametrize("test", uses())
def test_uses_are_of_tests_that_there_are(test: str) -> None:
    assert (HERE.parent / test).is_file()


def test_what_cloudformation_is_said_to_call_stands_in_its_schemas() -> None:
    named = of_reason("cloudformation")
    known = handled("create", "read", "update", "delete", "tagging")

    assert {role: actions - known for role, actions in named.items()} == {role: set() for role in named}


def test_who_tears_down_may_do_what_cloudformation_asks_for_a_removal() -> None:
    # The functions are in no subnet, and no log group has a policy for its data.
    spared = {"ec2:DescribeNetworkInterfaces", "logs:DeleteDataProtectionPolicy"}

    assert handled("delete") - granted()["TeardownRole"] == spared


def test_a_hosting_account_s_role_may_do_what_its_sibling_does_in_the_project_s() -> None:
    named = of_reason("hosting")

    for role, actions in named.items():
        assert actions <= used()[SIBLINGS[role]], role

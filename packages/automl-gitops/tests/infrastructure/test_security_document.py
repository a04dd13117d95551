"""What docs/security.md says that each role can reach is what the templates grant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from templates import PROJECT, as_list, load, plain, resources

FILES = ("bootstrap.yaml", "services.yaml", "people.yaml")
BUCKET = f"arn:aws:s3:::{PROJECT}-123456789012-eu-west-1/"
COLUMNS = ("taken on by", "reads", "writes", "deletes", "hands on", "approves")
Statements = list[dict[str, Any]]


def managed_policies() -> dict[str, Statements]:
    """The statements of the project's policies, by their ARNs."""
    found = {}
    for file in FILES:
        for properties in resources(load(file), "AWS::IAM::ManagedPolicy").values():
            policy = plain(properties, load(file))
            arn = f"arn:aws:iam::123456789012:policy/{policy['ManagedPolicyName']}"
            found[arn] = policy["PolicyDocument"]["Statement"]
    return found


def granted() -> dict[str, dict[str, str]]:
    """For each role, what the table has to say in each of `COLUMNS`."""
    managed, rows = managed_policies(), {}
    for file in FILES:
        for name, properties in resources(load(file), "AWS::IAM::Role").items():
            role = plain(properties, load(file))
            own = [s for policy in role.get("Policies", []) for s in policy["PolicyDocument"]["Statement"]]
            statements = own + [s for arn in role["ManagedPolicyArns"] for s in managed[arn]]
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            rows[name] = dict(
                zip(
                    COLUMNS,
                    (
                        trusted(trust),
                        *(objects(statements, f"s3:{action}Object") for action in ("Get", "Put", "Delete")),
                        listed(roles_passed(statements)),
                        "yes" if approves(statements) else "no",
                    ),
                    strict=True,
                )
            )
    return rows


def listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "-"


def trusted(statement: dict[str, Any]) -> str:
    subjects = as_list(
        statement.get("Condition", {})
        .get("StringEquals", {})
        .get("token.actions.githubusercontent.com:sub", [])
    )
    found = {subject.removeprefix("repo:owner/name:") for subject in subjects}
    return listed(found or set(as_list(statement["Principal"].get("Service", "people you name"))))


def objects(statements: Statements, action: str) -> str:
    found = {
        resource.removeprefix(BUCKET).removesuffix("*")
        for statement in statements
        if statement["Effect"] == "Allow" and action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if resource.startswith(BUCKET)
    }
    return "all" if "" in found else listed(found)


def roles_passed(statements: Statements) -> set[str]:
    return {
        resource.rpartition(f"/{PROJECT}-")[2]
        for statement in statements
        if statement["Effect"] == "Allow" and "iam:PassRole" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def approves(statements: Statements) -> bool:
    updates = any(
        "sagemaker:UpdateModelPackage" in as_list(s["Action"]) for s in statements if s["Effect"] == "Allow"
    )
    return updates and not any(s["Sid"] == "NeverApprove" for s in statements)


def told() -> dict[str, dict[str, str]]:
    """The document's table."""
    text = Path("docs/security.md").read_text("utf-8")
    (heading,) = re.findall(r"^\| role \|.*$", text, re.M)
    assert tuple(cell.strip() for cell in heading.strip("|").split("|"))[1:] == COLUMNS
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text[text.index(heading) :].split("\n\n")[0].splitlines()[2:]
    ]
    return {name.strip("`"): dict(zip(COLUMNS, cells, strict=True)) for name, *cells in rows}


def test_the_table_has_every_role() -> None:
    assert list(told()) == list(granted())


@pytest.mark.parametrize("role", granted())
def test_a_role_reaches_what_the_document_says(role: str) -> None:
    assert told()[role] == granted()[role]

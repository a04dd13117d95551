"""The pipeline's definition: its steps and arrows, its parameters, and that the same files give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from automl_gitops.runs import bundle, definition
from conftest import ACCOUNT


@pytest.fixture(scope="module")
def text(config, lock) -> str:
    """The definition as `automl definition` writes it."""
    return definition.build(config, lock, ACCOUNT, bundle.build(config, lock))


@pytest.fixture(scope="module")
def document(text) -> dict[str, Any]:
    return json.loads(text)


def steps(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All steps by name, with those of a condition's branches."""
    found: dict[str, dict[str, Any]] = {}
    for step in document["Steps"]:
        found[step["Name"]] = step
        branches = step["Arguments"] if step["Type"] == "Condition" else {}
        for inner in (*branches.get("IfSteps", []), *branches.get("ElseSteps", [])):
            found[inner["Name"]] = inner
    return found


def references(value: Any) -> Iterator[str]:
    """Every `Get` within a part of the definition."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_the_steps_and_their_order(document):
    found = steps(document)

    assert {name: step["Type"] for name, step in found.items()} == {
        "StartAutopilot": "Lambda",
        "WaitForAutopilot": "Callback",
        "EvaluateModel": "Processing",
        "AcceptModel": "Condition",
        "RegisterModel": "Lambda",
        "RejectModel": "Fail",
    }
    assert found["WaitForAutopilot"]["DependsOn"] == ["StartAutopilot"]
    assert found["EvaluateModel"]["DependsOn"] == ["WaitForAutopilot"]
    assert found["AcceptModel"]["DependsOn"] == ["EvaluateModel"]


def test_what_the_gate_accepts_is_registered_and_the_rest_is_rejected(document):
    condition = steps(document)["AcceptModel"]["Arguments"]

    (decision,) = condition["Conditions"]
    assert decision["RightValue"] == "accept"
    assert decision["LeftValue"]["Std:JsonGet"]["Path"] == "decision"
    assert [step["Name"] for step in condition["IfSteps"]] == ["RegisterModel"]
    assert [step["Name"] for step in condition["ElseSteps"]] == ["RejectModel"]


def test_every_parameter_is_used_and_every_reference_exists(document):
    used = set(references(document["Steps"]))
    declared = {f"Parameters.{parameter['Name']}" for parameter in document["Parameters"]}
    outputs = {
        f"Steps.{name}.OutputParameters['{output['OutputName']}']"
        for name, step in steps(document).items()
        for output in step.get("OutputParameters", [])
    }
    files = {
        f"Steps.{name}.PropertyFiles.{file['PropertyFileName']}"
        for name, step in steps(document).items()
        for file in step.get("PropertyFiles", [])
    }

    assert {name for name in used if name.startswith("Parameters.")} == declared
    assert {name for name in used if name.startswith("Steps.")} <= outputs | files


def test_the_same_files_give_the_same_bytes(text, config, lock):
    again = definition.build(config, lock, ACCOUNT, bundle.build(config, lock))

    assert again == text


def test_the_champion_is_what_production_serves(config, lock):
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/{config.project.name}/3"

    given = definition.parameters(config, lock, arn)

    assert given["ChampionModelPackageArn"] == arn
    assert definition.parameters(config, lock)["ChampionModelPackageArn"] == definition.NONE

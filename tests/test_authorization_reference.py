"""What the local AWS checks a request against, and the service authorization reference, which policy_sentry carries."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from local_sagemaker.authorization import resources as checked


@pytest.fixture(scope="module")
def table() -> ModuleType:
    return checked


def kind(resource: str) -> str:
    """How resources of a kind begin, e.g. `model/`, up to their names and without the ARN before it."""
    ending = resource.split(":", 5)[-1] if resource.startswith("arn:") else resource
    return re.split(r"\$?\{|\*", ending)[0]


def reference(service: str, action: str) -> set[str]:
    """The kinds of resources that an action is checked against, as AWS says."""
    rows: Any = get_action_data(service, action)
    assert rows, f"{service}:{action} is no action"
    return {kind(row["resource_arn_format"]) for row in rows[service] if row["resource_arn_format"] != "*"}


def test_every_row_is_the_reference_s_or_says_why_not(table: ModuleType) -> None:
    differing, rows = set(), 0
    for service, (_, operations) in table.RESOURCES.items():
        for operation, resources in operations.items():
            known = reference(service, table.ACTIONS.get((service, operation), operation))
            # A parameter that holds an ARN may name whatever the action takes.
            whole = service != "sqs" and any(one.startswith("{") for one in resources)
            rows += 1
            if not whole and set(map(kind, resources)) != known:
                differing.add(f"{service}:{operation}")

    assert rows > 250
    assert differing == set(table.DEPARTURES)
    assert all(table.DEPARTURES.values())


def test_what_is_disputed_has_a_resource_in_the_reference(table: ModuleType) -> None:
    # Or there would be nothing to dispute: a star would be the only reading.
    assert [action for action in sorted(table.DISPUTED) if not reference(*action.split(":"))] == []

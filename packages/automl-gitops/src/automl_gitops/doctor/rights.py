"""Whether each role may do what it does in the life: IAM's own simulation of every call (iam:SimulatePrincipalPolicy).

It counts a role's policies, its boundary and the organisation's policies. It does not count what a resource allows by
itself, such as a bucket's policy.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from automl_gitops.doctor.calls import Call, filled
from automl_gitops.doctor.rows import Outcome, Row, look
from automl_gitops.kernel.environments import Project

AREA = "rights"
# Without these there is no trained and registered version on staging.
TRAINING = ("AutopilotRole", "LambdaExecutionRole", "RetrainRole", "SageMakerExecutionRole")
_MOST = 5  # denied calls that are shown of a role
_RESOURCES = 50  # of one simulation


def rights(project: Project, calls: Iterable[Call], absent: Collection[str]) -> tuple[list[Row], int]:
    """A row for each role that may do all its calls, and one for each call that is denied; the number of calls
    that were simulated.

    Roles that are ``absent`` are left out. Whoever may not simulate one role may not simulate the others either.
    """
    by_role: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.role not in absent:
            by_role[call.role].append(filled(call, project.names))
    rows: list[Row] = []
    simulated = 0
    for role, found in sorted(by_role.items()):
        asked = f"{role}: {len(found)} calls"
        seen = look(AREA, asked, lambda r=role, f=found: _simulate(project, r, f))  # type: ignore[misc]
        rows += seen
        if any(row.outcome == "unknown" for row in seen):
            break
        simulated += len(found)
    return rows, simulated


def _simulate(project: Project, role: str, calls: list[Call]) -> Iterator[Row]:
    asked = f"{role}: {len(calls)} calls"
    denied = [
        (action, resource, why)
        for context, resources, actions in _batches(calls)
        for action, resource, why in _denied(project, role, context, resources, actions)
        if not _allowed_otherwise(project, role, context, resource, action)
    ]
    if not denied:
        yield Row(AREA, asked, "good", "all are allowed")
        return
    outcome: Outcome = "stops" if role in TRAINING else "later"
    for action, resource, why in denied[:_MOST]:
        yield Row(
            AREA,
            asked,
            outcome,
            f"may not {action} on {resource}: {why}",
            "an administrator runs `make bootstrap`; if that changes nothing, a boundary or a policy of the "
            "organisation is in the way",
        )
    if len(denied) > _MOST:
        yield Row(AREA, asked, outcome, f"nor {', '.join(sorted({action for action, *_ in denied[_MOST:]}))}")


def _batches(calls: list[Call]) -> Iterator[tuple[Any, list[str], list[str]]]:
    """Few simulations that ask of each action with just its own resources: context, resources, actions."""
    actions: dict[tuple[Any, str], set[str]] = defaultdict(set)
    for call in calls:
        actions[call.context, call.resource].add(call.action)
    resources: dict[tuple[Any, frozenset[str]], list[str]] = defaultdict(list)
    for (context, resource), names in actions.items():
        resources[context, frozenset(names)].append(resource)
    for (context, asked), found in resources.items():
        for start in range(0, len(found), _RESOURCES):
            yield context, sorted(found[start : start + _RESOURCES]), sorted(asked)


def _denied(
    project: Project, role: str, context: Any, resources: list[str], actions: list[str]
) -> Iterator[tuple[str, str, str]]:
    always = {
        "aws:RequestedRegion": [project.names.region],
        "aws:ResourceAccount": [project.names.account],
        "aws:SecureTransport": ["true"],
    }
    entries = [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(values),
            "ContextKeyType": "stringList" if len(values) > 1 else "string",
        }
        for key, values in {**always, **dict(context)}.items()
    ]
    pages = (
        project.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=project.names.role_arn(f"{project.names.project}-{role}"),
            ActionNames=actions,
            ResourceArns=resources,
            ContextEntries=entries,
        )
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            for resource, decision in _decisions(result):
                if decision != "allowed":
                    yield result["EvalActionName"], resource, _why(result, decision)


def _allowed_otherwise(project: Project, role: str, context: Any, resource: str, action: str) -> bool:
    """Whether the other way of writing a log group's ARN is allowed; the service takes either."""
    if not re.search(r":log-group:[^:]+$", resource):
        return False
    return not list(_denied(project, role, context, [f"{resource}:log-stream:"], [action]))


def _decisions(result: dict[str, Any]) -> list[tuple[str, str]]:
    single = result.get("ResourceSpecificResults")
    if not single:
        return [(result.get("EvalResourceName", "*"), result["EvalDecision"])]
    return [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in single]


def _why(result: dict[str, Any], decision: str) -> str:
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "a policy of the organisation forbids it"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return "the role's permissions boundary does not allow it"
    return "a policy denies it" if decision == "explicitDeny" else "no policy of the role allows it"

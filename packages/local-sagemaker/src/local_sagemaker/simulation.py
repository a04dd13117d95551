"""iam:SimulatePrincipalPolicy, answered by the evaluation that requests go through here.

As of the real operation, a resource's own policy counts only where the request brings it along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_sagemaker.authorization import principals
from local_sagemaker.authorization.conditions import Context
from local_sagemaker.authorization.policies import Check, Principal, concerns_action, refusal, statements
from local_sagemaker.bridge import AWSError, Caller, operation

_UNSUPPORTED = ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList")


@operation("iam", "SimulatePrincipalPolicy")
def simulate(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchEntity for a role or user that there is not."""
    for name in _UNSUPPORTED:
        if parameters.get(name):
            raise AWSError("InvalidInput", f"the local AWS does not offer {name} of a simulation")
    principal = _principal(caller, parameters["PolicySourceArn"])
    resources = parameters.get("ResourceArns") or ["*"]
    keys = _context(parameters.get("ContextEntries") or []) | dict(principal.context)
    return {
        "EvaluationResults": [
            _result(principal, action, resources, keys, parameters.get("ResourcePolicy"))
            for action in parameters["ActionNames"]
        ],
        "IsTruncated": False,
    }


def _principal(caller: Caller, arn: str) -> Principal:
    principal = principals.of_arn(arn)
    if principal is None or principal.account != caller.account:
        raise AWSError("NoSuchEntity", f"The entity {arn} cannot be found.", 404)
    return principal


def _context(entries: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {entry["ContextKeyName"].lower(): list(entry["ContextKeyValues"]) for entry in entries}


def _result(
    principal: Principal, action: str, resources: list[str], keys: Context, policy: str | None
) -> dict[str, Any]:
    single = [_decision(principal, action, resource, keys, policy) for resource in resources]
    worst = next((d for kind in ("explicitDeny", "implicitDeny") for d in single if d == kind), "allowed")
    missing = sorted(_missing(principal, action, keys))
    return {
        "EvalActionName": action,
        "EvalResourceName": resources[0] if len(resources) == 1 else "*",
        "EvalDecision": worst,
        "MissingContextValues": missing,
        "ResourceSpecificResults": [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": decision,
                "MissingContextValues": missing,
            }
            for resource, decision in zip(resources, single, strict=True)
        ],
    }


def _decision(principal: Principal, action: str, resource: str, keys: Context, policy: str | None) -> str:
    parts = resource.split(":")
    owner = parts[4] if len(parts) > 5 and parts[4] else principal.account
    # Whose an object is does not stand in its ARN.
    context = {"aws:resourceaccount": [owner], "s3:resourceaccount": [owner], **keys}
    reason = refusal(principal, Check(action, (resource,), principal.account, context, policy))
    if reason is None:
        return "allowed"
    return "explicitDeny" if "explicit deny" in reason else "implicitDeny"


def _missing(principal: Principal, action: str, keys: Context) -> Iterator[str]:
    """The keys that conditions on this action ask for and the request does not bring along."""
    wanted: set[str] = set()
    for document in principal.policies:
        for statement in statements(document):
            if concerns_action(statement, action):
                wanted |= {k for condition in statement.get("Condition", {}).values() for k in condition}
    return (key for key in wanted if key.lower() not in keys)

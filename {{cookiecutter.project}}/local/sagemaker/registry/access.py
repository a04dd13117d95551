"""What a model package group's resource policy gives to other accounts."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from local.bridge import AWSError, Caller
from local.sagemaker.resources import Record, home, user_context


def require(caller: Caller, group: Record, action: str, resource: str) -> None:
    """Raise AccessDeniedException unless the caller may do ``action`` (``sagemaker:...``) with ``resource``.

    Within the group's own account IAM alone decides, which is done before an operation is called.
    """
    if home(group.arn)[0] == caller.account:
        return
    principal = user_context(caller)["IamIdentity"]["Arn"]
    statements = json.loads(group.policy or '{"Statement": []}')["Statement"]
    effects = {
        statement["Effect"]
        for statement in (statements if isinstance(statements, list) else [statements])
        if _names(statement.get("Principal"), caller.account, principal)
        and any(fnmatchcase(action.lower(), known.lower()) for known in _listed(statement["Action"]))
        and any(fnmatchcase(resource, known) for known in _listed(statement["Resource"]))
    }
    if effects != {"Allow"}:
        raise AWSError(
            "AccessDeniedException",
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} because no "
            f"resource-based policy allows the {action} action",
        )


def _names(principal: Any, account: str, caller_arn: str) -> bool:
    """Whether the policy's ``principal`` means the caller."""
    named = _listed(principal.get("AWS", [])) if isinstance(principal, dict) else _listed(principal)
    known = {"*", account, f"arn:aws:iam::{account}:root", caller_arn}
    if ":assumed-role/" in caller_arn:
        known.add(f"arn:aws:iam::{account}:role/{caller_arn.split('/')[1]}")
    return any(name in known for name in named)


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

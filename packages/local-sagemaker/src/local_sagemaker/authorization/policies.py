"""What a set of policies says of one action on one resource."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local_sagemaker.authorization.conditions import Context, arn_matches, holds, matches, substitute

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Principal:
    """Who sends a request.

    ``arn`` is a user's or a role session's; ``names`` are the forms in which a resource policy may name it,
    and ``account_names`` those in which it may name its account. ``policies``, ``boundary`` and
    ``session_policy`` are JSON documents; the latter two limit where present. ``context`` holds the
    ``aws:Principal...`` keys.
    """

    arn: str
    account: str
    names: frozenset[str]
    account_names: frozenset[str]
    policies: tuple[str, ...] = ()
    boundary: str | None = None
    session_policy: str | None = None
    context: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One question that a request raises: may this action touch this resource?

    ``resources`` are alternative spellings of one ARN; the first is the one that messages name. ``owner`` is
    the account that the resource belongs to, ``resource_policy`` the resource's own policy, if it has one.
    """

    action: str
    resources: tuple[str, ...]
    owner: str
    context: Context
    resource_policy: str | None = None


def refusal(principal: Principal, check: Check) -> str | None:
    """Why ``principal`` may not do what ``check`` asks, in the words of AWS; None if it may."""
    identity = [s for document in principal.policies for s in statements(document)]
    resource = [s for s in statements(check.resource_policy) if _concerns_principal(s, principal)]
    if _any(identity, "Deny", check):
        return "with an explicit deny in an identity-based policy"
    if _any(resource, "Deny", check):
        return "with an explicit deny in a resource-based policy"
    for document, kind in _limits(principal):
        if _any(statements(document), "Deny", check):
            return f"with an explicit deny in a {kind}"
    allowing = [s for s in resource if s.get("Effect") == "Allow" and _concerns(s, check)]
    return _unallowed(principal, check, _any(identity, "Allow", check), allowing)


def _unallowed(
    principal: Principal, check: Check, by_identity: bool, allowing: list[Statement]
) -> str | None:
    action = check.action
    # Who may use a key, its own policy says: without it the account's policies give no right either.
    by_resource = check.owner != principal.account or (check.resource_policy and action.startswith("kms:"))
    if by_resource and not allowing:
        return f"because no resource-based policy allows the {action} action"
    # Within an account a resource policy that names the caller suffices; one that names the account leaves
    # the decision to the account's identity policies. Only one that names the very user or session, and not
    # the session's role, passes the limits too.
    within = allowing if check.owner == principal.account else []
    named = any(_principal_in(s.get("Principal", {}), principal.names) for s in within)
    if not by_identity and not named:
        return f"because no identity-based policy allows the {action} action"
    if any(principal.arn in _listed(s.get("Principal", {})) for s in within):
        return None
    for document, kind in _limits(principal):
        if not _any(statements(document), "Allow", check):
            return f"because no {kind} allows the {action} action"
    return None


def _limits(principal: Principal) -> list[tuple[str, str]]:
    kinds = ((principal.boundary, "permissions boundary"), (principal.session_policy, "session policy"))
    return [(document, kind) for document, kind in kinds if document]


@lru_cache(maxsize=1024)
def statements(document: str | None) -> tuple[Statement, ...]:
    """The statements of a policy document (JSON text)."""
    if not document:
        return ()
    listed = json.loads(document).get("Statement", [])
    return tuple(listed) if isinstance(listed, list) else (listed,)


def _any(given: Iterable[Statement], effect: str, check: Check) -> bool:
    return any(s.get("Effect") == effect and _concerns(s, check) for s in given)


def _concerns(statement: Statement, check: Check) -> bool:
    return (
        concerns_action(statement, check.action)
        and _concerns_resource(statement, check)
        and holds(statement.get("Condition", {}), check.context)
    )


def concerns_action(statement: Statement, action: str) -> bool:
    """Whether the statement's Action or NotAction covers ``action`` (compared without regard to case)."""
    if "NotAction" in statement:
        return not any(matches(p.lower(), action.lower()) for p in _many(statement["NotAction"]))
    return any(matches(p.lower(), action.lower()) for p in _many(statement.get("Action", [])))


def _concerns_resource(statement: Statement, check: Check) -> bool:
    if "NotResource" in statement:
        return not _resource_matches(statement["NotResource"], check)
    # A trust policy has no Resource: it speaks of its role.
    return "Resource" not in statement or _resource_matches(statement["Resource"], check)


def _resource_matches(patterns: Any, check: Check) -> bool:
    filled = (substitute(pattern, check.context) for pattern in _many(patterns))
    return any(
        p == "*" or (p is not None and arn_matches(p, resource))
        for p in filled
        for resource in check.resources
    )


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _concerns_principal(statement: Statement, principal: Principal) -> bool:
    names = principal.names | principal.account_names
    if "NotPrincipal" in statement:
        return not _principal_in(statement["NotPrincipal"], names)
    return _principal_in(statement.get("Principal", {}), names)


def _principal_in(element: Any, names: frozenset[str]) -> bool:
    return any(name == "*" or name in names for name in _listed(element))


def _listed(element: Any) -> list[str]:
    """The names in a Principal element, of whatever kind."""
    return ["*"] if element == "*" else [name for kind in element.values() for name in _many(kind)]


def trusts(document: str, action: str, names: frozenset[str], context: Context) -> bool:
    """Whether a role's trust policy lets a principal that goes by one of ``names`` do ``action``."""
    effects = {
        s.get("Effect")
        for s in statements(document)
        if concerns_action(s, action)
        and _principal_in(s.get("Principal", {}), names)
        and holds(s.get("Condition", {}), context)
    }
    return effects == {"Allow"}

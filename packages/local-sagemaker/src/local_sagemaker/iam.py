"""Operations and limits of IAM and STS that moto lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from moto.iam.models import OpenIDConnectProvider, Role, iam_backends

from local_sagemaker.authorization.conditions import unknown_operator
from local_sagemaker.authorization.policies import statements
from local_sagemaker.bridge import AWSError, Caller, check, operation

# Characters, white space not counted. Source: IAM user guide, "IAM and AWS STS quotas"; the last is the
# default of a quota that can be raised.
MANAGED_POLICY = 6_144
ROLE_INLINE_POLICIES = 10_240
TRUST_POLICY = 2_048
POLICIES_PER_ROLE = 10
# What a role session can be given and would not have here.
SESSION_OPTIONS = (
    "PolicyArns",
    "ProvidedContexts",
    "SerialNumber",
    "SourceIdentity",
    "Tags",
    "TransitiveTagKeys",
)


def _provider(caller: Caller, parameters: dict[str, Any]) -> OpenIDConnectProvider:
    arn = parameters["OpenIDConnectProviderArn"]
    provider = iam_backends[caller.account]["aws"].open_id_providers.get(arn)
    if provider is None:
        raise AWSError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return provider


@operation("iam", "AddClientIDToOpenIDConnectProvider")
def add_client_id(caller: Caller, parameters: dict[str, Any]) -> None:
    """One that is there already is no error."""
    provider = _provider(caller, parameters)
    if parameters["ClientID"] not in provider.client_id_list:
        provider.client_id_list.append(parameters["ClientID"])


@operation("iam", "RemoveClientIDFromOpenIDConnectProvider")
def remove_client_id(caller: Caller, parameters: dict[str, Any]) -> None:
    """One that is not there is no error."""
    provider = _provider(caller, parameters)
    provider.client_id_list = [c for c in provider.client_id_list if c != parameters["ClientID"]]


@check("iam", "CreatePolicy")
@check("iam", "CreatePolicyVersion")
@check("iam", "PutRolePolicy")
@check("iam", "PutUserPolicy")
@check("iam", "CreateRole")
@check("iam", "UpdateAssumeRolePolicy")
def check_conditions(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises MalformedPolicyDocument for a condition operator that there is not; moto checks the rest."""
    text = parameters.get("PolicyDocument") or parameters.get("AssumeRolePolicyDocument") or ""
    with contextlib.suppress(ValueError, AttributeError):
        for statement in statements(text):
            operator = unknown_operator(statement.get("Condition", {}))
            if operator:
                message = f"Syntax errors in policy: unknown condition operator {operator}"
                raise AWSError("MalformedPolicyDocument", message)


@check("sts", "AssumeRole")
@check("sts", "AssumeRoleWithWebIdentity")
def check_session(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ValidationError for a session with more, or with less, than it would have here."""
    unknown = [name for name in SESSION_OPTIONS if parameters.get(name)]
    if unknown:
        raise AWSError("ValidationError", f"the local AWS does not offer {unknown[0]} of a role session")


def _size(document: str) -> int:
    return len("".join(document.split()))


def _limit(quota: str, size: int, most: int) -> None:
    if size > most:
        raise AWSError("LimitExceeded", f"Cannot exceed quota for {quota}: {most}", 409)


@check("iam", "DeletePolicy")
def check_unattached(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises DeleteConflict for a policy that a role, user or group still has."""
    iam, arn = iam_backends[caller.account]["aws"], parameters["PolicyArn"]
    holders: list[Any] = [*iam.get_roles(), *iam.users.values(), *iam.groups.values()]
    if any(arn in one.managed_policies for one in holders):
        raise AWSError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)


@check("iam", "CreatePolicy")
@check("iam", "CreatePolicyVersion")
def check_managed_policy(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises LimitExceeded."""
    _limit("PolicySize", _size(parameters["PolicyDocument"]), MANAGED_POLICY)


@check("iam", "CreateRole")
@check("iam", "UpdateAssumeRolePolicy")
def check_trust_policy(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises LimitExceeded."""
    document = parameters.get("AssumeRolePolicyDocument", parameters.get("PolicyDocument", ""))
    _limit("ACLSizePerRole", _size(document), TRUST_POLICY)


@check("iam", "CreateRole")
@check("iam", "UpdateAssumeRolePolicy")
def check_trusted(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises MalformedPolicyDocument for a user or role that there is not, in whatever account."""
    document = parameters.get("AssumeRolePolicyDocument", parameters.get("PolicyDocument", ""))
    with contextlib.suppress(ValueError, AttributeError):
        for arn in _trusted(document):
            _, partition, _, _, account, name = arn.split(":", 5)
            iam = iam_backends[account][partition]
            there = {role.arn for role in iam.get_roles()} | {user.arn for user in iam.users.values()}
            if name.startswith(("role/", "user/")) and arn not in there:
                raise AWSError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')


def _trusted(document: str) -> Iterator[str]:
    """The ARNs among a trust policy's AWS principals."""
    for statement in statements(document):
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        yield from (one for one in ([named] if isinstance(named, str) else named) if one.startswith("arn:"))


@check("iam", "PutRolePolicy")
def check_inline_policies(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises LimitExceeded for all of a role's inline policies together."""
    role = _role(caller, parameters)
    others = [d for name, d in role.policies.items() if name != parameters["PolicyName"]] if role else []
    if sum(map(_size, [*others, parameters["PolicyDocument"]])) > ROLE_INLINE_POLICIES:
        name, most = parameters["RoleName"], ROLE_INLINE_POLICIES
        raise AWSError("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for role {name}", 409)


@check("iam", "AttachRolePolicy")
def check_attached_policies(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises LimitExceeded."""
    role = _role(caller, parameters)
    attached = {*(role.managed_policies if role else ()), parameters["PolicyArn"]}
    _limit("PoliciesPerRole", len(attached), POLICIES_PER_ROLE)


def _role(caller: Caller, parameters: dict[str, Any]) -> Role | None:
    roles = list(iam_backends[caller.account]["aws"].get_roles())
    return next((role for role in roles if role.name == parameters["RoleName"]), None)

"""Who stands behind an access key, and which policies he has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import AccessKey, IAMBackend, ManagedPolicy, Role, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import PARTITION_NAMES

from local_sagemaker.authorization.policies import Principal

# What a boundary allows whose policy is not here, such as one that AWS manages.
NO_RIGHTS = '{"Statement": []}'
_ROLE_ARN = re.compile(r"arn:([a-z-]+):iam::(\d{12}):role/.+")


class UnknownKey(Exception):  # noqa: N818 - says what is wrong with the request, as the codes of AWS do
    """The access key, or the session token with it, belongs to nobody."""


class ExpiredSession(Exception):  # noqa: N818 - as above
    """The role session has ended."""


@dataclass(frozen=True)
class Signer:
    """A principal and the secret with which he signs."""

    principal: Principal
    secret: str


def signer(access_key: str, session_token: str | None) -> Signer:
    """Find whom ``access_key`` belongs to; raises :class:`UnknownKey` or :class:`ExpiredSession`."""
    backend, key = _key(access_key)
    if key.user_name:
        return _user_signer(backend, key)
    session = _session(backend, access_key)
    if session is None or session.session_token != session_token:
        raise UnknownKey(access_key)
    return _session_signer(backend, session)


def of_key(access_key: str) -> Principal:
    """Whom ``access_key`` belongs to, for what a service does in his name; raises :class:`UnknownKey`."""
    return signer(access_key, keys(access_key).get("AWS_SESSION_TOKEN")).principal


def keys(access_key: str) -> dict[str, str]:
    """The secret and the session token of ``access_key`` too; raises :class:`UnknownKey`."""
    backend, key = _key(access_key)
    session = _session(backend, access_key)
    pair = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}
    return pair | ({"AWS_SESSION_TOKEN": session.session_token} if session else {})


def _key(access_key: str) -> tuple[IAMBackend, AccessKey]:
    for partitions in list(iam_backends.values()):
        for backend in list(partitions.values()):
            if access_key in backend.access_keys:
                return backend, backend.access_keys[access_key]
    raise UnknownKey(access_key)


def _session(backend: IAMBackend, access_key: str) -> AssumedRole | None:
    return sts_backends[backend.account_id][backend.partition].get_assumed_role_from_access_key(access_key)


def _user_signer(backend: IAMBackend, key: AccessKey) -> Signer:
    user = backend.get_user_from_access_key_id(key.access_key_id)
    if user is None or key.status != "Active":
        raise UnknownKey(key.access_key_id)
    return Signer(_of_user(backend, user), key.secret_access_key)


def _of_user(backend: IAMBackend, user: User) -> Principal:
    groups = backend.get_groups_for_user(user.name)
    return Principal(
        arn=user.arn,
        account=backend.account_id,
        names=frozenset({user.arn}),
        account_names=_account_names(backend),
        policies=tuple(document for owner in (user, *groups) for document in _documents(owner)),
        context={
            "aws:principalarn": [user.arn],
            "aws:principalaccount": [backend.account_id],
            "aws:principaltype": ["User"],
            "aws:userid": [user.id],
            "aws:username": [user.name],
        },
    )


def _session_signer(backend: IAMBackend, session: AssumedRole) -> Signer:
    if session.expiration < utcnow():
        raise ExpiredSession(session.arn)
    role = find_role(session.role_arn)
    if role is None:  # deleted since
        raise UnknownKey(session.access_key_id)
    principal = _of_session(backend, role, session.arn, session.user_id)
    return Signer(replace(principal, session_policy=session.policy or None), session.secret_access_key)


def of_role(role_arn: str) -> Principal:
    """A session of the role, as a service would have it; raises :class:`UnknownKey` if there is no role."""
    role = find_role(role_arn)
    if role is None:
        raise UnknownKey(role_arn)
    session = f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/service"
    return _of_session(iam_backends[role.account_id][role.partition], role, session, f"{role.id}:service")


def of_arn(arn: str) -> Principal | None:
    """A role (as :func:`of_role` has it) or a user by ARN; None where there is none."""
    if find_role(arn):
        return of_role(arn)
    for partitions in list(iam_backends.values()):
        for backend in list(partitions.values()):
            user = next((user for user in backend.users.values() if user.arn == arn), None)
            if user:
                return _of_user(backend, user)
    return None


def _of_session(backend: IAMBackend, role: Role, session_arn: str, user_id: str) -> Principal:
    tags = role.tags.values() if isinstance(role.tags, dict) else role.tags or []
    return Principal(
        arn=session_arn,
        account=backend.account_id,
        names=frozenset({session_arn, role.arn}),
        account_names=_account_names(backend),
        policies=tuple(_documents(role)),
        boundary=_boundary(backend, role),
        context={
            "aws:principalarn": [role.arn],
            "aws:principalaccount": [backend.account_id],
            "aws:principaltype": ["AssumedRole"],
            "aws:userid": [user_id],
            **{f"aws:principaltag/{tag['Key'].lower()}": [tag["Value"]] for tag in tags},
        },
    )


def _boundary(backend: IAMBackend, role: Role) -> str | None:
    if not role.permissions_boundary_arn:
        return None
    policy = backend.managed_policies.get(role.permissions_boundary_arn)
    return _managed(policy) if policy else NO_RIGHTS


def find_role(role_arn: str) -> Role | None:
    """The role with this ARN, in whatever account; None if there is none."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None or match[1] not in PARTITION_NAMES:
        return None
    roles = list(iam_backends[match[2]][match[1]].get_roles())
    return next((role for role in roles if role.arn == role_arn), None)


def trust_policy(role: Role) -> str:
    """A role's trust policy as JSON text."""
    return _text(role.assume_role_policy_document)


def _documents(owner: Any) -> Iterable[str]:
    """Inline and attached policies of a user, group or role."""
    yield from (_text(document) for document in owner.policies.values())
    yield from (_managed(policy) for policy in owner.managed_policies.values())


def _managed(policy: ManagedPolicy) -> str:
    return next(_text(v.document) for v in policy.versions if v.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _account_names(backend: IAMBackend) -> frozenset[str]:
    return frozenset({backend.account_id, f"arn:{backend.partition}:iam::{backend.account_id}:root"})

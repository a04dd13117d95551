"""An AWS account comes into being with an administrator, as when somebody signs up."""

from __future__ import annotations

import json

from moto.iam.models import IAMBackend, iam_backends

ADMINISTRATOR = "administrator"
# By this role an organisation's first account administers the others; the name is AWS Organizations'.
ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def create(account: str, trusted: str) -> dict[str, str]:
    """Create ``account``'s administrator and return his access key as environment variables.

    The administrator of account ``trusted`` may assume the role :data:`ORGANIZATION_ROLE` there.
    """
    backend = iam_backends[account]["aws"]
    backend.create_user("us-east-1", ADMINISTRATOR)
    backend.put_user_policy(ADMINISTRATOR, "AdministratorAccess", json.dumps(ALLOW_ALL))
    key = backend.create_access_key(ADMINISTRATOR)
    if account != trusted:
        _create_organization_role(backend, trusted)
    return {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}


def _create_organization_role(backend: IAMBackend, trusted: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{trusted}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    backend.create_role(
        role_name=ORGANIZATION_ROLE,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="Administers this account from the organisation's first one",
        tags=[],
        max_session_duration="3600",
    )
    backend.put_role_policy(ORGANIZATION_ROLE, "AdministratorAccess", json.dumps(ALLOW_ALL))

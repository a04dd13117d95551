"""Acting as a role: what a service does on behalf of a user, it does with a role's credentials, over HTTP.

So every policy of the role counts, and a missing right shows here as it would on the real AWS.
"""

from __future__ import annotations

from typing import Any

from moto.sts.models import sts_backends

from local_sagemaker import clients, runtime
from local_sagemaker.authorization import principals, trust

SESSION_SECONDS = 12 * 3600


def credentials(role_arn: str, service: str | None, region: str, session: str = "") -> dict[str, str]:
    """Environment variables of a new session of ``role_arn``, as service principal ``service`` gets it.

    ``service`` is a name such as ``sagemaker.amazonaws.com``; None skips the trust policy, for a role that
    somebody already assumed. ``session`` names the session, by default after the service. Raises
    :class:`local_sagemaker.bridge.AWSError` (AccessDenied) where there is no such role
    or its trust policy does not name the service.
    """
    if service:
        trust.check_service(role_arn, service)
    account = role_arn.split(":")[4]
    role = sts_backends[account]["aws"].assume_role(
        region_name=region,
        role_session_name=session or (service or "local").split(".")[0],
        role_arn=role_arn,
        policy="",
        duration=SESSION_SECONDS,
        external_id="",
    )
    return {
        "AWS_ACCESS_KEY_ID": role.access_key_id,
        "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
        "AWS_SESSION_TOKEN": role.session_token,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": runtime.current().endpoint_url,
    }


def client(service: str, role_arn: str, region: str, principal: str = "sagemaker.amazonaws.com") -> Any:
    """A boto3 client of ``service`` that acts as ``role_arn``, assumed by service principal ``principal``."""
    return client_with(service, credentials(role_arn, principal, region))


def of_caller(access_key: str, region: str) -> dict[str, str]:
    """The environment variables of whoever signs with ``access_key``, for what a service does in his name."""
    return {
        **principals.keys(access_key),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": runtime.current().endpoint_url,
    }


def client_with(service: str, given: dict[str, str]) -> Any:
    """A boto3 client of ``service`` from environment variables such as :func:`credentials` returns."""
    return clients.client(service, given)

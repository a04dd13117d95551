"""Trust policies: who may become a role."""

from __future__ import annotations

import math
import time
from typing import Any

from moto.iam.models import iam_backends

from local_sagemaker import runtime, tokens
from local_sagemaker.authorization import principals
from local_sagemaker.authorization.conditions import Context
from local_sagemaker.authorization.policies import trusts
from local_sagemaker.bridge import AWSError

# The claims of a token that a trust policy can look at, others are not shown to it: OpenID Connect's and
# GitHub's. Source: IAM user guide, "IAM and AWS STS condition context keys", keys for OIDC federation.
CLAIMS = (
    *("amr", "aud", "sub"),
    *("actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref"),
    *("ref", "repository", "repository_id", "workflow"),
)


def check_service(role_arn: str, service: str) -> None:
    """Raise AccessDenied unless the service principal (``sagemaker.amazonaws.com``) may become the role."""
    role = principals.find_role(role_arn)
    context = {"aws:sourceaccount": [role.account_id] if role else [], "aws:principalisawsservice": ["true"]}
    if role is None or not trusts(
        principals.trust_policy(role), "sts:AssumeRole", frozenset({service}), context
    ):
        raise AWSError(
            "AccessDenied",
            f"User: {service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            403,
        )


def check_web_identity(role_arn: str, token: str, keys: Context) -> None:
    """Raise as STS does unless the JWT ``token`` may become the role; ``keys`` are the request's own.

    Looked at are the signature (see :mod:`local_sagemaker.tokens`), issuer (there must be such an identity provider in
    the role's account), audience (one of the provider's), times, and the trust policy's conditions on the claims.
    """
    claims = _claims(token)
    issuer = str(claims.get("iss", "")).removeprefix("https://").rstrip("/")
    role = principals.find_role(role_arn)
    denied = AWSError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
    if role is None:
        raise denied
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    providers = iam_backends[account][partition].open_id_providers
    provider = next((p for p in providers.values() if p.url.rstrip("/") == issuer), None)
    if provider is None:
        message = f"No OpenIDConnect provider found in your account for https://{issuer}"
        raise AWSError("InvalidIdentityToken", message)
    if claims.get("aud") not in provider.client_id_list:
        raise AWSError("InvalidIdentityToken", "Incorrect token audience")
    _check_times(claims)
    claimed = {f"{issuer}:{name}".lower(): [str(claims[name])] for name in CLAIMS if name in claims}
    names = frozenset({provider.arn})
    if not trusts(principals.trust_policy(role), "sts:AssumeRoleWithWebIdentity", names, {**keys, **claimed}):
        raise denied


def _claims(token: str) -> dict[str, Any]:
    try:
        claims = tokens.verified(runtime.current().token_secret, token)
    except ValueError as error:
        message = (
            f"The ID Token provided is not a valid JWT of this local AWS ({error}): it has to be signed with HS256 "
            f"and the secret in {tokens.VARIABLE}"
        )
        raise AWSError("InvalidIdentityToken", message) from None
    if not isinstance(claims, dict):
        raise AWSError("InvalidIdentityToken", "The ID Token provided is not a valid JWT")
    return claims


def _check_times(claims: dict[str, Any]) -> None:
    """A token has an end (`exp`), and may have a beginning (`nbf`) and a time of issue (`iat`), in Unix seconds."""
    now = time.time()
    for name in ("exp", "nbf", "iat"):
        moment = claims.get(name)
        if moment is None and name != "exp":
            continue
        if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not math.isfinite(moment):
            raise AWSError(
                "InvalidIdentityToken", f"The ID Token provided is not a valid JWT: {name} is no time"
            )
        if name == "exp" and moment <= now:
            message = f"Token expired: current date/time {now:.0f} must be before the expiration date/time {moment:.0f}"
            raise AWSError("ExpiredTokenException", message)
        if name != "exp" and moment > now:
            message = f"Token not valid yet: current date/time {now:.0f} is before its {name} {moment:.0f}"
            raise AWSError("InvalidIdentityToken", message)

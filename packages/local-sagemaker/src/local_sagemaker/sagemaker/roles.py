"""Roles that SageMaker acts as on behalf of who passed them."""

from __future__ import annotations

from local_sagemaker import actors
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker.resources import invalid

PRINCIPAL = "sagemaker.amazonaws.com"


def credentials(role_arn: str, region: str) -> dict[str, str]:
    """A session of a role. Raises ValidationException where SageMaker may not assume it."""
    try:
        return actors.credentials(role_arn, PRINCIPAL, region)
    except AWSError:
        raise invalid(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{PRINCIPAL}' to assume the role."
        ) from None

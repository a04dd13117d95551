"""What it takes that SageMaker encrypts with a key of KMS.

The volumes of instances are encrypted by a grant, which SageMaker makes in the name of whoever creates endpoint or
job. Sources: SageMaker developer guide, "API Permissions: Actions, Permissions, and Resources Reference" and
"CreateAutoMLJob API: Execution Role Permissions". Whether a job's role needs the right to make that grant too, they say
differently: it is asked of both.
"""

from __future__ import annotations

from local_sagemaker.authorization import decisions, kms, principals
from local_sagemaker.authorization.policies import Principal
from local_sagemaker.authorization.questions import of_key
from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.sagemaker.jobs import JobError
from local_sagemaker.sagemaker.resources import invalid

GRANTING = ("kms:CreateGrant", "kms:DescribeKey")
# Of its output, as the guide lists them for the role of an AutoML job.
WRITING = ("kms:Encrypt", "kms:GenerateDataKey")


def check_volume(caller: Caller, key: str | None) -> None:
    """Raise AccessDeniedException unless the caller may have a volume encrypted with ``key``, if there is one.

    Raises ValidationException for a key that there is not, or that cannot be used.
    """
    if not key:
        return
    try:
        _require(principals.of_key(caller.access_key), caller.region, key, GRANTING)
    except AWSError as error:
        if error.code == "AccessDenied":
            raise AWSError("AccessDeniedException", error.message) from None
        raise invalid(f"KMS key {key}: {error.message}") from None


def check_role(role_arn: str, region: str, *, volume: str | None = None, output: str | None = None) -> None:
    """Raise `JobError` unless a job's role may use the keys of its volumes and of its output, where there are any."""
    principal = principals.of_role(role_arn)
    try:
        for key, actions in ((volume, GRANTING), (output, WRITING)):
            if key:
                _require(principal, region, key, actions)
    except AWSError as error:
        raise JobError(f"ClientError: {error.code}: {error.message}") from None


def _require(principal: Principal, region: str, key: str, actions: tuple[str, ...]) -> None:
    if kms.is_managed(key):
        return
    arn = kms.arn(key, principal.account, region)
    kms.require_usable(arn)
    for action in actions:
        decisions.require(principal, of_key(action, arn, "sagemaker", principal.account))

"""What Autopilot does with a job's role beside reading and writing data, and the rights that this takes.

Source: SageMaker developer guide, "CreateAutoMLJob API: Execution Role Permissions".
"""

from __future__ import annotations

from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

from local_sagemaker.authorization import decisions
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker.jobs import JobError
from local_sagemaker.sagemaker.roles import PRINCIPAL

# The best model is explained by an endpoint that passes; what it took is removed again.
_EXPLAINING = {
    "model": ("CreateModel", "DescribeModel", "DeleteModel"),
    "endpoint-config": ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    "endpoint": ("CreateEndpoint", "DescribeEndpoint", "InvokeEndpoint", "ListTags", "DeleteEndpoint"),
}


def why_no_explanation(role_arn: str, job: str, region: str) -> str | None:
    """Why the best model of a job cannot be explained with its role, in the words of AWS; None if it can."""
    account = role_arn.split(":")[4]
    beginning = f"arn:{get_partition(region)}:sagemaker:{region}:{account}"
    try:
        decisions.require_of_role(role_arn, "iam:PassRole", role_arn, {"iam:passedtoservice": [PRINCIPAL]})
        for kind, operations in _EXPLAINING.items():
            for operation in operations:
                # The service cuts the job's name and adds a code.
                resource = f"{beginning}:{kind}/{job[:20]}-explain"
                decisions.require_of_role(role_arn, f"sagemaker:{operation}", resource)
    except AWSError as error:
        return error.message
    return None


def check_key(role_arn: str, key_id: str | None, region: str) -> None:
    """Raise `JobError` unless the role may encrypt output with the key: an id, an ARN, or an alias of one."""
    if not key_id:
        return
    try:
        decisions.require_of_role(role_arn, "kms:Encrypt", _key_arn(key_id, role_arn.split(":")[4], region))
    except AWSError as error:
        raise JobError(f"ClientError: {error.code}: {error.message}") from None


def _key_arn(key_id: str, account: str, region: str) -> str:
    if ":key/" in key_id:
        return key_id
    backend = kms_backends[account][region]
    name = key_id.rpartition(":")[2]
    found = backend.get_key_id_from_alias(name) if name.startswith("alias/") else name
    return f"arn:{get_partition(region)}:kms:{region}:{account}:key/{found}"

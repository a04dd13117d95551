"""Log groups that a key of KMS encrypts: CloudWatch Logs uses it itself, so the key's policy has to allow the service.

Source: CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
"""

from __future__ import annotations

from typing import Any

from moto.logs.models import LogGroup, logs_backends
from moto.utilities.utils import get_partition

from local_sagemaker.authorization import kms, resource_policies
from local_sagemaker.authorization.policies import Check, Principal, refusal
from local_sagemaker.bridge import AWSError, Caller, check, operation

# What the guide's key policy lists, where it says `ReEncrypt*`, `GenerateDataKey*` and `Describe*`.
USES = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
# On its own side a service may do everything.
_EVERYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


@check("logs", "CreateLogGroup")
def check_key(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raise InvalidParameterException unless CloudWatch Logs may use the group's key, where it gets one."""
    key = parameters.get("kmsKeyId")
    if key and not _may_use(caller, key, parameters["logGroupName"]):
        message = "The specified KMS key does not exist or is not allowed to be used with Arn "
        raise AWSError("InvalidParameterException", f"'{message}{_arn(caller, parameters['logGroupName'])}'")


@operation("logs", "AssociateKmsKey")
def associate_key(caller: Caller, parameters: dict[str, Any]) -> None:
    """From now on the group's events are encrypted with the key."""
    group = _group(caller, parameters)
    check_key(caller, parameters)
    group.kms_key_id = parameters["kmsKeyId"]


@operation("logs", "DisassociateKmsKey")
def disassociate_key(caller: Caller, parameters: dict[str, Any]) -> None:
    """From now on CloudWatch Logs encrypts with its own key."""
    _group(caller, parameters).kms_key_id = None


def _group(caller: Caller, parameters: dict[str, Any]) -> LogGroup:
    group = logs_backends[caller.account][caller.region].groups.get(parameters.get("logGroupName", ""))
    if group is None:
        raise AWSError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _arn(caller: Caller, name: str) -> str:
    return f"arn:{get_partition(caller.region)}:logs:{caller.region}:{caller.account}:log-group:{name}"


def _may_use(caller: Caller, key: str, name: str) -> bool:
    try:
        key_arn = kms.arn(key, caller.account, caller.region)
        kms.require_usable(key_arn)
    except AWSError:
        return False
    service = f"logs.{caller.region}.amazonaws.com"
    principal = Principal(service, service, frozenset({service}), frozenset(), (_EVERYTHING,))
    context = {"kms:encryptioncontext:aws:logs:arn": [_arn(caller, name)]}
    policy = resource_policies.of(key_arn)
    return all(
        refusal(principal, Check(f"kms:{use}", (key_arn,), key_arn.split(":")[4], context, policy)) is None
        for use in USES
    )

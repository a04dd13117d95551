"""Keys of KMS: which one a request means, whether it can be used, and what its use takes.

S3, SQS and SageMaker use a key in the name of whoever asks them to. Sources: S3 user guide, "Using server-side
encryption with AWS KMS keys (SSE-KMS)"; SQS developer guide, "Key management"; KMS developer guide, "Key states of AWS
KMS keys".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from local_sagemaker.bridge import AWSError

ENCRYPTING = "kms:GenerateDataKey"
DECRYPTING = "kms:Decrypt"
# Parts are decrypted before they become one object; both rights are asked when the upload begins.
_WRITING = {
    "PutObject": (ENCRYPTING,),
    "CopyObject": (ENCRYPTING,),
    "CreateMultipartUpload": (ENCRYPTING, DECRYPTING),
}
# A new data key comes encrypted too, and is decrypted where it is used again.
_MESSAGES = {
    "SendMessage": (ENCRYPTING, DECRYPTING),
    "SendMessageBatch": (ENCRYPTING, DECRYPTING),
    "ReceiveMessage": (DECRYPTING,),
}


def arn(key: str, account: str, region: str) -> str:
    """The ARN of the key that ``key`` names: an id, an alias, or an ARN of either.

    Raises NotFoundException where there is no such key; id and alias mean one of ``account`` in ``region``.
    """
    owner, place = (key.split(":")[4], key.split(":")[3]) if key.startswith("arn:") else (account, region)
    if place != region:
        raise AWSError("NotFoundException", f"Invalid arn {place}")
    named = _find(key, owner, place)
    if named is None:
        raise AWSError("NotFoundException", f"Key '{key}' does not exist")
    return str(named.arn)


def require_usable(key_arn: str) -> None:
    """Raise DisabledException or KMSInvalidStateException for a key that encrypts and decrypts nothing now."""
    named = _find(key_arn, *reversed(key_arn.split(":")[3:5]))
    if named is None or named.enabled:
        return
    if named.key_state == "Disabled":
        raise AWSError("DisabledException", f"{key_arn} is disabled.")
    raise AWSError("KMSInvalidStateException", f"{key_arn} is pending deletion.")


def is_managed(key: str) -> bool:
    """Whether it is a key of AWS's own, such as ``alias/aws/s3``, which everybody of the account may use."""
    return key.rpartition(":")[2].startswith("alias/aws/")


def _find(key: str, account: str, region: str) -> Key | None:
    if region not in kms_backends[account]:
        return None
    backend = kms_backends[account][region]
    name = backend.get_key_id(backend.get_alias_name(key))
    wanted = backend.get_key_id_from_alias(name) if name.startswith("alias/") else name
    known: Key | None = backend.keys.get(wanted or "")
    return known


def of_s3(
    operation: str, parameters: Mapping[str, Any], headers: Mapping[str, str], account: str
) -> Iterator[tuple[str, str]]:
    """The (action, key's ARN) pairs that a request to S3 takes beside S3's own rights.

    Raises :class:`AWSError`, as S3 words it, where there is no such key or it cannot be used.
    """
    try:
        for action, key_arn in _of_s3(operation, parameters, headers, account):
            require_usable(key_arn)
            yield action, key_arn
    except AWSError as error:
        raise AWSError(f"KMS.{error.code}", error.message) from None


def of_sqs(operation: str, queue_arn: str) -> Iterator[tuple[str, str]]:
    """As `of_s3`, of a request to the queue; ``queue_arn`` is `*` where the request names none."""
    if operation not in _MESSAGES:
        return
    region, account, name = queue_arn.split(":")[3:6]
    queue = sqs_backends[account][region].queues.get(name)
    key = queue and queue.kms_master_key_id  # type: ignore[attr-defined]  # set from the queue's attributes
    if not key or is_managed(key):
        return
    try:
        key_arn = arn(key, account, region)
        require_usable(key_arn)
    except AWSError as error:
        name = error.code.removeprefix("KMS").removesuffix("Exception")  # as SQS's model spells it
        raise AWSError(f"Kms{name}", error.message) from None
    yield from ((action, key_arn) for action in _MESSAGES[operation])


def _of_s3(
    operation: str, parameters: Mapping[str, Any], headers: Mapping[str, str], account: str
) -> Iterator[tuple[str, str]]:
    bucket, name = _bucket(parameters.get("Bucket", "")), parameters.get("Key", "")
    if operation in _WRITING and bucket:
        key = _key_of_new(bucket, headers)
        if key and not is_managed(key):
            key_arn = arn(key, account, bucket.region_name)
            yield from ((action, key_arn) for action in _WRITING[operation])
    # An object's checksum is encrypted with it.
    with_checksum = operation == "HeadObject" and "x-amz-checksum-mode" in headers
    if bucket and (operation in ("GetObject", "GetObjectAttributes") or with_checksum):
        yield from _reading(bucket, name, parameters.get("versionId"))
    if "x-amz-copy-source" in headers:
        source, _, query = headers["x-amz-copy-source"].lstrip("/").partition("?")
        bucket_name, _, name = unquote(source).partition("/")
        copied = _bucket(bucket_name)
        if copied:
            yield from _reading(copied, name, parse_qs(query).get("versionId", [None])[0])


def _reading(bucket: FakeBucket, name: str, version: str | None) -> Iterator[tuple[str, str]]:
    versions = bucket.keys.getlist(name, default=[])
    stored = [one for one in versions if version is None or str(one.version_id) == version]
    if not stored or not str(getattr(stored[-1], "encryption", "")).startswith("aws:kms"):
        return
    key = stored[-1].kms_key_id
    if key and not is_managed(key):
        yield DECRYPTING, arn(key, bucket.account_id, bucket.region_name)


def _key_of_new(bucket: FakeBucket, headers: Mapping[str, str]) -> str | None:
    """What a new object is encrypted with: by the request, or else by the bucket's default."""
    how = headers.get("x-amz-server-side-encryption")
    if how is not None:
        return (
            headers.get("x-amz-server-side-encryption-aws-kms-key-id") if how.startswith("aws:kms") else None
        )
    rule = (bucket.encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
    return rule.get("KMSMasterKeyID") if str(rule.get("SSEAlgorithm")).startswith("aws:kms") else None


def _bucket(name: str) -> FakeBucket | None:
    if name not in s3_backends.bucket_accounts:
        return None
    partition, owner = s3_backends.bucket_accounts[name]
    bucket: FakeBucket = s3_backends[owner][partition].buckets[name]
    return bucket


def context(service: str, account: str, region: str) -> dict[str, list[str]]:
    """The condition keys of a use that ``service`` makes of a key in the name of somebody of ``account``."""
    partition = get_partition(region)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {"kms:calleraccount": [account], "kms:viaservice": [f"{service}.{region}.{suffix}"]}

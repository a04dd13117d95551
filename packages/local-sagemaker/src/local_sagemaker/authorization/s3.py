"""S3's actions, whose names are not those of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from moto.s3.models import s3_backends

from local_sagemaker.bridge import AWSError

ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CopyObject": "PutObject",
}
COPIED = "x-amz-copy-source"
OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
VERSIONED = (
    "GetObject",
    "HeadObject",
    "DeleteObject",
    "GetObjectTagging",
    "PutObjectTagging",
    "GetObjectAttributes",
)


def actions(
    operation: str, parameters: Mapping[str, Any], headers: Mapping[str, str]
) -> list[tuple[str, str, str | None]]:
    """The (action, bucket, key) triples that an operation needs; the bucket is ``*`` where it names none."""
    name = ACTIONS.get(operation, operation)
    if operation in VERSIONED and parameters.get("versionId"):
        name += "Version"
    bucket, key = parameters.get("Bucket", "*"), parameters.get("Key")
    if operation == "DeleteObjects":
        objects = (parameters.get("Delete") or {}).get("Objects") or []
        return [
            ("s3:DeleteObjectVersion" if o.get("VersionId") else "s3:DeleteObject", bucket, o.get("Key"))
            for o in objects
        ]
    needed = [(f"s3:{name}", bucket, key)]
    if operation == "GetObjectAttributes":
        needed.append(("s3:GetObject", bucket, key))
    if COPIED in headers:
        needed.append(("s3:GetObject", *_source(headers)))
    if "x-amz-tagging" in headers:
        needed.append(("s3:PutObjectTagging", bucket, key))
    if "x-amz-acl" in headers and key:
        needed.append(("s3:PutObjectAcl", bucket, key))
    return needed


def check_owners(parameters: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Raise as S3 does where a bucket is not of the account that the caller expects to own it.

    That is ExpectedBucketOwner, a header or in a presigned URL's query; of a copy ExpectedSourceBucketOwner too.
    """
    expected = {name: parameters.get(name, headers.get(name)) for name in OWNERS}
    buckets = (parameters.get("Bucket"), _source(headers)[0] if COPIED in headers else None)
    for bucket, owner in zip(buckets, expected.values(), strict=True):
        if owner is None:
            continue
        if not (len(owner) == 12 and owner.isascii() and owner.isdecimal()):
            message = "The value of the expected bucket owner parameter must be an AWS account ID"
            raise AWSError("InvalidBucketOwnerAWSAccountID", message)
        if bucket in s3_backends.bucket_accounts and s3_backends.bucket_accounts[bucket][1] != owner:
            raise AWSError("AccessDenied", "Access Denied", 403)


def _source(headers: Mapping[str, str]) -> tuple[str, str]:
    """Bucket and key of what is copied."""
    bucket, _, key = unquote(headers[COPIED]).lstrip("/").partition("?")[0].partition("/")
    return bucket, key

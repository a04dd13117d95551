"""S3's actions, whose names are not those of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

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
    found = [(f"s3:{name}", bucket, key)]
    if operation == "GetObjectAttributes":
        found.append(("s3:GetObject", bucket, key))
    if "x-amz-copy-source" in headers:
        source = unquote(headers["x-amz-copy-source"]).lstrip("/").partition("?")[0]
        found.append(("s3:GetObject", source.partition("/")[0], source.partition("/")[2]))
    if "x-amz-tagging" in headers:
        found.append(("s3:PutObjectTagging", bucket, key))
    if "x-amz-acl" in headers and key:
        found.append(("s3:PutObjectAcl", bucket, key))
    return found

"""AWS::S3::Bucket, AWS::S3::BucketPolicy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Unsupported, Work

# A lifecycle rule's members; those of EXPIRATION are in a structure of their own in S3's API.
LIFECYCLE = {"AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status"}
EXPIRATION = {"ExpirationInDays": "Days", "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}


class _Bucket(ResourceType):
    """Ref is the name. Deleting it fails while it holds an object, as CloudFormation's does."""

    name = "AWS::S3::Bucket"
    properties = frozenset(
        {
            "BucketEncryption",
            "BucketName",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        }
    )
    fixed = frozenset({"BucketName"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("BucketName") or work.name(63).lower()
        place = None if work.region == "us-east-1" else {"LocationConstraint": work.region}
        work.call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place)
        self._know(work, name)
        self._configure(work, {}, new)

    def adopt(self, work: Work, identifier: Mapping[str, str]) -> None:
        work.call("s3", "head_bucket", Bucket=identifier["BucketName"])
        self._know(work, identifier["BucketName"])

    def _know(self, work: Work, name: str) -> None:
        work.made = name
        work.attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{work.region}.amazonaws.com",
        }

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._configure(work, old, new)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("s3", "delete_bucket", Bucket=work.made)

    def _configure(self, work: Work, old: Properties, new: Properties) -> None:
        for name, (put, delete, parameter, convert) in _SETTINGS.items():
            if new.get(name) == old.get(name):
                continue
            if name in new:
                work.call("s3", put, Bucket=work.made, **{parameter: convert(new[name])})
            elif delete:
                work.call("s3", delete, Bucket=work.made)
            else:
                work.call("s3", put, Bucket=work.made, **{parameter: {"Status": "Suspended"}})
        tags = work.tag_list(new.get("Tags"))
        if tags:
            work.call("s3", "put_bucket_tagging", Bucket=work.made, Tagging={"TagSet": tags})


def _encryption(given: Any) -> Any:
    renamed = [
        {
            "ApplyServerSideEncryptionByDefault" if k == "ServerSideEncryptionByDefault" else k: v
            for k, v in r.items()
        }
        for r in given["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": renamed}


def _lifecycle(given: Any) -> Any:
    rules = []
    for rule in given["Rules"]:
        unknown = sorted(set(rule) - LIFECYCLE - set(EXPIRATION) - {"Id", "Prefix"})
        if unknown:
            raise Unsupported(f"Encountered unsupported property {unknown[0]} of a lifecycle rule")
        expiration = {member: rule[name] for name, member in EXPIRATION.items() if name in rule}
        rules.append(
            {name: rule[name] for name in LIFECYCLE if name in rule}
            | {"Filter": {"Prefix": rule.get("Prefix", "")}}
            | ({"ID": rule["Id"]} if "Id" in rule else {})
            | ({"Expiration": expiration} if expiration else {})
        )
    return {"Rules": rules}


# property: (operation that puts it, one that deletes it, the parameter, how the property becomes that)
_SETTINGS: dict[str, tuple[str, str | None, str, Any]] = {
    "BucketEncryption": (
        "put_bucket_encryption",
        "delete_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        _encryption,
    ),
    "LifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        "delete_bucket_lifecycle",
        "LifecycleConfiguration",
        _lifecycle,
    ),
    "OwnershipControls": (
        "put_bucket_ownership_controls",
        "delete_bucket_ownership_controls",
        "OwnershipControls",
        lambda given: given,
    ),
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        "delete_public_access_block",
        "PublicAccessBlockConfiguration",
        lambda given: given,
    ),
    "VersioningConfiguration": (
        "put_bucket_versioning",
        None,
        "VersioningConfiguration",
        lambda given: given,
    ),
}


class _BucketPolicy(ResourceType):
    """Ref is the bucket's name."""

    name = "AWS::S3::BucketPolicy"
    properties = frozenset({"Bucket", "PolicyDocument"})
    required = properties
    fixed = frozenset({"Bucket"})

    def create(self, work: Work, new: Properties) -> None:
        self.update(work, {}, new)
        work.made = new["Bucket"]

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        work.call("s3", "put_bucket_policy", Bucket=new["Bucket"], Policy=json.dumps(new["PolicyDocument"]))

    def delete(self, work: Work, old: Properties) -> None:
        work.call("s3", "delete_bucket_policy", Bucket=old["Bucket"])

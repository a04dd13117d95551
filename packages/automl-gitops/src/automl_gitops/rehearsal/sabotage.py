"""A version that passes staging and breaks afterwards: somebody overwrites its archive in the bucket."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

# What the new version's own copy of the candidate is called.
KEY = "autopilot/second-version/model.tar.gz"
_PASSED_ON = (
    "CustomerMetadataProperties",
    "Domain",
    "InferenceSpecification",
    "MetadataProperties",
    "ModelMetrics",
    "ModelPackageDescription",
    "ModelPackageGroupName",
    "SourceUri",
    "Task",
)
_OF_VERIFICATION = ("verification", "verification_record")


def register_copy(sagemaker: Any, s3: Any, bucket: str, model_package_arn: str) -> str:
    """Register a second version that is a copy of the first, with an archive of its own; returns its ARN."""
    first = sagemaker.describe_model_package(ModelPackageName=model_package_arn)
    request = {key: first[key] for key in _PASSED_ON if first.get(key)}
    request["CustomerMetadataProperties"] = {
        key: value
        for key, value in first["CustomerMetadataProperties"].items()
        if key not in _OF_VERIFICATION
    }
    specification = _given(first["InferenceSpecification"])
    # The first container is the one that reads the rows; in tuning mode others follow.
    reader, *others = map(_given, specification["Containers"])
    source, _, key = reader["ModelDataUrl"].removeprefix("s3://").partition("/")
    s3.copy_object(Bucket=bucket, Key=KEY, CopySource={"Bucket": source, "Key": key})
    specification["Containers"] = [reader | {"ModelDataUrl": f"s3://{bucket}/{KEY}"}, *others]
    request["InferenceSpecification"] = specification
    return sagemaker.create_model_package(**request, ModelApprovalStatus="PendingManualApproval")[
        "ModelPackageArn"
    ]


def _given(described: dict[str, Any]) -> dict[str, Any]:
    """What was given when something was created: a description tells of empty parts too."""
    return {key: value for key, value in described.items() if value not in (None, [], {})}


def break_archive(s3: Any, bucket: str) -> None:
    """Overwrite the second version's archive by one that starts and refuses every request.

    It is as if it came from a training on one column less: the containers load it, and no row fits.
    """
    old = io.BytesIO(s3.get_object(Bucket=bucket, Key=KEY)["Body"].read())
    new = io.BytesIO()
    with (
        tarfile.open(fileobj=old) as source,
        tarfile.open(fileobj=new, mode="w:gz", compresslevel=1) as target,
    ):
        for member in source:
            content = source.extractfile(member)
            data = content.read() if content else b""
            if member.name == "model.json":
                description = json.loads(data)
                for part in ("columns", "features"):
                    description[part] = description[part][:-1]
                data = json.dumps(description).encode()
                member.size = len(data)
            target.addfile(member, io.BytesIO(data) if content else None)
    s3.put_object(Bucket=bucket, Key=KEY, Body=new.getvalue())

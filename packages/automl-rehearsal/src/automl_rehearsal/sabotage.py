"""A version that breaks after staging: somebody overwrites its archive while it is promoted."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from automl_gitops.kernel.errors import RunError
from automl_gitops.kernel.waiting import repeating
from automl_rehearsal.aws import COMMAND, program

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
_OF_VERIFICATION = ("verification", "archive_")  # how the keys begin


def register_copy(sagemaker: Any, s3: Any, bucket: str, model_package_arn: str) -> str:
    """Register a second version that is a copy of the first, with an archive of its own; returns its ARN."""
    first = sagemaker.describe_model_package(ModelPackageName=model_package_arn)
    request = {key: first[key] for key in _PASSED_ON if first.get(key)}
    request["CustomerMetadataProperties"] = {
        key: value
        for key, value in first["CustomerMetadataProperties"].items()
        if not key.startswith(_OF_VERIFICATION)
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


def broken_archive(s3: Any, bucket: str) -> bytes:
    """The second version's archive as of a training on one column less: the containers load it, and no row fits.

    Raises `RunError` where what lies there is no model's archive.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "model.tar.gz"
        s3.download_file(bucket, KEY, str(archive))
        ended = subprocess.run(  # noqa: S603 - a package's command
            [program(), "spoil", archive], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if ended.returncode:
            raise RunError(f"{COMMAND} spoil: {ended.stderr.strip()}")
        return archive.read_bytes()


def overwriting(sagemaker: Any, s3: Any, bucket: str, content: bytes, endpoint: str) -> Any:
    """Overwrite the second version's archive once ``endpoint`` gets its model: its bytes were compared then."""
    left = [content]

    def look() -> None:
        if left and sagemaker.list_models(NameContains=f"{endpoint}-v2-")["Models"]:
            s3.put_object(Bucket=bucket, Key=KEY, Body=left.pop())

    return repeating(look, 0.1)

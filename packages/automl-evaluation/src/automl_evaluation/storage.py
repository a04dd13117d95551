"""S3: addresses, listings, downloads, and small JSON objects."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from automl_evaluation.errors import EvaluationError


def address(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    place = urlsplit(uri)
    return place.netloc, place.path.lstrip("/")


def keys(s3: Any, prefix_uri: str) -> dict[str, int]:
    """The objects below a prefix, by key relative to it, with their sizes in bytes; no folder markers."""
    bucket, prefix = address(prefix_uri.rstrip("/") + "/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    sizes = {
        item["Key"].removeprefix(prefix): item["Size"] for page in pages for item in page.get("Contents", [])
    }
    return {key: size for key, size in sorted(sizes.items()) if key and not key.endswith("/")}


def download(s3: Any, uri: str, path: Path) -> Path:
    """Copy an object to a file, whose folders are made."""
    bucket, key = address(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    s3.download_file(bucket, key, str(path))
    return path


def upload(s3: Any, path: Path, uri: str, kms_key: str | None) -> None:
    """Copy a file to an object. Raises `EvaluationError` where S3 refuses it."""
    bucket, key = address(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        s3.upload_file(str(path), bucket, key, ExtraArgs=encryption)
    except S3UploadFailedError as error:  # boto3 hides the service's own error in one of no common class
        raise EvaluationError(f"{uri} could not be written: {error}") from None


def read_json(s3: Any, uri: str) -> Any | None:
    """The JSON document at an address; `None` where there is none or it may not be read."""
    bucket, key = address(uri)
    try:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "AccessDenied", "404", "403"):
            return None
        raise
    except (ValueError, RecursionError):
        return None

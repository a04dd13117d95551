"""The bytes of a version's model archives: by URL, their SHA-256 in hex, a blank, and the S3 version's id.

An instance loads what lies at its ModelDataUrl when it starts, also where an endpoint scales out. A model takes no S3
version there (SageMaker API reference, ContainerDefinition): only a comparison ties it to what was verified.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.serving.registry import ModelPackage


def read(s3: Any, package: ModelPackage) -> dict[str, str]:
    """What a version's containers would load now; "" for an archive that is gone."""
    return read_again(s3, {one["ModelDataUrl"]: "" for one in package.containers if "ModelDataUrl" in one})


def read_again(s3: Any, known: Mapping[str, str]) -> dict[str, str]:
    """What lies there now; an S3 version never changes, so only another one is hashed."""
    return {url: _read(s3, url, text) for url, text in known.items()}


def difference(known: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Which archive has other bytes than known; "" where none has."""
    for url, text in known.items():
        now = found.get(url, "")
        if now.split()[:1] != text.split()[:1]:
            return f"the archive {url} is {told(now)}, instead of {told(text)}"
    return ""


def replaced(s3: Any, known: Mapping[str, str]) -> list[str]:
    """A sentence on each that has another version now; takes no right to read it."""
    sentences = []
    for url, text in known.items():
        _, _, bucket, key = url.split("/", 3)
        listed = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
        newest = [one["VersionId"] for one in listed if one["Key"] == key and one["IsLatest"]]
        if newest != text.split()[1:]:
            now = f"version {newest[0]}" if newest else "gone"
            sentences.append(
                f"the archive {url} is {now}, instead of {told(text)}: a new instance loads other bytes"
            )
    return sentences


def told(text: str) -> str:
    """An archive in words."""
    sha256, _, version = text.partition(" ")
    return f"version {version}, SHA-256 {sha256}" if text else "gone"


def notes(archives: Mapping[str, str]) -> dict[str, str]:
    """As metadata of the model package."""
    return {f"archive_{number}": text for number, text in enumerate(archives.values(), start=1)}


def _read(s3: Any, url: str, known: str) -> str:
    _, _, bucket, key = url.split("/", 3)
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return ""
        raise
    version = answer.get("VersionId", "null")  # which is overwritten in place
    if known.split()[1:] == [version] != ["null"]:
        answer["Body"].close()
        return known
    hashed = hashlib.sha256()
    for block in answer["Body"].iter_chunks(1 << 20):
        hashed.update(block)
    return f"{hashed.hexdigest()} {version}"

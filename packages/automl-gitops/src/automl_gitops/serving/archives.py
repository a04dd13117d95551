"""The bytes of a version's model archives, by URL; where they are kept, an archive's are one text (`Archive`).

An instance loads what lies at its ModelDataUrl when it starts, also where an endpoint scales out. A model takes no S3
version there (SageMaker API reference, ContainerDefinition): only a comparison ties it to what was verified.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.serving.registry import ModelPackage

_OVERWRITTEN = "null"  # the version's id in a bucket that keeps one alone


@dataclass(frozen=True)
class Archive:
    """An archive's bytes: their SHA-256 in hex, and the id of their S3 version; both "" for one that is gone."""

    sha256: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> "Archive":
        """From its text, which is "" for one that is gone."""
        sha256, _, version = text.partition(" ")
        return cls(sha256, version)

    @property
    def text(self) -> str:
        """As it is kept: the two with a blank between them."""
        return f"{self.sha256} {self.version}".strip()

    def __str__(self) -> str:
        """In words."""
        return f"version {self.version}, SHA-256 {self.sha256}" if self.sha256 else "gone"


def read(s3: Any, package: ModelPackage) -> dict[str, str]:
    """What a version's containers would load now."""
    return read_again(s3, {one["ModelDataUrl"]: "" for one in package.containers if "ModelDataUrl" in one})


def read_again(s3: Any, known: Mapping[str, str]) -> dict[str, str]:
    """What lies there now; an S3 version never changes, so only another one is hashed."""
    return {url: _read(s3, url, Archive.parse(text)).text for url, text in known.items()}


def difference(known: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which archive has other bytes than known; "" where none has."""
    for url, text in known.items():
        had, has = Archive.parse(text), Archive.parse(now.get(url, ""))
        if has.sha256 != had.sha256:
            return f"the archive {url} is {has}, instead of {had}"
    return ""


def replaced(s3: Any, known: Mapping[str, str]) -> list[str]:
    """A sentence on each that has another version now; takes no right to read it."""
    sentences = []
    for url, text in known.items():
        _, _, bucket, key = url.split("/", 3)
        had = Archive.parse(text)
        versions = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
        newest = next((one["VersionId"] for one in versions if one["Key"] == key and one["IsLatest"]), "")
        if newest != had.version:
            now = f"version {newest}" if newest else "gone"
            sentences.append(
                f"the archive {url} is {now}, instead of {had}: a new instance loads other bytes"
            )
    return sentences


def notes(archives: Mapping[str, str]) -> dict[str, str]:
    """As metadata of the model package."""
    return {f"archive_{number}": text for number, text in enumerate(archives.values(), start=1)}


def _read(s3: Any, url: str, known: Archive) -> Archive:
    _, _, bucket, key = url.split("/", 3)
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return Archive()
        raise
    version = answer.get("VersionId", _OVERWRITTEN)
    if known.version == version != _OVERWRITTEN:
        answer["Body"].close()
        return known
    hashed = hashlib.sha256()
    for block in answer["Body"].iter_chunks(1 << 20):
        hashed.update(block)
    return Archive(hashed.hexdigest(), version)

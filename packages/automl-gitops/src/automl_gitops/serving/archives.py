"""The bytes of a version's model archives, which a proof has to be about.

An instance loads what lies at its container's ModelDataUrl when it starts, also when an endpoint scales out. A model
names no S3 version there (SageMaker API reference, ContainerDefinition): only a comparison ties it to verified bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.serving.registry import ModelPackage, metadata_value

_BLOCK = 1 << 20  # bytes that are hashed at a time: an archive may have gigabytes
_UNVERSIONED = "null"  # S3's own name of the version that is overwritten in place


@dataclass(frozen=True)
class Archive:
    """An archive: its S3 URL, the id of its version, and its SHA-256 in hex; both are "" where it is gone."""

    url: str
    version_id: str
    sha256: str

    def __str__(self) -> str:
        return f"version {self.version_id}, SHA-256 {self.sha256}" if self.sha256 else "gone"

    def document(self) -> dict[str, str]:
        """As it stands in JSON."""
        return asdict(self)


def of(documents: Iterable[Mapping[str, str]]) -> tuple[Archive, ...]:
    """From what `document` gave."""
    return tuple(Archive(**one) for one in documents)


def read(s3: Any, package: ModelPackage) -> tuple[Archive, ...]:
    """What a version's containers would load now, in their order."""
    urls = dict.fromkeys(one["ModelDataUrl"] for one in package.containers if "ModelDataUrl" in one)
    return tuple(_look(s3, Archive(url, "", "")) for url in urls)


def read_again(s3: Any, known: Iterable[Archive]) -> tuple[Archive, ...]:
    """What lies now where these were. The bytes of an S3 version never change: only another one is hashed."""
    return tuple(_look(s3, one) for one in known)


def difference(known: Iterable[Archive], found: Iterable[Archive]) -> str:
    """Which archive has other bytes than the one that is known, both told; "" where none has."""
    now = {one.url: one for one in found}
    for one in known:
        other = now.get(one.url, Archive(one.url, "", ""))
        if other.sha256 != one.sha256:
            return f"the archive {one.url} is {other}, instead of {one}"
    return ""


def replaced(s3: Any, known: Iterable[Archive]) -> list[str]:
    """A sentence on each archive that has a newer version than the known one; takes no right to read any."""
    sentences = []
    for one in known:
        bucket, key = _address(one.url)
        listed = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
        newest = next(
            (entry["VersionId"] for entry in listed if entry["Key"] == key and entry["IsLatest"]), ""
        )
        if newest != one.version_id:
            now = f"has version {newest}" if newest else "is gone"
            sentences.append(
                f"the archive {one.url} {now}, while version {one.version_id} was deployed: a new instance would "
                "not load what was verified"
            )
    return sentences


def digest(archives: Iterable[Archive]) -> str:
    """A hash of all their bytes, in hex."""
    return hashlib.sha256("".join(one.sha256 or "-" for one in archives).encode()).hexdigest()


def notes(archives: Iterable[Archive]) -> dict[str, str]:
    """As metadata of the model package."""
    return {
        f"archive_{number}": metadata_value(f"{one.sha256} {one.version_id}")
        for number, one in enumerate(archives, start=1)
    }


def _look(s3: Any, known: Archive) -> Archive:
    bucket, key = _address(known.url)
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return Archive(known.url, "", "")
        raise
    version, body = answer.get("VersionId", _UNVERSIONED), answer["Body"]
    if version == known.version_id != _UNVERSIONED:
        body.close()
        return known
    hashed = hashlib.sha256()
    for block in body.iter_chunks(_BLOCK):
        hashed.update(block)
    return Archive(known.url, version, hashed.hexdigest())


def _address(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key

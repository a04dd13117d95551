"""Objects in S3, read and written with the credentials of whoever's job it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker import clients

AT_ONCE = 8 * 1024 * 1024  # bytes; from here on boto3 transfers in parts


@dataclass(frozen=True)
class Object:
    """An object in S3; ``name`` is its key relative to the prefix that it was found under."""

    bucket: str
    key: str
    name: str
    size: int

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


class NothingFoundError(Exception):
    """No object where a job was told to read."""


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


class Storage:
    """S3 with ``credentials`` (``AWS_ACCESS_KEY_ID`` ..., as :mod:`local_sagemaker.actors` gives them)."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self.client: Any = clients.client("s3", credentials)

    def find(self, uri: str, data_type: str = "S3Prefix") -> list[Object]:
        """The objects that a data source names, ordered by key; ``data_type`` S3Prefix or ManifestFile.

        Raises NothingFoundError where there is none, and botocore's ClientError.
        """
        objects = list(self._in_manifest(uri) if data_type == "ManifestFile" else self._under(uri))
        if not objects:
            raise NothingFoundError(f'No S3 objects found under S3 URL "{uri}" given in input data source.')
        return objects

    def _under(self, uri: str) -> Iterator[Object]:
        bucket, prefix = split(uri)
        base = _base(prefix)
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                key = entry["Key"]
                if key.endswith("/"):  # a "folder" of the console
                    continue
                inside = key.startswith(prefix + "/")
                name = key[len(prefix) + 1 :] if inside else key[len(base) :]
                yield Object(bucket, key, name, entry["Size"])

    def _in_manifest(self, uri: str) -> Iterator[Object]:
        bucket, key = split(uri)
        first, *names = json.loads(self.read(bucket, key))
        target, prefix = split(first["prefix"])
        for name in names:
            size = self.client.head_object(Bucket=target, Key=prefix + name)["ContentLength"]
            yield Object(target, prefix + name, name, size)

    def read(self, bucket: str, key: str) -> bytes:
        """The content of an object."""
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def download(self, item: Object, path: Path) -> None:
        """Write an object to the file ``path``, whose folders are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if item.size <= AT_ONCE:  # one request, where a transfer asks for the size again and starts threads
            path.write_bytes(self.read(item.bucket, item.key))
        else:
            self.client.download_file(item.bucket, item.key, str(path))

    def write(self, uri: str, content: bytes, key_id: str | None = None) -> None:
        """Create or replace an object, encrypted with the KMS key ``key_id`` where there is one."""
        bucket, key = split(uri)
        self.client.put_object(Bucket=bucket, Key=key, Body=content, **_encryption(key_id))

    def upload(self, path: Path, uri: str, key_id: str | None = None) -> None:
        """Create or replace an object from the file ``path``."""
        bucket, key = split(uri)
        self.client.upload_file(str(path), bucket, key, ExtraArgs=_encryption(key_id))

    def upload_folder(self, folder: Path, uri: str, key_id: str | None = None) -> None:
        """Every file below ``folder`` under the prefix ``uri``."""
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            self.upload(path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", key_id)


def _base(prefix: str) -> str:
    return prefix[: prefix.rfind("/") + 1]


def _encryption(key_id: str | None) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}

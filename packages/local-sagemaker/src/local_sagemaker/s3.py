"""Moto's CopyObject, made right for objects that were uploaded in parts.

The checksum of such an object is one of its parts' checksums; a copy is in one piece, and S3 computes that of the
whole (S3 User Guide, "Checking object integrity"). Moto gives the copy the original's, which no client can verify.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeKey, S3Backend
from moto.s3.utils import compute_checksum

_copy = S3Backend.copy_object


def copy_object(
    self: S3Backend, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, *more: Any, **options: Any
) -> None:
    """S3Backend.copy_object; the copy has a checksum of its own."""
    _copy(self, src_key, dest_bucket_name, dest_key_name, *more, **options)
    copied = self.get_object(dest_bucket_name, dest_key_name)
    if copied is not None and copied.checksum_algorithm:
        copied.checksum_value = compute_checksum(copied.value, copied.checksum_algorithm).decode()


S3Backend.copy_object = copy_object

"""Objects that were uploaded in parts, and copies of them."""

from __future__ import annotations

import random

import pytest

from support.unique import unique

PART = 5 * 1024 * 1024  # the least that S3 takes as a part, but for the last one


@pytest.fixture
def bucket(local_aws) -> str:
    name = unique("core-parts")
    local_aws.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": local_aws.region}
    )
    return name


def test_a_copy_of_an_object_in_parts_can_be_read(local_aws, bucket):
    s3 = local_aws.client("s3")
    pieces = [random.Random(1).randbytes(PART), b"the end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="archive", ChecksumAlgorithm="CRC32")["UploadId"]
    parts = []
    for number, piece in enumerate(pieces, start=1):
        given = {"PartNumber": number, "ChecksumAlgorithm": "CRC32", "Body": piece}
        part = s3.upload_part(Bucket=bucket, Key="archive", UploadId=upload, **given)
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    s3.complete_multipart_upload(
        Bucket=bucket, Key="archive", UploadId=upload, MultipartUpload={"Parts": parts}
    )

    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "archive"})

    # The client verifies the checksum that comes with it.
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"".join(pieces)
    assert s3.get_object(Bucket=bucket, Key="archive")["Body"].read() == b"".join(pieces)

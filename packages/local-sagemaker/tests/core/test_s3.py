"""Objects that were uploaded in parts, copies of them, and the owner that a caller expects a bucket to have."""

from __future__ import annotations

import random

import pytest
from core_kit import policy, refused

from local_sagemaker.authorization.s3 import check_owners
from local_sagemaker.bridge import AWSError
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


# Every operation that has ExpectedBucketOwner, by its HTTP header, asks in one place: one of each kind is tried.
CALLS = {
    "head_bucket": {},
    "list_objects_v2": {},
    "get_bucket_policy": {},
    "get_object": {"Key": "k"},
    "head_object": {"Key": "k"},
    "put_object": {"Key": "new", "Body": b"x"},
    "delete_object": {"Key": "k"},
    "delete_objects": {"Delete": {"Objects": [{"Key": "k"}]}},
    "create_multipart_upload": {"Key": "new"},
    "copy_object": {"Key": "new", "CopySource": "BUCKET/k"},
    "put_bucket_tagging": {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "delete_bucket": {},
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_bucket_of_another_account_than_expected_is_refused(local_aws, account, other_account, operation):
    bucket, s3 = other_account.bucket(k="v"), account.client("s3")
    # Whoever guessed the name first lets everybody in.
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    other_account.client("s3").put_bucket_policy(
        Bucket=bucket, Policy=policy({**everybody, "Resource": both})
    )
    parameters = CALLS[operation]
    if "CopySource" in parameters:
        parameters = parameters | {"CopySource": f"{bucket}/k"}

    code, _ = refused(getattr(s3, operation), Bucket=bucket, **parameters, ExpectedBucketOwner=account.id)

    assert code in ("AccessDenied", "403")  # a HEAD has no body, and so no code
    theirs = other_account.client("s3")
    assert [one["Key"] for one in theirs.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    answer = getattr(s3, operation)
    if operation not in ("get_bucket_policy", "delete_bucket"):  # these have more reasons to be refused
        answer(Bucket=bucket, **parameters, ExpectedBucketOwner=other_account.id)


def test_what_is_copied_comes_from_the_account_that_is_expected(account, other_account):
    mine, theirs, s3 = account.bucket(), other_account.bucket(k="v"), account.client("s3")
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{theirs}/*",
    }
    other_account.client("s3").put_bucket_policy(Bucket=theirs, Policy=policy(everybody))
    copy = {"Bucket": mine, "Key": "k", "CopySource": f"{theirs}/k"}

    assert refused(s3.copy_object, **copy, ExpectedSourceBucketOwner=account.id) == (
        "AccessDenied",
        "Access Denied",
    )
    s3.copy_object(**copy, ExpectedBucketOwner=account.id, ExpectedSourceBucketOwner=other_account.id)

    assert s3.get_object(Bucket=mine, Key="k")["Body"].read() == b"v"


@pytest.mark.parametrize("owner", ["1", "me", "1234567890123", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_expected_owner_that_is_no_account_is_refused(account, bucket, owner):
    headers = {"x-amz-expected-bucket-owner": owner}
    with pytest.raises(AWSError) as caught:
        check_owners({"Bucket": bucket}, headers)

    assert caught.value.code == "InvalidBucketOwnerAWSAccountID"


def test_a_bucket_that_is_not_there_is_missing_whoever_is_expected_to_own_it(account):
    parameters = {"Bucket": unique("core-missing"), "ExpectedBucketOwner": account.id}

    assert refused(account.client("s3").list_objects_v2, **parameters)[0] == "NoSuchBucket"

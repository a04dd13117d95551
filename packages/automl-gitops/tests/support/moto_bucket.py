"""AWS within the process by moto alone, for tests that need little more of it than a bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends


@cache
def _session() -> boto3.Session:
    """One for all buckets: moto would have each start afresh, and read botocore's models for a fifth of a second."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")


@contextmanager
def moto_bucket(name: str, region: str) -> Iterator[Any]:
    """A boto3 client of S3, in an account that holds an empty bucket ``name`` and nothing else.

    moto has one state in a process, which the local AWS of other tests is made of too: it is put aside meanwhile.
    """
    stores = [*BackendDict._instances, s3_backends, s3_backends.bucket_accounts]
    aside = [(store, dict(store)) for store in stores]
    for store, _ in aside:
        store.clear()
    mock = mock_aws()
    mock.start(reset=False)
    try:
        client = _session().client("s3", region_name=region)
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        yield client
    finally:
        mock.stop(remove_data=False)
        for store in [*BackendDict._instances, s3_backends.bucket_accounts]:
            store.clear()
        for store, kept in aside:
            store.update(kept)

"""The evaluation's tests: their helpers are on the path, and an S3 has the project's bucket."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.moto_bucket import moto_bucket

sys.path.insert(0, str(Path(__file__).parent))


def _bucket() -> Iterator[Any]:
    import fake_sagemaker

    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        for name in names:
            environment.setenv(name, "testing")
        with moto_bucket(fake_sagemaker.BUCKET, "eu-west-1") as client:
            yield client


# An S3 of moto's with the project's bucket, for one test and for the tests of a module.
s3 = pytest.fixture(_bucket)
module_s3 = pytest.fixture(_bucket, scope="module")

"""What the tests share: a project generated from the template, whose code is judged with the package's; and an S3."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Stand-ins that the tests of `automl-gitops` use too.
sys.path.append(str(Path(__file__).resolve().parents[2] / "automl-gitops" / "tests"))

from support.moto_bucket import moto_bucket
from support.project import PROJECT

# Its evaluation is a folder of scripts in the container.
sys.path[:0] = [str(PROJECT / "evaluation")]


def pytest_configure(config: pytest.Config) -> None:
    """Work in the project's folder; not where pytest-xdist starts processes, which begin in its own."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        os.chdir(PROJECT)


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

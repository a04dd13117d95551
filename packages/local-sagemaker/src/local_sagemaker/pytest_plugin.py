"""The fixture `local_aws`: one local AWS for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_sagemaker import LocalAWS


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    """A running local AWS. Its state is shared by the process's tests: give what you create its own name."""
    from local_sagemaker import LocalAWS

    with LocalAWS(tmp_path_factory.mktemp("local-aws")) as aws:
        yield aws

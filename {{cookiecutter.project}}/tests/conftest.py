from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.server import LocalAWS


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    """One local AWS for all tests of a process. Its state is shared: give what you create its own name."""
    from local.server import LocalAWS

    with LocalAWS(tmp_path_factory.mktemp("local-aws")) as aws:
        yield aws

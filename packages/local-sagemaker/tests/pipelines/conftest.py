from __future__ import annotations

from typing import Any

import pytest
from pipelines_kit import Pipelines


@pytest.fixture(scope="session")
def pipelines(local_aws: Any) -> Pipelines:
    return Pipelines(local_aws)

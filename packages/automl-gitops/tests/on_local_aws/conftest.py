from __future__ import annotations

from typing import Any

import pytest
from executions import Executions


@pytest.fixture(scope="session")
def executions(local_aws: Any) -> Executions:
    return Executions(local_aws)

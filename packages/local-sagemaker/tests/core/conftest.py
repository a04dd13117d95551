from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core_kit import Account, Stack


@pytest.fixture
def account(local_aws) -> Account:
    return Account(local_aws, local_aws.account)


@pytest.fixture
def other_account(local_aws) -> Account:
    local_aws.administrator("222222222222")
    return Account(local_aws, "222222222222")


@pytest.fixture
def allow() -> Callable[..., dict[str, Any]]:
    def statement(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": action, "Resource": resource, **more}

    return statement


@pytest.fixture
def stack(account) -> Stack:
    return Stack(account)

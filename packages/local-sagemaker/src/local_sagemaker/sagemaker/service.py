"""How this package answers SageMaker's operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker import bridge, constraints
from local_sagemaker.bridge import Caller, Handler


def operation(name: str) -> Callable[[Handler], Handler]:
    """Answer SageMaker's operation ``name``; parameters that break the service's model never get here."""

    def install(handler: Handler) -> Handler:
        def checked(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any] | None:
            constraints.check("sagemaker", name, parameters)
            return handler(caller, parameters)

        bridge.operation("sagemaker", name)(checked)
        return handler

    return install

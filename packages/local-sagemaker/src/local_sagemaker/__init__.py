"""AWS on a laptop for work with SageMaker: moto's server on loopback, and what moto lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_sagemaker.server import LocalAWS

__version__ = "0.1.0"
__all__ = ["LocalAWS"]


def __getattr__(name: str) -> Any:
    """`LocalAWS` when it is asked for: moto's import takes seconds, which the command's help need not wait for."""
    if name != "LocalAWS":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from local_sagemaker.server import LocalAWS

    return LocalAWS

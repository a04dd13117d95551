"""AWS on a laptop for work with SageMaker: moto's server on loopback, and what moto lacks.

The names in ``__all__`` are the public API, with the command ``local-sagemaker`` and the pytest fixture ``local_aws``.
Every other module is private.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_sagemaker.faults import Fault
    from local_sagemaker.server import LocalAWS
    from local_sagemaker.serving import BadInput, ModelError
    from local_sagemaker.serving.archive import spoil

__version__ = "0.1.0"
__all__ = ["BadInput", "Fault", "LocalAWS", "ModelError", "spoil"]
_PLACES = {
    "BadInput": "local_sagemaker.serving",
    "Fault": "local_sagemaker.faults",
    "LocalAWS": "local_sagemaker.server",
    "ModelError": "local_sagemaker.serving",
    "spoil": "local_sagemaker.serving.archive",
}


def __getattr__(name: str) -> Any:
    """A public name when it is asked for: importing moto takes seconds, which the command's help need not wait for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)

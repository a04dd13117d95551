"""What takes long to import and many a run never needs: it comes with the first request of its service.

Together a second and 100 MB: with scalable targets comes moto's EC2, with pipelines pydantic.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

SCALING = "local_sagemaker.sagemaker.endpoints.scaling"
# By boto3's name of the service.
MODULES = {
    "application-autoscaling": SCALING,
    "sagemaker": "local_sagemaker.sagemaker.pipelines.executions",
}


def bring(service: str) -> None:
    """Have what answers requests of ``service``. Python lets one thread import, and the others wait for it."""
    if service in MODULES:
        importlib.import_module(MODULES[service])


def brought(module: str) -> ModuleType | None:
    """The module, where a request has brought it."""
    return sys.modules.get(module)

"""The model registry: groups of model packages, their versions, and who else may use them."""

from local_sagemaker.sagemaker.registry import groups, versions

__all__ = ["groups", "versions"]

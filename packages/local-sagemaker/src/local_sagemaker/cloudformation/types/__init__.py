"""The resource types, each made by calls to its service."""

from local_sagemaker.cloudformation.types import (
    base,
    cloudwatch,
    fallback,
    iam,
    lambda_,
    logs,
    s3,
    sagemaker,
    sqs,
)
from local_sagemaker.cloudformation.types.base import ResourceType

__all__ = ["cloudwatch", "find", "iam", "lambda_", "logs", "s3", "sagemaker", "sqs"]


def find(name: str) -> ResourceType | None:
    """The resource type of that name; None where the local AWS has none."""
    return base.find(name) or fallback.find(name)

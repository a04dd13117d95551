"""AddTags as the service has it: a key that a resource has already takes the new value (moto keeps both)."""

from __future__ import annotations

from typing import Any

from local_sagemaker.bridge import AWSError, Caller
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.service import operation


@operation("AddTags")
def add_tags(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """AddTags, for every kind of resource that moto can tag; raises ResourceNotFound where there is none."""
    arn, tags = parameters["ResourceArn"], parameters["Tags"]
    backend = resources.backend(caller.account, caller.region)
    try:
        backend.delete_tags(arn, [tag["Key"] for tag in tags])
        return {"Tags": backend.add_tags(arn, tags)}
    except (AttributeError, ValueError) as error:  # moto's way to say that it found nothing
        raise AWSError("ResourceNotFound", f"Resource '{arn}' does not exist.") from error

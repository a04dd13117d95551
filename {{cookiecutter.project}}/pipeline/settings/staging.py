"""[staging]: the endpoint on which a version is verified."""

from pydantic import Field

from pipeline.settings.base import EndpointInstance, Section


class Staging(Section):
    """Instances of the staging endpoint, and whether it stays after the verification."""

    instance_type: EndpointInstance = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1)
    keep: bool = True

"""[production]: the endpoint that people use, and how a new version takes over."""

from typing import Literal

from pydantic import Field

from pipeline.settings.base import EndpointInstance, Section


class Deployment(Section):
    """How traffic moves from the old version to the new one (SageMaker's BlueGreenUpdatePolicy)."""

    policy: Literal["ALL_AT_ONCE", "CANARY", "LINEAR"] = "CANARY"
    percent: int = Field(default=10, ge=1, le=50)
    wait_seconds: int = Field(default=600, ge=0, le=3600)


class Production(Section):
    """Instances of the production endpoint and the policy of its updates."""

    instance_type: EndpointInstance = "ml.m5.large"
    instance_count: int = Field(default=2, ge=1)
    deployment: Deployment = Field(default_factory=Deployment)

"""What staging and production have in common: where their endpoint runs."""

from pydantic import Field, ValidationInfo, field_validator, model_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings.base import EndpointInstance, Section


class Serverless(Section):
    """An endpoint without instances: billed by use, slow after a pause.

    The service offers it without data capture, VPC and models of several containers (HYPERPARAMETER_TUNING
    mode).
    """

    memory_mb: int = 2048
    max_concurrency: int = 5

    @field_validator("memory_mb", "max_concurrency")
    @classmethod
    def _within_the_services_limits(cls, value: int, info: ValidationInfo) -> int:
        shape = {"memory_mb": "ServerlessMemorySizeInMB", "max_concurrency": "ServerlessMaxConcurrency"}
        least, most = service.limits(shape[str(info.field_name)])
        if (least is not None and value < least) or (most is not None and value > most):
            raise ValueError(f"is outside the service's {least}-{most}")
        if info.field_name == "memory_mb" and value % 1024:
            raise ValueError("is not a multiple of 1024, as the service wants")
        return value


class Hosting(Section):
    """Instances of an endpoint, or `serverless` in their place."""

    instance_type: EndpointInstance = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1)
    serverless: Serverless | None = None

    @model_validator(mode="after")
    def _instances_or_serverless(self) -> "Hosting":
        named = {"instance_type", "instance_count"} & self.model_fields_set
        if self.serverless and named:
            raise ValueError(f"has both serverless and {sorted(named)[0]}: remove one of the two")
        return self

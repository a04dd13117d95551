"""[staging], [production] and [verification]: where versions are served, how traffic moves to a new one, and what it
has to show first.
"""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings import EndpointInstance, SettingsSection


class Serverless(SettingsSection):
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


class Hosting(SettingsSection):
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


class Staging(Hosting):
    """Where the staging endpoint runs, and whether it stays after the verification (`keep`)."""

    keep: bool = False


class Deployment(SettingsSection):
    """How traffic moves from the old version to the new one (SageMaker's BlueGreenUpdatePolicy).

    ``percent`` is the canary's size or a linear step's; after each shift the service watches the alarms for
    ``wait_seconds``. An update that takes longer than ``max_seconds`` is rolled back.
    """

    policy: Literal["ALL_AT_ONCE", "CANARY", "LINEAR"] = Field(
        default="CANARY",
        description="CANARY gives the new version a part of the traffic first, LINEAR one equal step after the other, "
        "ALL_AT_ONCE everything",
    )
    percent: int = Field(default=10, ge=1, le=50)
    wait_seconds: int = Field(default=600, ge=0, le=3600)
    max_seconds: int = Field(default=7200, ge=600, le=28800)

    @model_validator(mode="after")
    def _possible(self) -> "Deployment":
        if self.policy == "LINEAR" and self.percent < 10:
            raise ValueError(f'percent = {self.percent} is too small: policy = "LINEAR" takes steps of 10-50')
        waiting = self.shifts * self.wait_seconds
        if waiting >= self.max_seconds:
            raise ValueError(
                f"wait_seconds = {self.wait_seconds} after each of {self.shifts} shifts of traffic "
                f"makes {waiting} s, not less than max_seconds = {self.max_seconds}: lower the one or "
                "raise the other"
            )
        return self

    @property
    def shifts(self) -> int:
        """How often traffic moves in one update."""
        return {"ALL_AT_ONCE": 1, "CANARY": 2, "LINEAR": -(-100 // self.percent)}[self.policy]


class Alarms(SettingsSection):
    """What the production endpoint may not exceed; an alarm during an update rolls it back.

    Shares are of requests, the latency is the 95th percentile of the model's own time in milliseconds; both
    over one period of ``period_seconds``.
    """

    max_5xx_share: float = Field(default=0.01, gt=0, lt=1)
    max_4xx_share: float = Field(default=0.05, gt=0, lt=1)
    max_latency_p95_ms: float = Field(default=2000, gt=0, allow_inf_nan=False)
    period_seconds: int = Field(default=60, ge=60, le=3600, multiple_of=60)


class Autoscaling(SettingsSection):
    """Instances between two bounds, so that each answers about ``requests_per_instance`` a minute."""

    min_instances: int = Field(ge=1)
    max_instances: int = Field(ge=1)
    requests_per_instance: int = Field(default=600, ge=1)
    scale_in_seconds: int = Field(default=300, ge=0)
    scale_out_seconds: int = Field(default=60, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> "Autoscaling":
        if self.min_instances > self.max_instances:
            raise ValueError(
                f"min_instances = {self.min_instances} is more than "
                f"max_instances = {self.max_instances}: swap them"
            )
        return self


class DataCapture(SettingsSection):
    """A share of requests and answers is kept in the project's bucket, under `captured/`."""

    percent: int = Field(default=100, ge=1, le=100)


class Production(Hosting):
    """Where the production endpoint runs, how it is updated, watched, scaled and recorded."""

    instance_count: int = Field(default=2, ge=1)
    deployment: Deployment = Field(default_factory=Deployment)
    alarms: Alarms = Field(default_factory=Alarms)
    autoscaling: Autoscaling | None = None
    data_capture: DataCapture | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Production":
        if self.serverless:
            for key in ("autoscaling", "data_capture"):
                if getattr(self, key):
                    raise ValueError(
                        f"has both serverless and {key}, which the service does not offer together"
                    )
        elif self.deployment.policy != "ALL_AT_ONCE" and self.least_instances < 2:
            raise ValueError(
                f'has one instance, which deployment.policy = "{self.deployment.policy}" cannot divide: '
                'use two or more, or policy = "ALL_AT_ONCE"'
            )
        return self

    @property
    def least_instances(self) -> int:
        """Instances that are always there."""
        return self.autoscaling.min_instances if self.autoscaling else self.instance_count


class Verification(SettingsSection):
    """How much is asked of the endpoint, and the limits of its answers.

    ``rows`` of the holdout are predicted and compared; ``requests`` of one row each are sent by
    ``concurrency`` clients at once. Latencies are what a client sees, in milliseconds; the error rate is a
    share of requests.
    """

    rows: int = Field(default=500, ge=1, le=100_000)
    requests: int = Field(default=200, ge=1, le=100_000)
    concurrency: int = Field(default=4, ge=1, le=64)
    max_latency_p50_ms: float = Field(default=500, gt=0, allow_inf_nan=False)
    max_latency_p95_ms: float = Field(default=2000, gt=0, allow_inf_nan=False)
    max_error_rate: float = Field(default=0.0, ge=0, le=1)

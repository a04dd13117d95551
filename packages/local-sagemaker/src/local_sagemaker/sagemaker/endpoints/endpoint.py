"""An endpoint: its fleets, its traffic, and how it describes itself."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker.endpoints.capture import Capture
from local_sagemaker.sagemaker.endpoints.configs import EndpointConfig
from local_sagemaker.sagemaker.endpoints.fleet import Fleet
from local_sagemaker.sagemaker.endpoints.traffic import Traffic
from local_sagemaker.sagemaker.named import Collection
from local_sagemaker.sagemaker.resources import Record, arn, invalid, now, present

IN_PROGRESS = frozenset({"Creating", "Updating", "RollingBack", "SystemUpdating", "Deleting"})


@dataclass
class Pending:
    """A deployment that is under way: the new config, its fleets, and what happens to them right now."""

    config: EndpointConfig
    fleets: list[Fleet]
    share: float = 0.0
    status: str = "Creating"
    message: str = ""
    since: datetime = field(default_factory=now)
    start: datetime = field(default_factory=now)

    def enter(self, status: str, message: str) -> None:
        """The next VariantStatus."""
        self.status, self.message, self.since = status, message, now()


class Endpoint(Record):
    """An endpoint. Whoever changes its members holds ``lock``."""

    def __init__(
        self, caller: Caller, name: str, config: EndpointConfig, tags: list[dict[str, str]] | None
    ) -> None:
        self.name = name
        self.caller = caller
        self.arn = arn(caller, "endpoint", name)
        self.tags = list(tags or [])
        self.lock = threading.RLock()
        self.config = config
        self.fleets: list[Fleet] = []
        self.traffic = Traffic()
        self.capture = Capture(name, caller.region, config.details.get("DataCaptureConfig"))
        self.status = "Creating"
        self.failure_reason: str | None = None
        self.pending: Pending | None = None
        self.last_deployment: dict[str, Any] | None = None
        self.created = self.modified = now()

    def enter(self, status: str) -> None:
        """The next EndpointStatus."""
        with self.lock:
            self.status, self.modified = status, now()

    def begin(self, status: str) -> None:
        """As :meth:`enter`, unless something is under way: then raise ValidationException."""
        with self.lock:
            if self.status in IN_PROGRESS:
                raise invalid(f'Cannot update in-progress endpoint "{self.arn}".')
            self.enter(status)

    @property
    def details(self) -> dict[str, Any]:  # type: ignore[override]
        """What DescribeEndpoint answers."""
        with self.lock:
            pending = self.pending
            described = {
                "EndpointName": self.name,
                "EndpointArn": self.arn,
                "EndpointConfigName": self.config.name,
                "EndpointStatus": self.status,
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "FailureReason": self.failure_reason,
                "LastDeploymentConfig": self.last_deployment,
                "DataCaptureConfig": self.capture.summary,
                "ProductionVariants": [_variant(fleet, 1.0) for fleet in self.fleets] or None,
            }
            if pending is not None:
                described["PendingDeploymentSummary"] = {
                    "EndpointConfigName": pending.config.name,
                    "StartTime": pending.start,
                    "ProductionVariants": [
                        _variant(fleet, pending.share)
                        | {"InstanceType": fleet.instance_type, "VariantStatus": [_status(pending)]}
                        for fleet in pending.fleets
                    ],
                }
        return present(described)


def _status(pending: Pending) -> dict[str, Any]:
    return {"Status": pending.status, "StatusMessage": pending.message, "StartTime": pending.since}


def _variant(fleet: Fleet, share: float) -> dict[str, Any]:
    images = [c["Image"] for c in fleet.model.containers]
    described = {
        "VariantName": fleet.variant,
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image} for image in images],
        "CurrentWeight": fleet.weight,
        "DesiredWeight": fleet.weight,
    }
    if fleet.serverless is not None:
        return described | {
            "CurrentServerlessConfig": fleet.serverless,
            "DesiredServerlessConfig": fleet.serverless,
            "CurrentInstanceCount": 0,
        }
    return described | {
        "CurrentInstanceCount": math.ceil(share * (fleet.instances or 0)),
        "DesiredInstanceCount": fleet.instances,
    }


ENDPOINTS: Collection[Endpoint] = Collection("Endpoint", "endpoint", "endpoint", "endpoints")
ENDPOINTS.answer("Describe", "List")

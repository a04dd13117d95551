"""What serves one variant of one endpoint config: a running model, and the requests that are in it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from local_sagemaker import serving
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker import roles
from local_sagemaker.sagemaker.endpoints.capture import Capture
from local_sagemaker.sagemaker.logs import Log
from local_sagemaker.sagemaker.models import Model

# InvokeEndpoint's own limit: a request that takes longer is lost to its sender anyway.
LONGEST_REQUEST_SECONDS = 60.0


class DeploymentError(Exception):
    """Why a deployment fails, as DescribeEndpoint's FailureReason says it."""


class Fleet:
    """A variant's instances, which one process stands for. ``variant`` is a member of ProductionVariants."""

    def __init__(self, config: str, variant: dict[str, Any], model: Model, capture: Capture) -> None:
        self.config = config
        self.capture = capture
        self.variant = variant["VariantName"]
        self.model = model
        self.weight: float = variant["InitialVariantWeight"]
        self.instances: int | None = variant.get("InitialInstanceCount")
        self.instance_type: str | None = variant.get("InstanceType")
        self.serverless: dict[str, Any] | None = variant.get("ServerlessConfig")
        self._predictor: serving.Predictor | None = None
        self._inside = 0
        self._left = threading.Condition()

    def start(self, endpoint: str, region: str) -> None:
        """Load the model; returns when it answers. Raises DeploymentError where it does not."""
        try:
            credentials = roles.credentials(self.model.role_arn, region)
        except AWSError as error:
            raise DeploymentError(error.message) from error
        stream = f"{self.variant}/i-{uuid.uuid4().hex[:17]}"
        self._log = Log(credentials, f"/aws/sagemaker/Endpoints/{endpoint}", stream)
        try:
            self._predictor = serving.Predictor.start(list(self.model.containers), credentials, region)
        except serving.ModelError as error:
            self._log.write([str(error)])
            raise DeploymentError(self._reason(error)) from error
        self._log.write([f"The model {self.model.details['ModelName']} answers requests."])

    def _reason(self, found: serving.ModelError) -> str:
        if isinstance(found, serving.DownloadError):
            return (
                f'Failed to download model data for container "container_{found.number}" from URL: '
                f'"{found.uri}". Please ensure that there is an object located at the URL and that the role '
                f"passed to CreateModel has permissions to download the object. ({found.reason})"
            )
        return (
            f"The primary container for production variant {self.variant} did not pass the ping health "
            f"check. Please check CloudWatch logs for this endpoint. ({found})"
        )

    def enter(self) -> None:
        """A request comes in; it must :meth:`leave`."""
        with self._left:
            self._inside += 1

    def leave(self) -> None:
        """A request is answered."""
        with self._left:
            self._inside -= 1
            self._left.notify_all()

    def predict(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The model's answer and its content type; raises serving.BadInput and serving.ModelError."""
        assert self._predictor is not None  # noqa: S101 - traffic reaches a fleet once it has started
        try:
            return self._predictor.predict(body, content_type, accept)
        except serving.ModelError as error:
            self._log.write([str(error)])
            raise

    def close(self) -> None:
        """Wait for the requests inside, as long as a request may take, then end the model."""
        with self._left:
            self._left.wait_for(lambda: self._inside == 0, LONGEST_REQUEST_SECONDS)
        if self._predictor is not None:
            self._predictor.stop()
            self._predictor = None

"""Data capture: requests and answers as lines of JSON in S3, where and how the real service writes them."""

from __future__ import annotations

import base64
import json
import logging
import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import clock, runtime
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker import roles
from local_sagemaker.storage import Storage

# The real service delivers within a couple of minutes.
DELIVERY_SECONDS = 60.0
log = logging.getLogger("local_sagemaker.endpoints")


class Capture:
    """What one DataCaptureConfig (None: nothing) makes of the requests to ``endpoint`` in ``region``."""

    def __init__(self, endpoint: str, region: str, config: dict[str, Any] | None) -> None:
        self._endpoint = endpoint
        self._region = region
        self._config = config or {}
        self._enabled = bool(config) and self._config.get("EnableCapture", True)
        self._modes = {option["CaptureMode"] for option in self._config.get("CaptureOptions", [])}
        self._lock = threading.Lock()
        self._seen = 0
        self._lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._delivering = False

    @property
    def summary(self) -> dict[str, Any] | None:
        """What DescribeEndpoint says of it."""
        if not self._config:
            return None
        return {
            "EnableCapture": self._enabled,
            "CaptureStatus": "Started" if self._enabled else "Stopped",
            "CurrentSamplingPercentage": self._config["InitialSamplingPercentage"],
            "DestinationS3Uri": self._config["DestinationS3Uri"],
            "KmsKeyId": self._config.get("KmsKeyId", ""),
        }

    def record(
        self,
        variant: str,
        role: str,
        request: tuple[bytes, str],
        answer: tuple[bytes, str],
        inference_id: str | None,
    ) -> None:
        """Keep a request and its answer (body and content type each), if it is drawn. Returns at once.

        Of any k requests, the sampling percentage of k is drawn, rounded down. The real service draws at
        random.
        """
        if not self._enabled:
            return
        share = self._config["InitialSamplingPercentage"]
        with self._lock:
            self._seen += 1
            if self._seen * share // 100 == (self._seen - 1) * share // 100:
                return
            self._lines[variant, role].append(self._line(request, answer, inference_id))
            if not self._delivering:
                self._delivering = True
                runtime.current().thread("data-capture", self._deliver)

    def _line(self, request: tuple[bytes, str], answer: tuple[bytes, str], inference_id: str | None) -> str:
        captured = {}
        for mode, member, (body, content_type) in (
            ("Input", "endpointInput", request),
            ("Output", "endpointOutput", answer),
        ):
            if mode in self._modes or "InputAndOutput" in self._modes:
                captured[member] = self._part(body, content_type, mode.upper())
        event = {
            "eventId": str(uuid.uuid4()),
            "inferenceTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if inference_id:
            event["inferenceId"] = inference_id
        return json.dumps({"captureData": captured, "eventMetadata": event, "eventVersion": "0"})

    def _part(self, body: bytes, content_type: str, mode: str) -> dict[str, str]:
        encoding, data = "BASE64", base64.b64encode(body).decode()
        headers = self._config.get("CaptureContentTypeHeader", {})
        media_type = content_type.split(";")[0].strip()
        for kind in ("Csv", "Json"):
            if media_type in headers.get(f"{kind}ContentTypes", []):
                encoding, data = kind.upper(), body.decode("utf-8", errors="replace")
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    def _deliver(self) -> None:
        runtime.current().stopping.wait(clock.shortened(DELIVERY_SECONDS))
        with self._lock:
            self._delivering = False
        self.flush()

    def flush(self) -> None:
        """Write what is kept, one file a variant, with the model's role."""
        with self._lock:
            lines, self._lines = self._lines, defaultdict(list)
        for (variant, role), kept in lines.items():
            try:
                self._write(variant, role, kept)
            except (AWSError, BotoCoreError, ClientError) as error:
                log.warning("%s: data capture lost %d lines: %s", self._endpoint, len(kept), error)

    def _write(self, variant: str, role: str, lines: list[str]) -> None:
        now = datetime.now(UTC)
        prefix = f"{self._config['DestinationS3Uri'].rstrip('/')}/{self._endpoint}/{variant}"
        name = f"{now:%Y/%m/%d/%H/%M-%S-%f}"[:-3] + f"-{uuid.uuid4()}.jsonl"
        body = "".join(f"{line}\n" for line in lines).encode()
        storage = Storage(roles.credentials(role, self._region))
        storage.write(f"{prefix}/{name}", body, self._config.get("KmsKeyId"))

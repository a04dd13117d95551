"""A job's output in CloudWatch Logs, written with the job's own role as on the real service."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import clients

LARGEST_BATCH = 1000
LONGEST_LINE = 8192


class Log:
    """A log stream of a job. A role that may not write logs has a job without logs, and the job goes on."""

    def __init__(self, credentials: Mapping[str, str], group: str, stream: str) -> None:
        self._client: Any = clients.client("logs", credentials)
        self._group = group
        self._stream = stream
        self._created = False

    def write(self, lines: Iterable[str]) -> None:
        """Append ``lines`` at the present time."""
        moment = int(time.time() * 1000)
        events = [{"timestamp": moment, "message": line[:LONGEST_LINE]} for line in lines if line.strip()]
        if not events:
            return
        with contextlib.suppress(ClientError, BotoCoreError):
            self._create()
            for start in range(0, len(events), LARGEST_BATCH):
                self._client.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self._stream,
                    logEvents=events[start : start + LARGEST_BATCH],
                )

    def _create(self) -> None:
        if self._created:
            return
        with contextlib.suppress(ClientError):  # it is there, or the role may not create it
            self._client.create_log_group(logGroupName=self._group)
        self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        self._created = True

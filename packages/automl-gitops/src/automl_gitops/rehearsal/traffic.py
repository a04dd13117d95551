"""Clients of the production endpoint: a steady stream of requests for as long as the ``with`` block lasts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

CLIENTS = 2
PAUSE_SECONDS = 0.05


class Traffic:
    """Sends one row after the other to ``endpoint``, and counts what clients see.

    ``runtime`` is a boto3 client of sagemaker-runtime; each client waits `PAUSE_SECONDS` between two requests.
    """

    def __init__(self, runtime: Any, endpoint: str, rows: Sequence[str]) -> None:
        self.requests = 0
        self.failed = 0
        self._runtime = runtime
        self._endpoint = endpoint
        self._rows = rows
        self._counting = threading.Lock()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(CLIENTS)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, turn: int) -> None:
        while not self._end.wait(PAUSE_SECONDS):
            row = self._rows[turn % len(self._rows)]
            turn += CLIENTS
            try:
                self._runtime.invoke_endpoint(EndpointName=self._endpoint, ContentType="text/csv", Body=row)
                failed = False
            except (ClientError, BotoCoreError):
                failed = True
            with self._counting:
                self.requests += 1
                self.failed += failed

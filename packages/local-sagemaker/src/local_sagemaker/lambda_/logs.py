"""What functions print goes to a file and, by the function's own role, to CloudWatch Logs."""

from __future__ import annotations

import logging
import queue
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import actors, runtime
from local_sagemaker.lambda_.process import Process

log = logging.getLogger("local_sagemaker.lambda")
_parcels: queue.SimpleQueue[tuple[Process, int, list[str]]] = queue.SimpleQueue()
_streams: set[str] = set()


def note(path: Path, text: str) -> int:
    """Append ``text`` to a process's log; returns where it begins."""
    with path.open("ab") as file:
        offset = file.tell()
        file.write(text.encode())
    return offset


def ship(process: Process, offset: int) -> str:
    """Send to CloudWatch Logs, in the background, what the log holds from ``offset`` on; returns it."""
    with process.log.open("rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    # The time of the events is that of the function, however long they wait for their delivery.
    _parcels.put((process, int(time.time() * 1000), [line for line in text.splitlines() if line]))
    return text


def serve() -> None:
    """Deliver what :func:`ship` was given, until the local AWS ends."""
    stopping = runtime.current().stopping
    while not stopping.is_set():
        try:
            process, milliseconds, lines = _parcels.get(timeout=0.5)
        except queue.Empty:
            continue
        try:
            _deliver(process, milliseconds, lines)
        except (ClientError, BotoCoreError) as error:
            # As on the real AWS: a role without the right to write logs has none, and the function runs all
            # the same.
            log.info("no logs of %s: %s", process.function.arn, error)
        except Exception:  # of these lines: those of other functions must come
            log.exception("no logs of %s", process.function.arn)


def _deliver(process: Process, milliseconds: int, lines: list[str]) -> None:
    client = actors.client_with("logs", process.credentials)
    names = {"logGroupName": process.function.log_group, "logStreamName": process.log_stream}
    if process.log_stream not in _streams:
        try:
            client.create_log_stream(**names)
        except client.exceptions.ResourceNotFoundException:
            client.create_log_group(logGroupName=names["logGroupName"])
            client.create_log_stream(**names)
        _streams.add(process.log_stream)
    events = [{"timestamp": milliseconds, "message": line} for line in lines]
    client.put_log_events(**names, logEvents=events)

"""A function's process: started once, asked many times."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker import actors, runtime
from local_sagemaker.lambda_ import functions
from local_sagemaker.lambda_.functions import Function

WORKER = Path(__file__).with_name("worker.py")
# Lambda gives the import of a handler this long; a slow one is not an error of its own here.
INIT_SECONDS = 10


class Ended(Exception):  # noqa: N818 - not every end is an error
    """The process ended instead of answering; ``status`` is its exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Process:
    """One process of ``function``. Its output, and what Lambda itself notes, is in the file ``log``."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.credentials = actors.credentials(
            function.role, "lambda.amazonaws.com", function.region, session=function.name
        )
        now = datetime.now(UTC)
        identity = uuid.uuid4().hex
        self.log_stream = f"{now:%Y/%m/%d}/[{function.version}]{identity}"
        self.log = function.directory / "logs" / f"{now:%Y-%m-%d}-{identity}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.started = self.used = time.monotonic()
        self.cold = True  # until its first invocation has waited for the handler's import
        self._buffer = b""
        self._popen = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        environment = functions.environment(self.function, self.credentials, self.log_stream)
        try:
            with self.log.open("ab") as output:
                return runtime.current().process(
                    [sys.executable, "-P", "-s", "-u", str(WORKER), str(theirs_in), str(theirs_out)],
                    environment,
                    cwd=functions.task_root(self.function),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(theirs_in, theirs_out),
                )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._popen.poll() is None

    def ready(self) -> dict[str, Any]:
        """Wait for the handler's import; returns what the process says of it."""
        answer = self._receive(time.monotonic() + max(INIT_SECONDS, self.function.timeout))
        self.cold = False
        return answer

    def ask(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises TimeoutError at ``deadline`` (of the monotonic clock), and :class:`Ended`.
        """
        try:
            self._write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise Ended(self._popen.wait()) from None
        answer = self._receive(deadline)
        self.used = time.monotonic()
        return answer

    def kill(self) -> None:
        """End the process and whatever it started."""
        runtime.kill_group(self._popen)
        for descriptor in (self._requests, self._answers):
            os.close(descriptor)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._requests, view) :]

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise Ended(self._popen.wait())
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

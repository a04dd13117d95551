"""What every part of the local AWS shares: address, state folder, threads and processes that end with it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_SECONDS = 5
# Threads that look again and again as long as the local AWS runs.
FOR_EVER = ("alarms", "sqs-metrics", "lambda-logs", "event-source-mappings")


class Runtime:
    """One running local AWS.

    ``directory`` holds whatever jobs write on this machine; ``lenient`` lets Autopilot train on fewer rows than the
    real one takes; ``stopping`` is set once it ends, and every loop must look at it at least each second.
    ``token_secret`` signs web identity tokens.
    """

    def __init__(self, endpoint_url: str, directory: Path, *, lenient: bool = False) -> None:
        self.endpoint_url = endpoint_url
        self.directory = directory
        self.lenient = lenient
        self.stopping = threading.Event()
        self.token_secret = secrets.token_hex(32)
        self._threads: list[threading.Thread] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def thread(self, name: str, target: Callable[..., None], *args: Any) -> threading.Thread:
        """Run ``target(*args)`` in a daemon thread."""
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        with self._lock:
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()
        return thread

    def process(
        self, arguments: Sequence[str], environment: Mapping[str, str], **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own, with ``environment`` and what is :func:`inherited`."""
        process = subprocess.Popen(  # noqa: S603 - runs only what the owner of this machine deployed to it
            list(arguments), env=inherited() | dict(environment), start_new_session=True, **options
        )
        self.adopt(process)
        return process

    def adopt(self, process: Any) -> None:
        """End ``process`` (with ``pid``, ``poll`` and ``wait``, the leader of its group) when this ends.

        Raises RuntimeError, with the process ended, if this has ended already.
        """
        with self._lock:
            ended = self.stopping.is_set()
            if not ended:
                self._processes = [p for p in self._processes if p.poll() is None] + [process]
        if ended:
            kill_group(process)
            raise RuntimeError("the local AWS has ended")

    def busy(self, patience: float) -> list[str]:
        """The names of the threads that do a piece of work, and have not ended it in ``patience`` seconds."""
        end = time.monotonic() + patience
        while True:
            with self._lock:
                alive = [thread.name for thread in self._threads if thread.is_alive()]
            working = [name for name in alive if name not in FOR_EVER]
            if not working or time.monotonic() > end:
                return working
            time.sleep(0.02)

    def again(self) -> Runtime:
        """The same one with nothing running, after :meth:`stop`."""
        fresh = Runtime(self.endpoint_url, self.directory, lenient=self.lenient)
        fresh.token_secret = self.token_secret
        return fresh

    def stop(self) -> None:
        """End every process that was started here, and give the threads together a few seconds to end."""
        with self._lock:
            self.stopping.set()
        for process in self._processes:
            kill_group(process)
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0, end - time.monotonic()))


def place(folder: Path, name: str) -> Path:
    """The file or folder ``name`` in ``folder``, where a request chose the name; "a/b" is one in a folder of its own.

    Raises ValueError for a name that leads out of the folder, or is none of a file.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise ValueError(f"{name!r} is no name of a file in a folder")
    return folder.joinpath(*parts)


def inherited() -> dict[str, str]:
    """The variables that a job's process gets from this one: no credentials and no settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process started by :meth:`Runtime.process`, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # one that does not lead its group yet
    process.wait()


_current: Runtime | None = None


def current() -> Runtime:
    """The running local AWS; there is one in a process."""
    if _current is None:
        raise RuntimeError("the local AWS is not running in this process")
    return _current


def set_current(runtime: Runtime | None) -> None:
    """Called by :mod:`local_sagemaker.server` alone."""
    global _current
    _current = runtime

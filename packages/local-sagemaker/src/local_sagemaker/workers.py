"""Processes that need AutoGluon, started in a fraction of a second.

Importing AutoGluon takes 4-6 s. A server process imports it once, ahead of time, and every worker is a fork
of it that starts a session and a process group of its own, with an environment that holds nothing of this
process's.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from local_sagemaker import runtime

_context = multiprocessing.get_context("forkserver")


class Worker:
    """A running worker: ``pid``, also of its process group, and ``connection`` to it."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self._process = process
        self.connection = connection
        self.pid: int = process.pid or 0

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended; the exit status, or None after ``timeout`` seconds."""
        self._process.join(timeout)
        return self._process.exitcode

    def kill(self) -> None:
        """Kill the worker and all that it started; returns when it is gone."""
        # Before the worker leads a group of its own there is none to kill, only itself.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        with contextlib.suppress(OSError):
            self.connection.close()


def warm_up() -> None:
    """Start the server process and return at once: it imports while others do their work."""
    _context.set_forkserver_preload(["local_sagemaker.ahead"])
    # OpenMP's threads wait for each other by spinning, unless told before its library is loaded. Where the cores
    # are busy, by another job or another local AWS, a training of seconds then takes minutes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Ctrl-C in the terminal is for the local AWS, which ends this server in turn.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end() -> None:
    """End the server process, where there is one; the workers end with the local AWS."""
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def start(
    target: str, argument: Any, environment: Mapping[str, str], log: Path, directory: Path | None = None
) -> Worker:
    """Run ``target`` ("module:function") as ``function(connection, argument)`` in a process of its own.

    Its output goes to the file ``log``; ``directory`` is its current folder.
    """
    warm_up()
    ours, theirs = _context.Pipe()
    given = runtime.inherited() | dict(environment)
    process = _context.Process(
        target=_run,
        args=(target, theirs, argument, given, str(log), str(directory or log.parent)),
        daemon=True,
    )
    process.start()
    theirs.close()
    worker = Worker(process, ours)
    runtime.current().adopt(worker)
    return worker


def _run(
    target: str, connection: Connection, argument: Any, environment: dict[str, str], log: str, directory: str
) -> None:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    with open(log, "ab", buffering=0) as output:  # noqa: PTH123 - a descriptor is all that is wanted
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    # What ends with its parent is "daemonic" to multiprocessing, and scikit-learn then uses one core alone.
    multiprocessing.current_process()._config.pop("daemon", None)  # type: ignore[attr-defined]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module, function = target.split(":")
    getattr(importlib.import_module(module), function)(connection, argument)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(os.getpgid(0), signal.SIGKILL)

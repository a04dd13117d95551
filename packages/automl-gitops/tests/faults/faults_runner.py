"""A command in a process that has imported everything: forked for it, and away from the threads of the servers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from faults_preload import quicken

SECONDS = 240  # of one command, on a machine that has other things to do


class Fork:
    """A process that waits to be told something, forked from this one: a line of JSON each way."""

    def __init__(self, serve: Callable[[Iterator[Any], Callable[[Any], None]], None]) -> None:
        """``serve`` is called there, with what it is told and with what answers it."""
        theirs, orders = os.pipe()
        answers, ours = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(orders)
            os.close(answers)
            _serve(theirs, ours, serve)
        os.close(theirs)
        os.close(ours)
        self._orders, self._answers = os.fdopen(orders, "w"), os.fdopen(answers)

    def ask(self, order: Any) -> Any:
        """What it answers."""
        print(json.dumps(order), file=self._orders, flush=True)
        return json.loads(self._answers.readline())

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._orders.close()
        os.waitpid(self._pid, 0)
        self._answers.close()


def _serve(
    orders: int, answers: int, serve: Callable[[Iterator[Any], Callable[[Any], None]], None]
) -> NoReturn:
    try:
        with os.fdopen(orders) as pipe, os.fdopen(answers, "w") as back:
            serve(map(json.loads, pipe), lambda answer: print(json.dumps(answer), file=back, flush=True))
    finally:
        os._exit(0)


class Runner(Fork):
    """Runs commands: forked while there are no threads, used when there are."""

    def __init__(self) -> None:
        super().__init__(_run_each)

    def run(
        self,
        arguments: Sequence[str],
        variables: Mapping[str, str],
        folder: Path,
        output: Path,
        errors: Path | None = None,
    ) -> int:
        """The command's exit status; -9 where it had to be killed. ``output`` gets what it printed, without what goes
        to standard error where there is a file for ``errors``.
        """
        order = {
            "arguments": list(arguments),
            "variables": dict(variables),
            "folder": str(folder),
            "output": str(output),
            "errors": str(errors) if errors else "",
        }
        return int(self.ask(order))


def _run_each(orders: Iterator[Any], answer: Callable[[Any], None]) -> None:
    for order in orders:
        pid = os.fork()
        if not pid:
            _run(order)
        answer(_end_of(pid))


def _end_of(pid: int) -> int:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run(order: Mapping[str, str]) -> None:
    status = 70
    try:
        with Path(order["output"]).open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        if order["errors"]:
            with Path(order["errors"]).open("w") as errors:
                os.dup2(errors.fileno(), 2)
        sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
        os.environ.clear()
        os.environ.update(order["variables"])
        os.chdir(order["folder"])
        quicken()
        from automl_gitops.commands.main import main

        status = main(order["arguments"])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

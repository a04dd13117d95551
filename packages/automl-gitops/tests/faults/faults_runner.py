"""A command in a process that has imported everything: forked for it, and away from the threads of the servers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from faults_world import quicken

SECONDS = 240  # of one command, on a machine that has other things to do


class Runner:
    """A process that waits to be told commands: forked while there are no threads, used when there are."""

    def __init__(self) -> None:
        theirs, orders = os.pipe()
        answers, ours = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(orders)
            os.close(answers)
            _serve(theirs, ours)
        os.close(theirs)
        os.close(ours)
        self._orders, self._answers = os.fdopen(orders, "w"), os.fdopen(answers)

    def run(self, arguments: Sequence[str], variables: Mapping[str, str], folder: Path, output: Path) -> int:
        """The command's exit status; -9 where it had to be killed. ``output`` gets what it printed."""
        order = {
            "arguments": list(arguments),
            "variables": dict(variables),
            "folder": str(folder),
            "output": str(output),
        }
        print(json.dumps(order), file=self._orders, flush=True)
        return int(self._answers.readline())

    def dismiss(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._orders.close()
        os.waitpid(self._pid, 0)
        self._answers.close()


def _serve(orders: int, answers: int) -> None:
    try:
        with os.fdopen(orders) as pipe, os.fdopen(answers, "w") as back:
            for line in pipe:
                pid = os.fork()
                if not pid:
                    _run(json.loads(line))
                print(_end_of(pid), file=back, flush=True)
    finally:
        os._exit(0)


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

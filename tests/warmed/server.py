"""`python server.py DESCRIPTOR`: imports what commands need, then runs each that is handed over in a fork of itself.

It ends with its standard input, and with it what runs.
"""

import contextlib
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from automl_gitops.__main__ import program
from automl_gitops.kernel import cli

PACKAGE = Path(__file__).resolve().parents[2] / "packages" / "automl-gitops" / "tests"
# What commands import beside what `faults_preload` knows.
MORE = (
    "automl_gitops.runs.dry_run", "automl_gitops.verification.invoke", "automl_rehearsal.life",
    "automl_rehearsal.verbs.rehearse", "automl_rehearsal.verbs.rows", "jinja2", "scipy.special",
)  # fmt: skip


class Server:
    """Runs commands; who hands one over learns how it ended, and takes it along where they end before."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._running: dict[int, socket.socket] = {}
        self._met: set[tuple[str, ...]] = set()
        self._select = selectors.DefaultSelector()

    def serve(self) -> None:
        """Until standard input ends."""
        woken, wakes = socket.socketpair()
        woken.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source in (0, woken, self._listening):
            self._select.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self._select.select():
                if key.fileobj == 0:
                    for pid in self._running:
                        _kill(pid)
                    return
                if key.fileobj is woken:
                    woken.recv(4096)
                    self._tell()
                elif key.fileobj is self._listening:
                    self._take()
                elif key.data in self._running:  # nobody waits for it any more
                    self._select.unregister(key.fileobj)
                    _kill(key.data)

    def _take(self) -> None:
        connection, _ = self._listening.accept()
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        order = json.loads(connection.makefile().readline())
        if order["stage"] and self._is_new(order):
            connection.sendall(b"null\n")
            connection.close()
        elif pid := os.fork():
            self._running[pid] = connection
            self._select.register(connection, selectors.EVENT_READ, pid)
        else:
            _run(order, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def _is_new(self, order: dict[str, Any]) -> bool:
        words = order["arguments"][: 2 if order["arguments"][:1] == ["data"] else 1]
        command = (order["stage"], *words)
        new = command not in self._met
        self._met.add(command)
        return new

    def _tell(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                connection = self._running.pop(ended[0])
                with contextlib.suppress(KeyError):
                    self._select.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
                connection.close()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        os.killpg(pid, signal.SIGKILL)


def _run(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the command: with its streams, variables and folder, as at its start."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
        os.closerange(3, 1024)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        os.environ.clear()
        os.environ.update(order["variables"])
        time.tzset()
        os.chdir(order["folder"])
        path, arguments = Path(order["path"]), order["arguments"]
        apart = path.name == "automl"
        sys.executable = str(path.with_name("python") if apart else path)
        sys.path[0] = str(path.parent) if apart else order["folder"]
        sys.argv = [str(path) if apart else "automl_gitops", *arguments]
        if arguments and arguments[0] == order["script"]:
            sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
            runpy.run_path(arguments[0], run_name="__main__")
            cli.leave(0)
        program()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        cli.leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def main() -> None:
    """Run the command line."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    sys.path[1:1] = [str(PACKAGE / "faults"), str(PACKAGE)]
    from faults_preload import preload

    for name in MORE:
        importlib.import_module(name)
    preload(sdk=True)
    Server(listening).serve()


if __name__ == "__main__":
    main()

"""A local AWS of its own for a measurement."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 300


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of its administrator; ``LOCAL_AWS_PID`` is its process."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local_sagemaker", "up"]
    command += ["--directory", str(folder), "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - a command of this repository
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        lines = ready.read_text(encoding="utf-8").splitlines()
        given = {name: value.strip("'") for name, _, value in (line[7:].partition("=") for line in lines)}
        yield os.environ | given | {"LOCAL_AWS_PID": str(process.pid)}
    finally:
        process.terminate()
        process.wait()


def until(condition: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait for it, with ``pause`` seconds between two looks; raises TimeoutError."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(pause)

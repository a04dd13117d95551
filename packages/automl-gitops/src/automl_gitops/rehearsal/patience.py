"""A sign of life while a command that prints little is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from automl_gitops.kernel.console import Output

EACH_SECONDS = 5


@contextmanager
def patience(output: Output, what: str, each: float = EACH_SECONDS) -> Iterator[None]:
    """Say every ``each`` seconds of the ``with`` block for how long ``what`` has been going on."""
    over = threading.Event()

    def tell() -> None:
        started = time.monotonic()
        while not over.wait(each):
            output.say(f"  {what}: {time.monotonic() - started:.0f} s", "dim")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

"""Waiting: for what AWS does in its own time, and with a sign of life while a command prints little."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError

Seen = TypeVar("Seen")

SHORTEST, LONGEST = 0.5, 15.0  # seconds between two looks: soon at first, easy on the API later
REPORT_SECONDS = 60.0


def wait(
    what: str,
    look: Callable[[], Seen],
    done: Callable[[Seen], bool],
    *,
    seconds: float,
    status: Callable[[Seen], str],
    output: Output,
    meanwhile: Callable[[], None] = lambda: None,
    longest: float = LONGEST,
    interrupted: str = "",
) -> Seen:
    """Look until ``done``, and return what was seen then.

    ``what`` and ``status`` make the line that is printed whenever the status changes, and each minute.
    ``meanwhile`` is called before each look, and ``longest`` is the most seconds between two. Raises
    `RunError` after ``seconds``: what is waited for goes on, and the command can be run again. Ctrl-C says so too, and
    ``interrupted``, what looks at it or ends it.
    """
    started = time.monotonic()
    shown, shown_at = "", started
    try:
        while True:
            meanwhile()
            seen = look()
            now = time.monotonic()
            text = status(seen)
            if text != shown or now - shown_at >= REPORT_SECONDS:
                output.say(f"{what}: {text} ({now - started:.0f} s)")
                shown, shown_at = text, now
            if done(seen):
                return seen
            if now - started > seconds:
                raise RunError(
                    f"{what} is still {text} after {seconds:.0f} s: look at it in the console, then run the "
                    "command again, which goes on from there"
                )
            time.sleep(
                min(
                    longest, max(SHORTEST, (now - started) / 10), max(0.0, started + seconds - now) + SHORTEST
                )
            )
    except KeyboardInterrupt:
        output.notice(f"{what} goes on in AWS: {interrupted}the same command waits for it again")
        raise


EACH_SECONDS = 5


@contextmanager
def repeating(do: Callable[[], object], each: float) -> Iterator[None]:
    """Call ``do`` every ``each`` seconds of the ``with`` block, in a thread of its own."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(each):
            do()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def patience(output: Output, what: str, each: float = EACH_SECONDS) -> Iterator[None]:
    """Say every ``each`` seconds of the ``with`` block for how long ``what`` has been going on."""
    started = time.monotonic()
    with repeating(lambda: output.say(f"  {what}: {time.monotonic() - started:.0f} s", "dim"), each):
        yield

"""Requests to end, held back for the moment in which they would leave a process that nobody knows of."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[None]:
    """Let Ctrl-C and requests to end wait until the block is over, and take effect then.

    For the start of a process until its name is known, and for its end. Python hands signals to the main thread alone,
    so in another one there is nothing to hold.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # An ignored one (nohup) stays so, also in a process that is started meanwhile.
    numbers = [number for number in asked if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])  # one is enough, whatever number of them came

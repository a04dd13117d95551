from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# A deadline ends a test whose event never comes; how soon it comes says something about the machine alone.
PATIENCE = 300.0


def wait_until(
    look: Callable[[], Any],
    reached: Callable[[Any], Any] = bool,
    pause: float = 0.06,
    patience: float = PATIENCE,
) -> Any:
    """What ``look()`` gives, once ``reached`` holds of it; fails the test after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not reached(seen := look()):
        assert time.monotonic() < deadline, f"still {seen}"
        time.sleep(pause)
    return seen

"""Deployment waits and alarm periods pass faster here than on the real AWS."""

from __future__ import annotations

import os

VARIABLE = "LOCAL_AWS_TIME_SCALE"
# Five minutes of baking are ten seconds: long enough for a person to watch, short enough to wait for.
DEFAULT = 30.0


def shortened(seconds: float) -> float:
    """What ``seconds`` of the real service take here: a :data:`VARIABLE`-th (unset: a :data:`DEFAULT`-th).

    Raises ValueError where the variable is not a positive number.
    """
    scale = float(os.environ.get(VARIABLE, DEFAULT))
    if scale <= 0:
        raise ValueError(f"{VARIABLE} = {scale} is not a positive number")
    return seconds / scale

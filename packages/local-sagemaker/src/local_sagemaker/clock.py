"""Deployment waits and alarm periods pass faster here than on the real AWS."""

from __future__ import annotations

import math
import os

VARIABLE = "LOCAL_AWS_TIME_SCALE"
# Five minutes of baking are ten seconds: long enough for a person to watch, short enough to wait for.
DEFAULT = 30.0


def shortened(seconds: float) -> float:
    """What ``seconds`` of the real service take here: a :data:`VARIABLE`-th (unset: a :data:`DEFAULT`-th).

    Raises ValueError where the variable is not a positive number.
    """
    text = os.environ.get(VARIABLE, str(DEFAULT))
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise ValueError(f"{VARIABLE} = {text} is not a positive number, such as {DEFAULT:g}")
    return seconds / scale

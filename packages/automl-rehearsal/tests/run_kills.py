"""Kill `automl rehearse --on-aws` at moments spread over all that it does, remove what is left, and count the rest.

Takes minutes a kill, so it is not among the tests that pytest finds: `make test-kills KILLS=20`. Each kill falls at
random into its own part of a flight's duration, which an unhurried flight measures first; a third of the removals are
killed too. The seed is printed, and `KILLS_SEED` repeats it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from flights import ENDING_SECONDS, FLY, Someone

KILLS = int(os.environ.get("KILLS", "12"))
SEED = int(os.environ.get("KILLS_SEED") or random.SystemRandom().randrange(2**32))
KILLED_TWICE_OF = 3


@pytest.fixture(scope="module")
def duration(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a flight takes that nobody kills, in seconds; it leaves nothing either."""
    someone = Someone(local_aws, tmp_path_factory.mktemp("whole"))
    started = time.monotonic()
    status, told = someone.run(*FLY)
    assert (status, someone.left()) == (0, {}), told
    return time.monotonic() - started


@pytest.mark.parametrize("part", range(KILLS))
def test_nothing_is_left_of_a_flight_that_was_killed_at_random(
    local_aws: Any, tmp_path: Path, duration: float, part: int
) -> None:
    chance = random.Random(SEED + part)
    moment = duration * (part + chance.random()) / KILLS
    someone = Someone(local_aws, tmp_path)
    killed_after(someone, moment, *FLY)
    left = len(someone.left())
    removal = chance.uniform(1, 20) if part % KILLED_TWICE_OF == 0 else None
    if removal:
        killed_after(someone, removal, "--on-aws", "--clean")

    status, told = someone.run("--on-aws", "--clean")

    print(f"seed {SEED}, part {part}: killed after {moment:.1f} s with {left} resources, removal {removal}")
    assert (status, someone.left()) == (0, {}), told


def killed_after(someone: Someone, seconds: float, *options: str) -> None:
    """Kill it and it alone, unless it ended by itself before: a command of its own may go on."""
    process = someone.start(*options)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=min(seconds, ENDING_SECONDS))
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()

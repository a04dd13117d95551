"""Random lives; `python run_random_lives.py [EXAMPLES]`.

Of a life that breaks a rule the steps are shown, of the shortest such life where there is time; the exit status is 1.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from random_life import Beginning
from random_machine import RandomLife

SAMPLE = 4
STEPS = 15


def main() -> int:
    """Live, and say how many lives it were."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    phases = [Phase.generate, *([Phase.shrink] if examples > SAMPLE else [])]
    with tempfile.TemporaryDirectory(prefix="lives-") as folder:
        started = time.monotonic()
        RandomLife.beginning = Beginning(Path(folder) / "world")
        began = time.monotonic()
        print(f"a project is in production after {began - started:.0f} s", flush=True)
        try:
            run_state_machine_as_test(
                RandomLife,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    derandomize=examples <= SAMPLE,
                    phases=phases,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except BaseException:
            traceback.print_exc()
            return 1
        print(f"{examples} lives of {STEPS} steps in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the local AWS's threads have nothing to end

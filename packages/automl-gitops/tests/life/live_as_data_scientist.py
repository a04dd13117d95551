"""`python live_as_data_scientist.py`: what the documents let data scientists run, as their role; ends with status 1 if
one of it fails.

The project is that of the fault tests, in production. LOCAL_AWS_RECORD names a file for the calls of these commands.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))

from faults_runner import Runner
from faults_walk import STEPS, Walk

from local_sagemaker.authorization import record as records

ROLE = "DataScientistRole"
# docs/retrain.md: data, plans, runs and reports. With the exit statuses that they may have.
COMMANDS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("data", "inspect", "../table.csv"), 0),
    (("data", "push", "../other.csv"), 0),
    (("data", "show"), 0),
    (("plan", "--base", "HEAD"), 0),
    (("status",), 0),
    (("execution",), 0),
    (("report", "--output", "build/report.html"), 0),
)


def main() -> int:
    """Live to production, name a data scientist, and run the commands."""
    record = os.environ.pop(records.VARIABLE, "")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="scientist-") as folder:
        walk = Walk(Path(folder) / "world", STEPS, lambda _: False, lambda *_: None, lambda _: None)
        walk.live_until("promote 1")
        world, runner, output = walk.world, Runner(), Path(folder) / "output"
        rows = world.data.read_text().splitlines()
        (world.root / "other.csv").write_text("\n".join(rows[:700]) + "\n")
        world.resume()
        person = world.client("iam").create_user(UserName="scientist")["User"]["Arn"]
        named = ("bootstrap", "--github", "--data-scientist", person)
        if runner.run(named, world.environment(""), world.project, output):
            print(output.read_text())
            return 1
        if record:
            records.set_current(records.Record(Path(record)))
        for command, expected in COMMANDS:
            status = runner.run(command, world.environment(ROLE), world.project, output)
            print(f"{' '.join(command)}: {status}", flush=True)
            if status != expected or "Traceback" in output.read_text():
                print(output.read_text())
                failed = 1
        runner.end()
        world.aws.stop()
    return failed


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)

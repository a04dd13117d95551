"""All pairs of a call and a fault, or a shard of them; writes build/faults.json.

`python run_faults.py [SHARD] [--only STEP]`: SHARD is such as 1/8. What the shards found lies in build/faults/;
build/faults.json is the sum of those that were run. The exit status is 1 where a pair did not converge.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from faults_walk import STEPS, Walk, summary

COUNTS = ("pairs", "converged", "duplicates", "orphans", "lost")


def main() -> int:
    """Walk, and write down what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", nargs="?", default="1/1")
    parser.add_argument("--only", action="append", default=[], choices=[step.name for step in STEPS])
    options = parser.parse_args()
    shard, shards = map(int, options.shard.split("/"))
    build = Path.cwd() / "build"
    (build / "faults").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        walk = Walk(Path(folder), STEPS, lambda number: number % shards == shard - 1, _say)
        walk.live(tuple(options.only))
        found = summary(walk.calls, walk.outcomes)
    (build / "faults" / f"{shard}-of-{shards}.json").write_text(json.dumps(found, indent=1))
    parts = {
        number: json.loads(path.read_text())
        for number in range(1, shards + 1)
        if (path := build / "faults" / f"{number}-of-{shards}.json").exists()
    }
    total = _sum(parts, shards)
    (build / "faults.json").write_text(json.dumps(total, indent=1) + "\n")
    _say(json.dumps({name: value for name, value in total.items() if name != "not_converged"}))
    return int(bool(found["not_converged"]))


def _sum(parts: dict[int, dict[str, Any]], shards: int) -> dict[str, Any]:
    last = parts[max(parts)]
    return {
        "calls": last["calls"],
        "faults": last["faults"],
        **{name: sum(part[name] for part in parts.values()) for name in COUNTS},
        "shards": [f"{number}/{shards}" for number in sorted(parts)],
        "commands": last["commands"],
        "not_converged": [one for part in parts.values() for one in part["not_converged"]],
    }


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the local AWS's threads have nothing to end

"""All pairs of a call and a fault, or a shard of them; writes build/faults.json.

`python run_faults.py [SHARD] [--only STEP] [--pair NAME]`: SHARD is such as 1/8. What came of a pair is kept at once in
build/faults/, so that another run goes on: it tries what was not tried, and what did not converge. Without that folder
it begins anew. build/faults.json is the sum. The exit status is 1 where a pair of this run did not converge.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from faults_results import Results
from faults_walk import STEPS, Pair, Walk


def main() -> int:
    """Walk, and write down what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", nargs="?", default="1/1")
    parser.add_argument("--only", action="append", default=[], choices=[step.name for step in STEPS])
    parser.add_argument("--pair", action="append", default=[], help="as build/faults.json names it")
    options = parser.parse_args()
    shard, shards = map(int, options.shard.split("/"))
    results = Results(Path.cwd() / "build", f"{shard}-of-{shards}")

    def wanted(pair: Pair) -> bool:
        if options.pair:
            return str(pair) in options.pair
        return zlib.crc32(str(pair).encode()) % shards == shard - 1 and not results.converged(pair)

    only = options.only or [pair.partition(":")[0] for pair in options.pair]
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        walk = Walk(Path(folder), STEPS, wanted, results.keep, _say)
        walk.live(tuple(only))
    total = results.write(walk.calls)
    _say(json.dumps({name: value for name, value in total.items() if not isinstance(value, (dict, list))}))
    return int(results.failed)


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the local AWS's threads have nothing to end

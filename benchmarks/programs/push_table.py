"""What `automl data push` does before it uploads: check a table against automl.toml and contract.toml, look for
findings, write the parts. Prints seconds, those of reading the file once, and the peak of memory as JSON.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv

from automl_gitops.data.prepared import prepare
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_once(path: Path) -> None:
    """Read a CSV file as pyarrow does by default, in batches."""
    with pyarrow.csv.open_csv(path) as reader:
        for _ in reader:
            pass


def push(config: Config, path: Path) -> None:
    """All but the upload."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        prepare(config, path, Output(as_json=True)).write(Path(folder))


def main(path: Path) -> None:
    """Measure, in the folder of automl.toml and contract.toml."""
    pushed = seconds(lambda: push(Config.load(), path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": pushed, "reading": seconds(lambda: read_once(path)), "peak_bytes": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

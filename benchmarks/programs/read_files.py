"""read_files.py FOLDER KIND: seconds in which pyarrow reads what an evaluation reads, on all cores, as texts."""

import json
import sys
import time
from pathlib import Path

import pyarrow.csv


def main(folder: Path, kind: str) -> None:
    """Read and forget one part after the other."""
    start, cpu = time.perf_counter(), time.process_time()
    for of in ("y_test", f"{kind}/candidate", f"{kind}/champion"):
        for part in sorted((folder / of).iterdir()):
            pyarrow.csv.read_csv(part, read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True))
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

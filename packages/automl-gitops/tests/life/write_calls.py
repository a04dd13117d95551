"""`python tests/life/write_calls.py RECORD`: infrastructure/calls.json from the record of a life."""

import sys
from pathlib import Path

from automl_gitops.doctor.calls import FILE, dump, recorded
from automl_gitops.kernel.config import Config


def main(record: Path) -> None:
    """Write the file, and say how much stands in it."""
    calls = recorded(record.read_text("utf-8").splitlines(), Config.load().project.name)
    FILE.write_text(dump(calls), "utf-8")
    print(f"{FILE}: {len(calls)} calls of {len({call.role for call in calls})} roles")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

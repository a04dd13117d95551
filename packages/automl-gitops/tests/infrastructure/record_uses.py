"""`python record_uses.py [FOLDER]`: uses.json, what each role did in tests beside the life of calls.json.

It runs `TESTS` one after the other, each with a record of its own in FOLDER; one that is there already is taken as it
is. `make calls` is the same for the life.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
CALLS = ROOT / "{{cookiecutter.project}}" / "infrastructure" / "calls.json"
FILE = HERE / "uses.json"
ACCOUNT = "123456789012"  # the local AWS's first, which has the project; in others there are the roles of hosting.yaml
# Where roles act by the commands of their workflows alone, and not to see what is refused.
TESTS = ("deployment/test_stack.py", "life/test_data_scientist.py")


def record(test: str, folder: Path) -> Path:
    """The record of a run of ``test``."""
    file = folder.absolute() / f"{Path(test).stem}.jsonl"
    if not file.exists():
        command = [sys.executable, "-m", "pytest", "-q", str(HERE.parent / test)]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"LOCAL_AWS_RECORD": str(file)}, check=True)
    return file


def used(file: Path) -> dict[str, set[str]]:
    """The actions in a record, by role; a role of another account has ``hosting-`` before its name."""
    found: dict[str, set[str]] = {}
    for line in file.read_text("utf-8").splitlines():
        call = json.loads(line)
        _, account, role = call["role"].replace("::", ":").replace(":role/", ":").rsplit(":", 2)
        name = role.rpartition("-")[2]
        found.setdefault(name if account == ACCOUNT else f"hosting-{name}", set()).add(call["action"])
    return found


def main(folder: Path) -> None:
    """Record, and write the file: by test and role, what none before it has."""
    roles = json.loads(CALLS.read_text("utf-8"))["roles"]
    known = {role: {call["action"] for call in calls} for role, calls in roles.items()}
    found: dict[str, dict[str, list[str]]] = {}
    for test in TESTS:
        for role, actions in sorted(used(record(test, folder)).items()):
            if new := actions - known.setdefault(role, set()):
                found.setdefault(test, {})[role] = sorted(new)
                known[role] |= new
    FILE.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))

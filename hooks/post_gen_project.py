"""Say what comes next. Writes nothing, needs no network, and may run any number of times."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
from pathlib import Path

ANSWERS = json.loads(r""" {{ cookiecutter | tojson }} """)

ROWS = {
    "hospital": "on the hospital readmission data, or on rows made up like them where they cannot be downloaded",
    "made-up": "on rows made up for the target %(target)s, which show that everything works and nothing about yours",
}

MESSAGE = """
%(project)s is ready. Try it without an account and without cost:

    cd %(folder)s
    make demo                   # trains, evaluates, registers and serves a model on a local AWS

The first time installs 1.3 GB of packages in about two minutes; the demo takes up to seven on two cores.
It runs %(rows)s.

Then make it yours:

    edit automl.toml            # target, problem type, budget, gate
    make demo DATA=FILE         # the same with your data
    git init -b main && git add --all && git commit -m "Start the project"

docs/set-up.md leads from there to %(repository)s on GitHub and to your AWS account.
"""


def folder_from(place: Path) -> str | None:
    """The project's folder as somebody types it who stands at ``place``, or `None` where it is not below."""
    try:
        return str(Path.cwd().relative_to(place.resolve()))
    except ValueError:
        return None


def main() -> None:
    below = folder_from(Path(os.environ.get("PWD", "/")))
    if below is None and "_output_dir" not in ANSWERS:
        return  # cruft compares two versions of a project in temporary folders, of which nobody wants to hear
    rows = ROWS[ANSWERS["__example"]] % ANSWERS
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a target may have what this terminal cannot show
    print(MESSAGE % {**ANSWERS, "folder": shlex.quote(below or str(Path.cwd())), "rows": rows})


if __name__ == "__main__":
    main()

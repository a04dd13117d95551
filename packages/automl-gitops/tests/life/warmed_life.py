"""The rehearsal's life whose commands need not import anything: forks of one process that has imported all of it.

A command starts as on any machine in each demo, and in each rehearsal of the tests.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))

from faults_preload import preload
from faults_runner import Runner

from automl_rehearsal.commands import CommandFailedError
from automl_rehearsal.life import Life
from support.environment import unsigned_environment

# As of a command of any rehearsal: no profile of the user's may be used by accident.
_NO_PROFILE = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


class WarmedLife(Life):
    """A `Life`; make it before this process has threads, since the commands' process is forked from it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        preload(sdk=True)
        self._runner = Runner()
        super().__init__(*arguments, **options)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._runner.end()

    def _call(self, environment: dict[str, str], *arguments: str, status: int = 0) -> dict[str, Any]:
        printed, told = self.output / "printed.json", self.output / "told.txt"
        variables = unsigned_environment() | _NO_PROFILE | environment
        found = self._runner.run((*arguments, "--json"), variables, self.copy.directory, printed, told)
        print(told.read_text(), end="", file=sys.stderr, flush=True)
        document: dict[str, Any] = json.loads(printed.read_text() or "{}")
        if found != status:
            raise CommandFailedError(" ".join(("automl", *arguments)), found, status, document)
        return document

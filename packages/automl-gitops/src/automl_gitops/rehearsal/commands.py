"""Calling the project's commands as a user would, with their progress on the terminal and their result as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CommandFailedError(Exception):
    """A command ended with another exit status than it should; it has said why on the terminal.

    ``document`` is the JSON that it printed all the same: of an execution that failed, with `failures` that hold the
    end of its jobs' logs; otherwise with the sentence of its `error`. Empty where it printed none.
    """

    def __init__(self, command: str, status: int, expected: int, document: dict[str, Any]) -> None:
        said = document.get("error") or document.get("execution", {}).get("failure_reason")
        super().__init__(
            f"`{command}` ended with exit status {status} instead of {expected}{f': {said}' if said else ''}"
        )
        self.status = status
        self.document = document


def call(directory: Path, environment: Mapping[str, str], *arguments: str, status: int = 0) -> dict[str, Any]:
    """Run ``automl ARGUMENTS --json`` in ``directory`` and return the JSON document that it prints.

    The command sees nothing of this process's AWS or GitHub settings, only those in ``environment``. Raises
    `CommandFailedError` where it ends with another exit status than ``status``. Ctrl-C ends the command with
    this process, without a word: what it would say of the AWS that it works on is no longer true.
    """
    shown = " ".join(("automl", *arguments))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
    # No profile of the user's may be used by accident: a rehearsal never talks to the real AWS.
    kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with subprocess.Popen(  # noqa: S603 - the project's own commands
        [sys.executable, "-m", "automl_gitops", *arguments, "--json"],
        cwd=directory,
        env=kept | dict(environment),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
    ) as process:
        try:
            printed, _ = process.communicate()
        except BaseException:
            _end(process)
            raise
    document = _document(printed)
    if process.returncode != status:
        raise CommandFailedError(shown, process.returncode, status, document)
    return document


def _document(printed: str) -> dict[str, Any]:
    """The JSON on standard output; nothing where there is none, as of a command that ended by a signal."""
    try:
        document = json.loads(printed or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a command and what it started; the cursor that a redrawn table had hidden comes back."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()

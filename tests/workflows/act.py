"""Runs workflows of a repository with `act` on this machine, without Docker and without the network."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACT = Path(sys.executable).with_name("act")
HERE = Path(__file__).resolve().parent
_USES = re.compile(r"uses:\s*([\w.-]+/[\w.-]+)@(\w+)")


@dataclass(frozen=True)
class Annotation:
    """What GitHub shows on a run's page, at a file where one is named."""

    kind: str
    text: str
    file: str = ""


@dataclass
class Run:
    """A workflow's run: whether it was green, results by job and by named step, annotations, and the whole log."""

    workflow: str
    green: bool
    jobs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)  # those that ran
    annotations: list[Annotation] = field(default_factory=list)
    summary: str = ""
    log: str = ""

    def __str__(self) -> str:
        return f"{self.workflow}: {'green' if self.green else 'red'} {self.jobs}\n{self.log[-12_000:]}"


class Runner:
    """Runs workflows of checkouts below ``folder``; ``environment`` is what every step sees."""

    def __init__(self, folder: Path, environment: dict[str, str], token: str) -> None:
        self._folder = folder
        self._environment = environment
        self._token = token
        self._number = 0

    def run(
        self,
        checkout: Path,
        workflow: str,
        event: str,
        payload: dict[str, Any],
        variables: dict[str, str],
        *,
        reference: str,
        job: str = "",
        number: int = 0,
        timeout: float = 600,
    ) -> Run:
        """Run a workflow's file (`retrain.yml`), or one job of it, as GitHub would for an event.

        ``number`` is that of the run, where it has one already.
        """
        self._number += 1
        files = self._folder / f"run-{self._number}"
        files.mkdir(parents=True)
        (files / "event.json").write_text(json.dumps(payload))
        path = checkout / ".github" / "workflows" / workflow
        step_environment = self._environment | {
            "GITHUB_REF": reference,
            "GITHUB_RUN_ID": str(number or 1000 + self._number),
            "TERM": "dumb",
        }
        command = [
            *(ACT, event, "--workflows", path, "--eventpath", files / "event.json", "--json"),
            *("--platform", "ubuntu-latest=-self-hosted", "--no-skip-checkout", "--no-cache-server"),
            *("--actor", "administrator", "--action-cache-path", files / "act", "--secret", "GITHUB_TOKEN"),
            *("--env-file", os.devnull, "--secret-file", os.devnull, "--var-file", os.devnull),
            *_options("--env", step_environment),
            *_options("--var", variables),
            *(("--job", job) if job else ()),
            *(option for uses in _uses(path) for option in ("--local-repository", uses)),
        ]
        status, log = _call(command, checkout, {"GITHUB_TOKEN": self._token}, timeout)
        shutil.rmtree(files / "act", ignore_errors=True)
        return _read(workflow, status, log)


def _options(name: str, values: dict[str, str]) -> list[str]:
    return [option for key, value in values.items() for option in (name, f"{key}={value}")]


def _uses(path: Path) -> list[str]:
    """Every action that the workflow names, with the folder that stands in for it."""
    found = set(_USES.findall(path.read_text()))
    return [f"{action}@{pin}={HERE / 'actions' / action.rsplit('/', 1)[-1]}" for action, pin in sorted(found)]


def _call(command: list[Any], folder: Path, more: dict[str, str], timeout: float) -> tuple[int, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "GITHUB_", "PYTEST_", "VIRTUAL_ENV"))
    }
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=kept | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that a run that takes too long ends with all that it started
    )
    try:
        log, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        log, _ = process.communicate()
        return -1, f"{log}\nnot done after {timeout} s"
    return process.returncode, log


def _read(workflow: str, status: int, log: str) -> Run:
    """What act's log (JSON, one object a line) says."""
    run = Run(workflow, green=status == 0)
    lines = []
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        text = str(entry.get("msg", "")).rstrip("\n")
        lines.append(f"[{entry.get('jobID', '')}] {text}")
        if "jobResult" in entry:
            run.jobs[entry["jobID"]] = entry["jobResult"]
        if "stepResult" in entry and entry.get("stage") == "Main":
            run.steps[entry["step"]] = entry["stepResult"]
        if entry.get("command") in ("error", "warning", "notice"):
            place = entry.get("kvPairs") or {}
            run.annotations.append(
                Annotation(entry["command"], str(entry.get("arg", "")), place.get("file", ""))
            )
        if entry.get("command") == "summary":
            run.summary += str(entry.get("content", ""))
    run.log = "\n".join(lines)
    return run

"""How the pipeline's definition differs, by parameter and by step."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from automl_gitops.plan.changes import Change, changes

_SECONDS = 180


class Building:
    """The definition of the project in ``folder``, built by that folder's own code, in a process of its own.

    It goes on while something else is done; it calls nothing, so it gets no credentials.
    """

    def __init__(self, folder: Path, account: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
        # The folder's own packages, before those that are installed: another commit may have another version.
        wheels = sorted(str(path) for path in (folder / "vendor").glob("*.whl"))
        kept["PYTHONPATH"] = os.pathsep.join(wheels)
        self._process = subprocess.Popen(  # noqa: S603 - the project's own command
            [sys.executable, "-m", "automl_gitops", "definition", "--account", account],
            cwd=folder,
            env=kept,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self) -> tuple[dict[str, Any] | None, str]:
        """The definition, or `None` and why there is none."""
        try:
            printed, said = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None, f"it was not built within {_SECONDS} s"
        if self._process.returncode:
            lines = said.strip().splitlines() or ["no reason given"]
            return None, lines[-1].removeprefix("error: ")
        return json.loads(printed), ""


def step_changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Change]]:
    """Differences under `Parameters`, under each step's name, and under `Pipeline` for the rest."""
    found = {"Parameters": list(changes(_parameters(before), _parameters(after)))}
    had, has = dict(_steps(before["Steps"])), dict(_steps(after["Steps"]))
    for name in dict.fromkeys((*had, *has)):
        if name in had and name in has:
            found[name] = list(changes(had[name], has[name]))
        else:
            found[name] = [Change("the step itself", *(("there", None) if name in had else (None, "new")))]
    found["Pipeline"] = list(changes(_rest(before), _rest(after)))
    return {place: listed for place, listed in found.items() if listed}


def _rest(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key not in ("Parameters", "Steps")}


def _parameters(definition: dict[str, Any]) -> dict[str, Any]:
    return {entry["Name"]: entry.get("DefaultValue") for entry in definition.get("Parameters", [])}


def _steps(listed: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Name and content of each step, those in a condition's branches as steps of their own."""
    found: list[tuple[str, Any]] = []
    for step in listed:
        content = {key: value for key, value in step.items() if key != "Name"}
        arguments = dict(content.get("Arguments") or {})
        for branch in ("IfSteps", "ElseSteps"):
            inner = arguments.get(branch)
            if inner:
                found += _steps(inner)
                arguments[branch] = [one["Name"] for one in inner]
        found.append((step["Name"], {**content, "Arguments": arguments}))
    return found

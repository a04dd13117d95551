"""The definitions of a branch and of its base, each built by its own code, in processes of their own."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

_SECONDS = 180
Result = tuple[dict[str, Any] | None, str]


class Building:
    """The definition of the project in ``folder``, built by that folder's own code, in a process of its own.

    It goes on while something else is done; it calls nothing, so it gets no credentials.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self._process = _start(folder, "automl_gitops", "definition", "--account", account)

    def result(self) -> Result:
        """The definition, or `None` and why there is none."""
        status, printed, said = _ended(self._process)
        return _result(status, printed, said)


class Both:
    """The definitions of two folders; where these have the same wheels, from one import of the SDK.

    It is imported while something else is done, such as to ask for the account.
    """

    def __init__(self, folder: Path, other: Path) -> None:
        self._folders = folder, other
        same = _wheels(folder) == _wheels(other)
        module = "automl_gitops.commands.definitions"
        self._process = _start(folder, module, str(folder), str(other)) if same else None

    def results(self, account: str) -> list[Result]:
        """Both, as `Building.result` has them."""
        if self._process:
            status, printed, _ = _ended(self._process, account)
            if status == 0:  # older wheels know no such module
                return [_result(*one) for one in json.loads(printed)]
        return [one.result() for one in [Building(folder, account) for folder in self._folders]]

    def stop(self) -> None:
        """End what goes on."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def _wheels(folder: Path) -> list[str]:
    return sorted(sha256(path.read_bytes()).hexdigest() for path in (folder / "vendor").glob("*.whl"))


def _start(folder: Path, module: str, *arguments: str) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
    # The folder's own packages, before those that are installed: another commit may have another version.
    kept["PYTHONPATH"] = os.pathsep.join(sorted(str(path) for path in (folder / "vendor").glob("*.whl")))
    return subprocess.Popen(  # noqa: S603 - the project's own command
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=kept,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: "subprocess.Popen[str]", given: str = "") -> tuple[int, str, str]:
    try:
        printed, said = process.communicate(given, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 1, "", f"it was not built within {_SECONDS} s"
    return process.returncode, printed, said


def _result(status: int, printed: str, said: str) -> Result:
    if status:
        lines = said.strip().splitlines() or ["no reason given"]
        last = lines[-1].removeprefix("error: ")
        # A traceback: the last line of the project's own code in it.
        places = re.findall(r'/(pipeline/[^/"]+\.py)", line (\d+)', said) if last == lines[-1] else []
        return None, ":".join([*places[-1], f" {last}"]) if places else last
    return json.loads(printed), ""

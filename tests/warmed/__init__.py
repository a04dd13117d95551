"""Commands of `automl` as forks of one process that has imported what they need; each takes a second less that way.

They start as on any machine in the demo of one table, in the life that a project's own tests have, and in the
documents wherever a command is called for the first time.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# By way of sh, since the line that names an interpreter may hold no blank. Nothing of the user's is looked at.
_SCRIPT = """#!/bin/sh
'''exec' "{python}" -I -S "$0" "$@"
' '''
"""


class Warmed:
    """The process, from its start in ``folder`` until `end`; the folders that `prefix` makes lead to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._address = folder / "s"  # short, as the address of a socket has to be
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self._address))
            listening.listen(64)  # who calls before everything is imported waits
            self._process = subprocess.Popen(
                [sys.executable, HERE / "server.py", str(listening.fileno())],
                cwd=folder,
                pass_fds=(listening.fileno(),),
                stdin=subprocess.PIPE,
                start_new_session=True,
            )

    def prefix(self, name: str, *, first_apart: bool = False, script: str = "") -> Path:
        """A folder that stands for the tests' environment: `bin`, `lib` and what tells Python where it is.

        Its `automl` and its `python -m automl_gitops` run in the process; with ``first_apart`` each command does so
        from its second call on, and starts at the first one as on any machine. ``script`` is the path of a Python file
        that its `python` runs there too.
        """
        prefix, ours = self._folder / name, Path(sys.prefix)
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib").symlink_to(ours / "lib")
        if (ours / "pyvenv.cfg").exists():
            shutil.copy2(ours / "pyvenv.cfg", prefix)
        python = Path(sys.executable)
        given = {"address": str(self._address), "stage": name if first_apart else "", "script": script}
        given |= {"bin": str(python.parent), "packages": os.environ.get("PYTHONPATH", "")}
        script = _SCRIPT.format(python=python) + f"GIVEN = {given!r}\n" + (HERE / "client.py").read_text()
        for entry in python.parent.iterdir():
            file = prefix / "bin" / entry.name
            if entry.name in ("automl", "python", "python3"):
                file.write_text(script)
                file.chmod(0o755)
            else:
                file.symlink_to(entry)
        return prefix

    def end(self) -> None:
        """End the process, and what runs in it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)

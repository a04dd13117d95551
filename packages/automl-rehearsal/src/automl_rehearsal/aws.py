"""The local AWS of a rehearsal: the command `local-sagemaker`, in a process of its own."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3

from automl_gitops.kernel.errors import RunError, UserError
from automl_rehearsal.signals import held

COMMAND = "local-sagemaker"
_SECONDS_TO_START, _SECONDS_TO_END = 120, 30


class LocalAws:
    """A running local AWS for as long as the ``with`` block lasts; its files are in ``directory``.

    A ``lenient`` one trains on fewer rows than the real Autopilot takes; ``accounts`` are its accounts where it is to
    have others than one. Raises `UserError` where the package is not installed, `RunError` with its words where it does
    not start.
    """

    def __init__(
        self, directory: Path, region: str, *, lenient: bool = False, accounts: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.region = region
        self.lenient = lenient
        self.accounts = accounts
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.environment["AWS_ENDPOINT_URL"]

    @property
    def account(self) -> str:
        """Its account, twelve digits."""
        return self.client("sts").get_caller_identity()["Account"]

    def start(self) -> "LocalAws":
        """Start it, and return once it answers; whatever is raised meanwhile, Ctrl-C too, leaves nothing running."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        ready = self.directory / "ready.env"
        log = self.directory / "output.log"
        command: list[str | Path] = [
            program(), "up", "--directory", self.directory, "--ready-file", ready, "--region", self.region,
        ]  # fmt: skip
        with log.open("wb") as output, held():
            self._process = subprocess.Popen(  # noqa: S603 - a package's command
                [
                    *command,
                    *(["--lenient"] if self.lenient else []),
                    *(f"--account={one}" for one in self.accounts),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C ends the rehearsal, which ends it
            )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RunError(f"{COMMAND} did not start: {_end_of(log)}")
            time.sleep(0.05)
        self.environment = _variables(ready)

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the account's administrator."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def stop(self) -> None:
        """End it and all that runs on it; a second Ctrl-C waits for that."""
        if self._process is None:
            return
        with held():
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "LocalAws":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def program() -> str:
    """The command of this environment, else of the PATH."""
    beside = Path(sys.executable).with_name(COMMAND)
    command = str(beside) if beside.exists() else shutil.which(COMMAND)
    if command is None:
        raise UserError(f"{COMMAND} is not installed, and a rehearsal runs on it: run `make setup`")
    return command


def _variables(file: Path) -> dict[str, str]:
    """What a file of `export NAME=VALUE` lines sets."""
    words = shlex.split(file.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)


def _end_of(log: Path) -> str:
    return " ".join(log.read_text(encoding="utf-8", errors="replace").split()[-60:]) or "it said nothing"

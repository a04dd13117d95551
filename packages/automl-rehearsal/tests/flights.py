"""An account of the local AWS in which flights are made, the moments of one, and how it is killed at such a moment."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from census import census, left

from automl_gitops.commands.main import main
from automl_rehearsal import remains
from support.environment import unsigned_environment
from support.project import PROJECT
from support.unique import unique
from support.waiting import wait_until

FLY = ("--on-aws", "--yes-cost", "100", "--training-seconds", "10")
ENDING_SECONDS = 900


class Someone:
    """An account that nobody else uses, whoever administers it, and a folder for what flights remember."""

    def __init__(self, aws: Any, folder: Path) -> None:
        self.account = unique("account")[-5:].rjust(12, "3")
        self.aws = aws
        self.folder = folder / "on-aws"
        kept = unsigned_environment()
        self.environment = kept | aws.administrator(self.account)
        self._clients: dict[str, Any] = {}
        self.client("ec2").describe_instance_type_offerings()  # an account has a network from the start
        self.before = census(self.account)

    def client(self, service: str) -> Any:
        if service not in self._clients:  # to make one takes longer than what a wait asks of it
            self._clients[service] = self.aws.client(service, self.account)
        return self._clients[service]

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        command = (sys.executable, "-m", "automl_gitops", "rehearse", *options, "--output", str(self.folder))
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str, **variables: str) -> tuple[int, str]:
        process = self.start(*options, **variables)
        told, _ = process.communicate(timeout=ENDING_SECONDS)
        return process.returncode, told

    def clean(self) -> tuple[int, str]:
        """As `run("--on-aws", "--clean")`, without a process, which would import for two seconds what is here."""
        told = io.StringIO()
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.chdir(PROJECT)
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
                status = main(["rehearse", "--on-aws", "--clean", "--output", str(self.folder)])
        for number, handler in handlers.items():
            signal.signal(number, handler)
        return status, told.getvalue()

    def left(self) -> dict[Any, Any]:
        return left(self.account, self.before)

    def deny(self, *actions: str) -> None:
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_user_policy(UserName="administrator", PolicyName="deny", PolicyDocument=policy)

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found


def stacks(someone: Someone) -> dict[str, str]:
    found = someone.client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"]: one["StackStatus"] for one in found}


def roles_begin(someone: Someone) -> bool:
    return any(name.endswith("-bootstrap") for name in stacks(someone))


def stack_begins(someone: Someone) -> bool:
    return any(remains.NAME.fullmatch(name) for name in stacks(someone))


def trains(someone: Someone) -> bool:
    jobs = someone.client("sagemaker").list_auto_ml_jobs()["AutoMLJobSummaries"]
    return any(job["AutoMLJobStatus"] == "InProgress" for job in jobs)


def endpoints(someone: Someone) -> list[tuple[str, str]]:
    found = someone.client("sagemaker").list_endpoints()["Endpoints"]
    return [(one["EndpointName"], one["EndpointStatus"]) for one in found]


def stages(someone: Someone) -> bool:
    return bool(endpoints(someone))


def updates_production(someone: Someone) -> bool:
    return any(name.endswith("-production") and status == "Updating" for name, status in endpoints(someone))


def removes(someone: Someone) -> bool:
    """A flight that had a bucket has none any more."""
    return (someone.folder / "report.json").exists() and not someone.client("s3").list_buckets()["Buckets"]


def killed(someone: Someone, moment: Callable[[Someone], bool], *options: str) -> None:
    """Kill a flight, and it alone, at a moment: a command of its own may go on."""
    process = someone.start(*options)
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout or ()), daemon=True)
    reader.start()
    try:
        # A whole training may come before it.
        wait_until(lambda: moment(someone) or process.poll() is not None, pause=0.2, patience=ENDING_SECONDS)
        assert process.poll() is None, "".join(printed)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()

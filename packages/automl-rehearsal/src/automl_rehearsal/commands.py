"""Calling the project's commands as people and workflows would: their progress on the terminal, their result as JSON.

An administrator calls them at first, then the roles of GitHub's workflows, as those assume them.
"""

import base64
import contextlib
import fcntl
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.stacks.bootstrap import ISSUER
from automl_rehearsal.signals import held

_ENDING_SECONDS = 60
# They would take a rehearsal to other accounts, or into the repository; AWS's and GitHub's own variables besides.
_OUTSIDE = (
    "PRODUCTION_ROLE_ARN",
    "PRODUCTION_PLAN_ROLE_ARN",
    "PRODUCTION_TEARDOWN_ROLE_ARN",
    "STAGING_ROLE_ARN",
    "STAGING_PLAN_ROLE_ARN",
    "STAGING_TEARDOWN_ROLE_ARN",
)


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


class Leash:
    """Lets one rehearsal at a time work in ``folder``, and ends a command that outlived an earlier one.

    A rehearsal that is killed takes its command with it only if it can still act. The command holds an open file that
    is locked, so that it is found as long as it runs, and its process id stands in that file. Raises `UserError` where
    another rehearsal is at work there, `RunError` where the command does not end.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._own = (folder / "lock").open("a+")
        if not _locked(self._own.fileno()):
            raise UserError(
                f"another rehearsal is at work in {folder}: wait for its end, or end it with Ctrl-C"
            )
        self._file = (folder / "command").open("a+")
        self.descriptor = self._file.fileno()
        deadline = time.monotonic() + _ENDING_SECONDS
        while not _locked(self.descriptor):
            if time.monotonic() > deadline:
                raise RunError(
                    f"a command of an earlier rehearsal in {folder} still runs: end it, then run this again"
                )
            self._end_earlier()
            time.sleep(0.1)
        self.note(None)

    def note(self, pid: int | None) -> None:
        """Write down which command runs, `None` for none."""
        self._file.truncate(0)
        if pid is not None:
            self._file.write(str(pid))
        self._file.flush()

    def release(self) -> None:
        """Let another one work there."""
        self._own.close()
        self._file.close()

    def _end_earlier(self) -> None:
        self._file.seek(0)
        pid = self._file.read()
        if pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(pid), signal.SIGKILL)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def call(
    directory: Path,
    environment: Mapping[str, str],
    *arguments: str,
    status: int = 0,
    leash: Leash | None = None,
) -> dict[str, Any]:
    """Run ``automl ARGUMENTS --json`` in ``directory`` and return the JSON document that it prints.

    The command sees nothing of this process's AWS or GitHub settings, only those in ``environment``. Raises
    `CommandFailedError` where it ends with another exit status than ``status``. Ctrl-C ends the command with
    this process, without a word: what it would say of the AWS that it works on is no longer true. A ``leash`` finds it
    where this process could not end it.
    """
    shown = " ".join(("automl", *arguments))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "GITHUB_")) and name not in _OUTSIDE
    }
    # No profile of the user's may be used by accident: who is to use one names its files in ``environment``.
    kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    process = None
    try:
        with held():
            process = subprocess.Popen(  # noqa: S603 - the project's own commands
                [sys.executable, "-m", "automl_gitops", *arguments, "--json"],
                cwd=directory,
                env=kept | dict(environment),
                stdout=subprocess.PIPE,
                encoding="utf-8",
                errors="backslashreplace",
                start_new_session=True,  # out of reach of the terminal's Ctrl-C
                pass_fds=(leash.descriptor,) if leash else (),
            )
            if leash:
                leash.note(process.pid)
        printed, _ = process.communicate()
    except BaseException:
        if process:
            _end(process)
        raise
    finally:
        if leash:
            leash.note(None)
    document = _document(printed)
    if process.returncode != status:
        raise CommandFailedError(shown, process.returncode, status, document)
    return document


def _document(printed: str) -> dict[str, Any]:
    """The JSON on standard output; nothing where there is none, as of a command that ended by a signal."""
    try:
        document = json.loads(printed or "{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a command and what it started; the cursor that a redrawn table had hidden comes back."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()


# The local AWS's variable with the secret that signs identity tokens; who acts as a role has no use for it.
TOKEN_SECRET = "LOCAL_AWS_TOKEN_SECRET"  # noqa: S105 - a name


def web_identity_token(subject: str, secret: str) -> str:
    """A token of the form that GitHub gives to a workflow, signed as the local AWS asks for (HS256, RFC 7515)."""
    issued = int(time.time())
    claims = {
        "iss": f"https://{ISSUER}",
        "aud": "sts.amazonaws.com",
        "sub": subject,
        "iat": issued,
        "exp": issued + 3600,
    }
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    text = ".".join(_segment(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_segment(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def assume(environment: dict[str, str], role_arn: str, subject: str) -> dict[str, str]:
    """``environment`` with the credentials of the role, assumed by a workflow whose OIDC subject is ``subject``."""
    sts = boto3.client(
        "sts",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        config=Config(signature_version=UNSIGNED),
    )
    given = sts.assume_role_with_web_identity(
        RoleArn=role_arn,
        RoleSessionName="rehearsal",
        WebIdentityToken=web_identity_token(subject, environment[TOKEN_SECRET]),
    )["Credentials"]
    kept = {name: value for name, value in environment.items() if name != TOKEN_SECRET}
    return with_credentials(kept, given)


def with_credentials(environment: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """``environment`` of who acts with the credentials that STS has ``given``."""
    return {
        **environment,
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

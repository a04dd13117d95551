"""Who does something, when, and in which workflow run: what every record is signed with."""

import getpass
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from automl_gitops.kernel.aws import Aws


@dataclass(frozen=True)
class Signature:
    """``by`` is the person (GitHub's login, or this machine's), ``identity`` the ARN that AWS saw, ``run`` a
    URL or "".
    """

    by: str
    identity: str
    at: str
    run: str

    def document(self) -> dict[str, str]:
        """As it stands in JSON."""
        return asdict(self)


def sign(aws: Aws) -> Signature:
    """The signature of whoever runs this process, now (UTC, to the millisecond: records are ordered by it)."""
    return Signature(
        by=os.environ.get("GITHUB_ACTOR") or _login(),
        identity=aws.identity["Arn"],
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        run=run_url(),
    )


def run_url(run: int | None = None) -> str:
    """The page of a run of the repository's workflows, by default of the one that this process is part of; empty
    outside GitHub's workflows (GitHub Actions, "Default environment variables").
    """
    parts = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
    parts.append(str(run) if run else os.environ.get("GITHUB_RUN_ID", ""))
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"

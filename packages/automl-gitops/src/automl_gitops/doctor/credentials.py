"""Who asks: account, name, and how long the credentials last."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.doctor.rows import Row
from automl_gitops.kernel.aws import explain
from automl_gitops.kernel.environments import Project

AREA = "credentials"
SHORT_MINUTES = 15


def credentials(project: Project) -> list[Row]:
    """Who calls, and until when; a row that stops where nobody does."""
    try:
        identity = project.aws.identity
    except (BotoCoreError, ClientError) as error:
        return [Row(AREA, "who calls", "stops", str(explain(error)), "sign in, then run this again")]
    where = f"account {identity['Account']}, region {project.config.project.region}"
    return [Row(AREA, "who calls", "good", f"{identity['Arn']}, {where}"), *_expiry(project)]


def _expiry(project: Project) -> Iterator[Row]:
    found: Any = project.aws.session.get_credentials()
    # Of botocore's refreshable credentials; it has no public name, and the others do not expire.
    ends: datetime | None = getattr(found, "_expiry_time", None)
    if ends is None:
        yield Row(AREA, "how long they last", "good", f"no end is known (from {found.method})")
        return
    minutes = (ends - datetime.now(UTC)).total_seconds() / 60
    short = minutes < SHORT_MINUTES
    yield Row(
        AREA,
        "how long they last",
        "later" if short else "good",
        f"{minutes:.0f} more minutes (until {ends.astimezone(UTC):%H:%M} UTC)",
        "sign in again before you deploy" if short else "",
    )

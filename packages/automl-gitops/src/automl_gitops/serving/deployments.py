"""The records of deployments to production: one object each, named by time, version and outcome."""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from automl_evaluation.typed import load
from automl_gitops.kernel.aws import Aws, is_missing, listed
from automl_gitops.kernel.environments import ROLE_VARIABLES
from automl_gitops.kernel.errors import RunError
from automl_gitops.kernel.signature import Signature

PREFIX = "deployments/production/"
DEPLOYED, ROLLED_BACK, FAILED = "deployed", "rolled-back", "failed"
_KEY = re.compile(
    rf"{PREFIX}(?P<time>\d{{8}}T\d{{6}}(\.\d{{3}})?Z)-v(?P<version>\d+)-(?P<outcome>[a-z-]+)\.json"
)


@dataclass(frozen=True)
class DeploymentRecord:
    """What was deployed, or was to be; the previous version's names are "" where there was none."""

    outcome: str
    reason: str
    package_arn: str
    version: int
    endpoint: str
    endpoint_config: str
    model: str
    containers_sha256: str
    previous_package_arn: str
    previous_endpoint_config: str
    previous_model: str
    pull_request: str
    signature: Signature
    account: str = ""  # the endpoint's; "" in a record of an older form
    checks: list[dict[str, str]] = field(default_factory=list)
    archives: dict[str, str] = field(default_factory=dict)  # none in a record of an older form

    @property
    def key(self) -> str:
        """The record's key in the project's bucket."""
        at = datetime.fromisoformat(self.signature.at)
        time = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z"
        return f"{PREFIX}{time}-v{self.version}-{self.outcome}.json"

    def uri(self, bucket: str) -> str:
        """Where the record is."""
        return f"s3://{bucket}/{self.key}"

    def document(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return asdict(self)


def read_record(s3: Any, bucket: str, key: str, kind: Any = DeploymentRecord) -> tuple[Any, Any]:
    """A record as JSON, and as a ``kind``. Raises `ClientError`, and `RunError` where it is none."""
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        document = json.loads(content)
        return document, load(kind, document)
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"s3://{bucket}/{key} was changed ({error}): bring its S3 version before back"
        ) from None


def elsewhere(last: DeploymentRecord | None, account: str) -> str:
    """That production was deployed in another account than ``account``, and the way there; "" if not."""
    if last is None or last.account in ("", account):
        return ""
    return (
        f"production was deployed in account {last.account}, and this looks at account {account}: set "
        f"{ROLE_VARIABLES['production']} to the project's role there"
    )


class DeploymentRecords:
    """The records in the project's bucket."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._s3 = aws.client("s3")
        self._bucket = bucket

    def write(self, record: DeploymentRecord) -> None:
        """Store a record."""
        body = json.dumps(record.document(), indent=2).encode()
        self._s3.put_object(Bucket=self._bucket, Key=record.key, Body=body, ContentType="application/json")

    def current(self) -> DeploymentRecord | None:
        """The last deployment that succeeded: what production serves, unless somebody changed it."""
        keys = self._keys()
        return self._read(keys[-1]) if keys else None

    def last_of(self, version: int) -> DeploymentRecord | None:
        """The last deployment of a version that succeeded."""
        keys = [key for key in self._keys() if f"-v{version}-" in key]
        return self._read(keys[-1]) if keys else None

    def standing(self) -> tuple[int, ...]:
        """The versions that were deployed, oldest first, without those that a return to an earlier one took back."""
        versions: list[int] = []
        for match in filter(None, map(_KEY.fullmatch, self._keys())):
            version = int(match["version"])
            versions = (
                versions[: versions.index(version) + 1] if version in versions else [*versions, version]
            )
        return tuple(versions)

    def _keys(self) -> list[str]:
        """Keys of the deployments that succeeded, oldest first."""
        try:
            keys = [
                entry["Key"]
                for entry in listed(
                    self._s3, "list_objects_v2", "Contents", Bucket=self._bucket, Prefix=PREFIX
                )
            ]
        except ClientError as error:
            if is_missing(error):
                return []
            raise
        matches = (_KEY.fullmatch(key) for key in keys)
        return sorted(match[0] for match in matches if match and match["outcome"] == DEPLOYED)

    def _read(self, key: str) -> DeploymentRecord:
        record: DeploymentRecord = read_record(self._s3, self._bucket, key)[1]
        return record

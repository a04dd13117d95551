"""The record of a verification: what was checked on which endpoint, with which outcome, signed by whom; and whether a
version has the one that it needs for production.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import Aws, is_missing
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.markdown import code, escape, table
from automl_gitops.kernel.signature import Signature
from automl_gitops.serving import archives
from automl_gitops.serving.deployments import read_record
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification.checks import Check
from automl_gitops.verification.client import Load

VERIFIED, FAILED = "verified", "failed"


@dataclass(frozen=True)
class VerificationRecord:
    """One verification of one version."""

    package_arn: str
    version: int
    containers_sha256: str
    archives: dict[str, str]
    environment: str
    endpoint: str
    endpoint_config: str
    checks: tuple[Check, ...]
    load: Load | None
    signature: Signature

    @property
    def failures(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.outcome == "failed"]

    @property
    def outcome(self) -> str:
        """`verified`, or `failed` where a check did."""
        return FAILED if self.failures else VERIFIED

    def document(self) -> dict[str, Any]:
        """As it stands in verification.json."""
        return {
            "version": 1,
            "outcome": self.outcome,
            "model_package_arn": self.package_arn,
            "model_package_version": self.version,
            "containers_sha256": self.containers_sha256,
            "archives": self.archives,
            "environment": self.environment,
            "endpoint": self.endpoint,
            "endpoint_config": self.endpoint_config,
            "checks": [check.document() for check in self.checks],
            "load": self.load.document() if self.load else None,
            "signed_off": self.signature.document(),
        }


@dataclass(frozen=True)
class _Known:
    outcome: str
    model_package_arn: str
    checks: list[dict[str, str]]
    signed_off: Signature
    archives: dict[str, str] = field(default_factory=dict)


def key(version: int, form: str = "json") -> str:
    """The record's key in the project's bucket; ``form`` is `json` or `md`."""
    return f"verifications/{version}/verification.{form}"


def write(aws: Aws, bucket: str, verification: VerificationRecord) -> str:
    """Store the record in both forms; returns the S3 URI of the JSON, which is written last."""
    s3 = aws.client("s3")
    document = verification.document()
    s3.put_object(
        Bucket=bucket,
        Key=key(verification.version, "md"),
        Body=markdown(document).encode(),
        ContentType="text/markdown; charset=utf-8",
    )
    s3.put_object(
        Bucket=bucket,
        Key=key(verification.version),
        Body=json.dumps(document, indent=2).encode(),
        ContentType="application/json",
    )
    return f"s3://{bucket}/{key(verification.version)}"


def read(aws: Aws, bucket: str, version: int) -> dict[str, Any] | None:
    """The record of a version, `None` where there is none."""
    try:
        document: dict[str, Any] = read_record(aws.client("s3"), bucket, key(version), _Known)[0]
        return document
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def require_verified(project: ServingProject, package: ModelPackage) -> None:
    """Raise `UserError` naming the missing proof unless staging has verified exactly this version."""
    missing, _ = proof(project, package)
    if missing:
        raise UserError(missing)


def proof(project: ServingProject, package: ModelPackage) -> tuple[str, dict[str, str]]:
    """Why the version may not go to production, and the way out; else "" and the archives that staging verified.

    The record in S3 and the note on the model package have to agree: who can write the one cannot always
    write the other.
    """
    record = read(project.aws, project.names.bucket, package.version)
    missing = _missing(project, package, record)
    return missing, {} if missing or record is None else record["archives"]


def _missing(project: ServingProject, package: ModelPackage, record: Mapping[str, Any] | None) -> str:
    subject = f"{package.label} ({package.arn}) cannot go to production"
    way_out = f"run `automl stage --model-package {package.arn}`, then `automl verify`"
    bucket = project.names.bucket
    uri = f"s3://{bucket}/{key(package.version)}"
    if package.approval == "Rejected":
        return f"{subject}: the registry has it as Rejected; promote another version"
    if record is None:
        return f"{subject}: staging has not verified it, {uri} is missing; {way_out}"
    if record.get("model_package_arn") != package.arn:
        return f"{subject}: {uri} is about {record.get('model_package_arn')}; {way_out}"
    if record.get("outcome") != VERIFIED:
        failed = ", ".join(
            check["name"] for check in record.get("checks", []) if check["outcome"] == "failed"
        )
        return f"{subject}: its verification failed ({failed}); promote another version, or {way_out}"
    if record.get("containers_sha256") != package.containers_sha256:
        return f"{subject}: it is not what staging verified, its containers were changed since; {way_out}"
    if "archives" not in record:
        return f"{subject}: it was verified before that recorded its archives' bytes; {way_out}"
    signed = archives.notes(record["archives"])
    signed |= {"verification": VERIFIED, "verification_record": uri}
    if signed.items() - package.metadata.items():
        return f"{subject}: its model package does not carry the sign-off of {uri}; {way_out}"
    return ""


def markdown(document: Mapping[str, Any]) -> str:
    """A record for people."""
    signed = document["signed_off"]
    run = f" in [this run]({signed['run']})" if signed["run"] else ""
    return "\n\n".join(
        [
            f"## Verification of version {document['model_package_version']}: {document['outcome']}",
            checks_table(document["checks"]),
            f"Endpoint {code(document['endpoint'])} with config {code(document['endpoint_config'])}, "
            f"model package {code(document['model_package_arn'])}.",
            *(
                f"Archive {code(url)}: {archives.Archive.parse(text)}."
                for url, text in document["archives"].items()
            ),
            f"Signed off by {escape(signed['by'])} ({code(signed['identity'])}) at {signed['at']}{run}.\n",
        ]
    )


def checks_table(checks: Sequence[Mapping[str, str]]) -> str:
    """Checks as a Markdown table; what an endpoint answered may hold anything."""
    rows = [(escape(check["name"]), check["outcome"], escape(check["detail"])) for check in checks]
    return table(("check", "outcome", "what was seen"), rows)

"""Whether a version may go to production, and which proof is missing where it may not."""

from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.errors import UserError
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification import verification
from automl_gitops.verification.verification import VERIFIED


def require_verified(project: Project, package: ModelPackage) -> None:
    """Raise `UserError` naming the missing proof unless staging has verified exactly this version."""
    missing = missing_proof(project, package)
    if missing:
        raise UserError(missing)


def missing_proof(project: Project, package: ModelPackage) -> str:
    """Why the version may not go to production, and the way out; "" where staging has verified exactly this one.

    The record in S3 and the note on the model package have to agree: who can write the one cannot always
    write the other.
    """
    subject = f"{package.label} ({package.arn}) cannot go to production"
    way_out = f"run `automl stage --model-package {package.arn}`, then `automl verify`"
    bucket = project.names.bucket
    uri = f"s3://{bucket}/{verification.key(package.version)}"
    if package.approval == "Rejected":
        return f"{subject}: the registry has it as Rejected; promote another version"
    record = verification.read(project.aws, bucket, package.version)
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
    if package.metadata.get("verification") != VERIFIED or package.metadata.get("verification_record") != uri:
        return f"{subject}: its model package does not carry the sign-off of {uri}; {way_out}"
    return ""

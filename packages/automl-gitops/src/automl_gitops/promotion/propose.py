"""Propose a verified version for production, as one pull request (or, without GitHub, as a changed file)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_gitops.evaluation.layout import Evaluation
from automl_gitops.github.pull_request import Host
from automl_gitops.kernel import git
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.production_file import FILE, ProductionFile, VerificationSummary
from automl_gitops.promotion.proposal import ProposedVersion, body, title
from automl_gitops.serving.endpoint import Endpoint
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.verification import record as records
from automl_gitops.verification.holdout import read_evaluation
from automl_gitops.verification.record import require_verified

BRANCH = "promote-production"


@dataclass(frozen=True)
class Proposal:
    """What came of it. ``url`` is the pull request's, "" without GitHub; ``changed`` is False where all was
    there.
    """

    package: ModelPackage
    content: ProductionFile
    changed: bool
    in_production: bool = False
    url: str = ""


def propose(project: ServingProject, arn: str | None) -> Proposal:
    """Propose the version ``arn``, by default the one that staging serves, or served last.

    Raises `UserError` for a version that is not the project's, or that staging has not verified.
    """
    registry = Registry(project.aws, project.names)
    package = registry.find(arn, "--model-package") if arn else _staged(project, registry)
    require_verified(project, package)
    record = records.read(project.aws, project.names.bucket, package.version) or {}
    evaluation = read_evaluation(project.aws, project.names.bucket, package)
    host = Host.connect(project.config.project.repository)
    text = host.read(FILE.as_posix()) if host else git.committed(FILE) or _read(FILE)
    previous = ProductionFile.parse(text, FILE.as_posix()) if text else ProductionFile(model_package_arn="")
    content = _content(package, evaluation, record, previous)
    # Other bytes, verified since, take a new approval.
    if previous.model_package_arn == package.arn and previous.archives in ({}, content.archives):
        return Proposal(package, previous, changed=False, in_production=True)
    if not host:
        return Proposal(package, content, changed=content.save(FILE))
    proposed = ProposedVersion(project.config, package, evaluation, record, previous)
    made = host.propose(BRANCH, FILE.as_posix(), content.text(), title(proposed), body(proposed))
    return Proposal(package, content, made.changed, url=made.url)


def _content(
    package: ModelPackage,
    evaluation: Evaluation,
    record: dict[str, Any],
    previous: ProductionFile,
) -> ProductionFile:
    signed = record["signed_off"]
    return ProductionFile(
        model_package_arn=package.arn,
        version=package.version,
        commit=package.commit,
        dataset_sha256=package.metadata.get("dataset_sha256", ""),
        previous_model_package_arn=previous.model_package_arn,
        metrics={name: float(value) for name, value in evaluation.metrics.items()},
        archives=record["archives"],
        verification=VerificationSummary(
            outcome=record["outcome"],
            by=signed["by"],
            at=signed["at"],
            run=signed["run"],
            record=package.metadata.get("verification_record", ""),
        ),
    )


def _staged(project: ServingProject, registry: Registry) -> ModelPackage:
    environment = project.staging
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.look()
    if not state.exists and not project.config.staging.keep:
        return registry.latest()  # its verification removed the endpoint; without one it is refused
    arn = endpoint.package_arn(state) if state.exists else ""
    if not arn:
        raise UserError(
            f"endpoint {endpoint.name} serves no version of this project: name the one to propose with "
            "--model-package, or stage and verify one first"
        )
    return registry.find(arn, "--model-package")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""

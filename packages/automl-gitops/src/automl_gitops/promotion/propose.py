"""Propose a verified version for production, as one pull request (or, without GitHub, as a changed file)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_evaluation.layout import Evaluation
from automl_evaluation.metrics import named
from automl_gitops.github.pull_request import Host
from automl_gitops.kernel import git
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.markdown import bullets, code, escape, folded, number, table
from automl_gitops.promotion.production_file import FILE, ProductionFile, VerificationSummary
from automl_gitops.serving.endpoint import Endpoint
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.verification import record as records
from automl_gitops.verification.holdout import read_evaluation
from automl_gitops.verification.record import checks_table, require_verified

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


MAX_LENGTH = 60_000  # GitHub takes 65,536 characters


@dataclass(frozen=True)
class ProposedVersion:
    """What a proposal is made of; ``verification`` is the document of that record."""

    config: Config
    package: ModelPackage
    evaluation: Evaluation
    verification: Mapping[str, Any]
    previous: ProductionFile

    @property
    def repository_url(self) -> str:
        """The repository's page."""
        return (
            f"https://github.com/{self.package.metadata.get('repository') or self.config.project.repository}"
        )


# The text of the pull request: what a reviewer has to see before merging it. The same version gives the same text.


def title(proposed: ProposedVersion) -> str:
    """The pull request's title, and the commit's message."""
    return f"Promote {proposed.config.project.name} version {proposed.package.version} to production"


def body(proposed: ProposedVersion) -> str:
    """The pull request's text in Markdown."""
    parts = [
        _opening(proposed),
        "### Candidate against production\n\n" + _metrics(proposed),
        "### Gate\n\n" + _gate(proposed.evaluation),
        "### Verification on staging\n\n" + _verification(proposed.verification),
        "### Where it comes from\n\n" + _provenance(proposed),
        "### How to go back\n\n" + _way_back(proposed),
    ]
    return "\n\n".join(parts)[:MAX_LENGTH]


def _opening(proposed: ProposedVersion) -> str:
    policy = proposed.config.production.deployment
    rollout = {
        "ALL_AT_ONCE": "all at once",
        "CANARY": f"as a canary of {policy.percent} %, which is watched for {policy.wait_seconds} s",
        "LINEAR": f"in steps of {policy.percent} %, each watched for {policy.wait_seconds} s",
    }[policy.policy]
    now = f"version {proposed.previous.version}" if proposed.previous.model_package_arn else "nothing yet"
    return (
        f"**Merging this approves version {proposed.package.version}** "
        f"(`{proposed.package.arn}`) and rolls it out {rollout}; an alarm rolls it back.\n\n"
        f"In production: {now}."
    )


def _metrics(proposed: ProposedVersion) -> str:
    ours = proposed.evaluation.metrics
    champion, in_production = proposed.evaluation.champion, proposed.previous.model_package_arn
    same_rows = bool(
        champion and champion.status == "compared" and champion.model_package_arn == in_production
    )
    theirs = champion.metrics if champion and same_rows else proposed.previous.metrics
    rows = [
        (escape(named(name).label), number(value), number(theirs.get(name))) for name, value in ours.items()
    ]
    objective = named(proposed.evaluation.objective.metric).label
    note = f"Autopilot's objective: {objective}. Measured on {proposed.evaluation.rows} holdout rows."
    if threshold := proposed.evaluation.threshold:
        how = ", chosen on its validation rows" if threshold.chosen else ""
        note += (
            f" A row is called {escape(str(proposed.evaluation.positive_class))} from a probability of "
            f"{threshold.value:.4g} on{how}."
        )
    if theirs and not same_rows:
        note += " The figures of production are from its own evaluation, perhaps on other rows."
    return f"{table(('metric', 'candidate', 'production'), rows, 'lrr')}\n\n{note}"


def _gate(evaluation: Evaluation) -> str:
    return bullets(f"{one.outcome}: {escape(one.reason)}" for one in evaluation.gate)


def _verification(document: Mapping[str, Any]) -> str:
    signed = document["signed_off"]
    run = f" ([run]({signed['run']}))" if signed["run"] else ""
    outcome = document["outcome"].capitalize()
    sentence = f"{outcome}, signed off by {escape(signed['by'])} at {signed['at']}{run}."
    return f"{sentence}\n\n{folded('Checks', checks_table(document['checks']))}"


def _provenance(proposed: ProposedVersion) -> str:
    known, url = proposed.package.metadata, proposed.repository_url
    commit = proposed.package.commit or known.get("commit", "")
    rows = {
        "commit": f"[`{commit[:12]}`]({url}/commit/{commit})" if commit else "",
        "run": known.get("run", ""),
        "pipeline execution": code(known.get("pipeline_execution")),
        "Autopilot job": code(known.get("automl_job")),
        "data set": code(known.get("dataset_sha256")),
        "evaluation": code(known.get("evaluation")),
    }
    return table(("", ""), ((name, value) for name, value in rows.items() if value))


def _way_back(proposed: ProposedVersion) -> str:
    if not proposed.previous.model_package_arn:
        return "Nothing was in production before, so there is no version to go back to."
    return (
        "Revert this pull request once it is merged (its button, or `automl rollback` and a "
        f"push): `{FILE.as_posix()}` then names version {proposed.previous.version} again, and production "
        "follows, without training or staging."
    )

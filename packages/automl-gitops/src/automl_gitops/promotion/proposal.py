"""The text of a promotion pull request: what a reviewer has to see before merging it. Pure: the same version gives
the same text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl_gitops.evaluation.layout import Evaluation
from automl_gitops.evaluation.metrics import named
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.markdown import bullets, code, escape, folded, number, table
from automl_gitops.promotion.production_file import FILE, ProductionFile
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification.record import checks_table

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

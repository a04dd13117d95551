"""Service quotas, against what `automl.toml` will ask for.

Names of the quotas: AWS General Reference, "Amazon SageMaker AI endpoints and quotas", as Service Quotas lists them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from automl_gitops.doctor.rows import Row, look
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.settings.hosting import Hosting

AREA = "quotas"
SERVICE = "sagemaker"
AUTOML_JOBS = "Maximum number of concurrent AutoML Jobs"
SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"
ENDPOINTS = "Number of instances across active endpoints"
PROCESSING = "Number of instances across all processing jobs"
TRANSFORMS = "Number of instances across all transform jobs"


@dataclass(frozen=True)
class Need:
    """How much of a quota the first training takes, and how much all that comes later."""

    quota: str
    training: int
    later: int
    reason: str


@dataclass(frozen=True)
class Quota:
    """A quota as it holds for the account and region."""

    code: str
    value: float


def quotas(project: Project) -> list[Row]:
    """A row for each quota that the project needs something of."""
    return look(AREA, "quotas", lambda: _compare(project))


def needs(config: Config) -> list[Need]:
    """What automl.toml asks for. A new version starts beside the old one, which doubles an endpoint."""
    evaluation = config.evaluation
    count, more = evaluation.instance_count, evaluation.transform_instance_count
    found = [
        Need(AUTOML_JOBS, 1, 1, "a training"),
        Need(f"{evaluation.instance_type} for processing job usage", count, count, "the evaluation"),
        Need(PROCESSING, count, count, "the evaluation"),
        Need(f"{evaluation.transform_instance_type} for transform job usage", more, more, "the holdout"),
        Need(TRANSFORMS, more, more, "the holdout"),
    ]
    staging, production = _instances(config.staging, 0), _instances(config.production, _most(config))
    types = sorted({*staging, *production})
    for kind in types:
        first, second = staging.get(kind, 0), production.get(kind, 0)
        reason = " and ".join(
            [
                *(["staging"] if first else []),
                *(["production, whose new version starts beside the old one"] if second else []),
            ]
        )
        found.append(Need(f"{kind} for endpoint usage", first, _together(first, second), reason))
    if types:
        first, second = sum(staging.values()), sum(production.values())
        found.append(Need(ENDPOINTS, first, _together(first, second), "staging and production together"))
    serverless = [
        h.serverless.max_concurrency if h.serverless else 0 for h in (config.staging, config.production)
    ]
    if any(serverless):
        found.append(Need(SERVERLESS, serverless[0], _together(*serverless), "the serverless endpoints"))
    return found


def _together(staging: int, production: int) -> int:
    """The most at one time; the two are never updated at once."""
    return max(2 * staging + production, staging + 2 * production)


def _most(config: Config) -> int:
    scaling = config.production.autoscaling
    return scaling.max_instances if scaling else 0


def _instances(hosting: Hosting, most: int) -> dict[str, int]:
    return {} if hosting.serverless else {hosting.instance_type: max(hosting.instance_count, most)}


def _compare(project: Project) -> Iterator[Row]:
    known = _quotas(project)
    for need in needs(project.config):
        asked = f"{need.quota}: at least {max(need.training, need.later)}"
        quota = known.get(need.quota)
        if quota is None:
            yield Row(
                AREA,
                asked,
                "unknown",
                f"Service Quotas lists no such quota in {project.config.project.region}",
                "see whether the region offers it" if need.quota.startswith("ml.") else "",
            )
        elif quota.value >= max(need.training, need.later):
            yield Row(AREA, asked, "good", f"{quota.value:g}, shared with the account's other projects")
        else:
            stops = quota.value < need.training
            yield Row(
                AREA,
                asked,
                "stops" if stops else "later",
                f"{quota.value:g} is too little for {need.reason}",
                f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
                f"--quota-code {quota.code} --desired-value {max(need.training, need.later)} "
                f"--region {project.config.project.region}",
            )


def _quotas(project: Project) -> dict[str, Quota]:
    """By name. ListServiceQuotas leaves out those that have a default value alone."""
    client = project.client("service-quotas")
    found: dict[str, Quota] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=SERVICE):
            for one in page["Quotas"]:
                if "Value" in one:
                    found[one["QuotaName"]] = Quota(one["QuotaCode"], one["Value"])
    return found

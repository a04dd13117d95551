"""The account: who asks and for how long, what the region offers, and quotas against what automl.toml asks for.

Names of the quotas: AWS General Reference, "Amazon SageMaker AI endpoints and quotas", as Service Quotas lists them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.doctor.rows import Row, look
from automl_gitops.kernel.aws import explain, listed
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.settings.endpoints import Hosting
from automl_gitops.runs.definition import evaluation_image

CREDENTIALS = "credentials"
SHORT_MINUTES = 15


def credentials(project: ServingProject) -> list[Row]:
    """Who calls, and until when; a row that stops where nobody does."""
    try:
        identity = project.aws.identity
    except (BotoCoreError, ClientError) as error:
        return [Row(CREDENTIALS, "who calls", "stops", str(explain(error)), "sign in, then run this again")]
    where = f"account {identity['Account']}, region {project.config.project.region}"
    return [Row(CREDENTIALS, "who calls", "good", f"{identity['Arn']}, {where}"), *_expiry(project)]


def _expiry(project: ServingProject) -> Iterator[Row]:
    credentials: Any = project.aws.session.get_credentials()
    # Of botocore's refreshable credentials; it has no public name, and the others do not expire.
    ends: datetime | None = getattr(credentials, "_expiry_time", None)
    if ends is None:
        yield Row(CREDENTIALS, "how long they last", "good", f"no end is known (from {credentials.method})")
        return
    minutes = (ends - datetime.now(UTC)).total_seconds() / 60
    short = minutes < SHORT_MINUTES
    yield Row(
        CREDENTIALS,
        "how long they last",
        "later" if short else "good",
        f"{minutes:.0f} more minutes (until {ends.astimezone(UTC):%H:%M} UTC)",
        "sign in again before you deploy" if short else "",
    )


REGION = "region"
_ZONES = 2  # so that one zone without capacity does not stop a job


def region(project: ServingProject) -> list[Row]:
    """Autopilot, the evaluation's image, the instance types."""
    return [
        *look(REGION, "Autopilot", lambda: _autopilot(project)),
        *look(REGION, "the evaluation's image", lambda: _image(project)),
        *look(REGION, "instance types", lambda: _instance_types(project)),
    ]


def _autopilot(project: ServingProject) -> Iterator[Row]:
    project.client("sagemaker").list_auto_ml_jobs(MaxResults=1)
    yield Row(REGION, "Autopilot", "good", f"answers in {project.config.project.region}")


def _image(project: ServingProject) -> Iterator[Row]:
    version, name = project.config.evaluation.container_version, project.config.project.region
    uri = evaluation_image(version, name)
    host, _, rest = uri.partition("/")
    repository, _, tag = rest.partition(":")
    answer = project.client("ecr").batch_get_image(
        registryId=host.split(".")[0], repositoryName=repository, imageIds=[{"imageTag": tag}]
    )
    if answer["images"]:
        yield Row(REGION, "the evaluation's image", "good", f"{rest} is there")
        return
    yield Row(
        REGION,
        "the evaluation's image",
        "stops",
        f"{uri} is not there",
        "name another version in automl.toml, [evaluation] container_version",
    )


def _instance_types(project: ServingProject) -> Iterator[Row]:
    """EC2's offering; SageMaker has no list of its own, and offers what EC2 has in a zone, or less."""
    uses = _uses(project)
    zones: dict[str, set[str]] = {kind: set() for kind in uses}
    for offered in listed(
        project.client("ec2"),
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": [kind.removeprefix("ml.") for kind in uses]}],
    ):
        zones[f"ml.{offered['InstanceType']}"].add(offered["Location"])
    for kind, (keys, training) in uses.items():
        asked, count = f"{kind} in {_ZONES} zones", len(zones[kind])
        if count >= _ZONES:
            yield Row(REGION, asked, "good", f"EC2 has it in {', '.join(sorted(zones[kind]))}")
        else:
            where = f"only in {', '.join(zones[kind])}" if count else "in no zone of this region"
            yield Row(
                REGION,
                asked,
                "stops" if training and not count else "later",
                f"EC2 has it {where}",
                f"choose another in automl.toml, {' and '.join(keys)}",
            )


def _uses(project: ServingProject) -> dict[str, tuple[list[str], bool]]:
    """Instance types with the keys that ask for them, and whether the first training does."""
    config = project.config
    named = [
        ("[evaluation] instance_type", config.evaluation.instance_type, True),
        ("[evaluation] transform_instance_type", config.evaluation.transform_instance_type, True),
    ]
    if not config.staging.serverless:
        named.append(("[staging] instance_type", config.staging.instance_type, True))
    if not config.production.serverless:
        named.append(("[production] instance_type", config.production.instance_type, False))
    uses: dict[str, tuple[list[str], bool]] = {}
    for key, kind, training in named:
        keys, before = uses.get(kind, ([], False))
        uses[kind] = ([*keys, key], before or training)
    return uses


QUOTAS = "quotas"
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


def quotas(project: ServingProject) -> list[Row]:
    """A row for each quota that the project needs something of."""
    return look(QUOTAS, "quotas", lambda: _compare(project))


def needs(config: Config) -> list[Need]:
    """What automl.toml asks for. A new version starts beside the old one, which doubles an endpoint."""
    evaluation = config.evaluation
    count, more = evaluation.instance_count, evaluation.transform_instance_count
    needed = [
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
        needed.append(Need(f"{kind} for endpoint usage", first, _together(first, second), reason))
    if types:
        first, second = sum(staging.values()), sum(production.values())
        needed.append(Need(ENDPOINTS, first, _together(first, second), "staging and production together"))
    serverless = [
        h.serverless.max_concurrency if h.serverless else 0 for h in (config.staging, config.production)
    ]
    if any(serverless):
        needed.append(Need(SERVERLESS, serverless[0], _together(*serverless), "the serverless endpoints"))
    return needed


def _together(staging: int, production: int) -> int:
    """The most at one time; the two are never updated at once."""
    return max(2 * staging + production, staging + 2 * production)


def _most(config: Config) -> int:
    scaling = config.production.autoscaling
    return scaling.max_instances if scaling else 0


def _instances(hosting: Hosting, most: int) -> dict[str, int]:
    return {} if hosting.serverless else {hosting.instance_type: max(hosting.instance_count, most)}


def _compare(project: ServingProject) -> Iterator[Row]:
    known = _quotas(project)
    for need in needs(project.config):
        asked = f"{need.quota}: at least {max(need.training, need.later)}"
        quota = known.get(need.quota)
        if quota is None:
            yield Row(
                QUOTAS,
                asked,
                "unknown",
                f"Service Quotas lists no such quota in {project.config.project.region}",
                "see whether the region offers it" if need.quota.startswith("ml.") else "",
            )
        elif quota.value >= max(need.training, need.later):
            yield Row(QUOTAS, asked, "good", f"{quota.value:g}, shared with the account's other projects")
        else:
            stops = quota.value < need.training
            yield Row(
                QUOTAS,
                asked,
                "stops" if stops else "later",
                f"{quota.value:g} is too little for {need.reason}",
                f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
                f"--quota-code {quota.code} --desired-value {max(need.training, need.later)} "
                f"--region {project.config.project.region}",
            )


def _quotas(project: ServingProject) -> dict[str, Quota]:
    """By name. ListServiceQuotas leaves out those that have a default value alone."""
    client = project.client("service-quotas")
    quotas_by_name: dict[str, Quota] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for one in listed(client, operation, "Quotas", ServiceCode=SERVICE):
            if "Value" in one:
                quotas_by_name[one["QuotaName"]] = Quota(one["QuotaCode"], one["Value"])
    return quotas_by_name

"""What there is of production, looked at once: registry, endpoint, records, alarms, scaling, and staging's proof."""

from functools import cached_property

from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.approval import pull_request
from automl_gitops.promotion.decide import Situation
from automl_gitops.promotion.production_file import SOURCE, ProductionFile
from automl_gitops.serving import archives
from automl_gitops.serving.alarms import EndpointAlarms, alarm_requests
from automl_gitops.serving.deployments import DeploymentRecord, DeploymentRecords
from automl_gitops.serving.endpoint import PARTS, Endpoint
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import release
from automl_gitops.serving.scaling import Scaling
from automl_gitops.verification.record import proof


class ProductionServices:
    """Whatever a promotion looks at and changes."""

    def __init__(self, project: ServingProject) -> None:
        self.project = project
        self.environment = project.production
        self.bucket = project.names.bucket
        self.endpoint = Endpoint(self.environment.aws, self.environment.endpoint, project.output)
        self.registry = Registry(project.aws, project.names)
        self.records = DeploymentRecords(project.aws, self.bucket)
        self.alarms = EndpointAlarms(self.environment.aws, alarm_requests(self.environment))
        self.scaling = Scaling(self.environment)

    @cached_property
    def pull_request(self) -> str:
        """On whose word the version goes to production, see `approval.pull_request`."""
        return pull_request(self.project)


def look(production: ProductionServices, named: ProductionFile) -> Situation:
    """What there is, for the version that Git names; changes nothing.

    Raises `UserError` for a version that is not the project's, or that its configuration cannot serve.
    """
    environment, endpoint = production.environment, production.endpoint
    package = production.registry.find(named.model_package_arn, SOURCE)
    wanted = release(package, environment, production.bucket)
    state = endpoint.look()
    last = production.records.current()
    before = production.records.last_of(package.version)
    missing, verified = proof(production.project, package)
    deployed = before.archives if before else {}
    known = (deployed if missing else verified) or named.archives
    # Whoever trains writes the verification's hashes, beside any bytes: only a promotion's are believed.
    now = archives.read_again(production.project.client("s3"), {url: deployed.get(url, "") for url in known})
    return Situation(
        package=package,
        release=wanted,
        account=environment.aws.account,
        bucket=production.bucket,
        missing_proof=missing,
        archives=now,
        other_bytes=archives.difference(known, now) or archives.difference(named.archives, now),
        endpoint=state,
        variants=endpoint.variants(state.config) if state.exists else (),
        served_arn=endpoint.package_arn(state) if state.exists else "",
        last=last,
        last_of_version=before,
        standing=production.records.standing(),
        packages=_named_by(last, production.registry, package),
        wrong_alarms=tuple(request["AlarmName"] for request in production.alarms.missing()),
        scaling_wanted=production.scaling.wanted,
        scaling_exists=production.scaling.exists(),
        scaling_right=production.scaling.is_right(),
        parts=frozenset((kind, name) for kind in PARTS for name in endpoint.parts(kind)),
    )


def _named_by(
    record: DeploymentRecord | None, registry: Registry, package: ModelPackage
) -> dict[str, ModelPackage]:
    """The other versions that a record names; one that was deleted since is left out, as nothing can be noted on it."""
    arns = {record.package_arn, record.previous_package_arn} - {"", package.arn} if record else set()
    packages = {}
    for arn in sorted(arns):
        try:
            packages[arn] = registry.find(arn, "the previous version")
        except UserError:
            continue
    return packages

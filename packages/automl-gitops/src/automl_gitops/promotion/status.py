"""What Git names, what the registry says, what the endpoints serve, and every difference between them."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from automl_gitops.kernel.environments import Environment, ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.production_file import FILE, SOURCE, ProductionFile, uncommitted
from automl_gitops.serving import archives
from automl_gitops.serving.alarms import EndpointAlarms, alarm_requests
from automl_gitops.serving.deployments import DeploymentRecord, DeploymentRecords, elsewhere
from automl_gitops.serving.endpoint import Endpoint, EndpointState
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import release
from automl_gitops.serving.scaling import Scaling


@dataclass
class Served:
    """What an endpoint serves; without an endpoint ``status`` is "". ``since`` is its last change.

    ``threshold`` is the version's own, from which probability of its ``positive_class`` on a row is called so; "" where
    the model's label counts.
    """

    endpoint: str
    status: str = ""
    config: str = ""
    pending_config: str = ""
    model_package_arn: str = ""
    version: int | None = None
    commit: str = ""
    since: datetime | None = None
    instances: int | None = None
    threshold: str = ""
    positive_class: str = ""
    alarms: dict[str, str] = field(default_factory=dict)


@dataclass
class Status:
    """All of it. ``differences`` are what `promote` (or a person) has to mend, ``notices`` what is as it
    should be.
    """

    git: dict[str, Any]
    registry: dict[str, str]
    staging: Served
    production: Served
    differences: list[str]
    notices: list[str]

    @property
    def who(self) -> str:
        """Who names the version."""
        return f"{FILE.as_posix()}, not committed," if self.git["uncommitted"] else "Git"

    def document(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return asdict(self) | {"drift": bool(self.differences)}


def status(project: ServingProject) -> Status:
    """Look at everything; changes nothing."""
    content = ProductionFile.load()
    registry = Registry(project.aws, project.names)
    staging = _served(project, project.staging, registry)[0]
    production, state = _served(project, project.production, registry)
    alarms = EndpointAlarms(project.production.aws, alarm_requests(project.production))
    if production.status:
        production.alarms = {name: alarm["StateValue"] for name, alarm in alarms.look().items()}
    changed = uncommitted()
    seen = Status(
        git={
            "model_package_arn": content.model_package_arn,
            "version": content.version or None,
            "uncommitted": bool(changed),
        },
        registry={},
        staging=staging,
        production=production,
        differences=[],
        notices=[changed] if changed else [],
    )
    if not content.model_package_arn:
        _compare_with_nothing(seen)
        return seen
    package = _package(registry, content.model_package_arn, seen)
    if package:
        current = DeploymentRecords(project.aws, project.names.bucket).current()
        _compare(project, package, state, alarms, current, seen)
        seen.differences += archives.replaced(project.client("s3"), _archives(current, content))
    return seen


def _served(
    project: ServingProject, environment: Environment, registry: Registry
) -> tuple[Served, EndpointState]:
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.look()
    served = Served(environment.endpoint)
    if not state.exists:
        return served, state
    served.status, served.config, served.pending_config = state.status, state.config, state.pending_config
    served.since, served.instances = state.modified, state.instances
    served.model_package_arn = endpoint.package_arn(state)
    if served.model_package_arn:
        try:
            package = registry.find(served.model_package_arn, environment.endpoint)
        except UserError:
            return served, state  # a version that was deleted since is still served
        served.version, served.commit = package.version, package.commit
        served.threshold = package.metadata.get("threshold", "")
        served.positive_class = package.metadata.get("positive_class", "")
    return served, state


def _package(registry: Registry, arn: str, seen: Status) -> ModelPackage | None:
    try:
        package = registry.find(arn, SOURCE)
    except UserError as error:
        seen.differences.append(str(error))
        return None
    seen.git["version"] = package.version
    seen.registry = {
        "approval": package.approval,
        "stage": package.stage,
        "stage_status": package.stage_status,
        "verification": package.metadata.get("verification", ""),
    }
    return package


def _archives(current: DeploymentRecord | None, content: ProductionFile) -> dict[str, str]:
    """What an instance is to load: as the version was deployed, and before that as its promotion was approved."""
    deployed = current and current.package_arn == content.model_package_arn
    return current.archives if current and deployed else content.archives


def _compare_with_nothing(seen: Status) -> None:
    if seen.production.status:
        served = seen.production.model_package_arn or seen.production.config
        seen.differences.append(
            f"{seen.who} names no version for production, but {seen.production.endpoint} serves {served}"
        )
    else:
        seen.notices.append(f"nothing in production yet: {FILE.as_posix()} names no version")


def _compare(
    project: ServingProject,
    package: ModelPackage,
    state: EndpointState,
    alarms: EndpointAlarms,
    current: DeploymentRecord | None,
    seen: Status,
) -> None:
    differences, served = seen.differences, seen.production
    if package.approval != "Approved":
        differences.append(f"{seen.who} names {package.label}, which the registry has as {package.approval}")
    if not state.exists:
        where = elsewhere(current, project.production.aws.account)
        nowhere = f"{seen.who} names {package.label}, but there is no endpoint {served.endpoint}"
        differences.append(where or nowhere)
        return
    if state.moving:
        seen.notices.append(f"{served.endpoint} is {state.status}: look again when that has ended")
        return
    if state.status != "InService":
        differences.append(f"{served.endpoint} is {state.status}: {state.reason or 'no reason given'}")
    wanted = release(package, project.production, project.names.bucket)
    if served.model_package_arn != package.arn:
        what = served.model_package_arn or f"config {state.config}, which this project did not make"
        differences.append(f"{seen.who} names {package.arn}, but {served.endpoint} serves {what}")
    elif state.config != wanted.config_name:
        differences.append(
            f"{served.endpoint} has config {state.config}, but automl.toml [production] gives {wanted.config_name}"
        )
    elif not current or current.endpoint_config != wanted.config_name:
        differences.append(f"{served.endpoint} serves {package.label}, but no deployment of it is recorded")
    differences += [
        f"alarm {request['AlarmName']} is missing, or not as automl.toml [production.alarms] gives it"
        for request in alarms.missing()
    ]
    if not Scaling(project.production).is_right():
        differences.append(
            f"the autoscaling of {served.endpoint} is not as automl.toml [production] gives it"
        )

"""Put one registered version on the staging endpoint."""

from dataclasses import dataclass

from automl_gitops.kernel import workflow_step
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs.execution import locate, overtaken, overtaken_by, read
from automl_gitops.serving import archives
from automl_gitops.serving.endpoint import Endpoint, EndpointState, require_success
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import Release, release


@dataclass(frozen=True)
class Staged:
    """What staging serves; ``changed`` is False where it already did."""

    package: ModelPackage
    release: Release
    state: EndpointState
    changed: bool


def stage(project: ServingProject, arn: str | None) -> Staged:
    """Make the staging endpoint serve the version ``arn`` (the newest where a person gives none) and wait for
    it.

    Raises `UserError` for a version that is not the project's or was rejected, `RunError` where the endpoint
    does not come up or was rolled back.
    """
    registry = Registry(project.aws, project.names)
    package = registry.find(arn, "--model-package") if arn else registry.latest()
    if package.approval == "Rejected":
        raise UserError(f"{package.arn} was rejected: stage another version, or train a new one")
    environment = project.staging
    notes = archives.notes(archives.read(project.client("s3"), package))
    wanted = release(package, environment, project.names.bucket, notes)
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.settle_before_change(wanted.config_name)
    changed = not state.serves(wanted.config_name)
    if changed:
        state = _serve(endpoint, state, wanted)
    endpoint.tidy(keep={wanted.model_name, wanted.config_name})
    return Staged(package, wanted, state, changed)


def version_of(project: ServingProject, execution: str) -> str | None:
    """The ARN of the version that an execution (by its id) registered; `None`, with a notice, where one that was
    started later has registered another.

    Several executions may run at once, and the newest model is not that of the one that ends last. Raises `UserError`
    for an execution that is not there or has registered nothing.
    """
    sagemaker = project.aws.client("sagemaker")
    state = read(sagemaker, project.names, locate(sagemaker, project.names, execution))
    if state.model_package_arn is None:
        raise UserError(
            f"execution {state.id} is {state.status} and has registered no version: look at it with `automl execution "
            f"{state.id}`"
        )
    later = overtaken_by(sagemaker, project.names, state.arn)
    if later is not None:
        project.output.notice(overtaken(state, later))
        workflow_step.append_summary(f"Not staged: {overtaken(state, later)}.")
        return None
    return state.model_package_arn


def _serve(endpoint: Endpoint, state: EndpointState, wanted: Release) -> EndpointState:
    state = endpoint.remove_dead(state)
    if state.exists and endpoint.is_serverless(state.config) != wanted.serverless:
        # The service does not change between instances and serverless in place, and nobody depends on
        # staging.
        endpoint.delete()
        state = EndpointState()
    endpoint.make_parts(wanted)
    if state.exists:
        endpoint.update(wanted.config_name)
    else:
        endpoint.create(wanted)
    state = endpoint.settle()
    require_success(endpoint.name, state, wanted.config_name)
    return state

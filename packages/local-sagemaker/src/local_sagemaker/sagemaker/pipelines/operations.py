"""Pipelines themselves: create, update, describe, delete, list, and their versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker import actors, clients, workers
from local_sagemaker.bridge import AWSError, Caller, Handler
from local_sagemaker.sagemaker import resources, service
from local_sagemaker.sagemaker.pipelines import definition, state
from local_sagemaker.sagemaker.pipelines.state import Pipeline, Version
from local_sagemaker.sagemaker.pipelines.steps import lambda_step

UNSUPPORTED = (
    "MlflowExperimentName",
    "PipelineVersionAlias",
    "PipelineVersionAliases",
    "SelectiveExecutionConfig",
)
MAX_DEFINITION = 1_048_576
_created_by_token: dict[tuple[str, str, str], str] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Answer SageMaker's operation ``name``, but for requests with a member that is :data:`UNSUPPORTED`."""

    def install(handler: Handler) -> Handler:
        def checked(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any] | None:
            for member in UNSUPPORTED:
                if parameters.get(member):
                    raise resources.invalid(f"{member} is not supported by the local AWS")
            return handler(caller, parameters)

        return service.operation(name)(checked)

    return install


@operation("CreatePipeline")
def create_pipeline(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """CreatePipeline; the same ``ClientRequestToken`` again gives the same pipeline."""
    name, request = (
        parameters["PipelineName"],
        (caller.account, caller.region, parameters["ClientRequestToken"]),
    )
    parsed = _definition(caller, parameters)
    if parsed is None:
        raise resources.invalid(
            "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
        )
    with state.lock:
        existing = state.pipelines(caller).get(name)
        if existing and _created_by_token.get(request) == existing.arn:
            return {"PipelineArn": existing.arn}
        if existing:
            raise resources.invalid(
                "Pipeline names must be unique within an AWS account and region."
                f" Pipeline with name ({name}) already exists."
            )
        moment = resources.now()
        pipeline = Pipeline(
            name=name,
            arn=resources.arn(caller, "pipeline", name),
            display_name=parameters.get("PipelineDisplayName") or name,
            description=parameters.get("PipelineDescription"),
            role_arn=parameters["RoleArn"],
            tags=list(parameters.get("Tags") or []),
            parallelism=parameters.get("ParallelismConfiguration"),
            created=moment,
            modified=moment,
            created_by=resources.user_context(caller),
            modified_by=resources.user_context(caller),
            versions=[Version(1, parsed, moment)],
        )
        state.pipelines(caller)[name] = pipeline
        _created_by_token[request] = pipeline.arn
    return {"PipelineArn": pipeline.arn}


@operation("UpdatePipeline")
def update_pipeline(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """UpdatePipeline; what the request does not name stays, and a definition becomes a new version."""
    pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    parsed = _definition(caller, parameters)
    with state.lock:
        moment = resources.now()
        pipeline.display_name = parameters.get("PipelineDisplayName", pipeline.display_name)
        pipeline.description = parameters.get("PipelineDescription", pipeline.description)
        pipeline.role_arn = parameters.get("RoleArn", pipeline.role_arn)
        pipeline.parallelism = parameters.get("ParallelismConfiguration", pipeline.parallelism)
        pipeline.modified, pipeline.modified_by = moment, resources.user_context(caller)
        if parsed:
            pipeline.versions.append(Version(pipeline.latest.id + 1, parsed, moment))
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.latest.id}


@operation("DescribePipeline")
def describe_pipeline(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """DescribePipeline, of the latest version or ``PipelineVersionId``."""
    try:
        pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    except AWSError:
        workers.warm_up()  # whoever looks for one in vain is about to make it, and may need seconds for that
        raise
    return pipeline.describe(state.find_version(pipeline, parameters.get("PipelineVersionId")))


@operation("DeletePipeline")
def delete_pipeline(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """DeletePipeline, with all its executions; ConflictException while one of them runs."""
    pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    with state.lock:
        running = [run.arn for run in pipeline.executions.values() if run.status not in state.ENDED]
        if running:
            raise AWSError(
                "ConflictException",
                f"Pipeline '{pipeline.arn}' has running executions: stop {', '.join(running)} first.",
            )
        state.pipelines(caller).pop(pipeline.name, None)
    return {"PipelineArn": pipeline.arn}


@operation("ListPipelines")
def list_pipelines(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """ListPipelines."""
    prefix = parameters.get("PipelineNamePrefix", "")
    records = [
        pipeline.describe(pipeline.latest) | {"LastExecutionTime": pipeline.last_run}
        for pipeline in list(state.pipelines(caller).values())
        if pipeline.name.startswith(prefix)
    ]
    return resources.listed(records, created_within(parameters), "PipelineSummaries", "PipelineName")


@operation("ListPipelineVersions")
def list_pipeline_versions(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """ListPipelineVersions, the latest first."""
    pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    records = [
        {
            "PipelineArn": pipeline.arn,
            "PipelineVersionId": version.id,
            "CreationTime": version.created,
            "LastExecutionPipelineExecutionArn": version.last_execution,
        }
        for version in list(pipeline.versions)
    ]
    return resources.listed(records, created_within(parameters), "PipelineVersionSummaries", "PipelineArn")


def created_within(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a List operation, ``CreatedAfter`` and ``CreatedBefore`` under their usual names."""
    bounds = {
        "CreationTimeAfter": parameters.get("CreatedAfter"),
        "CreationTimeBefore": parameters.get("CreatedBefore"),
    }
    return parameters | bounds


def _definition(caller: Caller, parameters: dict[str, Any]) -> definition.Definition | None:
    """The request's definition, checked; None where it has none."""
    text, location = parameters.get("PipelineDefinition"), parameters.get("PipelineDefinitionS3Location")
    if text and location:
        raise resources.invalid(
            "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present"
        )
    if location:
        text = _from_s3(caller, location)
    if not text:
        return None
    if len(text) > MAX_DEFINITION:
        raise resources.invalid(f"Pipeline definition is longer than {MAX_DEFINITION} characters.")
    try:
        parsed = definition.parse(text)
    except definition.DefinitionError as error:
        raise resources.invalid(str(error)) from error
    # Whoever has a pipeline will start it: its first step, and the first training, then need not wait.
    workers.warm_up()
    lambda_step.prepare(step for step in parsed.steps.values() if not step.needs)
    return parsed


def _from_s3(caller: Caller, location: dict[str, str]) -> str:
    names = {"Bucket": "Bucket", "ObjectKey": "Key", "VersionId": "VersionId"}
    s3 = clients.client("s3", actors.of_caller(caller.access_key, caller.region))
    try:
        answer = s3.get_object(**{names[member]: value for member, value in location.items()})
    except ClientError as error:
        where = f"s3://{location['Bucket']}/{location['ObjectKey']}"
        raise resources.invalid(f"The pipeline definition {where} cannot be read: {error}") from None
    return answer["Body"].read().decode()

"""The project's resources in AWS: finding them, and removing them in an order that works."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import Aws, is_missing, listed
from automl_gitops.kernel.environments import Environment, Name, ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.waiting import wait
from automl_gitops.serving.alarms import EndpointAlarms, alarm_requests
from automl_gitops.serving.deployments import DeploymentRecords, elsewhere
from automl_gitops.serving.endpoint import PARTS, Endpoint
from automl_gitops.serving.scaling import Scaling
from automl_gitops.stacks import stack
from automl_gitops.stacks.cloudformation import Stack
from automl_gitops.stacks.stack import left_behind

STORAGE = {
    "Bucket",
    "BucketPolicy",
    "ModelPackageGroup",
}  # of the stack; what a teardown keeps unless told otherwise
RUNNING = {"Executing", "InProgress", "Stopping"}  # statuses of executions and jobs that have not ended
_STOP_SECONDS = 900.0


@dataclass(frozen=True)
class Resource:
    """Something to remove; ``remove`` may be called again, and returns when it is gone."""

    kind: str
    name: str
    account: str
    remove: Callable[[], Any]


def of_environment(project: ServingProject, environment: Environment) -> Iterator[Resource]:
    """An endpoint, and what belongs to it: scaling, models, endpoint configs, alarms, logs."""
    aws, account = environment.aws, environment.aws.account
    endpoint = Endpoint(aws, environment.endpoint, project.output)
    if environment.name == "production":
        where = elsewhere(DeploymentRecords(project.aws, project.names.bucket).current(), account)
        if where:
            project.output.notice(f"{where}, to remove it")
        scaling = Scaling(environment)
        if scaling.exists():
            yield Resource("scaling", environment.endpoint, account, scaling.remove)
    if endpoint.look().exists:
        yield Resource("endpoint", environment.endpoint, account, endpoint.delete)
    for kind in PARTS:
        for name in sorted(endpoint.parts(kind)):
            remove = partial(endpoint.delete_part, kind, name)
            yield Resource(kind.replace("_", " "), name, account, remove)
    if environment.name == "production":
        alarms = EndpointAlarms(aws, alarm_requests(environment))
        for name in sorted(alarms.look()):
            yield Resource("alarm", name, account, partial(alarms.remove, name))
    yield from _log_groups(aws, f"/aws/sagemaker/Endpoints/{environment.endpoint}")


def of_training(project: ServingProject) -> Iterator[Resource]:
    """What still runs (it is stopped; the services keep the list of what ran), and the pipeline."""
    sagemaker, names, account = project.client("sagemaker"), project.names, project.names.account
    for arn in running_executions(sagemaker, names.pipeline):
        yield Resource("running execution", arn, account, partial(_stop_execution, project, arn))
    # Exactly the project's, not those of a project whose name begins like it.
    own = re.compile(rf"{re.escape(names.project)}-[a-z0-9]{{12}}")
    begins = {"NameContains": f"{names.project}-"}
    for summary in listed(sagemaker, "list_auto_ml_jobs", "AutoMLJobSummaries", **begins):
        job = summary["AutoMLJobName"]
        if own.fullmatch(job) and summary["AutoMLJobStatus"] in RUNNING:
            yield Resource("running Autopilot job", job, account, partial(_stop_job, project, job))
    if _exists(partial(sagemaker.describe_pipeline, PipelineName=names.pipeline)):
        remove = partial(sagemaker.delete_pipeline, PipelineName=names.pipeline)
        yield Resource("pipeline", names.pipeline, account, remove)
    # What an evaluation leaves that was ended before it could clear up.
    left = re.compile(rf"{re.escape(names.project)}-[a-z0-9]{{12}}-[a-z]+")
    for model in sorted(one["ModelName"] for one in listed(sagemaker, "list_models", "Models", **begins)):
        if left.fullmatch(model):
            yield Resource("model", model, account, partial(sagemaker.delete_model, ModelName=model))


def of_stack(project: ServingProject, *, data: bool) -> Iterator[Resource]:
    """The project's stack, and with ``data`` the bucket's objects and the registry's versions before it."""
    account = project.names.account
    name = project.names.stack
    held = Stack(project.aws, name, project.output).resources()
    if not data:
        if held.keys() - STORAGE:
            yield Resource(
                "stack, down to bucket and registry", name, account, partial(stack.reduce_to_storage, project)
            )
        return
    yield from _registry(project)
    yield from _bucket(project)
    # One that could not be created holds nothing.
    if Stack(project.aws, name, project.output).look().exists:
        yield Resource("stack", name, account, partial(stack.remove, project))
    there = {one.logical_id for one in left_behind(project)} - held.keys()
    if "ModelPackageGroup" in there:
        group = project.names.model_package_group
        remove = partial(project.client("sagemaker").delete_model_package_group, ModelPackageGroupName=group)
        yield Resource("model package group", group, account, remove)
    if "Bucket" in there:
        bucket = project.names.bucket
        yield Resource("bucket", bucket, account, partial(project.client("s3").delete_bucket, Bucket=bucket))


def of_roles(project: ServingProject) -> Iterator[Resource]:
    """The stacks of the roles; the workflows' last, since the others use its policies."""
    names = project.names
    for name in (names.people_stack, names.services_stack, names.bootstrap_stack):
        stack = Stack(project.aws, name, project.output)
        if stack.look().exists:
            yield Resource("stack", name, project.names.account, stack.delete)


def _registry(project: ServingProject) -> Iterator[Resource]:
    sagemaker, group = project.client("sagemaker"), project.names.model_package_group
    try:
        versions = list(
            listed(sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group)
        )
    except ClientError as error:
        if is_missing(error):
            return
        raise
    for summary in versions:
        arn = summary["ModelPackageArn"]
        remove = partial(sagemaker.delete_model_package, ModelPackageName=arn)
        yield Resource("model package", arn, project.names.account, remove)


def _bucket(project: ServingProject) -> Iterator[Resource]:
    s3, bucket = project.client("s3"), project.names.bucket
    try:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if is_missing(error):
            return
        raise
    if page.get("Versions") or page.get("DeleteMarkers"):
        yield Resource("all objects in bucket", bucket, project.names.account, partial(_empty, s3, bucket))


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions]
        if objects:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            # S3 answers 200 with what it did not delete.
            for error in answer.get("Errors", []):
                raise RunError(
                    f"s3://{bucket}/{error['Key']} could not be deleted ({error['Code']}: {error['Message']}): "
                    "mend that and run the command again"
                )


def _log_groups(aws: Aws, name: str) -> Iterator[Resource]:
    logs = aws.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if any(group["logGroupName"] == name for group in groups):
        yield Resource("log group", name, aws.account, partial(logs.delete_log_group, logGroupName=name))


def running_executions(sagemaker: Any, pipeline: str) -> Sequence[str]:
    """The ARNs of a pipeline's executions that have not ended."""
    try:
        return [
            summary["PipelineExecutionArn"]
            for summary in listed(
                sagemaker, "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=pipeline
            )
            if summary["PipelineExecutionStatus"] in RUNNING
        ]
    except ClientError as error:
        if is_missing(error):
            return []
        raise


def stop_and_wait(
    project: ServingProject, what: str, look: Callable[[], str], stop: Callable[[], Any]
) -> None:
    """Stop what runs by the status that ``look`` gives, unless it is stopping already, and wait for its end."""
    if look() in RUNNING - {"Stopping"}:
        stop()
    wait(
        what, look, lambda seen: seen not in RUNNING, seconds=_STOP_SECONDS, status=str, output=project.output
    )


def _stop_execution(project: ServingProject, arn: str) -> None:
    sagemaker, given = project.client("sagemaker"), {"PipelineExecutionArn": arn}
    stop_and_wait(
        project,
        f"execution {arn[-12:]}",
        lambda: str(sagemaker.describe_pipeline_execution(**given)["PipelineExecutionStatus"]),
        partial(sagemaker.stop_pipeline_execution, **given),
    )


def _stop_job(project: ServingProject, job: str) -> None:
    sagemaker, given = project.client("sagemaker"), {"AutoMLJobName": job}
    stop_and_wait(
        project,
        f"Autopilot job {job}",
        lambda: str(sagemaker.describe_auto_ml_job_v2(**given)["AutoMLJobStatus"]),
        partial(sagemaker.stop_auto_ml_job, **given),
    )


def _exists(describe: Callable[[], Any]) -> bool:
    try:
        describe()
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True


def find(
    project: ServingProject, *, only: Name | None = None, data: bool = False, roles: bool = False
) -> list[Resource]:
    """What there is to remove, in the order in which it goes: a bucket's objects before the stack with the bucket.

    ``only`` is one environment's endpoint and what belongs to it. ``data`` are bucket and registry, ``roles``
    the stacks that an administrator made.
    """
    if only:
        return list(of_environment(project, project.environment(only)))
    return [
        *of_training(project),
        *of_environment(project, project.staging),
        *of_environment(project, project.production),
        *of_stack(project, data=data),
        *(of_roles(project) if roles else ()),
    ]


def remove(project: ServingProject, resources: list[Resource], confirmation: str) -> None:
    """Remove what was found. Raises `UserError` unless ``confirmation`` is the project's name."""
    name = project.config.project.name
    if confirmation != name:
        raise UserError(
            f'--confirm "{confirmation}" is not the project\'s name: nothing was removed; pass --confirm '
            f"{name} to remove "
            "what is listed above"
        )
    for resource in resources:
        try:
            resource.remove()
        except ClientError as error:
            if not is_missing(error):
                raise
        project.output.say(f"removed {resource.kind} {resource.name}")

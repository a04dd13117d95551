"""What is there of the project, what is stuck and what goes on at this moment."""

import time
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import ClientError

from automl_gitops.data.lock import FILE as LOCK
from automl_gitops.doctor.rows import Row, look
from automl_gitops.kernel import git
from automl_gitops.kernel.aws import is_missing, listed
from automl_gitops.kernel.environments import Environment, ServingProject
from automl_gitops.kernel.words import counted
from automl_gitops.stacks.cloudformation import Stack

AREA = "state"
PACKAGES = (Path("requirements.lock"), Path("serving.lock"))
OLD_DAYS = 90
# From these CloudFormation goes nowhere by itself.
_STUCK = ("_FAILED", "ROLLBACK_COMPLETE")
_FINE = {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}  # as it was before the last change
_MOVING = {"Creating", "Updating", "Deleting", "RollingBack", "SystemUpdating"}


def state(project: ServingProject) -> list[Row]:
    """Locks, stacks, key, bucket, pipeline, endpoints."""
    names = project.names
    rows = [*look(AREA, LOCK.as_posix(), _data), *look(AREA, "locked packages", _packages)]
    for name in (names.bootstrap_stack, names.people_stack, names.stack):
        rows += look(AREA, f"stack {name}", lambda n=name: _stack(project, n))  # type: ignore[misc]
    rows += look(AREA, "the KMS key", lambda: _key(project))
    rows += look(AREA, f"bucket {names.bucket}", lambda: _bucket(project))
    rows += look(AREA, f"pipeline {names.pipeline}", lambda: _pipeline(project))
    for name in ("staging", "production"):
        rows += look(AREA, f"endpoint {name}", lambda n=name: _endpoint(project.environment(n)))  # type: ignore[misc]
    return rows


def _data() -> Iterator[Row]:
    if not LOCK.exists():
        todo = "`automl data push FILE` makes it"
        yield Row(AREA, LOCK.as_posix(), "later", "there is no data set yet: a merge trains nothing", todo)
        return
    days = _days_since_commit(LOCK)
    age = "" if days is None else f", committed {counted(days, 'day')} ago"
    yield Row(AREA, LOCK.as_posix(), "good", f"there{age}")


def _packages() -> Iterator[Row]:
    """The locked packages, which get security fixes by being locked anew alone."""
    for file in PACKAGES:
        days = _days_since_commit(file) if file.exists() else None
        if days is None:
            continue
        found = f"committed {counted(days, 'day')} ago"
        if days > OLD_DAYS:
            yield Row(AREA, file.as_posix(), "later", found, "`make lock` takes the newest allowed packages")
        else:
            yield Row(AREA, file.as_posix(), "good", found)


def _days_since_commit(file: Path) -> int | None:
    """The age of a file's last commit; `None` where Git does not tell."""
    moment = git.changed_at(file)
    return None if moment is None else int((time.time() - moment) // 86_400)


def _stack(project: ServingProject, name: str) -> Iterator[Row]:
    asked, found = f"stack {name}", Stack(project.aws, name, project.output).look()
    reason = f" ({found.reason})" if found.reason else ""
    if not found.exists:
        yield Row(AREA, asked, "good", "not there yet")
    elif found.moving:
        yield Row(AREA, asked, "later", f"is {found.status}: somebody changes it now", "wait for its end")
    elif found.status.endswith(_STUCK) and found.status not in _FINE:
        todo = "an administrator runs `make bootstrap`, which goes on from there"
        yield Row(AREA, asked, "stops", f"is stuck in {found.status}{reason}", todo)
    else:
        yield Row(AREA, asked, "good", f"is {found.status}")


def _key(project: ServingProject) -> Iterator[Row]:
    encryption = project.config.encryption
    if not encryption:
        return
    try:
        found = project.client("kms").describe_key(KeyId=encryption.kms_key)["KeyMetadata"]
    except ClientError as error:
        if not is_missing(error):
            raise
        todo = "correct [encryption] kms_key in automl.toml"
        yield Row(AREA, f"KMS key {encryption.kms_key}", "stops", "there is no such key", todo)
        return
    if found["KeyState"] == "Enabled":
        yield Row(AREA, f"KMS key {encryption.kms_key}", "good", "is Enabled")
        yield from _logs_use(project, found["Arn"])
    else:
        todo = "enable it in the console of KMS: what it encrypted cannot be read meanwhile"
        yield Row(AREA, f"KMS key {encryption.kms_key}", "stops", f"is {found['KeyState']}", todo)


def _logs_use(project: ServingProject, key: str) -> Iterator[Row]:
    """Whether the functions' logs may be encrypted. Another account's key shows its policy to that account alone."""
    if key.split(":")[4] != project.aws.account:
        return
    policy = project.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    service = f"logs.{project.aws.region}.amazonaws.com"
    if f'"{service}"' not in policy:
        todo = 'add the statement of docs/set-up.md, "A key of your own", to its policy'
        yield Row(AREA, f"policy of KMS key {key}", "stops", f"does not name {service}", todo)


def _bucket(project: ServingProject) -> Iterator[Row]:
    asked = f"bucket {project.names.bucket}"
    stack = Stack(project.aws, project.names.stack, project.output).look()
    try:
        project.client("s3").head_bucket(Bucket=project.names.bucket)
    except ClientError as error:
        if not is_missing(error):
            raise
        if stack.status.endswith("_COMPLETE") and stack.status != "ROLLBACK_COMPLETE":
            todo = "find out who deleted it, then run the teardown and `make bootstrap`"
            yield Row(AREA, asked, "stops", f"is gone, although stack {project.names.stack} made it", todo)
        else:
            yield Row(AREA, asked, "stops", "not there yet", "an administrator runs `make bootstrap`")
        return
    yield Row(AREA, asked, "good", "there")


def _pipeline(project: ServingProject) -> Iterator[Row]:
    client, name = project.client("sagemaker"), project.names.pipeline
    asked = f"pipeline {name}"
    try:
        found = client.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        yield Row(AREA, asked, "good", "not there yet: Retrain makes it")
        return
    if found["PipelineStatus"] != "Active":
        yield Row(AREA, asked, "stops", f"is {found['PipelineStatus']}", "wait for its end")
        return
    running = [
        one
        for one in listed(client, "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=name)
        if one["PipelineExecutionStatus"] in ("Executing", "Stopping")
    ]
    for one in running:
        since = one["StartTime"].strftime("%Y-%m-%d %H:%M %Z")
        execution = one["PipelineExecutionArn"].rsplit("/", 1)[-1]
        status = one["PipelineExecutionStatus"]
        yield Row(
            AREA, asked, "later", f"execution {execution} is {status} since {since}", "wait for its end"
        )
    if not running:
        yield Row(AREA, asked, "good", "there, and nothing runs")


def _endpoint(environment: Environment) -> Iterator[Row]:
    asked = f"endpoint {environment.endpoint}"
    try:
        found = environment.aws.client("sagemaker").describe_endpoint(EndpointName=environment.endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        yield Row(AREA, asked, "good", "not there yet")
        return
    status = found["EndpointStatus"]
    if status in _MOVING:
        yield Row(AREA, asked, "later", f"is {status}: somebody changes it now", "wait for its end")
    elif status == "InService":
        yield Row(AREA, asked, "good", "is InService")
    else:
        why = f" ({found['FailureReason']})" if found.get("FailureReason") else ""
        yield Row(AREA, asked, "later", f"is {status}{why}", "`automl status` tells more")

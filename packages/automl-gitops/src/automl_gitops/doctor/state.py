"""What is there of the project, what is stuck and what goes on at this moment; and the KMS key that it needs."""

import time
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import ClientError

from automl_gitops.data.lock import FILE as LOCK
from automl_gitops.data.lock import DatasetLock
from automl_gitops.doctor.rows import Outcome, Row, look
from automl_gitops.kernel import git
from automl_gitops.kernel.aws import is_missing, listed
from automl_gitops.kernel.environments import NAME_ANOTHER, PRODUCTION_FILE, Environment, ServingProject
from automl_gitops.kernel.words import counted
from automl_gitops.runs.project import Project
from automl_gitops.runs.run import missing, pushed
from automl_gitops.stacks.cloudformation import Stack
from automl_gitops.stacks.stack import known_key, lacks_functions

AREA, ENCRYPTION = "state", "encryption"
_NO_KEY = "there is no such key"
_OBJECTS = "pushed data"
PACKAGES = (Path("requirements.lock"), Path("serving.lock"))
OLD_DAYS = 90
# From these CloudFormation goes nowhere by itself.
_STUCK = ("_FAILED", "ROLLBACK_COMPLETE")
_FINE = {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}  # as it was before the last change
_MOVING = {"Creating", "Updating", "Deleting", "RollingBack", "SystemUpdating"}


def state(project: ServingProject) -> list[Row]:
    """Locks, stacks, bucket, pipeline, endpoints; that the roles' stacks are not there, the rows of the roles say."""
    names = project.names
    rows = [*look(AREA, LOCK.as_posix(), _data), *look(AREA, "locked packages", _packages)]
    rows += look(AREA, _OBJECTS, lambda: _objects(project))
    rows += look(AREA, PRODUCTION_FILE.as_posix(), _champion)
    for name in (names.bootstrap_stack, names.people_stack, names.stack):
        rows += look(AREA, f"stack {name}", lambda n=name: _stack(project, n))  # type: ignore[misc]
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


def _objects(project: ServingProject) -> Iterator[Row]:
    """Whether what was pushed is still there."""
    if not LOCK.exists():
        return
    lock = DatasetLock.load()
    if lost := missing(lock, project.client("s3"), project.names.bucket):
        yield Row(AREA, _OBJECTS, "stops", lost, pushed(lock)[1])
    else:
        yield Row(AREA, _OBJECTS, "good", "there")


def _champion() -> Iterator[Row]:
    asked, project = PRODUCTION_FILE.as_posix(), Project()
    if project.champion_missing:
        outcome: Outcome = "stops" if project.needs_champion else "later"
        yield Row(AREA, asked, outcome, project.champion_missing, NAME_ANOTHER)


def _packages() -> Iterator[Row]:
    """The locked packages, which get security fixes by being locked anew alone."""
    for file in PACKAGES:
        days = _days_since_commit(file) if file.exists() else None
        if days is None:
            continue
        age = f"committed {counted(days, 'day')} ago"
        if days > OLD_DAYS:
            yield Row(AREA, file.as_posix(), "later", age, "`make lock` takes the newest allowed packages")
        else:
            yield Row(AREA, file.as_posix(), "good", age)


def _days_since_commit(file: Path) -> int | None:
    """The age of a file's last commit; `None` where Git does not tell."""
    moment = git.changed_at(file)
    return None if moment is None else int((time.time() - moment) // 86_400)


def _stack(project: ServingProject, name: str) -> Iterator[Row]:
    asked, state = f"stack {name}", Stack(project.aws, name, project.output).look()
    reason = f" ({state.reason})" if state.reason else ""
    if not state.exists:
        if name == project.names.stack:
            yield Row(AREA, asked, "good", "not there yet")
    elif state.moving:
        yield Row(AREA, asked, "later", f"is {state.status}: somebody changes it now", "wait for its end")
    elif state.status.endswith(_STUCK) and state.status not in _FINE:
        todo = "an administrator runs `make bootstrap`, which goes on from there"
        yield Row(AREA, asked, "stops", f"is stuck in {state.status}{reason}", todo)
    elif name == project.names.stack and lacks_functions(state):
        found = f"is {state.status}, with bucket and registry alone: Retrain makes the functions"
        yield Row(AREA, asked, "good", found, "before a run by hand `automl stack`")
    else:
        yield Row(AREA, asked, "good", f"is {state.status}")


def _bucket(project: ServingProject) -> Iterator[Row]:
    asked = f"bucket {project.names.bucket}"
    stack = Stack(project.aws, project.names.stack, project.output).look()
    try:
        project.client("s3").head_bucket(Bucket=project.names.bucket)
    except ClientError as error:
        if not is_missing(error):
            raise
        bootstrap = Stack(project.aws, project.names.bootstrap_stack, project.output)
        if stack.status.endswith("_COMPLETE") and stack.status != "ROLLBACK_COMPLETE":
            todo = "find out who deleted it, then run the teardown and `make bootstrap`"
            yield Row(AREA, asked, "stops", f"is gone, although stack {project.names.stack} made it", todo)
        elif bootstrap.look().exists:
            yield Row(AREA, asked, "stops", "not there yet", "an administrator runs `make bootstrap`")
        else:
            yield Row(AREA, asked, "good", "not there yet: `make bootstrap` makes it with the roles")
        return
    yield Row(AREA, asked, "good", "there")


def _pipeline(project: ServingProject) -> Iterator[Row]:
    client, name = project.client("sagemaker"), project.names.pipeline
    asked = f"pipeline {name}"
    try:
        pipeline = client.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        yield Row(AREA, asked, "good", "not there yet: Retrain makes it")
        return
    if pipeline["PipelineStatus"] != "Active":
        yield Row(AREA, asked, "stops", f"is {pipeline['PipelineStatus']}", "wait for its end")
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
        endpoint = environment.aws.client("sagemaker").describe_endpoint(EndpointName=environment.endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        yield Row(AREA, asked, "good", "not there yet")
        return
    status = endpoint["EndpointStatus"]
    if status in _MOVING:
        yield Row(AREA, asked, "later", f"is {status}: somebody changes it now", "wait for its end")
    elif status == "InService":
        yield Row(AREA, asked, "good", "is InService")
    else:
        why = f" ({endpoint['FailureReason']})" if endpoint.get("FailureReason") else ""
        yield Row(AREA, asked, "later", f"is {status}{why}", "`automl status` tells more")


def encryption(project: ServingProject) -> tuple[list[Row], str | None]:
    """The rows of the key and its policy; and its ARN as `known_key` has it, `None` for one that is not there."""
    rows = look(ENCRYPTION, "the KMS key", lambda: _key(project))
    missing = any(row.found == _NO_KEY for row in rows)
    return rows, None if missing else known_key(project.aws, project.config)


def _key(project: ServingProject) -> Iterator[Row]:
    encryption = project.config.encryption
    if not encryption:
        return
    asked = f"KMS key {encryption.kms_key}"
    try:
        key = project.client("kms").describe_key(KeyId=encryption.kms_key)["KeyMetadata"]
    except ClientError as error:
        if not is_missing(error):
            raise
        todo = "correct [encryption] kms_key in automl.toml"
        yield Row(ENCRYPTION, asked, "stops", _NO_KEY, todo)
        return
    if key["KeyState"] == "Enabled":
        yield Row(ENCRYPTION, asked, "good", "is Enabled")
        yield from _logs_use(project, key["Arn"])
    else:
        todo = "enable it in the console of KMS: what it encrypted cannot be read meanwhile"
        yield Row(ENCRYPTION, asked, "stops", f"is {key['KeyState']}", todo)


def _logs_use(project: ServingProject, key: str) -> Iterator[Row]:
    """Whether the functions' logs may be encrypted. Another account's key shows its policy to that account alone."""
    if key.split(":")[4] != project.aws.account:
        return
    policy = project.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    service = f"logs.{project.aws.region}.amazonaws.com"
    if f'"{service}"' not in policy:
        todo = 'add the statement of docs/set-up.md, "A key of your own", to its policy'
        yield Row(ENCRYPTION, f"policy of KMS key {key}", "stops", f"does not name {service}", todo)

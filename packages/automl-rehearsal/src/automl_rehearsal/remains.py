"""Everything that a flight leaves in an account, found by its name, and its removal.

A flight's name is nobody else's, so that whatever begins with it is the flight's: also what Autopilot and the
evaluation make themselves, and what was made when the flight was killed. The stack of the roles goes last of all. As
long as anything is left it is there, and its tags say whose flight it was.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel import logs
from automl_gitops.kernel.aws import Aws, explain, is_missing, listed
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.serving.endpoint import Endpoint
from automl_gitops.serving.scaling import Scaling
from automl_gitops.stacks import teardown
from automl_gitops.stacks.bootstrap import ISSUER, PROVIDER, provider
from automl_gitops.stacks.cloudformation import Stack
from automl_gitops.stacks.stack import PROJECT_TAG
from automl_gitops.stacks.teardown import Resource

TAG = "rehearsal-of"  # on all that a flight's stacks make; the value is the name of the project that is rehearsed
NAME = re.compile(r"flight-[a-z0-9]{6}")
_TURNS = 4  # what is stopped may leave something that is found only then
_LONGEST_FLIGHT = timedelta(days=7)  # how far back jobs are looked for where no stack says when it began


@dataclass(frozen=True)
class Left:
    """Something that could not be removed, or could not be looked for, and why."""

    kind: str
    name: str
    reason: str

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Job:
    """A kind of job: how it is listed, stopped and described, and where its log is."""

    kind: str
    group: str

    @property
    def word(self) -> str:
        return f"{self.kind.lower()} job"

    def list(self, sagemaker: Any, part: str, since: datetime) -> Iterator[tuple[str, str]]:
        """Names that hold ``part``, and the states of these jobs."""
        operation, key = f"list_{self.kind.lower()}_jobs", f"{self.kind}JobSummaries"
        for one in listed(sagemaker, operation, key, NameContains=part, CreationTimeAfter=since):
            yield one[f"{self.kind}JobName"], one[f"{self.kind}JobStatus"]

    def stop(self, project: ServingProject, name: str) -> None:
        """Stop one, and wait for its end."""
        sagemaker, given = project.client("sagemaker"), {f"{self.kind}JobName": name}
        describe = getattr(sagemaker, f"describe_{self.kind.lower()}_job")
        teardown.stop_and_wait(
            project,
            f"{self.word} {name}",
            lambda: str(describe(**given)[f"{self.kind}JobStatus"]),
            partial(getattr(sagemaker, f"stop_{self.kind.lower()}_job"), **given),
        )


_JOBS = (
    _Job("Processing", logs.PROCESSING),
    _Job("Transform", logs.TRANSFORM),
    _Job("Training", logs.TRAINING),
)


def flights(aws: Aws) -> dict[str, str]:
    """The flights that left something in the account: their names, and the projects that they rehearsed."""
    projects = {}
    for stack in listed(aws.client("cloudformation"), "describe_stacks", "Stacks"):
        tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        if TAG in tags and NAME.fullmatch(tags.get(PROJECT_TAG, "")):
            projects[tags[PROJECT_TAG]] = tags[TAG]
    return projects


def remove(project: ServingProject) -> list[Left]:
    """Remove everything of the flight that ``project`` is; returns what could not be removed.

    It may be called again after any end, and waits for whatever goes on. One thing that cannot be removed keeps nothing
    else from it, apart from the roles' stacks.
    """
    left: list[Left] = []
    for _ in range(_TURNS):
        before, left = left, []
        removed = 0
        for kind, find in _FINDERS:
            if left and find is _roles:
                break
            removed += _remove(project, kind, find, left)
        if not removed and (not left or left == before):
            break
    return left


def _remove(
    project: ServingProject, kind: str, find: Callable[[ServingProject], Iterator[Resource]], left: list[Left]
) -> int:
    """Remove one kind of things; returns how many were removed, and adds the others to ``left``."""
    removed = 0
    try:
        for resource in find(project):
            try:
                resource.remove()
            except (ClientError, BotoCoreError, RunError, UserError) as error:
                if not (isinstance(error, ClientError) and is_missing(error)):
                    left.append(Left(resource.kind, resource.name, _words(error)))
                    project.output.notice(f"{resource.kind} {resource.name} stays: {_words(error)}")
                    continue
            removed += 1
            project.output.say(f"removed {resource.kind} {resource.name}")
    except (ClientError, BotoCoreError, RunError, UserError) as error:
        left.append(Left(kind, f"{project.names.project}*", f"could not look: {_words(error)}"))
        project.output.notice(f"{kind}: could not look: {_words(error)}")
    return removed


def _words(error: Exception) -> str:
    return str(error if isinstance(error, RunError | UserError) else explain(error))


def _resource(
    project: ServingProject, kind: str, name: str, remove: Callable[..., Any], *given: Any, **named: Any
) -> Resource:
    """Something in the project's account, and the call that removes it."""
    return Resource(kind, name, project.names.account, partial(remove, *given, **named))


def _rest(project: ServingProject) -> Iterator[Resource]:
    """Nothing: only wait for stacks that are on their way, since the service deletes none meanwhile."""
    names = project.names
    for name in (names.bootstrap_stack, names.services_stack, names.stack):
        Stack(project.aws, name, project.output).rest()
    return iter(())


def _callbacks(project: ServingProject) -> Iterator[Resource]:
    """Steps that wait for an answer: without one an execution never ends, even where its function has no rights."""
    sagemaker = project.client("sagemaker")
    for arn in teardown.running_executions(sagemaker, project.names.pipeline):
        steps = listed(
            sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", PipelineExecutionArn=arn
        )
        for step in list(steps):
            token = step.get("Metadata", {}).get("Callback", {}).get("CallbackToken")
            if token and step["StepStatus"] in ("Starting", "Executing", "Stopping"):
                fail, why = sagemaker.send_pipeline_execution_step_failure, "The flight has ended"
                named = {"CallbackToken": token, "FailureReason": why}
                yield _resource(project, "waiting step", step["StepName"], fail, **named)


def _jobs(project: ServingProject) -> Iterator[Resource]:
    """Jobs that still run; the services keep the lists of what ran."""
    for job, name, status in _own_jobs(project):
        if status in teardown.RUNNING:
            yield _resource(project, f"running {job.word}", name, job.stop, project, name)


def _own_jobs(project: ServingProject) -> Iterator[tuple[_Job, str, str]]:
    """The flight's jobs, by their names; a pipeline's processing jobs have others, and are known by their role."""
    sagemaker, own, since = project.client("sagemaker"), project.names.project, _since(project)
    for job in _JOBS:
        for name, status in job.list(sagemaker, own, since):
            if name.startswith(own):
                yield job, name, status
    (processing,) = (job for job in _JOBS if job.group == logs.PROCESSING)
    for name, status in processing.list(sagemaker, "pipelines-", since):
        role = sagemaker.describe_processing_job(ProcessingJobName=name)["RoleArn"]
        if role == project.names.execution_role_arn:
            yield processing, name, status


def _since(project: ServingProject) -> datetime:
    """When the flight began, as far as its stack still knows."""
    try:
        stacks = project.client("cloudformation").describe_stacks(StackName=project.names.bootstrap_stack)
    except ClientError as error:
        if is_missing(error):
            return datetime.now(UTC) - _LONGEST_FLIGHT
        raise
    began: datetime = stacks["Stacks"][0]["CreationTime"]
    return began - timedelta(minutes=1)


def _scaling(project: ServingProject) -> Iterator[Resource]:
    scaling, endpoint = Scaling(project.production), project.names.production_endpoint
    if scaling.exists():
        yield _resource(project, "scaling", endpoint, scaling.remove)


def _endpoints(project: ServingProject) -> Iterator[Resource]:
    for name in _named(project, "list_endpoints", "Endpoints", "EndpointName"):
        yield _resource(project, "endpoint", name, Endpoint(project.aws, name, project.output).delete)


def _endpoint_configs(project: ServingProject) -> Iterator[Resource]:
    delete = project.client("sagemaker").delete_endpoint_config
    for name in _named(project, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"):
        yield _resource(project, "endpoint config", name, delete, EndpointConfigName=name)


def _models(project: ServingProject) -> Iterator[Resource]:
    delete = project.client("sagemaker").delete_model
    for name in _named(project, "list_models", "Models", "ModelName"):
        yield _resource(project, "model", name, delete, ModelName=name)


def _named(project: ServingProject, operation: str, key: str, name: str) -> list[str]:
    """What SageMaker lists of one kind whose names begin with the flight's."""
    own = project.names.project
    entries = listed(project.client("sagemaker"), operation, key, NameContains=own)
    return sorted(one[name] for one in entries if one[name].startswith(own))


def _experiments(project: ServingProject) -> Iterator[Resource]:
    """What Autopilot notes of its candidates under the job's name."""
    sagemaker, own = project.client("sagemaker"), project.names.project
    experiments = listed(sagemaker, "list_experiments", "ExperimentSummaries", CreatedAfter=_since(project))
    for name in [one["ExperimentName"] for one in experiments]:
        if name.startswith(own):
            yield _resource(project, "experiment", name, _remove_experiment, sagemaker, name)


def _remove_experiment(sagemaker: Any, name: str) -> None:
    trials = listed(sagemaker, "list_trials", "TrialSummaries", ExperimentName=name)
    for trial in [one["TrialName"] for one in trials]:
        parts = listed(sagemaker, "list_trial_components", "TrialComponentSummaries", TrialName=trial)
        for part in [one["TrialComponentName"] for one in parts]:
            sagemaker.disassociate_trial_component(TrialComponentName=part, TrialName=trial)
            sagemaker.delete_trial_component(TrialComponentName=part)
        sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_experiment(ExperimentName=name)


def _stack(project: ServingProject) -> Iterator[Resource]:
    return teardown.of_stack(project, data=True)


def _alarms(project: ServingProject) -> Iterator[Resource]:
    cloudwatch, own = project.client("cloudwatch"), project.names.project
    for prefix in (f"{own}-", f"TargetTracking-endpoint/{own}-"):
        alarms = listed(cloudwatch, "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix)
        for name in [one["AlarmName"] for one in alarms]:
            yield _resource(project, "alarm", name, cloudwatch.delete_alarms, AlarmNames=[name])


def _log_groups(project: ServingProject) -> Iterator[Resource]:
    client, own = project.client("logs"), project.names.project
    for prefix in (f"/aws/lambda/{own}-", f"/aws/sagemaker/Endpoints/{own}-"):
        groups = listed(client, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        for name in [one["logGroupName"] for one in groups]:
            yield _resource(project, "log group", name, client.delete_log_group, logGroupName=name)


def _log_streams(project: ServingProject) -> Iterator[Resource]:
    """What the flight's jobs wrote into the account's log groups, and such a group that began with the flight."""
    client, since = project.client("logs"), _since(project)
    prefixes: dict[str, set[str]] = {job.group: {f"{project.names.project}-"} for job in _JOBS}
    for job, name, _ in _own_jobs(project):
        prefixes[job.group].add(f"{name}/")
    for group, names in prefixes.items():
        there = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        described = next((one for one in there if one["logGroupName"] == group), None)
        if described is None:
            continue
        for prefix in sorted(names):
            within = {"logGroupName": group, "logStreamNamePrefix": prefix}
            streams = listed(client, "describe_log_streams", "logStreams", **within)
            for stream in [one["logStreamName"] for one in streams]:
                named = {"logGroupName": group, "logStreamName": stream}
                yield _resource(project, "log stream", f"{group} {stream}", client.delete_log_stream, **named)
        owned = described.keys() & {"retentionInDays", "kmsKeyId"}
        new = described["creationTime"] >= since.timestamp() * 1000
        if new and not owned and not client.describe_log_streams(logGroupName=group, limit=1)["logStreams"]:
            yield _resource(project, "log group", group, client.delete_log_group, logGroupName=group)


def _provider(project: ServingProject) -> Iterator[Resource]:
    """GitHub's identity provider, of which an account has one: only where this flight made it, and nobody else has
    come to use it.
    """
    if PROVIDER not in Stack(project.aws, project.names.bootstrap_stack, project.output).resources():
        return
    iam = project.client("iam")
    arn = provider(project.aws)
    if arn is None:
        return
    for role in listed(iam, "list_roles", "Roles"):
        if arn in str(role["AssumeRolePolicyDocument"]) and not role["RoleName"].startswith(
            project.names.project
        ):
            project.output.notice(f"GitHub's identity provider stays: role {role['RoleName']} trusts it")
            return
    remove = iam.delete_open_id_connect_provider
    yield _resource(project, "identity provider", ISSUER, remove, OpenIDConnectProviderArn=arn)


def _roles(project: ServingProject) -> Iterator[Resource]:
    yield from _provider(project)
    yield from teardown.of_roles(project)


_FINDERS: tuple[tuple[str, Callable[[ServingProject], Iterator[Resource]]], ...] = (
    ("stacks", _rest),
    ("waiting steps", _callbacks),
    ("executions, Autopilot jobs, pipeline", teardown.of_training),
    ("jobs", _jobs),
    ("scaling", _scaling),
    ("endpoints", _endpoints),
    ("endpoint configs", _endpoint_configs),
    ("models", _models),
    ("experiments", _experiments),
    ("bucket, registry, stack", _stack),
    ("alarms", _alarms),
    ("log groups", _log_groups),
    ("log streams", _log_streams),
    ("roles", _roles),
)

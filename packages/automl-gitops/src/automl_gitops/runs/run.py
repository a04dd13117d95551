"""`run`: one execution for each commit."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Container
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from automl_gitops.data import consistency
from automl_gitops.data.listing import look, split
from automl_gitops.data.lock import DatasetLock, part
from automl_gitops.data.store import Store
from automl_gitops.kernel import git
from automl_gitops.kernel.aws import is_missing, listed
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.config_errors import complaint
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.signature import run_url
from automl_gitops.kernel.words import nearest
from automl_gitops.runs import definition
from automl_gitops.runs.execution import executions
from automl_gitops.runs.project import Project
from automl_gitops.runs.upsert import current, describe, differing

# A merge that touches one of these trains again (.github/workflows/retrain.yml). Of the packages those that define the
# pipeline and measure: no training is paid for a newer local AWS.
RETRAINS = (
    "automl.toml", "dataset.lock", "pipeline", "lambdas", "evaluation", "infrastructure",
    "vendor/automl_evaluation*", "vendor/automl_gitops*",
)  # fmt: skip
# What a model depends on, its champion included; a change elsewhere (README, docs) does not make a run another one.
_DECIDES = (*RETRAINS, "environments")


@dataclass(frozen=True)
class Source:
    """The commit (40 hexadecimal digits, empty outside a repository), and whether files differ from it."""

    commit: str
    dirty: bool

    @property
    def is_committed(self) -> bool:
        """Whether the commit names all that decides about the model."""
        return bool(self.commit) and not self.dirty


def find_source(folder: Path | None = None) -> Source:
    """The commit that ``folder`` (the current one) is at."""
    commit = git.commit_of(folder=folder)
    if not commit:
        return Source("", True)
    return Source(commit, git.has_changes(*_DECIDES, folder=folder) is not False)


# Where the parameters that a person may change for one run stand in automl.toml, so that both are checked
# alike.
_KEYS = {
    "MaxCandidates": ("autopilot", "budget", "max_candidates"),
    "MaxSecondsPerTrainingJob": ("autopilot", "budget", "max_seconds_per_training_job"),
    "MaxSeconds": ("autopilot", "budget", "max_seconds"),
    "EvaluationInstanceType": ("evaluation", "instance_type"),
    "EvaluationInstanceCount": ("evaluation", "instance_count"),
    "TransformInstanceType": ("evaluation", "transform_instance_type"),
    "TransformInstanceCount": ("evaluation", "transform_instance_count"),
}
_LONGEST = 1024  # characters of a parameter's value
_IN_VAIN = ("Failed", "Stopped")


@dataclass(frozen=True)
class Started:
    """The execution's ARN, and whether this call started it (or found that it was started before).

    ``next_attempt`` is the number that no execution of the same files and parameters has.
    """

    arn: str
    new: bool
    next_attempt: int = 2


def run(
    project: Project,
    output: Output,
    changes: dict[str, str],
    again: int | None,
    *,
    retry: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> Started:
    """Start the pipeline for the current commit, or find the execution that was.

    ``changes`` are parameters for this run alone; ``again`` (from 2) numbers another attempt at the same
    commit; with ``retry`` an execution that failed or was stopped is followed by another one. Files that
    differ from the commit make it a run of its own, named by their content. ``ready`` raises `UserError` where what
    the pipeline calls is not there; only a start asks it.
    """
    defaults = definition.parameters(project.config, project.lock, project.champion)
    given = _checked(project.config, project.lock, changes, defaults)
    came_from = find_source()
    name, token = _identity(project, came_from, given, again)
    _require_current(project)
    sagemaker = project.aws.client("sagemaker")
    known = {
        one.get("PipelineExecutionDisplayName"): one for one in executions(sagemaker, project.names.pipeline)
    }
    first, attempt = name, 1
    while name in known:
        if not retry or known[name]["PipelineExecutionStatus"] not in _IN_VAIN:
            return Started(
                known[name]["PipelineExecutionArn"], new=False, next_attempt=_free(known, first, again)
            )
        attempt += 1
        name = f"{first}-retry-{attempt}"
        token = _token(came_from.commit, name)
    _require_data(project, given)
    if "ChampionModelPackageArn" not in given:
        project.require_champion()
    ready()
    if not came_from.is_committed:
        why = "files differ from the last commit" if came_from.commit else "there is no commit here"
        output.notice(f"{why}: this run cannot be repeated from Git")
    values = {
        **{key: str(value) for key, value in defaults.items()},
        **given,
        "CommitId": came_from.commit + ("-dirty" if came_from.dirty else "")
        if came_from.commit
        else definition.NONE,
        "RunUrl": run_url() or definition.NONE,
    }
    started = sagemaker.start_pipeline_execution(
        PipelineName=project.names.pipeline,
        PipelineExecutionDisplayName=name,
        PipelineParameters=[{"Name": key, "Value": value} for key, value in values.items()],
        ClientRequestToken=token,
    )
    return Started(started["PipelineExecutionArn"], new=True)


def repeat(attempt: int, texts: list[str]) -> str:
    """The command for another attempt with the same `NAME=VALUE` arguments."""
    given = [word for text in texts for word in ("--parameter", text)]
    return shlex.join(["automl", "run", "--again", str(attempt), *given])


def parse_changes(texts: list[str]) -> dict[str, str]:
    """`NAME=VALUE` arguments as a dictionary."""
    changes = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"--parameter {text}: write NAME=VALUE, such as MaxSeconds=600")
        changes[name.strip()] = value.strip()
    return changes


def _checked(
    config: Config, lock: DatasetLock, changes: dict[str, str], defaults: dict[str, Any]
) -> dict[str, str]:
    """The changes, each of the parameter's type and within the bounds of automl.toml, as the service writes them."""
    # What is left to its default stays so: some sections do not take both of two keys.
    document = config.model_dump(exclude_unset=True, exclude_none=True)
    keys = {**_KEYS, "GateThreshold": ("gate", "maximum" if config.gate.minimum is None else "minimum")}
    checked = {}
    for name, value in changes.items():
        text = f"--parameter {name}={value}"
        if name not in defaults:
            near = nearest(name, defaults)
            raise UserError(
                f"{text}: there is no such parameter; "
                + (f"did you mean {near}?" if near else f"known: {', '.join(defaults)}")
            )
        if name in ("CommitId", "RunUrl"):
            raise UserError(f"{text}: the run sets it, from Git and the workflow")
        if name.endswith("Uri") and not re.fullmatch(r"s3://[^/]+/.+", value):
            raise UserError(f"{text}: is not an address in S3, such as s3://bucket/folder/")
        if not 1 <= len(value) <= _LONGEST:
            raise UserError(f"{text}: a value has 1 to {_LONGEST} characters")
        kind = type(defaults[name])
        try:
            typed = kind(value)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise UserError(f"{text}: is not {wanted}") from None
        checked[name] = str(typed)
        if name in keys:
            *sections, key = keys[name]
            place = document
            for section in sections:
                place = place.setdefault(section, {})
            place[key] = typed
            try:
                Config.model_validate(document)
            except ValidationError as error:
                raise UserError(f"{text}: {complaint(error.errors()[0])}") from None
    if checked:
        _require_consistent(Config.model_validate(document), lock, changes)
    return checked


def _require_consistent(config: Config, lock: DatasetLock, changes: dict[str, str]) -> None:
    """Raise `UserError` where the configuration with other parameters cannot come to a good end."""
    findings = consistency.findings(config, lock)
    if findings:
        given = ", ".join(f"--parameter {name}={value}" for name, value in changes.items())
        raise UserError("\n".join(f"{given}: {one.sentence}" for one in findings))


def _identity(
    project: Project, came_from: Source, changes: dict[str, str], again: int | None
) -> tuple[str, str]:
    """The execution's display name and its token (at least 32 characters, as the service wants)."""
    name = came_from.commit[:12] or "uncommitted"
    if not came_from.is_committed:
        name = f"dirty-{project.fingerprint(project.names.account)[:12]}"
    if changes:
        name += f"-with-{hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:8]}"
    if again is not None:
        name += f"-again-{again}"
    if name == came_from.commit[:12]:
        return name, came_from.commit
    return name, _token(came_from.commit, name)


def _free(known: Container[str | None], name: str, again: int | None) -> int:
    """The least number, from 2 on, of an attempt that is not ``known``; ``name`` is that of attempt ``again``."""
    base = name.removesuffix(f"-again-{again}")
    return next(number for number in count(2) if f"{base}-again-{number}" not in known)


def _token(commit: str, name: str) -> str:
    return hashlib.sha256(f"{commit}/{name}".encode()).hexdigest()


def _require_current(project: Project) -> None:
    """The pipeline in AWS has to be the one of these files, else the run would not be what Git says."""
    pipeline = current(project)
    if pipeline is None:
        raise UserError("the pipeline does not exist in AWS yet: run `automl upsert` first")
    description = pipeline.get("PipelineDescription", "")
    if description != describe(project):
        names = " and ".join(f"another {name}" for name in differing(project, description)) or "other files"
        raise UserError(f"the pipeline in AWS was made from {names} than here: run `automl upsert` first")


def pushed(lock: DatasetLock) -> tuple[str, str]:
    """The object in the project's bucket that stands for all that was pushed, and what brings it back."""
    # Of data by reference the holdout alone lies in the project's bucket.
    uri = lock.uris.y_test + part(0) if lock.reference else lock.uris.train_validation
    return uri, f"run `automl data {'refer' if lock.reference else 'push FILE'}`"


def missing(lock: DatasetLock, s3: Any, own: str) -> str:
    """That what was pushed is not in the bucket ``own``, by a list, which takes no right to read it; "" where it is."""
    uri = pushed(lock)[0]
    bucket, key = split(uri)
    try:
        if bucket == own:
            there = listed(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)
            if any(one["Key"] == key for one in there):
                return ""
    except ClientError as error:
        if not is_missing(error):
            raise
    return f"{uri} is not in this account"


def _require_data(project: Project, changes: dict[str, str]) -> None:
    if "TrainValidationUri" in changes:
        return
    lock, s3 = project.lock, project.aws.client("s3")
    uri, push = pushed(lock)
    bucket = split(uri)[0]
    if bucket != project.names.bucket:
        raise UserError(
            f"dataset.lock: {uri} is not in this account's bucket {project.names.bucket}: {push} here",
            file="dataset.lock",
        )
    Store(s3, bucket, lock.sha256).require(push)
    # The objects have to be those of dataset.lock, else the model would not be what Git says.
    for place, had in (
        (lock.uris.train_validation, lock.reference),
        (lock.uris.validation, lock.validation_reference),
    ):
        now = look(s3, place).reference if place and had else had
        if had != now:
            change = f"{had} then, {now} now" if f"{had}" != f"{now}" else f"{now} of another content or name"
            raise UserError(
                f"dataset.lock: the data at {place} has changed since ({change}): run `automl data refer` "
                "again, or bring the objects back",
                file="dataset.lock",
            )

"""`upsert`: the evaluation's code in S3 and the pipeline in SageMaker, as the project's files say."""

import json
import time
from typing import Any, Literal

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import NO_ANSWER, is_missing, listed, may_have_happened, no_bucket
from automl_gitops.kernel.words import one_line
from automl_gitops.runs import definition
from automl_gitops.runs.project import Project

Outcome = Literal["created", "updated", "unchanged"]
_MARK = "made from "
_PAUSES = (0.5, 1, 2, 4)  # seconds before another try, as botocore takes them
_DESCRIPTION_LENGTH = (
    2900  # of the 3,072 characters that a pipeline's description has; the mark takes the rest
)


def upsert(project: Project) -> tuple[Outcome, str]:
    """Create or update the pipeline; returns what had to be done, and its ARN. Doing it twice changes nothing.

    The definition goes inline: SageMaker takes as many characters in the request as in an object (1,048,576).
    """
    bundle, champion = project.bundle, project.champion  # what is wrong with a file is said before any call
    names, sagemaker = project.names, project.aws.client("sagemaker")
    there = current(project)  # a refusal does not wait for the SDK's import, which takes seconds
    text = definition.build(project.config, project.lock, names.account, bundle, champion)
    from automl_gitops.runs import dry_run

    dry_run.require(project)
    project.require_champion()
    _upload_bundle(project)
    wanted = {
        "PipelineName": names.pipeline,
        "PipelineDefinition": text,
        "PipelineDescription": describe(project),
        "RoleArn": names.execution_role_arn,
    }
    if there is None:
        tags = [{"Key": key, "Value": value} for key, value in project.config.project.every_tag.items()]
        made = sagemaker.create_pipeline(
            **wanted,
            # The same token for the same content: a repeated request, after a lost answer, is one pipeline.
            ClientRequestToken=project.fingerprint(names.account),
            Tags=tags,
        )
        return "created", made["PipelineArn"]
    if _is(there, wanted):
        return "unchanged", there["PipelineArn"]
    _update(project, wanted)
    return "updated", there["PipelineArn"]


def _update(project: Project, wanted: dict[str, str]) -> None:
    """UpdatePipeline has no token, and each call makes a version: before another try, look whether it is needed."""
    for pause in (*_PAUSES, None):
        try:
            project.aws.once("sagemaker").update_pipeline(**wanted)
            return
        except (ClientError, *NO_ANSWER) as error:
            if pause is None or not may_have_happened(error):
                raise
        time.sleep(pause)
        there = current(project)
        if there is not None and _is(there, wanted):
            return


def _is(there: dict[str, Any], wanted: dict[str, str]) -> bool:
    return all(_same(there.get(key), value) for key, value in wanted.items())


def describe(project: Project) -> str:
    """The pipeline's description in AWS, which ends in the fingerprint of its source, and a hash of each file in it."""
    description = one_line(project.config.project.description, _DESCRIPTION_LENGTH)
    hashes = " ".join(project.file_hashes.values())
    return f"{description} ({_MARK}{project.fingerprint(project.names.account)}: {hashes})"


def differing(project: Project, description: str) -> list[str]:
    """The files that a pipeline with another ``description`` was made from otherwise; none where it does not tell."""
    had = description.rpartition(_MARK)[2].partition(": ")[2].rstrip(")").split()
    now = project.file_hashes
    if len(had) != len(now):
        return []
    return [name for name, before in zip(now, had, strict=True) if now[name] != before]


def current(project: Project) -> dict[str, Any] | None:
    """The pipeline as SageMaker has it, `None` where it does not exist."""
    try:
        return project.aws.client("sagemaker").describe_pipeline(PipelineName=project.names.pipeline)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _same(had: Any, wanted: str) -> bool:
    """Equal as text or, since a service may write JSON in its own way, as JSON."""
    if had == wanted:
        return True
    try:
        return json.loads(had) == json.loads(wanted)
    except (TypeError, ValueError, RecursionError):
        return False


def _upload_bundle(project: Project) -> None:
    """Put the evaluation's files under their hash; what is there already, is right by its name."""
    s3, bucket = project.aws.client("s3"), project.names.bucket
    try:
        there = {
            item["Key"]
            for item in listed(
                s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{project.bundle.prefix}/"
            )
        }
    except ClientError as error:
        if not is_missing(error):
            raise
        raise no_bucket(bucket) from None
    for name, content in sorted(project.bundle.files.items()):
        key = f"{project.bundle.prefix}/{name}"
        if key not in there:
            s3.put_object(Bucket=bucket, Key=key, Body=content)

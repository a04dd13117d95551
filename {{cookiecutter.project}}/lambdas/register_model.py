"""Register what was evaluated as a version of the group. Runs in AWS Lambda (`RegisterModel`)."""

import json
import logging
import math
import os
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)

# CreateModelPackage takes 50 CustomerMetadataProperties; the rest is for verification and deployment.
MOST_PROPERTIES, KEY_LENGTH, VALUE_LENGTH = 40, 128, 256
MODEL_CARD_LENGTH = 100_000
DESCRIPTION_LENGTH = 1024
# Parts of the request that staging and promotion do not need.
ADORNMENTS = ("ModelCard", "SourceUri", "ModelLifeCycle")
REFUSALS = {"ValidationException", "AccessDeniedException"}


class RegistrationError(Exception):
    """The model cannot be registered; the message is the step's failure reason."""


@cache
def client(service: str) -> Any:
    """The boto3 client of a service, kept for the next invocation."""
    return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 4}))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While the environment starts, which has a whole processor for it; an invocation has a share, by its memory.
    for service in ("s3", "sagemaker"):
        client(service)


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Create the model package, which waits for approval; the same execution gives the same package.

    ``event`` holds the step's inputs, all flat: project, execution_arn, execution_id, evaluation_uri,
    automl_job_name, dataset_sha256, commit_id, repository, run_url, champion ("none" where there is none).

    Returns the step's output: the model package's ARN. Raises `RegistrationError`.
    """
    prefix = event["evaluation_uri"].rstrip("/")
    owner = owner_of(event)
    content = get(f"{prefix}/evaluation.json", owner)
    if content is None:
        raise RegistrationError(
            f"{prefix}/evaluation.json is missing: the evaluation has not written its result"
        )
    evaluation = json.loads(content)
    if evaluation["decision"] != "accept":
        raise RegistrationError(f"the evaluation says {evaluation['decision']}: {evaluation['reasons_text']}")
    require_group(event["project"])
    request = create_request(event, evaluation, prefix)
    arn = create(request)
    log.info("registered %s: %s", arn, request["ModelPackageDescription"])
    return {"model_package_arn": arn}


def create(request: dict[str, Any]) -> str:
    """Create the model package; returns its ARN. A part that is refused and not needed is left out.

    The training is paid for and the model was accepted: a model card is not worth losing them. Raises `ClientError`
    with the service's reason where the package itself is refused.
    """
    given = [part for part in ADORNMENTS if part in request]
    refusal: ClientError | None = None
    for left_out in ([], *([part] for part in given), given):
        wanted = {key: value for key, value in request.items() if key not in left_out}
        try:
            arn = str(client("sagemaker").create_model_package(**wanted)["ModelPackageArn"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            refusal = refusal or error
            continue
        if refusal:
            log.warning("%s is registered without %s: %s", arn, ", ".join(left_out), refusal)
        return arn
    assert refusal is not None  # noqa: S101 - every turn returned, raised or set it
    raise refusal


def require_group(name: str) -> None:
    """Raise `RegistrationError` if there is no such model package group."""
    try:
        client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        raise RegistrationError(
            f"there is no model package group {name}: `automl stack` creates it"
        ) from error


def create_request(event: dict[str, Any], evaluation: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The parameters of CreateModelPackage: exactly the containers that were evaluated."""
    objective = evaluation["objective"]
    description = (
        f"{objective['name']} {objective['value']:.6g} on {evaluation['rows']} holdout rows; "
        f"Autopilot job {event['automl_job_name']}, commit {event['commit_id']}"
    )
    request: dict[str, Any] = {
        "ModelPackageGroupName": event["project"],
        "ModelPackageDescription": description[:DESCRIPTION_LENGTH],
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": evaluation["containers"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv", "application/json"],
        },
        "ModelMetrics": model_metrics(prefix, owner_of(event)),
        "MetadataProperties": {
            "CommitId": event["commit_id"],
            "Repository": event["repository"],
            "GeneratedBy": event["execution_arn"],
        },
        "CustomerMetadataProperties": properties(event, evaluation),
        "SourceUri": source_uri(event),
        "ModelLifeCycle": {
            "Stage": "Development",
            "StageStatus": "Registered",
            "StageDescription": "Accepted by the evaluation; not yet staged",
        },
        # SageMaker answers a second request of the same token with the first one's package.
        "ClientToken": event["execution_id"],
    }
    card = get(f"{prefix}/model_card.json", owner_of(event))
    if card is not None:
        request |= model_card(card.decode())
    return request


def model_metrics(prefix: str, owner: str) -> dict[str, Any]:
    """The evaluation's reports as ModelMetrics, each with its digest. Raises `RegistrationError`."""
    quality = report(f"{prefix}/model_quality.json", owner)
    if quality is None:
        raise RegistrationError(f"{prefix}/model_quality.json is missing: the evaluation did not finish")
    metrics: dict[str, Any] = {"ModelQuality": {"Statistics": quality}}
    explainability = report(f"{prefix}/explainability.json", owner)
    if explainability:
        metrics["Explainability"] = {"Report": explainability}
    return metrics


def report(uri: str, owner: str) -> dict[str, str] | None:
    """A JSON report as a `MetricsSource`; `None` where there is no such object, or nothing in it."""
    content = get(uri, owner)
    if content is None or content.strip() == b"null":
        return None
    return {
        "ContentType": "application/json",
        "ContentDigest": f"sha256:{sha256(content).hexdigest()}",
        "S3Uri": uri,
    }


def model_card(content: str) -> dict[str, Any]:
    """The model card's part of the request; a card that is too long for the service stays in S3."""
    if len(content) > MODEL_CARD_LENGTH:
        log.warning(
            "the model card has %d characters, %d fit: it is left out", len(content), MODEL_CARD_LENGTH
        )
        return {}
    # The service refuses every kind of line break (`.*`), one of Unicode in the name of a class too.
    line = "".join(c if c.isprintable() else " " for c in content)
    return {"ModelCard": {"ModelCardContent": line, "ModelCardStatus": "PendingReview"}}


def properties(event: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, str]:
    """Where the model came from and how well it did, as CustomerMetadataProperties."""
    objective, job = evaluation["objective"], evaluation["automl_job"]
    threshold = evaluation.get("threshold") or {}
    facts = {
        "commit": event["commit_id"],
        "repository": event["repository"],
        "run": event["run_url"],
        "pipeline_execution": event["execution_arn"],
        "evaluation": event["evaluation_uri"],
        "dataset_sha256": event["dataset_sha256"],
        "automl_job": event["automl_job_name"],
        "candidate": job.get("best_candidate"),
        "problem_type": evaluation["problem_type"],
        "objective_metric": objective["name"],
        "objective_value": objective["value"],
        "validation_objective_value": objective.get("validation_value"),
        "holdout_rows": evaluation["rows"],
        # By which whoever reads an answer decides, in the place of the model's own label.
        "threshold": threshold.get("value"),
        "positive_class": evaluation.get("positive_class") if threshold else None,
        "threshold_chosen_by": (threshold.get("chosen") or {}).get("by"),
        "champion": event["champion"],
    }
    facts |= {
        f"test_{name}": value
        for name, value in evaluation["metrics"].items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
    known = {name: value for name, value in facts.items() if value not in (None, "", "none")}
    return {
        allowed(name)[:KEY_LENGTH]: allowed(str(value))[:VALUE_LENGTH]
        for name, value in list(known.items())[:MOST_PROPERTIES]
    }


def allowed(text: str) -> str:
    """``text`` with a hyphen in the place of each character that CustomerMetadataProperties do not take."""
    return "".join(c if c.isalnum() or c in "_.:/=+-@ " else "-" for c in text)


def source_uri(event: dict[str, Any]) -> str:
    """The commit's page, or the repository's where no commit is known: on the workflow's server, else on GitHub."""
    server, actions, _ = event["run_url"].partition("/actions/")
    repository = server if actions else f"https://github.com/{event['repository']}"
    commit = event["commit_id"].removesuffix("-dirty")  # changed files have no page
    return repository if commit == "none" else f"{repository}/tree/{commit}"


def owner_of(event: dict[str, Any]) -> str:
    """The account of the execution, which is that of the project's bucket."""
    return str(event["execution_arn"].split(":")[4])


def get(uri: str, owner: str) -> bytes | None:
    """The object at an S3 URI, in a bucket of the account ``owner``, or `None` if there is no such object."""
    place = urlsplit(uri)
    try:
        found = client("s3").get_object(
            Bucket=place.netloc, Key=place.path.lstrip("/"), ExpectedBucketOwner=owner
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    return bytes(found["Body"].read())

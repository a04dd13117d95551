"""Start the Autopilot job of a pipeline execution. Runs in AWS Lambda (`StartAutopilot`)."""

import json
import logging
import os
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)

REQUEST, FEATURES = "request.json", "feature_specification.json"
NONE = "none"  # a pipeline's parameter cannot be empty
# The account has reached its quota of concurrent jobs, or of calls. Both pass.
BUSY = {"ResourceLimitExceeded", "ThrottlingException", "Throttling", "TooManyRequestsException"}


@cache
def client(service: str) -> Any:
    """The boto3 client of a service, kept for the next invocation."""
    return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 4}))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While the environment starts, which has a whole processor for it; an invocation has a share, by its memory.
    for service in ("s3", "sagemaker"):
        client(service)


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Create the job; where the quota of concurrent jobs is used up, leave that to `check_autopilot`.

    ``event`` holds the step's inputs, all flat: project, execution_id, role_arn, train_validation_uri,
    validation_uri ("none" where Autopilot chooses the rows to validate on), output_uri, target, problem_type,
    objective, mode, algorithms, feature_specification (the JSON of FeatureSpecificationS3Uri), weight, max_candidates,
    max_seconds_per_training_job, max_seconds, kms_key, subnets, security_groups, tags; what is empty is left to
    Autopilot. The job's name comes from the execution's id, so that a
    second invocation finds the first one's job.

    Returns the step's output: the job's name. Raises botocore's `ClientError` for any other refusal.
    """
    request = create_request(event)
    name, owner = request["AutoMLJobName"], event["role_arn"].split(":")[4]
    if event.get("feature_specification"):
        put(place_of(event, FEATURES), event["feature_specification"], owner)
    # Before the job: whatever happens from here on, check_autopilot can still start it.
    put(place_of(event, REQUEST), json.dumps(request), owner)
    try:
        client("sagemaker").create_auto_ml_job_v2(**request)
        log.info("Autopilot job %s is started", name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceInUse":
            log.info("Autopilot job %s was started before", name)
        elif code in BUSY:
            log.warning(
                "Autopilot job %s has to wait for a place (%s); check_autopilot tries again each minute",
                name,
                error,
            )
        else:
            raise
    return {"automl_job_name": name}


def create_request(event: dict[str, Any]) -> dict[str, Any]:
    """The parameters of CreateAutoMLJobV2; where Autopilot infers the problem type, without type and objective."""
    tabular: dict[str, Any] = {
        "TargetAttributeName": event["target"],
        "Mode": event["mode"],
        "CompletionCriteria": {
            "MaxCandidates": int(event["max_candidates"]),
            "MaxRuntimePerTrainingJobInSeconds": int(event["max_seconds_per_training_job"]),
            "MaxAutoMLJobRuntimeInSeconds": int(event["max_seconds"]),
        },
    }
    if event.get("algorithms"):
        tabular["CandidateGenerationConfig"] = {
            "AlgorithmsConfig": [{"AutoMLAlgorithms": event["algorithms"].split(",")}]
        }
    if event.get("feature_specification"):
        tabular["FeatureSpecificationS3Uri"] = place_of(event, FEATURES)
    if event.get("weight"):
        tabular["SampleWeightAttributeName"] = event["weight"]
    channels = {"training": event["train_validation_uri"], "validation": event.get("validation_uri", NONE)}
    request: dict[str, Any] = {
        "AutoMLJobName": f"{event['project']}-{event['execution_id']}",
        "AutoMLJobInputDataConfig": [channel(kind, uri) for kind, uri in channels.items() if uri != NONE],
        "OutputDataConfig": {"S3OutputPath": event["output_uri"]},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": tabular},
        "RoleArn": event["role_arn"],
    }
    if event["problem_type"] != "infer":
        tabular["ProblemType"] = event["problem_type"]
        request["AutoMLJobObjective"] = {"MetricName": event["objective"]}
    security: dict[str, Any] = {}
    if event.get("kms_key"):
        request["OutputDataConfig"]["KmsKeyId"] = event["kms_key"]
        security["VolumeKmsKeyId"] = event["kms_key"]
    if event.get("subnets"):
        security["VpcConfig"] = {
            "Subnets": event["subnets"].split(","),
            "SecurityGroupIds": event["security_groups"].split(","),
        }
    if security:
        request["SecurityConfig"] = security
    if event.get("tags"):
        pairs = (pair.split("=", 1) for pair in event["tags"].split(","))
        request["Tags"] = [{"Key": key, "Value": value} for key, value in pairs]
    return request


def channel(kind: str, uri: str) -> dict[str, Any]:
    """A channel of CSV with a header; all channels of a job have the same one."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {
        "ChannelType": kind,
        "ContentType": "text/csv;header=present",
        "DataSource": {"S3DataSource": source},
    }


def place_of(event: dict[str, Any], name: str) -> str:
    """The S3 URI of a file beside what the job puts out."""
    return f"{event['output_uri'].rstrip('/')}/{name}"


def put(uri: str, content: str, owner: str) -> None:
    """Store a text at an S3 URI, in a bucket of the account ``owner``."""
    place = urlsplit(uri)
    client("s3").put_object(
        Bucket=place.netloc, Key=place.path.lstrip("/"), Body=content.encode(), ExpectedBucketOwner=owner
    )

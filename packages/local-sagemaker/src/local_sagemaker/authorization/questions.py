"""The questions that a request raises: which actions on which resources it must be allowed to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from local_sagemaker.authorization import arns, kms, s3
from local_sagemaker.authorization.resources import ACTIONS
from local_sagemaker.wire import Request

# What whoever registers a model needs on its images. AWS's own policy for it, AmazonSageMakerModelRegistryFullAccess,
# grants the first two; pulling an image takes the third.
IMAGE_ACTIONS = ("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer")
_IMAGE = re.compile(r"(\d+)\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
# Application Auto Scaling makes, finds and deletes the alarms of a policy in the name of whoever asks for it.
ALARM_ACTIONS = {
    "PutScalingPolicy": ("DescribeAlarms", "PutMetricAlarm"),
    "DeleteScalingPolicy": ("DescribeAlarms", "DeleteAlarms"),
    "DeregisterScalableTarget": ("DescribeAlarms", "DeleteAlarms"),
}
# And it looks first whether he may do to the endpoint what it is to do. Source: Application Auto Scaling user guide,
# "Permissions validation for Application Auto Scaling API calls on target resources".
SCALED_ACTIONS = dict.fromkeys(
    ("RegisterScalableTarget", "PutScalingPolicy"),
    ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"),
)
# Whoever tags what he creates needs the right to tag it.
TAGGING = {
    "application-autoscaling": "TagResource",
    "sagemaker": "AddTags",
    "lambda": "TagResource",
    "sqs": "TagQueue",
    "cloudwatch": "TagResource",
    "logs": "TagResource",
    "events": "TagResource",
    "kms": "TagResource",
}
TAGGING_IN_IAM = {"CreateRole": "TagRole", "CreateUser": "TagUser", "CreatePolicy": "TagPolicy"}
# Whoever hands a role to a service needs iam:PassRole on it; operation: the parameter that holds the role.
PASSED_ROLES = {
    "sagemaker": {
        "CreateAutoMLJob": "RoleArn",
        "CreateAutoMLJobV2": "RoleArn",
        "CreateModel": "ExecutionRoleArn",
        "CreatePipeline": "RoleArn",
        "CreateProcessingJob": "RoleArn",
        "CreateTrainingJob": "RoleArn",
        "UpdatePipeline": "RoleArn",
    },
    "lambda": {"CreateFunction": "Role", "UpdateFunctionConfiguration": "Role"},
    "cloudformation": dict.fromkeys(
        ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet"), "RoleARN"
    ),
    "events": {"PutRule": "RoleArn"},
    "application-autoscaling": {"RegisterScalableTarget": "RoleARN"},
}


@dataclass(frozen=True)
class Question:
    """An action and its resource, before policies are looked up; see ``policies.Check``."""

    action: str
    resources: tuple[str, ...]
    owner: str
    context: Mapping[str, list[str]] = field(default_factory=dict)


def questions(request: Request, account: str) -> list[Question]:
    """What the caller, of ``account``, must be allowed to do; first comes the operation itself."""
    operation = request.operation.name if request.operation else "Unknown"
    if request.prefix == "s3":
        triples = s3.actions(operation, request.parameters, request.headers)
        asked = [_of_object(*triple, account) for triple in triples]
        uses = kms.of_s3(operation, request.parameters, request.headers, account)
        return [*asked, *(of_key(action, key, "s3", account) for action, key in uses)]
    service, parameters = request.prefix, request.parameters
    action = f"{service}:{ACTIONS.get((service, operation), operation)}"
    named = arns.resources(service, operation, account, request.region, parameters)
    asked = [_ask(action, spellings, account) for spellings in named]
    tag = TAGGING_IN_IAM.get(operation) if service == "iam" else TAGGING.get(service)
    if (
        tag
        and parameters.get("Tags", parameters.get("tags"))
        and operation.startswith(("Create", "Put", "Register"))
    ):
        tagged = asked[0].resources
        if operation == "CreateEventSourceMapping":  # has no resource itself, since its id is not known yet
            tagged = (f"arn:aws:lambda:{request.region}:{account}:event-source-mapping:*",)
        asked.append(_ask(f"{service}:{tag}", tagged, account))
    role = parameters.get(PASSED_ROLES.get(service, {}).get(operation, ""))
    if role:
        passed = {"iam:passedtoservice": [f"{service}.amazonaws.com"]}
        asked.append(replace(_ask("iam:PassRole", (role,), account), context=passed))
    code = parameters.get("Code") or parameters
    if operation in ("CreateFunction", "UpdateFunctionCode") and code.get("S3Bucket"):
        # Lambda reads the zip in the caller's name.
        place = {"Bucket": code["S3Bucket"], "Key": code.get("S3Key")}
        asked.append(_of_object("s3:GetObject", place["Bucket"], place["Key"], account))
        asked += [of_key(*use, "s3", account) for use in kms.of_s3("GetObject", place, {}, account)]
    if service == "sqs":
        asked += [of_key(*use, "sqs", account) for use in kms.of_sqs(operation, named[0][0])]
    if operation == "CreateModel":
        packages = [c.get("ModelPackageName", "") for c in _containers(parameters)]
        # A package of one's own account needs no right of its own; another account's must allow its use.
        asked += [
            _ask(action, (p,), account)
            for p in packages
            if p.startswith("arn:") and p.split(":")[4] != account
        ]
    if operation == "CreateModelPackage":
        asked += _of_images(parameters, account)
    if service == "application-autoscaling":
        asked += _of_scaling(operation, str(parameters.get("ResourceId")), account, request.region)
    return asked


def _of_scaling(operation: str, scaled: str, account: str, region: str) -> Iterator[Question]:
    """The rights on the alarms of what is scaled, and on the endpoint where it is one."""
    alarm = f"arn:{get_partition(region)}:cloudwatch:{region}:{account}:alarm:TargetTracking-{scaled}-Alarm*"
    yield from (_ask(f"cloudwatch:{name}", (alarm,), account) for name in ALARM_ACTIONS.get(operation, ()))
    kind, _, rest = scaled.partition("/")
    if kind == "endpoint":
        endpoint = (
            f"arn:{get_partition(region)}:sagemaker:{region}:{account}:endpoint/{rest.partition('/')[0]}"
        )
        actions = SCALED_ACTIONS.get(operation, ())
        yield from (_ask(f"sagemaker:{name}", (endpoint,), account) for name in actions)


def of_key(action: str, key_arn: str, service: str, account: str) -> Question:
    """The question whether somebody of ``account`` may have ``service`` use a key in his name."""
    region, owner = key_arn.split(":")[3:5]
    return Question(action, (key_arn,), owner, kms.context(service, account, region))


def _of_images(parameters: Mapping[str, Any], account: str) -> Iterator[Question]:
    """The rights on the images of a version. Of AWS's own everybody may pull, as far as his policies let him."""
    containers = (parameters.get("InferenceSpecification") or {}).get("Containers") or []
    for image in sorted({container.get("Image", "") for container in containers}):
        match = _IMAGE.match(image)
        if match:
            owner, region, name = match.groups()
            repository = f"arn:{get_partition(region)}:ecr:{region}:{owner}:repository/{name}"
            yield from (Question(action, (repository,), account) for action in IMAGE_ACTIONS)


def _containers(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    primary = parameters.get("PrimaryContainer")
    return [*([primary] if primary else []), *(parameters.get("Containers") or [])]


def _ask(action: str, resources: tuple[str, ...], account: str) -> Question:
    parts = resources[0].split(":")
    return Question(action, resources, parts[4] if len(parts) > 5 and parts[4] else account)


def _of_object(action: str, bucket: str, key: str | None, account: str) -> Question:
    partition, owner = s3_backends.bucket_accounts.get(bucket, ("aws", account))
    path = f"{bucket}/{key}" if key else bucket
    return Question(action, ("*" if bucket == "*" else f"arn:{partition}:s3:::{path}",), owner)

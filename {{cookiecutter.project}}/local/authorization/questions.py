"""The questions that a request raises: which actions on which resources it must be allowed to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from moto.s3.models import s3_backends

from local.authorization import arns, s3
from local.wire import Request

# Operations whose action bears another name.
ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
}
# Whoever tags what he creates needs the right to tag it.
TAGGING = {
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
        return [_of_object(*triple, account) for triple in triples]
    service, parameters = request.prefix, request.parameters
    action = f"{service}:{ACTIONS.get((service, operation), operation)}"
    named = arns.resources(service, operation, account, request.region, parameters)
    found = [_ask(action, spellings, account) for spellings in named]
    tag = TAGGING_IN_IAM.get(operation) if service == "iam" else TAGGING.get(service)
    if tag and parameters.get("Tags", parameters.get("tags")) and operation.startswith(("Create", "Put")):
        tagged = found[0].resources
        if operation == "CreateEventSourceMapping":  # has no resource itself, since its id is not known yet
            tagged = (f"arn:aws:lambda:{request.region}:{account}:event-source-mapping:*",)
        found.append(_ask(f"{service}:{tag}", tagged, account))
    role = parameters.get(PASSED_ROLES.get(service, {}).get(operation, ""))
    if role:
        passed = {"iam:passedtoservice": [f"{service}.amazonaws.com"]}
        found.append(replace(_ask("iam:PassRole", (role,), account), context=passed))
    code = parameters.get("Code") or parameters
    if operation in ("CreateFunction", "UpdateFunctionCode") and code.get("S3Bucket"):
        # Lambda reads the zip in the caller's name.
        found.append(_of_object("s3:GetObject", code["S3Bucket"], code.get("S3Key"), account))
    if operation == "CreateModel":
        packages = [c.get("ModelPackageName", "") for c in _containers(parameters)]
        # A package of one's own account needs no right of its own; another account's must allow its use.
        found += [
            _ask(action, (p,), account)
            for p in packages
            if p.startswith("arn:") and p.split(":")[4] != account
        ]
    return found


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

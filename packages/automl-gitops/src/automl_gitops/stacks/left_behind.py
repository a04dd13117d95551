"""Bucket and registry in the account: what a stack that somebody deleted leaves behind.

CloudFormation deletes neither while it holds something, and a new stack cannot make what is there already.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.environments import Project


@dataclass(frozen=True)
class Found:
    """One of the two, as infrastructure/stack.yaml calls it.

    ``identifier`` is how CloudFormation finds it, ``body`` the least that its template has to say of it: the
    deletion policy that an import takes, and what no later update can change.
    """

    logical_id: str
    name: str
    identifier: dict[str, str]
    body: dict[str, Any]


def left_behind(project: Project) -> list[Found]:
    """Those of the two that exist, whether a stack holds them or not."""
    return [*_bucket(project), *_group(project)]


def _bucket(project: Project) -> Iterator[Found]:
    name = project.names.bucket
    try:
        project.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=project.names.account)
    except ClientError as error:
        if is_missing(error):
            return
        raise
    identifier = {"BucketName": name}
    yield Found("Bucket", f"bucket {name}", identifier, _body("AWS::S3::Bucket", identifier))


def _group(project: Project) -> Iterator[Found]:
    name = project.names.model_package_group
    try:
        answer = project.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    except ClientError as error:
        if is_missing(error):
            return
        raise
    properties = {"ModelPackageGroupName": name}
    if answer.get("ModelPackageGroupDescription"):
        properties["ModelPackageGroupDescription"] = answer["ModelPackageGroupDescription"]
    yield Found(
        "ModelPackageGroup",
        f"model package group {name}",
        {"ModelPackageGroupArn": answer["ModelPackageGroupArn"]},
        _body("AWS::SageMaker::ModelPackageGroup", properties),
    )


def _body(kind: str, properties: dict[str, str]) -> dict[str, Any]:
    return {"Type": kind, "DeletionPolicy": "Retain", "Properties": properties}

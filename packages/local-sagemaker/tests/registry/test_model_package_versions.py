"""The registry over HTTP, as the two accounts of a project use it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from support.unique import unique

OTHER = "222222222222"
CONTAINERS = [
    {
        "Image": "registry/features:1",
        "ModelDataUrl": "s3://models/features.tar.gz",
        "Environment": {"A": "1"},
    },
    {"Image": "registry/model:1", "ModelDataUrl": "s3://models/model.tar.gz", "Environment": {"B": "2"}},
]
SPECIFICATION = {
    "Containers": CONTAINERS,
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def sagemaker(local_aws):
    return local_aws.client("sagemaker")


@pytest.fixture
def group(sagemaker) -> str:
    name = unique("versions")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def register(sagemaker, group: str, **parameters) -> str:
    parameters = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION} | parameters
    return sagemaker.create_model_package(**parameters)["ModelPackageArn"]


def describe(sagemaker, arn: str) -> dict:
    return sagemaker.describe_model_package(ModelPackageName=arn)


def refusal(call, **parameters) -> tuple[str, str]:
    """Code and message of the error that the call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_versions_are_numbered_and_a_number_is_never_given_twice(sagemaker, group):
    first, second = register(sagemaker, group), register(sagemaker, group)
    sagemaker.delete_model_package(ModelPackageName=second)

    third = register(sagemaker, group)

    assert [arn.rsplit("/", 1)[1] for arn in (first, second, third)] == ["1", "2", "3"]
    assert refusal(sagemaker.describe_model_package, ModelPackageName=second) == (
        "ValidationException",
        f"ModelPackage {second} does not exist.",
    )


def test_the_same_token_registers_once(sagemaker, group):
    token = f"token-of-{group}".ljust(36, "x")

    arns = {register(sagemaker, group, ClientToken=token) for _ in range(3)}

    assert arns == {f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{group}/1"}
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1


def test_a_version_keeps_all_that_it_was_given(sagemaker, group):
    given = {
        "InferenceSpecification": SPECIFICATION,
        "ModelPackageDescription": "F1 of 0.41, häufig genug",
        "MetadataProperties": {"CommitId": "a" * 40, "Repository": "https://github.com/o/r"},
        "CustomerMetadataProperties": {"objective": "F1macro: 0.41", "run": "https://github.com/o/r/runs/1"},
        "ModelLifeCycle": {"Stage": "Staging", "StageStatus": "Pending"},
        "SourceUri": "arn:aws:sagemaker:eu-west-1:123456789012:automl-job/j",
        "ModelCard": {"ModelCardContent": json.dumps({"model_overview": {}}), "ModelCardStatus": "Draft"},
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/k.json"}}
        },
    }

    found = describe(sagemaker, register(sagemaker, group, **given))

    assert {name: found[name] for name in given} == given
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["CreatedBy"]["IamIdentity"]["Arn"].endswith(":user/administrator")
    assert "LastModifiedTime" not in found


def test_an_update_changes_what_it_names_and_nothing_else(sagemaker, group):
    arn = register(
        sagemaker,
        group,
        CustomerMetadataProperties={"kept": "1", "removed": "2", "changed": "3"},
        ModelLifeCycle={"Stage": "Staging", "StageStatus": "Verified"},
    )
    before = describe(sagemaker, arn)

    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="by alice in pull request 7",
        CustomerMetadataProperties={"changed": "4", "added": "5"},
        CustomerMetadataPropertiesToRemove=["removed"],
    )

    after = describe(sagemaker, arn)
    changed = {"ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties"}
    stamped = {"LastModifiedTime", "LastModifiedBy", "ResponseMetadata"}
    assert {k: v for k, v in before.items() if k not in changed | stamped} == {
        k: v for k, v in after.items() if k not in changed | stamped
    }
    assert after["ModelApprovalStatus"] == "Approved"
    assert after["ApprovalDescription"] == "by alice in pull request 7"
    assert after["CustomerMetadataProperties"] == {"kept": "1", "changed": "4", "added": "5"}
    assert after["LastModifiedTime"] >= before["CreationTime"]
    assert after["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":user/administrator")


REFUSED = {
    "a comma in metadata": ({"CustomerMetadataProperties": {"k": "a, b"}}, "customerMetadataProperties"),
    "a percent sign in a key": ({"CustomerMetadataProperties": {"a%": "b"}}, "Map keys must satisfy"),
    "a value of 257 characters": (
        {"CustomerMetadataProperties": {"k": "x" * 257}},
        "less than or equal to 256",
    ),
    "51 properties": ({"CustomerMetadataProperties": {f"k{n}": "v" for n in range(51)}}, "equal to 50"),
    "a life cycle of 64 characters": (
        {"ModelLifeCycle": {"Stage": "x" * 64, "StageStatus": "y"}},
        "modelLifeCycle.stage",
    ),
    "an unknown approval": ({"ModelApprovalStatus": "Yes"}, "[Approved, Rejected, PendingManualApproval]"),
    "a card that is no JSON": (
        {"ModelCard": {"ModelCardContent": "{", "ModelCardStatus": "Draft"}},
        "not valid JSON",
    ),
    "tags of a version": ({"Tags": [{"Key": "a", "Value": "b"}]}, "group's"),
    "a name beside the group's": ({"ModelPackageName": "n"}, "Cannot determine which one to use"),
    "a group that is not there": (
        {"ModelPackageGroupName": "nobody"},
        "model-package-group/nobody does not exist.",
    ),
}


@pytest.mark.parametrize(("parameters", "words"), REFUSED.values(), ids=REFUSED)
def test_a_registration_that_the_real_registry_refuses_is_refused(sagemaker, group, parameters, words):
    code, message = refusal(lambda **p: register(sagemaker, group, **p), **parameters)

    assert code == "ValidationException"
    assert words in message
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []


def test_a_list_is_filtered_sorted_and_given_in_pages(sagemaker, group):
    arns = [register(sagemaker, group) for _ in range(5)]
    sagemaker.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")

    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 2},
    )
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")

    sizes_and_arns = [[p["ModelPackageArn"] for p in page["ModelPackageSummaryList"]] for page in pages]
    assert sizes_and_arns == [[arns[4], arns[3]], [arns[2], arns[1]], [arns[0]]]
    assert [p["ModelPackageVersion"] for p in approved["ModelPackageSummaryList"]] == [2]


def test_a_group_with_versions_stays(sagemaker, group):
    arn = register(sagemaker, group)

    code, message = refusal(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)

    assert code == "ConflictException"
    assert "still contains Model Packages" in message
    assert refusal(sagemaker.describe_model_package_group, ModelPackageGroupName=group) == (
        "ValidationException",
        f"ModelPackageGroup {group_arn(group)} does not exist.",
    )


def test_a_group_exists_once(sagemaker, group):
    code, message = refusal(sagemaker.create_model_package_group, ModelPackageGroupName=group)

    assert code == "ValidationException"
    assert "already exists" in message


def share(sagemaker, group: str, *actions: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": [f"sagemaker:{action}" for action in actions],
        "Resource": [
            f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{group}/*",
            f"arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/{group}",
        ],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)


def test_another_account_may_do_what_the_group_s_policy_says(local_aws, sagemaker, group):
    arn = register(sagemaker, group)
    other = local_aws.client("sagemaker", OTHER)
    before, _ = refusal(other.describe_model_package, ModelPackageName=arn)

    share(sagemaker, group, "DescribeModelPackage")

    assert before == "AccessDeniedException"
    assert describe(other, arn)["ModelPackageVersion"] == 1
    code, _ = refusal(other.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert code == "AccessDeniedException"


def test_a_group_s_policy_is_read_and_removed(sagemaker, group):
    missing = ("ValidationException", f"Cannot find resource policy for: {group_arn(group)}")
    assert refusal(sagemaker.get_model_package_group_policy, ModelPackageGroupName=group) == missing
    share(sagemaker, group, "DescribeModelPackage")

    found = json.loads(
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"]
    )
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=group)

    assert found["Statement"][0]["Action"] == ["sagemaker:DescribeModelPackage"]
    assert refusal(sagemaker.delete_model_package_group_policy, ModelPackageGroupName=group) == missing


def group_arn(group: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/{group}"


def test_a_policy_without_a_principal_is_none(sagemaker, group):
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]})

    code, _ = refusal(
        sagemaker.put_model_package_group_policy, ModelPackageGroupName=group, ResourcePolicy=policy
    )

    assert code == "ValidationException"


def test_search_and_tags_find_what_the_registry_keeps(sagemaker, group):
    arn = register(sagemaker, group)
    sagemaker.add_tags(ResourceArn=group_arn(group), Tags=[{"Key": "project", "Value": group}])

    found = sagemaker.search(
        Resource="ModelPackage",
        SearchExpression={
            "Filters": [{"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": group}]
        },
    )

    assert [r["ModelPackage"]["ModelPackageArn"] for r in found["Results"]] == [arn]
    assert sagemaker.list_tags(ResourceArn=group_arn(group))["Tags"] == [{"Key": "project", "Value": group}]

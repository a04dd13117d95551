"""What a model may be made of."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError


def create(hosting, **parameters) -> str:
    name = hosting.name("model")
    defaults = {"ModelName": name, "ExecutionRoleArn": hosting.role}
    hosting.sagemaker.create_model(**defaults | parameters)
    return name


def message_of(hosting, **parameters) -> str:
    with pytest.raises(ClientError) as caught:
        create(hosting, **parameters)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return caught.value.response["Error"]["Message"]


@pytest.fixture
def package(hosting) -> str:
    group = hosting.name("group")
    hosting.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    return hosting.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [hosting.container(ANSWER="from"), hosting.container(ANSWER="the package")],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_only_an_approved_version_becomes_a_model(hosting, package, status):
    hosting.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)

    message = message_of(hosting, Containers=[{"ModelPackageName": package}])

    assert package in message
    assert status in message


def test_an_approved_version_serves_with_all_its_containers(hosting, package):
    hosting.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    model = create(hosting, Containers=[{"ModelPackageName": package}])
    endpoint = hosting.endpoint(hosting.config(model))
    described = hosting.settled(endpoint)

    assert hosting.ask(endpoint) == "the package:1"
    assert len(described["ProductionVariants"][0]["DeployedImages"]) == 2
    containers = hosting.sagemaker.describe_model(ModelName=model)["Containers"]
    assert [c["ModelPackageName"] for c in containers] == [package]


def test_another_account_s_version_becomes_a_model_where_its_policy_allows(local_aws, hosting, package):
    other = "222222222222"
    role = other_role(local_aws, other)
    hosting.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    sagemaker = local_aws.client("sagemaker", other)
    parameters = {
        "ModelName": hosting.name("model"),
        "ExecutionRoleArn": role,
        "Containers": [{"ModelPackageName": package}],
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        sagemaker.create_model(**parameters)
    share(hosting, package, other)

    created = sagemaker.create_model(**parameters)

    assert created["ModelArn"].split(":")[4] == other


def other_role(local_aws, account: str) -> str:
    """A role of another account that may read the tests' archive, which the bucket allows."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::endpoint-tests/*"}
    iam = local_aws.client("iam", account)
    arn = iam.create_role(RoleName="OtherAccountTests", AssumeRolePolicyDocument=document(trust))["Role"][
        "Arn"
    ]
    iam.put_role_policy(RoleName="OtherAccountTests", PolicyName="read", PolicyDocument=document(read))
    bucket = read | {"Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    local_aws.client("s3").put_bucket_policy(Bucket="endpoint-tests", Policy=document(bucket))
    return arn


def share(hosting, package: str, account: str) -> None:
    group = package.split("/")[1]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["sagemaker:DescribeModelPackage", "sagemaker:CreateModel"],
        "Resource": package.rsplit("/", 1)[0] + "/*",
    }
    hosting.sagemaker.put_model_package_group_policy(
        ModelPackageGroupName=group, ResourcePolicy=document(statement)
    )


def document(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_an_archive_that_is_not_there_is_named(hosting):
    container = hosting.container() | {"ModelDataUrl": "s3://endpoint-tests/nothing.tar.gz"}

    message = message_of(hosting, PrimaryContainer=container)

    assert "Could not access model data at s3://endpoint-tests/nothing.tar.gz" in message
    assert hosting.role in message


def test_an_archive_that_the_role_may_not_read_is_named(local_aws, hosting):
    local_aws.client("s3").create_bucket(
        Bucket="endpoint-tests-private", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    local_aws.client("s3").put_object(Bucket="endpoint-tests-private", Key="m", Body=b"x")

    message = message_of(
        hosting, PrimaryContainer=hosting.container() | {"ModelDataUrl": "s3://endpoint-tests-private/m"}
    )

    assert "Could not access model data" in message


def test_a_role_that_sagemaker_may_not_assume_is_named(local_aws, hosting):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    name = hosting.name("lambda-role")
    role = local_aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(statement))

    message = message_of(hosting, PrimaryContainer=hosting.container(), ExecutionRoleArn=role["Role"]["Arn"])

    assert message.startswith(f"Could not assume role {role['Role']['Arn']}")


@pytest.mark.parametrize(
    "parameters",
    [{}, {"PrimaryContainer": {"Image": "i"}, "Containers": [{"Image": "i"}]}, {"PrimaryContainer": {}}],
    ids=["no container", "both forms", "an empty container"],
)
def test_a_model_has_its_containers_in_one_form(hosting, parameters):
    message_of(hosting, **parameters)

"""Keys of KMS of endpoints' volumes: SageMaker makes a grant in the name of whoever creates the endpoint."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import actors
from support.unique import unique

SERVING = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}


@pytest.fixture
def key(local_aws):
    return local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def acting(local_aws):
    """A SageMaker client of somebody who may do everything there, and has the actions on keys beside."""

    def act(*actions):
        iam, name = local_aws.client("iam"), unique("EndpointKeys")
        trust = {"Effect": "Allow", "Principal": {"AWS": local_aws.account}, "Action": "sts:AssumeRole"}
        keys = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}] if actions else []
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        document = json.dumps({"Version": "2012-10-17", "Statement": [SERVING, *keys]})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document)
        return actors.client_with("sagemaker", local_aws.assume(role["Role"]["Arn"]))

    return act


def request(hosting, key):
    variant = {
        "VariantName": "all",
        "ModelName": hosting.model(),
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    return {"EndpointConfigName": unique("config"), "KmsKeyId": key, "ProductionVariants": [variant]}


@pytest.mark.parametrize("missing", ["kms:CreateGrant", "kms:DescribeKey"])
def test_config_with_a_key_takes_both_rights_on_it(hosting, acting, key, missing):
    rest = {"kms:CreateGrant", "kms:DescribeKey"} - {missing}

    with pytest.raises(ClientError) as caught:
        acting(*rest).create_endpoint_config(**request(hosting, key))

    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: {missing} on resource: {key}" in error["Message"]


def test_endpoint_takes_the_rights_on_its_config_s_key(hosting, acting, key):
    config = request(hosting, key)
    acting("kms:*").create_endpoint_config(**config)
    endpoint = {"EndpointName": unique("endpoint"), "EndpointConfigName": config["EndpointConfigName"]}

    with pytest.raises(ClientError, match=r"kms:CreateGrant on resource"):
        acting().create_endpoint(**endpoint)

    assert acting("kms:CreateGrant", "kms:DescribeKey").create_endpoint(**endpoint)["EndpointArn"]


def test_config_with_a_key_that_is_disabled_is_refused(local_aws, hosting, key):
    local_aws.client("kms").disable_key(KeyId=key.rpartition("/")[2])

    with pytest.raises(ClientError, match=rf"ValidationException.*KMS key {key}: {key} is disabled"):
        local_aws.client("sagemaker").create_endpoint_config(**request(hosting, key))

"""Variants as scalable targets."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import actors, clock
from local_sagemaker.cloudwatch.metrics import STORE, Data, Metric
from support.waiting import PATIENCE

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture
def scaling(local_aws):
    return local_aws.client("application-autoscaling")


def target(endpoint: str) -> dict:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
        "ScalableDimension": DIMENSION,
    }


def policy(endpoint: str, value: float, **cooldowns: int) -> dict:
    return target(endpoint) | {
        "PolicyName": "invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": value,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        }
        | cooldowns,
    }


def count(described: dict) -> int:
    return described["ProductionVariants"][0]["DesiredInstanceCount"]


def alarms_of(hosting, endpoint: str) -> list[str]:
    found = hosting.cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-endpoint/{endpoint}/")
    return [alarm["AlarmName"].split("-Alarm")[1].split("-")[0] for alarm in found["MetricAlarms"]]


def test_a_target_that_is_not_there_is_refused(hosting, scaling):
    with pytest.raises(scaling.exceptions.ValidationException, match="endpoint/nobody/variant/AllTraffic"):
        scaling.register_scalable_target(**target("nobody"), MinCapacity=1, MaxCapacity=4)


def test_a_policy_needs_a_target(hosting, scaling):
    endpoint = hosting.running()

    with pytest.raises(ClientError, match="No scalable target registered") as caught:
        scaling.put_scaling_policy(**policy(endpoint, 10))

    assert caught.value.response["Error"]["Code"] == "ObjectNotFoundException"


def steady_load(hosting, endpoint: str) -> None:
    """A request each tenth of a second, measured for all the time that a test may take.

    Clients that this machine sometimes stops would leave periods without data, which count for no alarm.
    """
    dimensions = frozenset({("EndpointName", endpoint), ("VariantName", "AllTraffic")})
    where = (hosting.aws.account, hosting.aws.region, "AWS/SageMaker", "InvocationsPerInstance")
    now = time.time()
    for tenth in range(-100, round(10 * PATIENCE)):
        STORE.put(Metric(*where, dimensions), Data(Counter({1.0: 1})), now + tenth / 10)


def test_instances_follow_the_load_within_the_bounds(hosting, scaling, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "240")  # alarms look back over a quarter of a second a period
    endpoint = hosting.running()
    scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=4)
    steady_load(hosting, endpoint)

    scaling.put_scaling_policy(**policy(endpoint, 0.1, ScaleOutCooldown=0))
    large = hosting.until(endpoint, lambda d: count(d) > 2)
    scaling.put_scaling_policy(**policy(endpoint, 1000.0, ScaleInCooldown=0))
    small = hosting.until(endpoint, lambda d: count(d) < 4)

    assert [count(large), count(small)] == [4, 1]
    assert small["EndpointStatus"] == "InService"


def test_registering_brings_the_variant_within_the_bounds(hosting, scaling):
    endpoint = hosting.running()  # of two instances

    scaling.register_scalable_target(**target(endpoint), MinCapacity=3, MaxCapacity=5)

    found = scaling.describe_scalable_targets(
        ServiceNamespace=NAMESPACE, ResourceIds=[target(endpoint)["ResourceId"]]
    )
    assert count(hosting.sagemaker.describe_endpoint(EndpointName=endpoint)) == 3
    assert (found["ScalableTargets"][0]["MinCapacity"], found["ScalableTargets"][0]["MaxCapacity"]) == (3, 5)


def test_the_instance_type_of_a_target_stays(hosting, scaling):
    endpoint = hosting.running()
    scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=4)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": hosting.model(),
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 2,
    }
    config = hosting.config(ProductionVariants=[variant])

    with pytest.raises(ClientError, match="scalable target"):
        hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)


@pytest.mark.parametrize("way", ["deregister", "delete endpoint"])
def test_policies_and_alarms_go_with_their_target(hosting, scaling, way):
    endpoint = hosting.running()
    scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(**policy(endpoint, 10))
    scaling.put_scaling_policy(**policy(endpoint, 20))  # again, changed
    before = alarms_of(hosting, endpoint)

    if way == "deregister":
        scaling.deregister_scalable_target(**target(endpoint))
    else:
        hosting.sagemaker.delete_endpoint(EndpointName=endpoint)

    resource = target(endpoint)["ResourceId"]
    policies = scaling.describe_scaling_policies(ServiceNamespace=NAMESPACE, ResourceId=resource)
    targets = scaling.describe_scalable_targets(ServiceNamespace=NAMESPACE, ResourceIds=[resource])
    assert sorted(before) == ["High", "Low"]
    assert alarms_of(hosting, endpoint) == []
    assert policies["ScalingPolicies"] == []
    assert targets["ScalableTargets"] == []


def acting(hosting, *statements: dict):
    """Application Auto Scaling for somebody who may scale, with these statements beside it."""
    iam, name = hosting.aws.client("iam"), hosting.name("scaler")
    may = {"Effect": "Allow", "Action": ["application-autoscaling:*", "cloudwatch:*"], "Resource": "*"}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))[
        "Role"
    ]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [may, *statements]})
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
    return actors.client_with("application-autoscaling", actors.credentials(role, None, hosting.aws.region))


def test_whoever_scales_an_endpoint_needs_its_rights(hosting):
    name = hosting.running()
    beginning = f"arn:aws:sagemaker:eu-west-1:{hosting.aws.account}:endpoint/"
    rights = {
        "Effect": "Allow",
        "Action": ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
    }

    with pytest.raises(ClientError, match=f"sagemaker:DescribeEndpoint on resource: {beginning}{name}"):
        acting(hosting).register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=4)
    mine = acting(hosting, rights | {"Resource": beginning + name})
    mine.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=4)
    mine.put_scaling_policy(**policy(name, 10))


def test_a_target_that_another_project_tagged_can_be_denied(hosting, scaling):
    name = hosting.running()
    tags = {"project": "other"}
    scaling.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=4, Tags=tags)
    mine = acting(
        hosting,
        {
            "Effect": "Deny",
            "Action": "application-autoscaling:*",
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:ResourceTag/project": "mine"},
                "Null": {"aws:ResourceTag/project": "false"},
            },
        },
    )

    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        mine.deregister_scalable_target(**target(name))
    assert scaling.describe_scalable_targets(
        ServiceNamespace=NAMESPACE, ResourceIds=[target(name)["ResourceId"]]
    )["ScalableTargets"]

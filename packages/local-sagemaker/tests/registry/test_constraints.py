"""Requests are held against the service's own model, in the service's words."""

from __future__ import annotations

import pytest

from local_sagemaker.bridge import AWSError
from local_sagemaker.constraints import check

NAMED = {"ModelPackageGroupName": "group"}


@pytest.mark.parametrize(
    "parameters",
    [
        NAMED,
        NAMED | {"CustomerMetadataProperties": {"Größe": "ü 1_.:/=+-@"}},
        NAMED | {"ModelPackageDescription": "{any} printable, 100 % of it"},
        {"ModelPackageGroupName": "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/group"},
    ],
)
def test_what_the_model_allows_passes(parameters):
    check("sagemaker", "CreateModelPackage", parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"ModelPackageGroupName": "a" * 171},
            "1 validation error detected: Value '"
            + "a" * 171
            + "' at 'modelPackageGroupName' failed to satisfy "
            "constraint: Member must have length less than or equal to 170",
        ),
        (
            NAMED | {"CustomerMetadataProperties": {"k": "a,b"}},
            "1 validation error detected: Value '{k=a,b}' at 'customerMetadataProperties' failed to satisfy "
            "constraint: Map value must satisfy constraint: [Member must satisfy regular expression "
            r"pattern: ([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}]",
        ),
        (
            NAMED | {"InferenceSpecification": {"Containers": [{"Image": "two words"}]}},
            "1 validation error detected: Value 'two words' at "
            "'inferenceSpecification.containers.1.member.image' "
            r"failed to satisfy constraint: Member must satisfy regular expression pattern: [\S]+",
        ),
        (
            NAMED | {"ModelApprovalStatus": "Maybe", "ModelPackageDescription": "\t"},
            "2 validation errors detected: ",
        ),
    ],
    ids=["a length", "a map's value", "a member of a list", "two at once"],
)
def test_what_it_does_not_allow_is_refused_in_the_service_s_words(parameters, message):
    with pytest.raises(AWSError) as caught:
        check("sagemaker", "CreateModelPackage", parameters)

    assert caught.value.code == "ValidationException"
    assert caught.value.message.startswith(message)


def test_a_range_and_an_enumeration_are_named():
    routing = {"Type": "SIDEWAYS", "WaitIntervalInSeconds": 3601}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}

    with pytest.raises(AWSError) as caught:
        check(
            "sagemaker",
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": policy},
        )

    assert "enum value set: [ALL_AT_ONCE, CANARY, LINEAR]" in caught.value.message
    assert "Member must have value less than or equal to 3600" in caught.value.message

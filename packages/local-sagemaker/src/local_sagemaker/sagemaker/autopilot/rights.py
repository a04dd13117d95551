"""What Autopilot does with a job's role beside reading and writing data, and the rights that this takes.

Source: SageMaker developer guide, "CreateAutoMLJob API: Execution Role Permissions".
"""

from __future__ import annotations

from moto.utilities.utils import get_partition

from local_sagemaker.authorization import decisions
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker.roles import PRINCIPAL

# The best model is explained by an endpoint that passes; what it took is removed again.
_EXPLAINING = {
    "model": ("CreateModel", "DescribeModel", "DeleteModel"),
    "endpoint-config": ("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    "endpoint": ("CreateEndpoint", "DescribeEndpoint", "InvokeEndpoint", "ListTags", "DeleteEndpoint"),
}


def why_no_explanation(role_arn: str, job: str, region: str) -> str | None:
    """Why the best model of a job cannot be explained with its role, in the words of AWS; None if it can."""
    account = role_arn.split(":")[4]
    beginning = f"arn:{get_partition(region)}:sagemaker:{region}:{account}"
    try:
        decisions.require_of_role(role_arn, "iam:PassRole", role_arn, {"iam:passedtoservice": [PRINCIPAL]})
        for kind, operations in _EXPLAINING.items():
            for operation in operations:
                # The service cuts the job's name and adds a code.
                resource = f"{beginning}:{kind}/{job[:20]}-explain"
                decisions.require_of_role(role_arn, f"sagemaker:{operation}", resource)
    except AWSError as error:
        return error.message
    return None

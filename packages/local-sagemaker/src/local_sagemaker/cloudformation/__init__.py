"""AWS CloudFormation: stacks that are created, updated, rolled back and deleted resource by resource.

Moto's own engine follows neither conditions that change, nor dependencies, nor failures. Here every resource
is made by calls to its service, with the rights of whoever deploys the stack, so that a missing one fails as
it would on the real AWS.
"""

from local_sagemaker.bridge import answer_all
from local_sagemaker.cloudformation import change_sets, descriptions, operations

answer_all("cloudformation")

__all__ = ["change_sets", "descriptions", "operations"]

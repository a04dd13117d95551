"""AWS::SageMaker::ModelPackageGroup."""

from __future__ import annotations

import json
from collections.abc import Mapping

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work, chosen


class _ModelPackageGroup(ResourceType):
    """Ref is the ARN."""

    name = "AWS::SageMaker::ModelPackageGroup"
    properties = frozenset(
        {"ModelPackageGroupDescription", "ModelPackageGroupName", "ModelPackageGroupPolicy", "Tags"}
    )
    required = frozenset({"ModelPackageGroupName"})
    fixed = frozenset({"ModelPackageGroupDescription", "ModelPackageGroupName"})

    def create(self, work: Work, new: Properties) -> None:
        arn = work.call(
            "sagemaker",
            "create_model_package_group",
            Tags=work.tag_list(new.get("Tags")) or None,
            **chosen(new, "ModelPackageGroupName", "ModelPackageGroupDescription"),
        )["ModelPackageGroupArn"]
        self._know(work, arn)
        self._share(work, {}, new)

    def adopt(self, work: Work, identifier: Mapping[str, str]) -> None:
        arn = identifier["ModelPackageGroupArn"]
        work.call("sagemaker", "describe_model_package_group", ModelPackageGroupName=arn)
        self._know(work, arn)

    def _know(self, work: Work, arn: str) -> None:
        work.made = arn
        work.attributes = {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._share(work, old, new)
        tags = work.tag_list(new.get("Tags"))
        if tags:
            work.call("sagemaker", "add_tags", ResourceArn=work.made, Tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        name = old["ModelPackageGroupName"]
        work.call("sagemaker", "delete_model_package_group", ModelPackageGroupName=name)

    def _share(self, work: Work, old: Properties, new: Properties) -> None:
        policy, name = new.get("ModelPackageGroupPolicy"), new["ModelPackageGroupName"]
        if policy == old.get("ModelPackageGroupPolicy"):
            return
        if policy is None:
            work.call("sagemaker", "delete_model_package_group_policy", ModelPackageGroupName=name)
        else:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            work.call(
                "sagemaker", "put_model_package_group_policy", ModelPackageGroupName=name, ResourcePolicy=text
            )

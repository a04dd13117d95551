"""The tags of a resource as condition keys."""

from __future__ import annotations

import pytest
from core_kit import refused

# What no policy of `mine` reaches: a resource that somebody else tagged.
FOREIGN = {
    "Effect": "Deny",
    "Action": "*",
    "Resource": "*",
    "Condition": {
        "StringNotEquals": {"aws:ResourceTag/Project": "mine"},
        "Null": {"aws:ResourceTag/Project": "false"},
    },
}


def group(account, project):
    sagemaker, name = account.client("sagemaker"), account.name("group")
    tags = {"Tags": [{"Key": "project", "Value": project}]} if project else {}
    sagemaker.create_model_package_group(ModelPackageGroupName=name, **tags)
    return name


@pytest.mark.parametrize(("project", "allowed"), [("mine", True), ("other", False), ("", True)])
def test_what_another_project_tagged_can_be_denied(account, allow, project, allowed):
    sagemaker, name = account.acting("sagemaker", allow("sagemaker:*"), FOREIGN), group(account, project)

    if allowed:
        sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    else:
        code, message = refused(sagemaker.describe_model_package_group, ModelPackageGroupName=name)
        assert code == "AccessDeniedException"
        assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_version_has_the_tags_of_its_group(account, allow):
    name = group(account, "other")
    version = f"arn:aws:sagemaker:eu-west-1:{account.id}:model-package/{name}/1"
    sagemaker = account.acting("sagemaker", allow("sagemaker:*"), FOREIGN)

    assert refused(sagemaker.describe_model_package, ModelPackageName=version)[0] == "AccessDeniedException"
    assert refused(sagemaker.list_model_packages, ModelPackageGroupName=name)[0] == "AccessDeniedException"


def test_sagemakers_own_key_says_the_same(account):
    mine = {
        "Effect": "Allow",
        "Action": "sagemaker:DescribeModelPackageGroup",
        "Resource": "*",
        "Condition": {"StringEquals": {"sagemaker:ResourceTag/project": "mine"}},
    }
    sagemaker = account.acting("sagemaker", mine)

    sagemaker.describe_model_package_group(ModelPackageGroupName=group(account, "mine"))
    other = {"ModelPackageGroupName": group(account, "other")}
    assert refused(sagemaker.describe_model_package_group, **other)[0] == "AccessDeniedException"


def test_what_is_made_has_no_tags_before(account, allow):
    sagemaker = account.acting("sagemaker", allow("sagemaker:*"), FOREIGN)

    sagemaker.create_model_package_group(
        ModelPackageGroupName=account.name("group"), Tags=[{"Key": "project", "Value": "other"}]
    )

"""Stacks that are made of what exists already."""

from __future__ import annotations

import json

import pytest
from core_kit import Stack, refused

KEPT = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}


def template(name, **more):
    return json.dumps({"Resources": {"Bucket": KEPT | {"Properties": {"BucketName": name}}}, **more})


def request(stack, text, name):
    bucket = {
        "ResourceType": "AWS::S3::Bucket",
        "LogicalResourceId": "Bucket",
        "ResourceIdentifier": {"BucketName": name},
    }
    return {
        "StackName": stack.name,
        "ChangeSetName": "import",
        "ChangeSetType": "IMPORT",
        "TemplateBody": text,
        "ResourcesToImport": [bucket],
    }


def import_bucket(stack, name):
    stack.id = stack.client.create_change_set(**request(stack, template(name), name))["StackId"]
    stack.client.execute_change_set(StackName=stack.name, ChangeSetName="import")
    return stack.settle()


def test_a_bucket_with_its_objects_becomes_a_stacks_and_can_be_changed_by_it(stack, account):
    name = account.bucket(a="kept")
    versioned = json.dumps(
        {
            "Resources": {
                "Bucket": KEPT
                | {"Properties": {"BucketName": name, "VersioningConfiguration": {"Status": "Enabled"}}}
            },
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}},
        }
    )

    imported = import_bucket(stack, name)
    resources = stack.resources
    updated = stack.update(versioned)

    assert (imported, updated) == ("IMPORT_COMPLETE", "UPDATE_COMPLETE")
    assert resources == {"Bucket": name}
    assert stack.outputs == {"Arn": f"arn:aws:s3:::{name}"}
    s3 = account.client("s3")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"kept"


def test_what_does_not_exist_or_is_another_stacks_is_not_taken(stack, account):
    missing, other = account.name("bucket"), Stack(account)
    taken = account.bucket()
    import_bucket(other, taken)

    assert import_bucket(stack, missing) == "IMPORT_ROLLBACK_COMPLETE"
    assert stack.resources == {}
    stack.delete()
    assert import_bucket(stack, taken) == "IMPORT_ROLLBACK_COMPLETE"
    assert "already exists in stack" in stack.reasons("IMPORT_FAILED")[0][1]
    assert other.resources == {"Bucket": taken}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (template("x", Outputs={"A": {"Value": "b"}}), "cannot modify or add [Outputs]"),
        (json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}), "missing DeletionPolicy"),
        (json.dumps({"Resources": {"Other": KEPT}}), "cannot modify or add [Other]"),
    ],
)
def test_an_import_is_about_nothing_else(stack, text, message):
    code, told = refused(stack.client.create_change_set, **request(stack, text, "x"))

    assert code == "ValidationError"
    assert message in told

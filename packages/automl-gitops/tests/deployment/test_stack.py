"""The stack on the local AWS, deployed as the role of the main branch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployment_kit import Killed, recorded_writes

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.stacks import bootstrap, stack, teardown
from automl_gitops.stacks.cloudformation import Stack, StackState
from support.deployed import DeployedProject


@pytest.fixture
def project(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    """A project whose administrator has deployed the roles."""
    project = DeployedProject(local_aws, tmp_path, monkeypatch)
    bootstrap.deploy(project.sign_in())
    return project


@pytest.fixture
def deployed(project: DeployedProject) -> DeployedProject:
    """A project with its stack."""
    stack.deploy(project.sign_in("RetrainRole"))
    return project


STORAGE = {"Bucket", "BucketPolicy", "ModelPackageGroup"}


def held(project: DeployedProject) -> set[str]:
    """The logical ids of what the stack holds."""
    return set(Stack(project.sign_in().aws, project.name, Output()).resources())


def test_an_administrator_makes_bucket_and_registry_and_the_workflow_the_rest(
    project: DeployedProject,
) -> None:
    made = held(project)

    result = stack.deploy(project.sign_in("RetrainRole"))

    assert made == STORAGE
    assert (result.name, result.outcome) == (project.name, "updated")
    assert result.outputs["BucketName"] == project.names.bucket
    assert held(project) > STORAGE


def test_what_the_pipeline_calls_has_to_be_there_before_a_run(project: DeployedProject) -> None:
    signed_in = project.sign_in("RetrainRole")

    with pytest.raises(UserError, match=rf"stack {project.name} has no functions.*run `automl stack` first"):
        stack.require_functions(signed_in.aws, project.names)
    stack.deploy(signed_in)

    stack.require_functions(signed_in.aws, project.names)


def test_without_bucket_and_registry_the_workflow_asks_for_an_administrator(project: DeployedProject) -> None:
    stack.remove(project.sign_in())

    with pytest.raises(UserError, match=r"has no bucket and registry yet.*RetrainRole.*make bootstrap"):
        stack.deploy(project.sign_in("RetrainRole"))
    stack.deploy(project.sign_in())

    assert held(project) > STORAGE


def test_a_second_deployment_changes_nothing(deployed: DeployedProject) -> None:
    result = stack.deploy(deployed.sign_in("RetrainRole"))

    assert result.outcome == "unchanged"


def test_the_bucket_is_closed(deployed: DeployedProject) -> None:
    s3, bucket = deployed.client("s3"), deployed.names.bucket

    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    public = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]

    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(public.values()) == {True}
    assert [s["Sid"] for s in policy["Statement"]] == ["OnlyOverTls"]
    assert {rule["ID"] for rule in lifecycle} == {"expire-overwritten-versions", "abort-incomplete-uploads"}


def test_messages_come_back_until_they_are_set_aside(deployed: DeployedProject) -> None:
    sqs = deployed.client("sqs")
    queue = sqs.get_queue_url(QueueName=deployed.names.queue)["QueueUrl"]
    dead_letters = sqs.get_queue_url(QueueName=deployed.names.dead_letter_queue)["QueueUrl"]
    function = deployed.client("lambda").get_function_configuration(
        FunctionName=deployed.names.function("check-autopilot")
    )
    (mapping,) = deployed.client("lambda").list_event_source_mappings(
        FunctionName=deployed.names.function("check-autopilot")
    )["EventSourceMappings"]

    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    assert int(attributes["VisibilityTimeout"]) >= 6 * function["Timeout"]
    assert int(attributes["MessageRetentionPeriod"]) == 14 * 24 * 3600
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 1000
    assert redrive["deadLetterTargetArn"].endswith(f":{deployed.names.dead_letter_queue}")
    assert mapping["EventSourceArn"] == attributes["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    variables = function["Environment"]["Variables"]
    assert variables == {"QUEUE_URL": queue, "DEAD_LETTER_QUEUE_URL": dead_letters}


def test_logs_end_and_dead_letters_raise_an_alarm(deployed: DeployedProject) -> None:
    groups = deployed.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{deployed.name}-")[
        "logGroups"
    ]
    (alarm,) = deployed.client("cloudwatch").describe_alarms(AlarmNames=[deployed.names.dead_letter_queue])[
        "MetricAlarms"
    ]

    assert {group["logGroupName"] for group in groups} == {
        f"/aws/lambda/{deployed.names.function(name)}"
        for name in ("start-autopilot", "check-autopilot", "register-model")
    }
    assert {group["retentionInDays"] for group in groups} == {90}
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"


def test_changed_code_reaches_the_function(deployed: DeployedProject) -> None:
    name = deployed.names.function("register-model")
    functions = deployed.client("lambda")
    before = functions.get_function_configuration(FunctionName=name)["CodeSha256"]
    with Path("lambdas/register_model.py").open("a") as file:
        file.write("\nCHANGED = True\n")

    result = stack.deploy(deployed.sign_in("RetrainRole"))

    after = functions.get_function_configuration(FunctionName=name)["CodeSha256"]
    assert result.outcome == "updated"
    assert after != before


def test_a_changed_template_is_an_update(deployed: DeployedProject) -> None:
    text = stack.FILE.read_text()
    stack.FILE.write_text(text.replace("RetentionInDays: 90", "RetentionInDays: 30"))

    result = stack.deploy(deployed.sign_in("RetrainRole"))

    groups = deployed.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{deployed.name}-")[
        "logGroups"
    ]
    assert result.outcome == "updated"
    assert {group["retentionInDays"] for group in groups} == {30}


def test_a_broken_template_is_named(deployed: DeployedProject) -> None:
    text = stack.FILE.read_text()
    stack.FILE.write_text(text.replace("!GetAtt CallbackQueue.Arn", "!GetAtt NoSuchQueue.Arn"))

    with pytest.raises(UserError, match=r"^infrastructure/stack\.yaml: .*NoSuchQueue"):
        stack.deploy(deployed.sign_in("RetrainRole"))


def test_code_that_is_no_python_is_named_before_anything_is_called(project: DeployedProject) -> None:
    Path("lambdas/check_autopilot.py").write_text("def handler(:\n")

    with pytest.raises(UserError, match=r"^lambdas/check_autopilot\.py:1: not valid Python") as raised:
        stack.deploy(project.sign_in("RetrainRole"))

    assert raised.value.line == 1
    assert held(project) == STORAGE


def test_tags_reach_what_is_deployed(deployed: DeployedProject) -> None:
    tags = deployed.client("cloudformation").describe_stacks(StackName=deployed.name)["Stacks"][0]["Tags"]

    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "care", "project": deployed.name}


def test_bucket_and_registry_can_be_kept_and_built_upon_again(deployed: DeployedProject) -> None:
    deployed.client("s3").put_object(Bucket=deployed.names.bucket, Key="datasets/kept", Body=b"data")

    reduced = stack.reduce_to_storage(deployed.sign_in("TeardownRole"))

    left = deployed.client("cloudformation").list_stack_resources(StackName=deployed.name)
    assert reduced == "updated"
    assert {entry["LogicalResourceId"] for entry in left["StackResourceSummaries"]} == {
        "Bucket",
        "BucketPolicy",
        "ModelPackageGroup",
    }
    with pytest.raises(ClientError, match="ResourceNotFound"):
        deployed.client("lambda").get_function(FunctionName=deployed.names.function("start-autopilot"))
    assert stack.deploy(deployed.sign_in("RetrainRole")).outcome == "updated"
    kept = deployed.client("s3").get_object(Bucket=deployed.names.bucket, Key="datasets/kept")
    assert kept["Body"].read() == b"data"


def delete_by_hand(project: DeployedProject, *, retain: bool) -> None:
    """What somebody does in the console; ``retain`` is the box to tick when the first attempt has failed."""
    role = project.sign_in()
    with pytest.raises(RunError, match="could not be deleted"):
        stack.remove(role)
    if retain:
        state = project.client("cloudformation").list_stack_resources(StackName=project.name)
        failed = [
            one["LogicalResourceId"]
            for one in state["StackResourceSummaries"]
            if one["ResourceStatus"] == "DELETE_FAILED"
        ]
        project.client("cloudformation").delete_stack(StackName=project.name, RetainResources=failed)
        assert not Stack(role.aws, project.name, role.output).settle().exists


def with_data(project: DeployedProject) -> str:
    """Puts an object into the bucket, and a version into the registry; returns its ARN."""
    project.client("s3").put_object(Bucket=project.names.bucket, Key="datasets/kept", Body=b"data")
    container = {"Image": "i", "ModelDataUrl": f"s3://{project.names.bucket}/datasets/kept"}
    return project.client("sagemaker").create_model_package(
        ModelPackageGroupName=project.name,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]


@pytest.mark.parametrize("retain", [True, False], ids=["with its data retained", "which failed for its data"])
def test_a_stack_that_was_deleted_by_hand_takes_over_the_data_that_are_left(
    deployed: DeployedProject, retain: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    version = with_data(deployed)
    before = Stack(deployed.sign_in().aws, deployed.name, Output()).resources().keys()
    delete_by_hand(deployed, retain=retain)
    capsys.readouterr()

    result = stack.deploy(deployed.sign_in())

    assert result.outcome == "created"
    assert "which a deleted stack left behind" in capsys.readouterr().out
    assert Stack(deployed.sign_in().aws, deployed.name, Output()).resources().keys() == before
    kept = deployed.client("s3").get_object(Bucket=deployed.names.bucket, Key="datasets/kept")
    assert kept["Body"].read() == b"data"
    assert deployed.client("sagemaker").describe_model_package(ModelPackageName=version)
    policy = json.loads(deployed.client("s3").get_bucket_policy(Bucket=deployed.names.bucket)["Policy"])
    assert [s["Sid"] for s in policy["Statement"]] == ["OnlyOverTls"]
    assert stack.deploy(deployed.sign_in("RetrainRole")).outcome == "unchanged"


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
def test_a_takeover_that_is_interrupted_is_completed_by_the_next_run(
    deployed: DeployedProject, operation: str
) -> None:
    with_data(deployed)
    delete_by_hand(deployed, retain=True)

    with pytest.raises(Killed), recorded_writes(stop_at=operation):
        stack.deploy(deployed.sign_in())
    stack.deploy(deployed.sign_in())

    assert stack.deploy(deployed.sign_in("RetrainRole")).outcome == "unchanged"


def test_a_stack_that_goes_between_two_looks_is_gone(deployed: DeployedProject) -> None:
    found = Stack(deployed.sign_in().aws, f"{deployed.name}-services", Output())
    going = replace(found.look(), status="DELETE_IN_PROGRESS")
    found.delete()
    seen = iter([going])
    found.look = lambda name=None: next(seen, StackState())  # type: ignore[method-assign]

    assert not found.rest().exists


def test_what_a_deleted_stack_left_is_removed_with_the_data(deployed: DeployedProject) -> None:
    with_data(deployed)
    delete_by_hand(deployed, retain=True)
    workflow = deployed.sign_in("TeardownRole")

    teardown.remove(workflow, teardown.find(workflow, data=True), deployed.name)

    assert teardown.find(workflow, data=True) == []
    with pytest.raises(ClientError, match="404"):
        deployed.client("s3").head_bucket(Bucket=deployed.names.bucket)


def test_an_empty_stack_is_removed_whole(project: DeployedProject) -> None:
    stack.deploy(project.sign_in("RetrainRole"))
    s3 = project.client("s3")
    for version in s3.list_object_versions(Bucket=project.names.bucket)["Versions"]:
        s3.delete_object(Bucket=project.names.bucket, Key=version["Key"], VersionId=version["VersionId"])

    stack.remove(project.sign_in("TeardownRole"))

    with pytest.raises(ClientError, match="does not exist"):
        project.client("cloudformation").describe_stacks(StackName=project.name)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=project.names.bucket)


def shared_with(project: DeployedProject) -> dict[str, set[str]]:
    """What the bucket's policy lets other accounts do: the statement, and the accounts."""
    text = project.client("s3").get_bucket_policy(Bucket=project.names.bucket)["Policy"]
    return {
        statement["Sid"]: set(statement["Principal"]["AWS"])
        for statement in json.loads(text)["Statement"]
        if statement["Effect"] == "Allow"
    }


def test_sharing_stays_until_it_is_taken_back(deployed: DeployedProject) -> None:
    first = stack.deploy(deployed.sign_in(), ["222222222222"])
    shared_first = shared_with(deployed)
    second = stack.deploy(deployed.sign_in("RetrainRole"))
    third = stack.deploy(deployed.sign_in(), ["none"])

    both = {"LoadModelsInOtherAccounts": {"222222222222"}, "CaptureDataInOtherAccounts": {"222222222222"}}
    assert (first.outcome, shared_first) == ("updated", both)
    assert second.outcome == "unchanged"
    assert (third.outcome, shared_with(deployed)) == ("updated", {})


def test_an_account_of_staging_alone_loads_models_and_no_more(deployed: DeployedProject) -> None:
    stack.deploy(deployed.sign_in(), ["staging=222222222222", "production=333333333333"])

    assert shared_with(deployed) == {
        "LoadModelsInOtherAccounts": {"222222222222", "333333333333"},
        "CaptureDataInOtherAccounts": {"333333333333"},
    }
    group = deployed.client("sagemaker").get_model_package_group_policy(ModelPackageGroupName=deployed.name)
    assert "333333333333" in group["ResourcePolicy"]
    assert "222222222222" not in group["ResourcePolicy"]


def test_the_workflow_shares_with_nobody(deployed: DeployedProject) -> None:
    with pytest.raises(RunError, match=r"(BucketPolicy|ModelPackageGroup).*with an explicit deny"):
        stack.deploy(deployed.sign_in("RetrainRole"), ["333333333333"])

    assert shared_with(deployed) == {}


def test_without_roles_there_is_no_stack(
    local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = DeployedProject(local_aws, tmp_path, monkeypatch)

    with pytest.raises(UserError, match="an administrator runs `automl bootstrap` first"):
        stack.deploy(project.sign_in())


def test_an_account_that_is_none_is_refused(project: DeployedProject) -> None:
    with pytest.raises(UserError, match="--share-with staging is no AWS account"):
        stack.deploy(project.sign_in("RetrainRole"), ["staging"])

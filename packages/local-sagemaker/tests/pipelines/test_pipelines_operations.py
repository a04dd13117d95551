from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError
from pipelines_kit import definition
from steps_of import callback, fail, get

from local_sagemaker import actors, workers
from support.unique import unique
from support.waiting import wait_until

NUMBER = [{"Name": "N", "Type": "Integer", "DefaultValue": 3}]


def refused(call, **parameters):
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return refusal.value.response["Error"]


def test_a_pipeline_is_created_described_listed_and_deleted(pipelines):
    sagemaker = pipelines.sagemaker
    name = pipelines.create(fail("F"), Tags=[{"Key": "a", "Value": "b"}], PipelineDescription="what for")

    described = sagemaker.describe_pipeline(PipelineName=name)
    by_arn = sagemaker.describe_pipeline(PipelineName=described["PipelineArn"])
    listed = sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"]
    tags = sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
    sagemaker.delete_pipeline(PipelineName=name)

    assert described["PipelineDefinition"] == definition(fail("F"))
    assert described["PipelineArn"].endswith(f":pipeline/{name}")
    assert (described["PipelineDescription"], described["RoleArn"]) == ("what for", pipelines.role)
    assert described["CreatedBy"]["IamIdentity"]["Arn"].endswith(":user/administrator")
    assert by_arn["PipelineName"] == name
    assert [summary["PipelineName"] for summary in listed] == [name]
    assert tags == [{"Key": "a", "Value": "b"}]
    assert refused(sagemaker.describe_pipeline, PipelineName=name) == {
        "Code": "ResourceNotFound",
        "Message": f"Pipeline '{described['PipelineArn']}' does not exist.",
    }


def test_what_trains_is_imported_once_somebody_looks_for_a_pipeline_in_vain(pipelines, monkeypatch):
    begun = []
    monkeypatch.setattr(workers, "warm_up", lambda: begun.append(1))

    refused(pipelines.sagemaker.describe_pipeline, PipelineName=unique("pipeline"))

    assert begun


def test_the_same_token_creates_one_pipeline(pipelines):
    name, token = unique("pipeline"), uuid.uuid4().hex
    request = {
        "PipelineName": name,
        "PipelineDefinition": definition(fail("F")),
        "RoleArn": pipelines.role,
        "ClientRequestToken": token,
    }

    first = pipelines.sagemaker.create_pipeline(**request)
    second = pipelines.sagemaker.create_pipeline(**request)
    other = refused(
        pipelines.sagemaker.create_pipeline, **(request | {"ClientRequestToken": uuid.uuid4().hex})
    )

    assert second["PipelineArn"] == first["PipelineArn"]
    assert other["Code"] == "ValidationException"
    assert other["Message"].startswith("Pipeline names must be unique within an AWS account and region.")


def test_search_finds_a_pipeline_by_its_name_and_its_tags(pipelines):
    name = pipelines.create(fail("F"), Tags=[{"Key": "team", "Value": "b"}])
    filters = [
        {"Name": "PipelineName", "Operator": "Equals", "Value": name},
        {"Name": "Tags.team", "Operator": "Equals", "Value": "b"},
    ]

    found = pipelines.sagemaker.search(Resource="Pipeline", SearchExpression={"Filters": filters})["Results"]

    assert [result["Pipeline"]["PipelineName"] for result in found] == [name]


def test_a_tag_added_again_takes_the_new_value(pipelines):
    name = pipelines.create(fail("F"), Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
    arn = pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]

    pipelines.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])

    tags = pipelines.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "2", "b": "1"}
    assert len(tags) == 2


def test_a_definition_may_lie_in_s3(pipelines):
    bucket, text = pipelines.create_bucket(), definition(fail("F", "from S3"))
    pipelines.s3.put_object(Bucket=bucket, Key="definition.json", Body=text)
    there = {"Bucket": bucket, "ObjectKey": "definition.json"}
    name = unique("pipeline")

    pipelines.sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinitionS3Location=there, RoleArn=pipelines.role
    )

    assert pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == text


def test_a_definition_in_s3_is_read_with_the_callers_rights(pipelines):
    bucket = pipelines.create_bucket()
    pipelines.s3.put_object(Bucket=bucket, Key="definition.json", Body=definition(fail("F")))
    role = pipelines.create_role("sagemaker.amazonaws.com", ["sagemaker:*", "iam:PassRole"])
    caller = actors.client("sagemaker", role, pipelines.aws.region)
    there = {"Bucket": bucket, "ObjectKey": "definition.json"}

    error = refused(
        caller.create_pipeline,
        PipelineName=unique("pipeline"),
        PipelineDefinitionS3Location=there,
        RoleArn=pipelines.role,
    )

    assert error["Code"] == "ValidationException"
    assert f"s3://{bucket}/definition.json cannot be read" in error["Message"]
    assert "AccessDenied" in error["Message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PipelineDefinition": None}, "Either Pipeline Definition or Pipeline Definition S3 location"),
        (
            {"PipelineDefinitionS3Location": {"Bucket": "no-such-bucket", "ObjectKey": "k"}},
            "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present",
        ),
        (
            {
                "PipelineDefinition": None,
                "PipelineDefinitionS3Location": {"Bucket": "no-such-bucket", "ObjectKey": "k"},
            },
            "s3://no-such-bucket/k cannot be read: An error occurred (NoSuchBucket)",
        ),
        ({"PipelineDefinition": "{}"}, "Unable to parse pipeline definition. Missing required property"),
        ({"PipelineDefinition": " " * 1_048_577}, "Member must have length less than or equal to 1048576"),
        ({"PipelineName": "a_b"}, "Value 'a_b' at 'pipelineName' failed to satisfy constraint"),
        ({"ClientRequestToken": "x" * 129}, "at 'clientRequestToken' failed to satisfy constraint"),
        ({"PipelineVersionAliases": ["a"]}, "PipelineVersionAliases is not supported by the local AWS"),
    ],
)
def test_an_invalid_request_is_refused(pipelines, change, message):
    request = {
        "PipelineName": unique("pipeline"),
        "PipelineDefinition": definition(fail("F")),
        "RoleArn": pipelines.role,
    }
    given = {name: value for name, value in (request | change).items() if value is not None}

    error = refused(pipelines.sagemaker.create_pipeline, **given)

    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


def test_an_update_changes_what_it_names_and_makes_a_version(pipelines):
    sagemaker = pipelines.sagemaker
    name = pipelines.create(fail("F", "one"), PipelineDescription="first")

    updated = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition(fail("F", "two")))
    now = sagemaker.describe_pipeline(PipelineName=name)
    before = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)
    versions = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]

    assert updated["PipelineVersionId"] == 2
    assert (now["PipelineDescription"], now["PipelineDefinition"]) == ("first", definition(fail("F", "two")))
    assert before["PipelineDefinition"] == definition(fail("F", "one"))
    assert [version["PipelineVersionId"] for version in versions] == [2, 1]


def test_a_failed_update_changes_nothing(pipelines):
    name = pipelines.create(fail("F"))

    error = refused(
        pipelines.sagemaker.update_pipeline, PipelineName=name, PipelineDefinition='{"Version": "1"}'
    )

    assert error["Code"] == "ValidationException"
    assert pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == definition(
        fail("F")
    )


def test_lists_come_in_pages(pipelines):
    names = sorted(pipelines.create(fail("F")) for _ in range(3))
    lister = pipelines.sagemaker.get_paginator("list_pipelines")

    pages = list(
        lister.paginate(PipelineNamePrefix="pipeline", SortBy="Name", PaginationConfig={"PageSize": 1})
    )

    found = [summary["PipelineName"] for page in pages for summary in page["PipelineSummaries"]]
    assert all(len(page["PipelineSummaries"]) == 1 for page in pages)
    assert [name for name in reversed(found) if name in names] == names


def test_the_same_token_starts_one_execution(pipelines):
    name, token = pipelines.create(fail("F")), uuid.uuid4().hex
    start = pipelines.sagemaker.start_pipeline_execution

    first = start(PipelineName=name, ClientRequestToken=token)["PipelineExecutionArn"]
    second = start(PipelineName=name, ClientRequestToken=token)["PipelineExecutionArn"]
    other = start(PipelineName=name, ClientRequestToken=uuid.uuid4().hex)["PipelineExecutionArn"]
    executions = pipelines.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]

    assert second == first
    assert [execution["PipelineExecutionArn"] for execution in executions] == [other, first]


def test_parameters_take_their_values_from_the_start_then_from_the_defaults(pipelines):
    declared = [
        *NUMBER,
        {"Name": "S", "Type": "String", "DefaultValue": "s"},
        {"Name": "B", "Type": "Boolean"},
    ]
    name = pipelines.create(fail("F"), parameters=declared)

    execution = pipelines.start(name, N="5", B="True")
    bound = pipelines.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)

    assert bound["PipelineParameters"] == [
        {"Name": "N", "Value": "5"},
        {"Name": "S", "Value": "s"},
        {"Name": "B", "Value": "true"},
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": "1", "R": "r"}, "Parameters [X] are not defined in the pipeline definition"),
        ({"N": "three", "R": "r"}, "The value 'three' of 'N' is not of type Integer"),
        ({"N": "3"}, "Parameter 'R' has no default value, and the request gives none"),
        ({"R": ""}, 'string "" is too short'),
        ({"R": "z"}, "The value 'z' of 'R' is not one of [r, s]"),
        ({"R": "r" * 1025}, "Member must have length less than or equal to 1024"),
    ],
)
def test_a_start_with_wrong_parameters_is_refused(pipelines, given, message):
    name = pipelines.create(
        fail("F"), parameters=[*NUMBER, {"Name": "R", "Type": "String", "EnumValues": ["r", "s"]}]
    )
    parameters = [{"Name": key, "Value": value} for key, value in given.items()]

    error = refused(
        pipelines.sagemaker.start_pipeline_execution, PipelineName=name, PipelineParameters=parameters
    )

    assert error["Code"] == "ValidationException"
    assert message in error["Message"]
    assert pipelines.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []


def test_an_execution_keeps_the_definition_it_started_with(pipelines):
    queue = pipelines.create_queue()
    name = pipelines.create(callback("C", queue), fail("F", "one", DependsOn=["C"]))
    execution = pipelines.start(name)
    token = pipelines.message(queue)["token"]

    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition(fail("F", "two")))
    pipelines.sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    pipelines.finish(execution)
    kept = pipelines.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)

    assert pipelines.steps(execution)["F"]["FailureReason"] == "one"
    assert [step["Name"] for step in json.loads(kept["PipelineDefinition"])["Steps"]] == ["C", "F"]


def test_a_running_pipeline_is_not_deleted(pipelines):
    queue = pipelines.create_queue()
    name = pipelines.create(callback("C", queue))
    execution = pipelines.start(name)
    token = pipelines.message(queue)["token"]

    error = refused(pipelines.sagemaker.delete_pipeline, PipelineName=name)
    pipelines.sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    status = pipelines.finish(execution)
    pipelines.sagemaker.delete_pipeline(PipelineName=name)

    assert error["Code"] == "ConflictException"
    assert status == "Succeeded"
    assert (
        refused(pipelines.sagemaker.describe_pipeline_execution, PipelineExecutionArn=execution)["Code"]
        == "ResourceNotFound"
    )


def test_display_name_and_description_are_kept(pipelines):
    name = pipelines.create(fail("F"))
    started = pipelines.sagemaker.start_pipeline_execution(
        PipelineName=name, PipelineExecutionDisplayName="commit-1", PipelineExecutionDescription="first"
    )["PipelineExecutionArn"]

    pipelines.sagemaker.update_pipeline_execution(
        PipelineExecutionArn=started, PipelineExecutionDescription="second"
    )
    execution = pipelines.describe(started)

    assert execution["PipelineExecutionDisplayName"] == "commit-1"
    assert execution["PipelineExecutionDescription"] == "second"


def test_an_account_sees_its_own_pipelines_alone(pipelines):
    name = pipelines.create(fail("F"))
    stranger = pipelines.aws.client("sagemaker", "333333333333")

    assert refused(stranger.describe_pipeline, PipelineName=name)["Code"] == "ResourceNotFound"
    assert stranger.list_pipelines()["PipelineSummaries"] == []


def test_executions_are_found_by_their_time(pipelines):
    name = pipelines.create(fail("F"))
    execution = pipelines.start(name)
    began = pipelines.describe(execution)["CreationTime"]
    listing = pipelines.sagemaker.list_pipeline_executions

    after = listing(PipelineName=name, CreatedAfter=began.timestamp() + 60)["PipelineExecutionSummaries"]
    before = listing(PipelineName=name, CreatedBefore=began.timestamp() + 60)["PipelineExecutionSummaries"]

    assert after == []
    assert [found["PipelineExecutionArn"] for found in before] == [execution]
    wait_until(lambda: pipelines.describe(execution)["PipelineExecutionStatus"] == "Failed")


def test_the_experiment_configuration_is_told(pipelines):
    experiment = {
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": get("Execution.PipelineExecutionId"),
    }
    text = json.dumps(json.loads(definition(fail("F"))) | {"PipelineExperimentConfig": experiment})
    name = pipelines.create(fail("F"))
    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text)

    execution = pipelines.start(name)

    assert pipelines.describe(execution)["PipelineExperimentConfig"] == {
        "ExperimentName": name,
        "TrialName": execution.rpartition("/")[2],
    }

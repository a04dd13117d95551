from __future__ import annotations

import json

import pytest
from steps_of import callback, compare, condition, fail, function, get, join, json_get, processing

from local.sagemaker.pipelines.definition import Branch, DefinitionError, parse

ROLE = "arn:aws:iam::123456789012:role/pipelines"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
REPORT = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]


def text(*steps, parameters=(), **more):
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), "Parameters": list(parameters)} | more)


def evaluate(**more):
    return processing("Evaluate", ROLE, ["true"], "s3://bucket/prefix", PropertyFiles=REPORT, **more)


def test_steps_in_branches_are_found_with_their_needs():
    inner = condition("Inner", [compare("Equals", 1, 1)], yes=[fail("Deep", get("Parameters.P"))])
    outer = condition("Outer", [compare("Equals", get("Steps.F.OutputParameters['x']"), 1)], no=[inner])
    parameters = [{"Name": "P", "Type": "String", "DefaultValue": "p"}]

    parsed = parse(text(function("F", FUNCTION, types={"x": "Integer"}), outer, parameters=parameters))

    assert list(parsed.steps) == ["F", "Outer", "Inner", "Deep"]
    assert parsed.steps["Outer"].needs == {"F"}
    assert parsed.steps["Deep"].branch == Branch("Inner", True)
    assert parsed.steps["Inner"].needs == {"Outer"}
    assert parsed.parameters["P"].default == "p"


def test_what_the_sdk_writes_besides_is_accepted():
    experiment = {
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": get("Execution.PipelineExecutionId"),
    }

    parsed = parse(text(fail("F"), Metadata={}, PipelineExperimentConfig=experiment, MlflowConfig=None))

    assert parsed.experiment == experiment


UNKNOWN_STEP = "Step 'F' depends on step 'X', which is undefined"
PREFIX = "Unable to parse pipeline definition. "


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "A pipeline has at least one step"),
        (["F"], "Expecting start of Json Object for a step"),
        ([{"Name": "A b", "Type": "Fail"}], "The step name 'A b' does not match"),
        ([{"Name": "F", "Type": "Sleep"}], "Step 'F' is of the unknown type 'Sleep'"),
        ([{"Name": "F", "Type": "Training"}], "'Training', which is not supported by the local AWS"),
        ([fail("F"), fail("F")], "Duplicate step name 'F'"),
        ([fail("F", DependsOn=["X"])], UNKNOWN_STEP),
        ([fail("F", get("Steps.X.Outcome"))], UNKNOWN_STEP),
        ([fail("F", get("Parameters.X"))], "Step 'F' refers to Parameters.X, which is undefined"),
        ([fail("F", join(" ", get("Execution.X")))], "Execution.X, which is no execution variable"),
        ([fail("F", get("Somewhere.X"))], "a reference starts with Parameters., Execution. or Steps."),
        ([fail("F", Retry=1)], "Cannot parse object, unknown property 'Retry'"),
        ([fail("F"), fail("G", DependsOn=["F"])], "G can not depends on F"),
        (
            [fail("F", DependsOn=[{"Step": "G", "Trigger": "Failed"}])],
            "(Trigger), which is not supported by the local",
        ),
        (
            [function("F", FUNCTION), fail("G", get("Steps.F.OutputParameters['x']"))],
            "which step 'F' does not have",
        ),
        ([function("F", FUNCTION, types={"x": "List"})], "unknown OutputType"),
        ([function("F", FUNCTION, CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})], "asks for caching"),
        ([callback("C", "")], "Callback step 'C' has no SqsQueueUrl"),
        ([condition("C", [{"Type": "Like"}])], "Unknown condition type 'Like'"),
        (
            [function("A", FUNCTION, DependsOn=["B"]), function("B", FUNCTION, DependsOn=["A"])],
            "The steps form a cycle: ",
        ),
        ([evaluate(), fail("F", json_get("Evaluate", "Other", "a"))], "which step 'Evaluate' does not have"),
        ([evaluate(), fail("F", get("Steps.Evaluate.Nothing"))], "which step 'Evaluate' does not have"),
        ([evaluate(), fail("F", json_get("Evaluate", "Report", "a["))], "Cannot parse the path"),
        ([evaluate(RetryPolicies=[{"ExceptionType": ["Step.ANY"]}])], "Unknown exception type 'Step.ANY'"),
        (
            [evaluate(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}])],
            "MaxAttempts of a retry policy must be from 0 to 20",
        ),
        (
            [processing("P", ROLE, ["true"], PropertyFiles=REPORT)],
            "name 'report' defined in property file 'Report' not found in processing step 'P'",
        ),
    ],
)
def test_an_invalid_definition_is_refused(steps, message):
    with pytest.raises(DefinitionError) as refusal:
        parse(text(*steps))

    assert str(refusal.value).startswith(PREFIX)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AppSpecification": ["image"]}, "Expecting start of Json Object"),
        ({"ProcessingInputs": {"InputName": "code"}}, "Expecting start of Json Array"),
        ({"Image": "x"}, "Unknown Argument member 'Image'"),
        ({"ProcessingJobName": "mine"}, "Unknown Argument member 'ProcessingJobName'"),
        (
            {
                "ProcessingInputs": [
                    {"InputName": "code", "S3Input": {"S3Uri": "s3://b", "S3InputMode": "FastFile"}}
                ]
            },
            "Model Validation failed: Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy"
            " enum value set: [Pipe, File]",
        ),
    ],
)
def test_arguments_that_the_api_does_not_take_are_refused(change, message):
    step = evaluate()
    step["Arguments"] |= change

    with pytest.raises(DefinitionError) as refusal:
        parse(text(step))

    assert message in str(refusal.value)


def test_a_function_stands_for_any_argument():
    step = evaluate()
    step["Arguments"]["ProcessingResources"] = get("Parameters.P")

    parsed = parse(text(step, parameters=[{"Name": "P", "Type": "String"}]))

    assert "Evaluate" in parsed.steps


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Invalid Json"),
        ("[]", "Expecting start of Json Object"),
        ('{"Version": "2019-01-01", "Steps": []}', "Unknown version '2019-01-01'"),
        ('{"Version": "2020-12-01", "Steps": {}}', "Expecting start of Json Array"),
        ('{"Version": "2020-12-01", "Step": []}', "unknown property 'Step'"),
    ],
)
def test_a_document_that_is_no_definition_is_refused(document, message):
    with pytest.raises(DefinitionError, match=message):
        parse(document)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"Name": "P", "Type": "Text"}, "unknown type 'Text'"),
        ({"Name": "P", "Type": "Integer", "DefaultValue": "3"}, "'P' is not of type Integer"),
        ({"Name": "P", "Type": "Boolean", "DefaultValue": 1}, "'P' is not of type Boolean"),
        ({"Name": "a b", "Type": "String"}, "The parameter name 'a b' does not match"),
        ({"Name": "P", "Type": "String", "DefaultValue": "x" * 1025}, "longer than 1024"),
    ],
)
def test_an_invalid_parameter_is_refused(parameter, message):
    with pytest.raises(DefinitionError, match=message):
        parse(text(fail("F"), parameters=[parameter]))

from __future__ import annotations

import json

import pytest
from steps_of import callback, compare, condition, fail, function, get, join, json_get, processing

from local_sagemaker.sagemaker.pipelines.definition import Branch, DefinitionError, parse

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
        ([], "Steps: List should have at least 1 item"),
        (["F"], "Expecting start of Json Object"),
        ([{"Name": "A b", "Type": "Fail"}], "Name: String should match pattern"),
        ([{"Name": "F", "Type": "Sleep"}], "Steps.0 is of the unknown type 'Sleep'"),
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
        ([function("F", FUNCTION, types={"x": "List"})], "OutputType: Input should be 'String'"),
        ([function("F", FUNCTION, CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})], "asks for caching"),
        ([{"Name": "C", "Type": "Callback"}], "Missing required property 'Steps.0.Callback.SqsQueueUrl'"),
        ([condition("C", [{"Type": "Like"}])], "Conditions.0 is of the unknown type 'Like'"),
        ([condition("C", [{"Type": "Not", "Expression": {}}])], "unknown property 'Expression'"),
        ([condition("C", [{"Type": "Equals", "LeftValue": 1}])], "Equals.RightValue'"),
        ([condition("C", [{"Type": "In", "QueryValue": 1, "Values": 1}])], "Expecting start of Json Array"),
        (
            [function("A", FUNCTION, DependsOn=["B"]), function("B", FUNCTION, DependsOn=["A"])],
            "The steps form a cycle: ",
        ),
        ([evaluate(), fail("F", json_get("Evaluate", "Other", "a"))], "which step 'Evaluate' does not have"),
        ([evaluate(), fail("F", get("Steps.Evaluate.Nothing"))], "which step 'Evaluate' does not have"),
        ([evaluate(), fail("F", json_get("Evaluate", "Report", "a["))], "Cannot parse the path"),
        (
            [evaluate(RetryPolicies=[{"ExceptionType": ["Step.ANY"]}])],
            "ExceptionType.0: Input should be 'Step.SERVICE_FAULT'",
        ),
        (
            [evaluate(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}])],
            "MaxAttempts: Input should be less than or equal to 20",
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
        ('{"Version": "2019-01-01", "Steps": []}', "Version: Input should be '2020-12-01'"),
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
        ({"Name": "P", "Type": "Text"}, "Type: Input should be 'String'"),
        ({"Name": "P", "Type": "Integer", "DefaultValue": "3"}, "'P' is not of type Integer"),
        ({"Name": "P", "Type": "Boolean", "DefaultValue": 1}, "'P' is not of type Boolean"),
        ({"Name": "a b", "Type": "String"}, "Name: String should match pattern"),
        ({"Name": "P", "Type": "String", "DefaultValue": "x" * 1025}, "longer than 1024"),
    ],
)
def test_an_invalid_parameter_is_refused(parameter, message):
    with pytest.raises(DefinitionError, match=message):
        parse(text(fail("F"), parameters=[parameter]))


def places(node, path=()):
    """The path of every value in a document."""
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


def test_nothing_in_a_definition_can_be_so_wrong_that_it_is_not_told():
    report = json_get("Evaluate", "Report", "a")
    document = json.loads(
        text(
            evaluate(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}]),
            function(
                "F", FUNCTION, {"a": get("Parameters.P")}, {"x": "Float"}, CacheConfig={"Enabled": False}
            ),
            callback("C", "https://queue", {"b": [1]}, {"y": "String"}, DependsOn=["F"]),
            condition(
                "If",
                [
                    compare("Equals", report, "a"),
                    {"Type": "In", "QueryValue": 1, "Values": [1]},
                    {"Type": "Or", "Conditions": [{"Type": "Not", "Condition": compare("Equals", 1, 2)}]},
                ],
                yes=[fail("Yes", join("", report, get("Steps.C.OutputParameters['y']")))],
            ),
            parameters=[{"Name": "P", "Type": "String", "DefaultValue": "p", "EnumValues": ["p"]}],
            PipelineExperimentConfig={"ExperimentName": get("Execution.PipelineName"), "TrialName": "t"},
        )
    )
    parse(json.dumps(document))
    refused = 0

    for path in places(document):
        for wrong in (None, 1, -1.5, True, "wrong", [], {}, [None], {"Get": 1}, {"Std:Join": []}):
            changed = {"root": json.loads(json.dumps(document))}
            parent = changed
            for key in ("root", *path)[:-1]:
                parent = parent[key]
            parent[("root", *path)[-1]] = wrong
            try:
                parse(json.dumps(changed["root"]))
            except DefinitionError:
                refused += 1

    assert refused > 500

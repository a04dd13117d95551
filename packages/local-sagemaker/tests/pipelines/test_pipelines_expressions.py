from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from local_sagemaker.sagemaker.pipelines import conditions, expressions, schema, values
from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError, JsonFile, Reference

CONDITION = TypeAdapter(schema.AnyCondition)


class Values:
    """A scope with fixed values."""

    def __init__(self, **named: Any) -> None:
        self.named = named

    def resolve(self, reference: Reference) -> Any:
        return expressions.follow(self.named[reference.name], reference.path)

    def read_json(self, file: JsonFile) -> Any:
        return {"metrics": {"f1": 0.5, "by class": [{"name": "a", "f1": 1}], "empty": None}, "ok": True}


def holds(condition: dict[str, Any], scope: Values) -> bool:
    return conditions.holds(CONDITION.validate_python(condition), scope)


@pytest.mark.parametrize(
    ("text", "root", "name", "path"),
    [
        ("Parameters.Rows", "Parameters", "Rows", ()),
        ("Execution.PipelineExecutionId", "Execution", "PipelineExecutionId", ()),
        ("Steps.Wait-1.OutputParameters['best.name']", "Steps", "Wait-1", ("OutputParameters", "best.name")),
        (
            "Steps.S.Outputs['evaluation'].S3Output.S3Uri",
            "Steps",
            "S",
            ("Outputs", "evaluation", "S3Output", "S3Uri"),
        ),
        ("Steps.S.List[2].A", "Steps", "S", ("List", 2, "A")),
    ],
)
def test_a_reference_is_read(text, root, name, path):
    assert expressions.parse_reference(text) == Reference(root, name, path)


@pytest.mark.parametrize("text", ["", "Step.A.B", "Parameters", "Steps.A.B[", "Steps.A.B[x]", 3, None])
def test_a_malformed_reference_is_refused(text):
    with pytest.raises(ExpressionError):
        expressions.parse_reference(text)


def test_join_writes_booleans_and_numbers_as_json_does():
    joined = {"Std:Join": {"On": "/", "Values": ["a", True, 3, 0.25, {"Get": "Parameters.P"}]}}

    assert expressions.evaluate(joined, Values(P="p")) == "a/true/3/0.25/p"


def test_join_nests():
    inner = {"Std:Join": {"On": "-", "Values": ["b", "c"]}}

    assert expressions.evaluate({"Std:Join": {"Values": ["a", inner]}}, Values()) == "ab-c"


def test_join_refuses_what_is_no_primitive_value():
    with pytest.raises(ExpressionError, match="no primitive value"):
        expressions.evaluate({"Std:Join": {"On": "", "Values": [["a"]]}}, Values())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.f1", 0.5),
        ("$.metrics.f1", 0.5),
        ("metrics['by class'][0].f1", 1),
        ("metrics['by class'][0]['name']", "a"),
        ("ok", True),
    ],
)
def test_json_get_follows_its_path(path, value):
    call = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.F"}, "Path": path}}

    assert expressions.evaluate(call, Values()) == value


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("metrics.auc", "There is no metrics.auc"),
        ("metrics.f1.value", "There is no metrics.f1.value"),
        ("metrics['by class'][1].f1", r"There is no metrics.by class\[1\]"),
        ("metrics", "an object at metrics"),
        ("metrics.empty", "null at metrics.empty"),
    ],
)
def test_json_get_says_what_is_not_there(path, message):
    call = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.F"}, "Path": path}}

    with pytest.raises(ExpressionError, match=message):
        expressions.evaluate(call, Values())


def test_structures_are_evaluated_at_every_depth():
    structure = {"a": [{"b": {"Get": "Parameters.P"}}, 1], "c": {"Get": "Parameters.P"}}

    assert expressions.evaluate(structure, Values(P=7)) == {"a": [{"b": 7}, 1], "c": 7}


def test_a_name_finds_its_item_in_a_list():
    job = {"Outputs": [{"OutputName": "train", "Uri": "t"}, {"OutputName": "evaluation", "Uri": "e"}]}

    assert expressions.evaluate({"Get": "Steps.J.Outputs['evaluation'].Uri"}, Values(J=job)) == "e"


@pytest.mark.parametrize(
    ("kind", "left", "right", "outcome"),
    [
        ("Equals", "a", "a", True),
        ("Equals", "a", "b", False),
        ("Equals", 1, 1.0, True),
        ("Equals", True, True, True),
        ("GreaterThan", 2, 1.5, True),
        ("GreaterThan", 2, 2, False),
        ("GreaterThanOrEqualTo", 2, 2, True),
        ("GreaterThanOrEqualTo", 1.9, 2, False),
        ("LessThan", 1, 2, True),
        ("LessThan", 2, 2, False),
        ("LessThanOrEqualTo", 2, 2, True),
        ("LessThanOrEqualTo", 3, 2, False),
    ],
)
def test_a_comparison_holds_or_not(kind, left, right, outcome):
    comparison = {"Type": kind, "LeftValue": {"Get": "Parameters.L"}, "RightValue": right}

    assert holds(comparison, Values(L=left)) is outcome


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [("Equals", "1", 1), ("Equals", True, 1), ("GreaterThan", "2", 1), ("LessThan", True, False)],
)
def test_values_of_different_types_do_not_compare(kind, left, right):
    with pytest.raises(ExpressionError, match="cannot compare"):
        holds({"Type": kind, "LeftValue": left, "RightValue": right}, Values())


@pytest.mark.parametrize(
    ("query", "outcome"), [("b", True), ("c", False), (1, True), ("1", False), (True, False)]
)
def test_in_looks_for_the_value(query, outcome):
    condition = {"Type": "In", "QueryValue": query, "Values": ["a", {"Get": "Parameters.P"}, 1]}

    assert holds(condition, Values(P="b")) is outcome


@pytest.mark.parametrize(("left", "right", "outcome"), [(1, 1, True), (1, 2, True), (2, 3, False)])
def test_or_and_not_combine(left, right, outcome):
    one = {"Type": "Equals", "LeftValue": left, "RightValue": 1}
    two = {"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": right, "RightValue": 3}}

    assert holds({"Type": "Or", "Conditions": [one, two]}, Values()) is outcome


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("String", "a b", "a b"),
        ("Integer", "-12", -12),
        ("Float", "1e-3", 0.001),
        ("Float", "2", 2.0),
        ("Boolean", "True", True),
        ("Boolean", "false", False),
    ],
)
def test_a_text_becomes_a_value_of_its_type(kind, text, value):
    read = values.from_text("P", kind, text)

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Integer", "1.0"),
        ("Integer", ""),
        ("Float", "nan"),
        ("Float", "1e999"),
        ("Boolean", "1"),
        ("String", "x" * 1025),
    ],
)
def test_a_text_of_another_type_is_refused(kind, text):
    with pytest.raises(values.MismatchError, match="'P'"):
        values.from_text("P", kind, text)

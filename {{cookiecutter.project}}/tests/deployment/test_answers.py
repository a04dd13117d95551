"""How answers are read and compared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deployment.checks import agrees, check_agreement, check_values, same_cells
from deployment.predictions import parse_csv, parse_json, response_keys
from deployment.registry import ModelPackage

KEYS = ["predicted_label", "probabilities"]


def package(problem_type: str, *environments: dict[str, str]) -> ModelPackage:
    return ModelPackage(
        arn="arn",
        version=1,
        approval="",
        containers=tuple({"Image": "i", "Environment": environment} for environment in environments),
        metadata={"problem_type": problem_type},
        stage="",
        stage_status="",
        content_types=(),
        response_types=(),
        quality_uri="",
        commit="",
        created=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("problem_type", "environments", "keys"),
    [
        ("MulticlassClassification", [{"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, probability"}], 2),
        ("BinaryClassification", [{}], 1),
        ("Regression", [{"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label"}], 1),
        (
            "BinaryClassification",
            [
                {},
                {"SAGEMAKER_INFERENCE_OUTPUT": "a"},
                {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probability"},
            ],
            2,
        ),
    ],
)
def test_the_names_of_an_answers_values(problem_type, environments, keys):
    found = response_keys(package(problem_type, *environments))

    assert found == (
        ["prediction"] if problem_type == "Regression" else ["predicted_label", "probability"][:keys]
    )


def test_csv_and_json_are_the_same_answer():
    csv = parse_csv('"a, b","[0.25, 0.75]"\nc,"[1.0, 0.0]"\n', KEYS)
    document = parse_json(
        '{"predictions": [{"predicted_label": "a, b", "probabilities": [0.25, 0.75]},'
        ' {"predicted_label": "c", "probabilities": [1, 0]}]}',
        KEYS,
    )
    lines = parse_json('{"predicted_label": "a, b", "probabilities": [0.25, 0.75]}\n' * 2, KEYS)

    assert csv[0] == {"predicted_label": "a, b", "probabilities": "[0.25, 0.75]"}
    assert all(agrees(one, other) for one, other in zip(csv, document, strict=True))
    assert len(lines) == 2
    assert agrees(lines[1], csv[0])


@pytest.mark.parametrize("text", ["1", '{"score": 1}', '{"predictions": [{"score": 1.0}]}', "[1.0]"])
def test_a_regressions_json_may_have_any_shape(text):
    assert agrees(parse_json(text, ["prediction"])[0], {"prediction": "1"})


@pytest.mark.parametrize("text", ["yes\n", "yes,0.5,1\n"])
def test_csv_with_other_values_is_refused(text):
    with pytest.raises(ValueError, match="instead of 2"):
        parse_csv(text, KEYS)


@pytest.mark.parametrize("text", ["no json", '{"predicted_label": "a"}', '{"predictions": [1]}'])
def test_json_that_is_none_or_lacks_a_value_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text, KEYS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"predicted_label": "1"}, {"predicted_label": "1.0"}, False),  # labels are texts
        ({"prediction": "1"}, {"prediction": "1.0000009"}, True),
        ({"prediction": "1"}, {"prediction": "1.000002"}, False),
        ({"prediction": "1e9"}, {"prediction": "1000000001"}, True),
        ({"prediction": "nan"}, {"prediction": "1"}, False),
        ({"probabilities": "[0.1, 0.9]"}, {"probabilities": "[0.1, 0.90000001]"}, True),
        ({"probabilities": "[0.1, 0.9]"}, {"probabilities": "[0.1]"}, False),
        ({"labels": "['a', 'b']"}, {"labels": '["a", "b"]'}, True),
    ],
)
def test_what_counts_as_the_same_prediction(one, other, same):
    assert agrees(one, other) is same


@pytest.mark.parametrize(("wrong", "outcome"), [(0, "passed"), (1, "passed"), (2, "failed")])
def test_one_label_in_a_thousand_may_differ(wrong, outcome):
    expected = [{"predicted_label": "a"}] * 1000
    found = [{"predicted_label": "b"}] * wrong + expected[wrong:]

    assert check_agreement(found, expected).outcome == outcome


def test_no_number_of_a_regression_may_differ():
    expected = [{"prediction": "1"}] * 1000

    assert check_agreement([{"prediction": "2"}, *expected[1:]], expected).outcome == "failed"


@pytest.mark.parametrize(
    ("prediction", "classes", "outcome"),
    [
        ({"predicted_label": "a", "probabilities": "[0.5, 0.5]"}, {"a", "b"}, "passed"),
        ({"predicted_label": "c"}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probability": "inf"}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probability": ""}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probabilities": "[0.5, NaN]"}, {"a", "b"}, "failed"),
        ({"prediction": "-1e300"}, None, "passed"),
        ({"prediction": "nan"}, None, "failed"),
        ({"prediction": "many"}, None, "failed"),
    ],
)
def test_labels_that_training_knew_and_numbers_that_are_finite(prediction, classes, outcome):
    known = frozenset(classes) if classes else None

    assert check_values([prediction], known).outcome == outcome


def test_answers_of_two_versions_are_compared_value_by_value():
    assert same_cells(["yes", "0.5"], ["yes", "0.50000001"])
    assert not same_cells(["yes", "0.5"], ["no", "0.5"])
    assert not same_cells(["yes"], ["yes", "0.5"])
    assert not same_cells(None, ["yes"])
